#include <oas/bytes.hpp>

#include <cstdint>
#include <cstring>

#include "expect_error.hpp"

namespace oas {
namespace {

TEST(Bytes, ShareWhatTheyAreSlicedFrom) {
  const Bytes all = Bytes::copy("hello world");
  Bytes part;
  {
    const Bytes copy = all;
    part = copy.slice(6, 5);
  }
  EXPECT_EQ(part.text(), "world");
  EXPECT_EQ(part.data(), all.data() + 6);
  EXPECT_EQ(part, Bytes::copy("world"));
  EXPECT_NE(part, Bytes::copy("worlD"));
}

TEST(Bytes, SlicesStayInside) {
  const Bytes bytes = Bytes::copy("abc");
  EXPECT_TRUE(bytes.slice(3, 0).empty());
  EXPECT_EQ(code_of([&] { (void)bytes.slice(2, 2); }), Errc::usage);
  EXPECT_EQ(code_of([&] { (void)bytes.slice(4, 0); }), Errc::usage);
  EXPECT_EQ(code_of([&] { (void)bytes.slice(1, SIZE_MAX); }), Errc::usage);
}

TEST(Bytes, TellWhetherTheyAreBorrowed) {
  std::byte memory[3]{};
  EXPECT_TRUE(Bytes::borrow(memory).borrowed());
  EXPECT_FALSE(Bytes::copy(memory).borrowed());
  EXPECT_FALSE(Bytes().borrowed());
  EXPECT_EQ(Bytes(), Bytes::copy(""));
}

TEST(Bytes, TakeVectorsOverWithoutACopy) {
  std::vector<std::byte> vector(100, std::byte{7});
  const std::byte* data = vector.data();
  const Bytes bytes(std::move(vector));
  EXPECT_EQ(bytes.data(), data);
  EXPECT_EQ(bytes.size(), 100u);
}

TEST(Buffer, BecomesBytesWithoutACopy) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, (std::size_t{4} << 20) + 1}) {
    Buffer buffer(size);
    if (size > 0) std::memset(buffer.data(), 5, size);
    const std::byte* data = buffer.data();
    const Bytes bytes = std::move(buffer).finish();
    EXPECT_EQ(bytes.data(), data);
    EXPECT_EQ(bytes.size(), size);
  }
  EXPECT_EQ(std::move(*std::make_unique<Buffer>(8)).finish(3).size(), 3u);
}

TEST(Buffer, IsAlignedForAnyElement) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, std::size_t{5} << 20}) {
    Buffer buffer(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % alignof(std::max_align_t), 0u) << size;
  }
}

TEST(Buffer, SaysWhenMemoryIsOut) {
  EXPECT_EQ(code_of([] { Buffer buffer(SIZE_MAX - 10); }), Errc::unavailable);
  Buffer buffer(4);
  EXPECT_EQ(code_of([&] { (void)std::move(buffer).finish(5); }), Errc::usage);
}

TEST(Error, EachLayerAddsItsClause) {
  const Error error(Errc::duplicate, "insert into scan: duplicate key", "lab.scan", "23505");
  const Error outer = error.within("populate");
  EXPECT_STREQ(outer.what(), "populate: insert into scan: duplicate key");
  EXPECT_EQ(outer.code(), Errc::duplicate);
  EXPECT_EQ(outer.target(), "lab.scan");
  EXPECT_EQ(outer.native(), "23505");
  EXPECT_FALSE(outer.retryable());
  EXPECT_TRUE(Error(Errc::conflict, "").retryable());
  EXPECT_EQ(to_string(Errc::missing_object), "missing_object");
}

}  // namespace
}  // namespace oas
