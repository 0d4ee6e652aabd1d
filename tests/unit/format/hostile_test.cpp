// Bytes that promise what is not there, or that cost more than they are worth: a typed error with the place, or a
// value, and never more memory than the headers say.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <random>
#include <string>

#include "core/json.hpp"
#include "core/typed.hpp"
#include "format/blob.hpp"
#include "format/npy.hpp"
#include "unit/format/counted_memory.hpp"
#include "unit/format/golden.hpp"

namespace oas::format {
namespace {

using testing::peak_of;

constexpr std::size_t slack = 512 * 1024;  // of messages, and of zlib, whose state a thread keeps

std::string u64(std::uint64_t n) { return {reinterpret_cast<const char*>(&n), sizeof n}; }
std::string u32(std::uint32_t n) { return {reinterpret_cast<const char*>(&n), sizeof n}; }
std::string repeat(const std::string& text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}
const std::string mym("mYm\0", 4), dj0("dj0\0", 4), none("\xFF"), none_element = u64(1) + none;

// What reading takes, at most; the error, if there is one, tells where.
template <class Read>
void read_within(const std::string& bytes, std::size_t factor, const Read& read) {
  const Bytes input = Bytes::copy(bytes);
  std::string error;
  const std::size_t peak = peak_of([&] {
    try {
      read(input);
    } catch (const Error& e) {
      error = e.what();
      EXPECT_TRUE(e.code() == Errc::decode || e.code() == Errc::unsupported || e.code() == Errc::syntax) << error;
    }
  });
  EXPECT_LE(peak, factor * bytes.size() + slack) << bytes.size() << " bytes: " << error;
  if (!error.empty()) {
    EXPECT_TRUE(error.find("at byte ") != std::string::npos || error.find("from byte ") != std::string::npos ||
                error.find("JSON: it is nested deeper") != std::string::npos)
        << error;
  }
}
// The size that a compressed blob says it has inside.
std::uint64_t promised_by(const std::string& blob) {
  std::uint64_t promised = 0;
  if (blob.starts_with("ZL123") && blob.size() > 14) std::memcpy(&promised, blob.data() + 6, sizeof promised);
  return promised;
}

// A compressed blob may take what really comes out of it.
void read_blob(const std::string& bytes) {
  const std::size_t inflated = std::min<std::uint64_t>(promised_by(bytes), 1032 * bytes.size()) / (bytes.size() + 1);
  read_within(bytes, unpack_factor * (1 + inflated), [](const Bytes& input) { unpack(input); });
}
void read_array(const std::string& bytes) {
  read_within(bytes, npy_factor, [](const Bytes& input) { read_npy(input); });
}
void refuse_blob(const std::string& bytes) {
  EXPECT_THROW(unpack(Bytes::copy(bytes)), Error);
  read_blob(bytes);
}

// Lists in lists, each of which promises as many elements as there could be, of which the first holds all the rest.
std::string greedy_lists(const std::string& code, std::size_t length_size, std::size_t element, std::size_t levels) {
  std::string blob(256 * 1024, '\0');
  std::size_t at = 0;
  const auto put = [&](const std::string& text) {
    std::memcpy(blob.data() + at, text.data(), text.size());
    at += text.size();
  };
  const auto number = [&](std::size_t n) { return length_size == 8 ? u64(n) : u32(static_cast<std::uint32_t>(n)); };
  put(dj0);
  for (std::size_t i = 0; i < levels; ++i) {
    put(code);
    const std::size_t left = blob.size() - at - length_size;
    put(number(left / element));
    put(number(left - length_size));
  }
  return blob;
}

TEST(Hostile, CountsAreHeldAgainstTheirOwnBytes) {
  for (const char* code : {"\x01", "\x02", "\x03", "\x04"})
    for (const std::size_t levels : {1u, 20u, 400u}) refuse_blob(greedy_lists(code, 8, *code == 4 ? 18 : 9, levels));
  // Cells, objects and structures promise by their shapes.
  for (const std::string& head : {"C" + u64(1), "A" + u64(1), "S" + u64(1)}) {
    std::string blob = mym;
    for (int level = 0; level < 300; ++level) {
      const std::size_t left = 256 * 1024 - blob.size();
      blob += head + u64(left / 10);
      if (head[0] == 'A') blob += u32(5) + u32(0);
      if (head[0] == 'S') blob += u32(1) + std::string("a\0", 2);
      blob += u64(256 * 1024 - blob.size() - 8);
    }
    blob.resize(256 * 1024);
    refuse_blob(blob);
  }
}

TEST(Hostile, SmallestElements) {
  constexpr std::uint64_t n = 20'000;
  read_blob(dj0 + "\x02" + u64(n) + repeat(none_element, n));
  read_blob(dj0 + "\x03" + u64(n) + repeat(none_element, n));
  read_blob(dj0 + "\x04" + u64(n) + repeat(none_element, 2 * n));
  read_blob(mym + "C" + u64(2) + u64(1) + u64(n) + repeat(none_element, n));
  read_blob(mym + "C" + u32(2) + u32(1) + u32(n) + repeat(u32(1) + none, n));
  read_blob(mym + "A" + u64(1) + u64(n) + u32(5) + u32(0) + repeat(none_element, n));
  const std::string empty_array = "A" + u64(1) + u64(0) + u32(65544) + u32(0);
  read_blob(dj0 + "\x02" + u64(n) + repeat(u64(empty_array.size()) + empty_array, n));
  const std::string no_fields = "F" + u32(0);
  read_blob(dj0 + "\x02" + u64(n) + repeat(u64(no_fields.size()) + no_fields, n));
  const std::string empty_list = "\x02" + u64(0);
  read_blob(dj0 + "\x02" + u64(n) + repeat(u64(empty_list.size()) + empty_list, n));
  const std::string digits = "\x0A" + std::string("\xFF\xFF", 2) + std::string(65'535, '\x55');
  read_blob(dj0 + "\x02" + u64(3) + repeat(u64(digits.size()) + digits, 3));
  read_blob(mym + "A" + u64(2) + u64(1) + u64(n) + u32(4) + u32(0) + repeat(std::string("a\0", 2), n));
  read_blob(mym + "A" + u64(2) + u64(n) + u64(1) + u32(9) + u32(1) +
            std::string(2 * n, '\1'));  // each becomes a double
}

TEST(Hostile, FieldsAndTheirNames) {
  std::string names;
  std::uint32_t count = 0;
  for (char a = 'a'; a <= 'z'; ++a)
    for (int b = 1; b < 128; ++b)
      for (const char* c : {"", "x", "y", "z"}) names += std::string(1, a) + static_cast<char>(b) + c + '\0', ++count;
  const std::string many_dimensions = u64(64) + u64(0) + repeat(u64(1), 63);
  read_blob(mym + "S" + many_dimensions + u32(count) + names);
  read_blob(dj0 + "F" + u32(count) + names + repeat("F" + u32(0), count));
  refuse_blob(dj0 + "F" + u32(count) + names);
  refuse_blob(dj0 + "F" + u32(0xFFFFFFFF) + std::string(70'000, '\0'));
  refuse_blob(dj0 + "F" + u32(1) + "\xFF\xFE" + std::string("\0", 1) + "A" + u64(0) + u32(8) + u32(0) + "\1");
  refuse_blob(dj0 + "F" + u32(1) + std::string(100'000, 'n') + '\0' + "A" + u64(0) + u32(8) + u32(0) + "\1");
  refuse_blob(dj0 + "F" + u32(1) + std::string(100'000, 'n'));
  refuse_blob(dj0 + "F" + u32(2) + repeat(std::string("a\0", 2), 2) + repeat("A" + u64(0) + u32(8) + u32(0) + "\1", 2));
}

TEST(Hostile, ShapesThatNoMemoryHolds) {
  const std::uint64_t huge = std::uint64_t{1} << 60;
  for (const std::uint32_t element : {3u, 4u, 5u, 6u, 15u, 65536u}) {
    for (const std::uint32_t is_complex : {0u, 1u}) {
      refuse_blob(mym + "A" + u64(1) + u64(huge) + u32(element) + u32(is_complex));
      refuse_blob(mym + "A" + u64(2) + u64(1u << 31) + u64(std::uint64_t{1} << 33) + u32(element) + u32(is_complex));
      refuse_blob(mym + "A" + u64(3) + repeat(u64(huge), 3) + u32(element) + u32(is_complex));
      refuse_blob(mym + "A" + u64(1) + u64(UINT64_MAX) + u32(element) + u32(is_complex));
      refuse_blob(mym + "A" + u64(huge) + u64(1) + u32(element) + u32(is_complex));
    }
  }
  for (const char* code : {"C", "S"}) refuse_blob(mym + code + u64(2) + u64(huge) + u64(16) + u32(1) + "a");
  for (const char code : {'\x01', '\x02', '\x03', '\x04', '\x05', '\x06', 'd'})
    for (const std::uint64_t n : {huge, UINT64_MAX, std::uint64_t{1} << 32}) refuse_blob(dj0 + code + u64(n) + "abc");
  refuse_blob(std::string("ZL123\0", 6) + u64(huge) + "x\x9c");
  refuse_blob(std::string("ZL123\0", 6) + u64(1000) + "x\x9c\x4b\x04");
}

TEST(Hostile, CompressedBombsTakeWhatTheyHold) {
  const std::string zeros = dj0 + "\x06" + u64(50'000'000) + std::string(50'000'000, '\0');
  std::string packed(100'000, '\0');
  uLongf size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(zeros.data()),
                     zeros.size()),
            Z_OK);
  packed.resize(size);
  const Bytes honest = Bytes::copy(std::string("ZL123\0", 6) + u64(zeros.size()) + packed);
  EXPECT_LE(peak_of([&] { unpack(honest); }), 6 * zeros.size());
  // A promise of a thousand times the stream, of which little comes.
  std::string noise(100'000, '\0');
  std::mt19937_64 random(1);
  for (char& c : noise) c = static_cast<char>(random());
  packed.resize(200'000);
  size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(noise.data()),
                     noise.size()),
            Z_OK);
  const std::string greedy = std::string("ZL123\0", 6) + u64(1000 * size) + packed.substr(0, size);
  read_within(greedy, 9, [](const Bytes& input) { unpack(input); });
}

// A value in a value in a value, a million times; `head` and `tail` are around each.
std::string million_deep(const std::string& head, bool with_lengths, std::size_t levels = 1'000'000) {
  const std::size_t level = head.size() + (with_lengths ? 8 : 0);
  std::string blob = dj0;
  blob.reserve(level * levels + 5);
  for (std::size_t i = levels; i-- > 0;) blob += head + (with_lengths ? u64(level * i + 1) : "");
  return blob + none;
}

TEST(Hostile, NestedAMillionDeep) {
  for (const std::string& head :
       {"\x01" + u64(1), "\x02" + u64(1), "\x03" + u64(1), "\x04" + u64(1), "C" + u64(1) + u64(1),
        "A" + u64(1) + u64(1) + u32(5) + u32(0), "S" + u64(1) + u64(1) + u32(1) + std::string("a\0", 2)})
    refuse_blob(million_deep(head, true));
  refuse_blob(million_deep("F" + u32(1) + std::string("a\0", 2), false));
  read_within(repeat("[", 1'000'000), json_factor, [](const Bytes& text) { from_json(text.text()); });
  read_within(repeat("{\"a\":", 1'000'000), json_factor, [](const Bytes& text) { from_json(text.text()); });
  for (const char* open : {"(", "[", "{'a': ", "[('a', "}) {
    const std::string header = repeat(open, 1'000'000);
    read_array(std::string("\x93NUMPY\2\0", 8) + u32(static_cast<std::uint32_t>(header.size())) + header);
  }
}

// As deep as the header says, and everything on the way: read, printed, read back, written.
TEST(Hostile, HonestNestingWorks) {
  const Value deep = unpack(Bytes::copy(million_deep("\x02" + u64(1), true, max_nesting - 1)));
  EXPECT_EQ(from_typed(to_typed(deep)), deep);
  EXPECT_EQ(unpack(pack_joined(deep)), deep);
  EXPECT_EQ(max_nesting, 500);
}

TEST(Hostile, ArraysOfNumpy) {
  const auto file = [](const std::string& header) {
    return std::string("\x93NUMPY\2\0", 8) + u32(static_cast<std::uint32_t>(header.size())) + header;
  };
  const auto of = [&](const std::string& descr, const std::string& shape) {
    return file("{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + "}");
  };
  const auto refuse = [](const std::string& bytes) {
    EXPECT_THROW(read_npy(Bytes::copy(bytes)), Error) << bytes.substr(0, 100);
    read_array(bytes);
  };
  refuse(of("'<f8'", "(1152921504606846976,)"));
  refuse(of("'<f8'", "(4294967296, 4294967296)"));
  refuse(of("'<f8'", "(" + repeat("9223372036854775807, ", 64) + ")"));
  refuse(of("'<f8'", "(" + repeat("1, ", 100'000) + ")"));
  refuse(of("'<f8'", "(-1,)"));
  refuse(of("'<U2147483647'", "(1,)"));
  refuse(of("[('" + std::string(100'000, 'n') + "', '<f8')]", "(0,)"));
  refuse(of("[('a\\x00b', '<f8')]", "(0,)"));
  refuse(of("[('a\xFF', '<f8')]", "(0,)").replace(6, 1, "\3"));
  refuse(of("[('a\\ud800', '<f8')]", "(0,)"));
  refuse(file(std::string(1'000'000, ' ')));
  refuse(std::string("\x93NUMPY\2\0", 8) + u32(0xFFFFFFFF));
  for (const char* item : {"(),", "0,", "'',", "[],", "{},", "'\\n',", "('a','i1'),", "1:2,"})
    for (const char* open : {"(", "[", "{"}) refuse(file(open + repeat(item, 20'000)));
  std::string fields;
  for (int i = 0; i < 20'000; ++i) fields += fmt::format("('{:x}','b'),", i);
  read_array(of("[" + fields + "]", "(0,)"));
  std::string nested = "'i1'";
  for (int i = 0; i < 10; ++i) nested = "[('" + std::string(2000, static_cast<char>('a' + i)) + "', " + nested + ")]";
  read_array(of(nested, "(0,)"));
}

TEST(Hostile, Json) {
  for (const char* item : {"[],", "{},", "0,", "\"\",", "[0],", "{\"\":0},", "{\"a\":[]},", "1e5,", "null,"}) {
    const auto read = [](const Bytes& text) { from_json(text.text()); };
    read_within("[" + repeat(item, 20'000) + "0]", json_factor, read);
    read_within("[" + repeat(item, 20'000), json_factor, read);
  }
  std::string members;
  for (int i = 0; i < 20'000; ++i) members += fmt::format("\"{:x}\":0,", i);
  read_within("{" + members + "\"x\":0}", json_factor, [](const Bytes& text) { from_json(text.text()); });
}

// 1, but for files that would take minutes: each cut is read as far as it goes, and inflating takes its time.
std::size_t step_of(const std::string& file) {
  const std::uint64_t inflated = std::min<std::uint64_t>(promised_by(file), 1032 * file.size());
  return file.size() * (file.size() + 20 * inflated) / 8'000'000'000 + 1;
}

// Every golden file cut at every byte, and with bits turned over.
template <class Read>
void damage(const char* kind, const Read& read) {
  std::mt19937_64 random(20'261'123);
  std::size_t files = 0;
  for (const auto& golden : testing::golden_cases(kind)) {
    if (golden.text("file").empty()) continue;
    SCOPED_TRACE(golden.name);
    const std::string whole(testing::golden_file(kind, golden).text());
    const std::size_t step = step_of(whole);
    for (std::size_t size = 0; size < whole.size(); size += step) read(whole.substr(0, size));
    for (int i = 0; i < 60 && !whole.empty(); ++i) {
      std::string damaged = whole;
      for (int flips = 0; flips <= i % 3; ++flips)
        damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
      read(damaged);
    }
    ++files;
  }
  EXPECT_GT(files, 0u);
}
TEST(Hostile, DamagedGoldenBlobs) { damage("blobs", read_blob); }
TEST(Hostile, DamagedGoldenArrays) { damage("npy", read_array); }

}  // namespace
}  // namespace oas::format
