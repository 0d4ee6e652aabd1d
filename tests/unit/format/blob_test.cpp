// Blobs beyond the golden ones: any value there and back, hostile bytes, sharing, time.
#include "format/blob.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "core/typed.hpp"
#include "unit/format/golden.hpp"

namespace oas::format {
namespace {

using Compress = PackOptions::Compress;

std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* given = std::getenv("OAS_SEED");
    const std::uint64_t chosen = given ? std::stoull(given) : std::random_device{}();
    std::printf("OAS_SEED=%llu\n", static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return value;
}

class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : random_(seed) {}

  Value next(int depth = 0) {
    switch (below(depth < 5 ? 18 : 12)) {
      case 0: return nullptr;
      case 1: return below(2) == 0;
      case 2: return static_cast<std::int64_t>(random_()) >> below(64);
      case 3: return BigInt{(below(2) ? "-1" : "9") + std::string(19 + below(300), static_cast<char>('0' + below(10)))};
      case 4: return std::bit_cast<double>(static_cast<std::uint64_t>(random_()));
      case 5: return std::complex<double>(static_cast<double>(below(100)), -0.0);
      case 6: return text();
      case 7: return Bytes::copy(text());
      case 8: return Decimal{"-1.2500E+" + std::to_string(5 + below(50))};
      case 9: return Date::from_days(static_cast<std::int32_t>(below(20000)) - 5000);
      case 10:
        return DateTime::from_microseconds(static_cast<std::int64_t>(random_() % 4'000'000'000'000'000) -
                                           2'000'000'000'000'000);
      case 11: return Time{static_cast<std::int64_t>(random_() % 86'400'000'000)};
      case 12: return array(shape());
      case 13: return seq(depth);
      case 14: {
        Map map;
        for (std::uint64_t n = below(4); n > 0; --n) {
          Value key = tuple({n, next(depth + 1)});  // none twice
          map.items.emplace_back(std::move(key), next(depth + 1));
        }
        return map;
      }
      case 15: {
        Shape of_all = shape();
        if (std::ranges::find(of_all, 0) != of_all.end())
          of_all = {0};  // what is read of a cell array without elements
        return cells(below(2) == 0, of_all, depth);
      }
      case 16: {
        const Shape of_all = shape();
        Fields fields{false, of_all, {{"a", array(of_all)}, {"é", cells(false, of_all, depth)}}};
        return fields;
      }
      default: {
        const Shape of_all = shape();
        return Fields{true, of_all, {{"x", cells(true, of_all, depth)}, {"y", cells(true, of_all, depth)}}};
      }
    }
  }
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

 private:
  std::string text() {
    std::string out;
    for (std::uint64_t n = below(20); n > 0; --n)
      out += below(4) == 0 ? "ü☃" : std::string(1, static_cast<char>(below(128)));
    return out;
  }
  Shape shape() {
    Shape out;
    for (std::uint64_t n = 1 + below(3); n > 0; --n) out.push_back(static_cast<std::int64_t>(below(4)));
    return out;
  }
  Value array(Shape shape) {
    static constexpr DType kinds[] = {DType::bool_, DType::i8,  DType::i16, DType::i32, DType::i64,
                                      DType::u8,    DType::u16, DType::u32, DType::u64, DType::f32,
                                      DType::f64,   DType::c64, DType::c128};
    ArrayType type = ArrayType::of(kinds[below(std::size(kinds))]);
    if (below(8) == 0) type = {DType::datetime64, 8, false, "datetime64[ms]"};
    std::int64_t size = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    std::vector<std::byte> data(static_cast<std::size_t>(size) * type.item_size);
    for (std::byte& b : data) b = static_cast<std::byte>(type.kind == DType::bool_ ? below(2) : below(256));
    return Array(type, std::move(shape), Bytes(std::move(data)), below(2) ? Array::Order::row : Array::Order::column);
  }
  Value seq(int depth) {
    Seq out{static_cast<Seq::Kind>(below(3)), {}};
    for (std::uint64_t n = below(5); n > 0; --n)
      out.items.push_back(out.kind == Seq::Kind::set ? Value(tuple({n, next(depth + 1)})) : next(depth + 1));
    return out;
  }
  Value cells(bool cell, Shape shape, int depth) {
    const std::int64_t size = std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
    Cells out{cell, std::move(shape), {}};
    for (std::int64_t i = 0; i < size; ++i) out.items.push_back(next(depth + 2));
    return out;
  }
  std::mt19937_64 random_;
};

Bytes join(const std::vector<Bytes>& parts) {
  std::string text;
  for (const Bytes& part : parts) text += part.text();
  return Bytes::copy(text);
}

// Whatever the bytes are: a value, or an error that says so.
void read_hostile(const Bytes& blob) {
  try {
    unpack(blob);
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == Errc::decode || error.code() == Errc::unsupported) << error.what();
  }
}

TEST(Blob, AnyValueComesBack) {
  RandomValues values(seed());
  for (int i = 0; i < 500; ++i) {
    const Value value = values.next();
    const Bytes blob = pack_joined(value);
    // NaN is not equal to itself, its notation is.
    EXPECT_EQ(to_typed(unpack(blob)), to_typed(value));
    EXPECT_TRUE(join(pack(value)) == blob);
    EXPECT_TRUE(pack_joined(unpack(blob)) == blob);
    EXPECT_EQ(to_typed(unpack(pack_joined(value, {Compress::never}))), to_typed(value));
  }
}

TEST(Blob, TruncatedAnywhereIsDecodeError) {
  std::size_t files = 0;
  for (const auto& golden : testing::golden_cases("blobs")) {
    if (golden.text("file").empty()) continue;
    const Bytes blob = testing::read_file(testing::golden_folder() / "blobs" / golden.text("file"));
    if (blob.size() > 400) continue;
    for (std::size_t size = 0; size < blob.size(); ++size) {
      try {
        unpack(Bytes::copy(blob.view().first(size)));  // of its own, so that a sanitizer sees its end
        ADD_FAILURE() << golden.name << " was read from " << size << " of its bytes";
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == Errc::decode || error.code() == Errc::unsupported)
            << golden.name << ": " << error.what();
      }
    }
    ++files;
  }
  EXPECT_GT(files, 0u);
}

TEST(Blob, FlippedBitsNeverCrash) {
  std::mt19937_64 random(seed());
  for (const auto& golden : testing::golden_cases("blobs")) {
    if (golden.text("file").empty()) continue;
    const Bytes blob = testing::read_file(testing::golden_folder() / "blobs" / golden.text("file"));
    if (blob.empty()) continue;
    for (int i = 0; i < 60; ++i) {
      std::vector<std::byte> damaged(blob.view().begin(), blob.view().end());
      for (int flips = 0; flips <= i % 3; ++flips) damaged[random() % damaged.size()] ^= std::byte{1} << random() % 8;
      read_hostile(Bytes(std::move(damaged)));
    }
  }
}

TEST(Blob, PromisesTakeNoMemory) {
  const std::string huge("\xff\xff\xff\xff\xff\xff\xff\x7f", 8);
  for (const char code : {'\x01', '\x04', '\x05', '\x06'}) {
    const std::string blob = std::string("dj0\0", 4) + code + huge + "abc";
    EXPECT_THROW(unpack(Bytes::copy(blob)), Error);
  }
  const std::string one("\1\0\0\0\0\0\0\0", 8);
  for (const char code : {'A', 'C', 'S'})
    EXPECT_THROW(unpack(Bytes::copy(std::string("mYm\0", 4) + code + one + huge + std::string("\6\0\0\0\0\0\0\0", 8))),
                 Error);
  EXPECT_THROW(unpack(Bytes::copy(std::string("ZL123\0", 6) + huge + "x\x9c")), Error);
}

TEST(Blob, NestingIsLimited) {
  Value value = 1;
  for (int i = 0; i < max_nesting - 1; ++i) value = list({std::move(value)});
  EXPECT_EQ(unpack(pack_joined(value)), value);
  value = list({std::move(value)});
  EXPECT_THROW(pack(value), Error);
  // Deeper in bytes: lists of one element, with the lengths that belong to it.
  std::string inner(1, '\xFF');
  for (int i = 0; i < 2000; ++i) {
    std::uint64_t numbers[] = {1, inner.size()};
    std::string outer(1, '\x02');
    outer.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
    inner = outer + inner;
  }
  try {
    unpack(Bytes::copy(std::string("dj0\0", 4) + inner));
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::decode);
  }
}

TEST(Blob, LargeArraysAreShared) {
  std::vector<double> numbers(100'000);
  const Value value = map({{"a", Array(numbers)}, {"b", 2}});
  const std::vector<Bytes> parts = pack(value, {Compress::never});
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(static_cast<const void*>(parts[1].data()), numbers.data());
  EXPECT_FALSE(pack_joined(value).borrowed());

  // A blob that begins in the right place gives the array without a copy.
  const Bytes joined = pack_joined(Value(Array(numbers)), {Compress::never});
  Buffer buffer(blob_lead + joined.size());
  std::memcpy(buffer.data() + blob_lead, joined.data(), joined.size());
  const Bytes blob = std::move(buffer).finish().slice(blob_lead, joined.size());
  const Array read = unpack(blob).as<Array>();
  EXPECT_EQ(read.data().data(), blob.data() + (blob.size() - read.nbytes()));
}

// A record of 1 KB of which zlib would save a fifth, and one of which it saves most.
TEST(Blob, AFewHundredBytesAreNotWorthCompressing) {
  std::mt19937_64 random(1);
  std::vector<double> noise(100), steps(160);
  for (double& x : noise) x = std::generate_canonical<double, 53>(random);
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = static_cast<double>(i / 16);
  const Value record = map({{"subject", "mouse-0001"}, {"note", std::string(200, 'x')}, {"trace", noise}});
  EXPECT_LT(pack_joined(record, {Compress::always}).size(), pack_joined(record, {Compress::never}).size() * 9 / 10);
  EXPECT_TRUE(pack_joined(record) == pack_joined(record, {Compress::never}));
  EXPECT_TRUE(pack_joined(Value(Array(steps))) == pack_joined(Value(Array(steps)), {Compress::always}));
}

TEST(Blob, RandomNumbersAreNotCompressed) {
  std::mt19937_64 random(seed());
  std::vector<std::uint64_t> noise(1 << 16), zeros(1 << 16);
  for (auto& n : noise) n = random();
  EXPECT_GT(pack(Value(Array(noise))).size(), 1u);
  const std::vector<Bytes> small = pack(Value(Array(zeros)));
  ASSERT_EQ(small.size(), 1u);
  EXPECT_LT(small[0].size(), 2000u);
  EXPECT_EQ(unpack(small[0]), Value(Array(zeros)));
}

TEST(Blob, RecordsOfNpyBecomeFields) {
  const std::string rows("\1\0\0\0\2\0\3\0\4\0\0\0\5\0\6\0", 16);
  const Array records({DType::record, 8, false, "[('n', '<i4'), ('ab', '<i2', (2,))]"}, {2}, Bytes::copy(rows));
  const Fields fields = unpack(pack_joined(records)).as<Fields>();
  EXPECT_EQ(fields.shape, Shape{2});
  EXPECT_EQ(fields.fields[0].second, Value(Array::own(std::vector<std::int32_t>{1, 4})));
  EXPECT_EQ(fields.fields[1].second, Value(Array::own(std::vector<std::int16_t>{2, 3, 5, 6}, {2, 2})));
}

TEST(Blob, BigEndianIsRefusedWithAdvice) {
  const Array array({DType::i16, 2, true, ">i2"}, {1}, Bytes::copy(std::string("\0\1", 2)));
  try {
    pack(array);
    FAIL() << "was packed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::usage);
    EXPECT_NE(std::string(error.what()).find("to_native"), std::string::npos);
  }
}

// Twice the size may take twice the time, and a good deal more on a busy machine, but not four times of four.
TEST(Blob, NestedDictsTakeLinearTime) {
  const auto seconds = [](int width) {
    Value value = 1;
    for (int depth = 0; depth < 200; ++depth) {
      Map level;
      for (int i = 0; i < width; ++i) level.set("key" + std::to_string(i), i);
      level.set("deeper", std::move(value));
      value = std::move(level);
    }
    double best = 1e9;
    for (int i = 0; i < 3; ++i) {
      const auto start = std::chrono::steady_clock::now();
      unpack(pack_joined(value, {Compress::never}));
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
  };
  EXPECT_LT(seconds(160), 50 * seconds(10));
}

}  // namespace
}  // namespace oas::format
