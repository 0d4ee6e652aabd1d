// Blobs beyond the golden ones: any value there and back, hostile bytes, sharing, time.
#include "format/blob.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

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

bool is_read(const Bytes& blob) {
  try {
    unpack(blob);
    return true;
  } catch (const Error&) {
    return false;
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

TEST(Blob, InOnePieceAreTheSameBytes) {
  const auto ramp = [](Shape shape) {
    std::vector<std::int32_t> numbers(static_cast<std::size_t>(shape[0] * shape[1] * shape[2]));
    std::iota(numbers.begin(), numbers.end(), 0);
    return Array::own(std::move(numbers), std::move(shape));
  };
  const Value value = list({ramp({20, 30, 4}), "between", ramp({3, 50, 41}).to_order(Array::Order::column),
                            map({{"b", Bytes::copy(std::string(9000, 'x'))}, {"c", ramp({1, 1, 5000})}}),
                            ramp({70, 1, 65}), ramp({2, 2, 2})});
  for (const Compress compress : {Compress::never, Compress::automatic, Compress::always}) {
    std::string together;
    for (const Bytes& part : pack(value, {compress})) together += part.text();
    EXPECT_TRUE(pack_joined(value, {compress}).text() == together);
  }
  EXPECT_EQ(unpack(pack_joined(value)), value);
}

TEST(Blob, TruncatedAnywhereIsDecodeError) {
  std::size_t files = 0;
  for (const auto& golden : testing::golden_cases("blobs")) {
    if (golden.text("file").empty()) continue;
    const Bytes blob = testing::read_file(testing::golden_folder() / "blobs" / golden.text("file"));
    if (blob.size() > 400 || !is_read(blob)) continue;
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

TEST(Blob, NestingIsLimited) {
  Value value = 1;
  for (int i = 0; i < max_nesting - 1; ++i) value = list({std::move(value)});
  EXPECT_EQ(unpack(pack_joined(value)), value);
  value = list({std::move(value)});
  EXPECT_THROW(pack(value), Error);
}

std::string u64(std::uint64_t n) { return {reinterpret_cast<const char*>(&n), sizeof n}; }
std::string u32(std::uint32_t n) { return {reinterpret_cast<const char*>(&n), sizeof n}; }
std::string item(const std::string& bytes) { return u64(bytes.size()) + bytes; }
std::string text_item(const std::string& text) { return item("\5" + item(text)); }
const std::string mym("mYm\0", 4), dj0("dj0\0", 4);

Value read(const std::string& bytes) { return unpack(Bytes::copy(bytes)); }
Errc refusal(const std::string& bytes) {
  try {
    const Value value = read(bytes);
    ADD_FAILURE() << "was read as " << to_typed(value);
    return Errc::internal;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("at byte"), std::string::npos) << error.what();
    return error.code();
  }
}

TEST(Blob, LengthsOfOldMatlabAreShort) {
  const auto array = [](const std::string& dims, std::uint32_t type, const std::string& data) {
    return "A" + u32(static_cast<std::uint32_t>(dims.size() / 4)) + dims + u32(type) + u32(0) + data;
  };
  const auto element = [](const std::string& bytes) { return u32(static_cast<std::uint32_t>(bytes.size())) + bytes; };
  const std::string number = array(u32(1) + u32(1), 9, "\7"), empty = array(u32(0) + u32(3), 6, "");
  BlobForm form;
  const Value matrix = unpack(Bytes::copy(mym + array(u32(2) + u32(3), 9, "abcdef")), &form);
  EXPECT_EQ(matrix.as<Array>().to_order(Array::Order::row).data().text(), "acebdf");
  EXPECT_TRUE(form.short_lengths);
  EXPECT_EQ(form.protocol, "mYm");
  EXPECT_EQ(read(mym + empty).describe(), "array of float64, shape (0, 3)");
  const Value cell = read(mym + "C" + u32(2) + u32(1) + u32(2) + element(number) + element(empty));
  EXPECT_EQ(cell.as<Cells>().items.at(1).describe(), "array of float64, shape (0, 3)");
  const Value fields = read(mym + "S" + u32(2) + u32(1) + u32(1) + u32(1) + std::string("a\0", 2) + element(number));
  EXPECT_EQ(fields.as<Fields>().fields.at(0).first, "a");
  const Value empty_fields = read(mym + "S" + u32(2) + u32(0) + u32(3) + u32(1) + std::string("name\0", 5));
  EXPECT_EQ(empty_fields.describe(), "struct array, shape (0, 3)");
  // Nor are long dimensions of nothing.
  for (const Shape& shape : {Shape{std::int64_t{1} << 52, 0}, Shape{0, std::int64_t{1} << 52}}) {
    EXPECT_EQ(unpack(pack_joined(Array::zeros(ArrayType::of(DType::u8), shape))).as<Array>().shape()[0], shape[0]);
    const Fields fields_of{true, shape, {{"a", Cells{true, shape, {}}}, {"bc", Cells{true, shape, {}}}}};
    EXPECT_EQ(unpack(pack_joined(fields_of)), Value(fields_of));
  }
  // What was cut off from longer lengths is not taken for one.
  const std::string whole = mym + "A" + u64(2) + u64(6) + u64(6) + u32(9) + u32(0) + std::string(36, '\1');
  for (std::size_t size = 5; size < whole.size(); ++size) EXPECT_EQ(refusal(whole.substr(0, size)), Errc::decode);
  // The size of a compressed one was short too.
  const std::string plain = mym + array(u32(100) + u32(20), 9, std::string(2000, 'x'));
  std::string packed(200, '\0');
  uLongf size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
                     plain.size()),
            Z_OK);
  EXPECT_EQ(read(std::string("ZL123\0", 6) + u32(static_cast<std::uint32_t>(plain.size())) + packed.substr(0, size)),
            read(plain));
}

TEST(Blob, WhatComesTwiceCountsOnce) {
  const std::string one = item(std::string("\x0a\1\0\1", 4)), two = item(std::string("\x0a\1\0\2", 4));
  EXPECT_EQ(read(dj0 + "\4" + u64(3) + text_item("a") + one + text_item("b") + one + text_item("a") + two),
            Value(map({{"a", 2}, {"b", 1}})));
  EXPECT_EQ(read(dj0 + "\3" + u64(3) + one + two + one).as<Seq>().items, (std::vector<Value>{1, 2}));
  EXPECT_EQ(read(dj0 + "\2" + u64(2) + one + one).as<Seq>().items.size(), 2u);
  const std::string nan = item("\x0d" + std::string("\0\0\0\0\0\0\xf8\x7f", 8));
  EXPECT_EQ(read(dj0 + "\4" + u64(2) + nan + one + nan + two).as<Map>().items.size(), 2u);
  // The same in other bytes, and what Python holds for the same.
  const std::string padded = item(std::string("\x0a\3\0\1\0\0", 6)), truth = item("\x0b\7"),
                    real = item("\x0d" + std::string("\0\0\0\0\0\0\xf0\x3f", 8));
  EXPECT_EQ(read(dj0 + "\3" + u64(4) + one + padded + truth + real).as<Seq>().items, std::vector<Value>{1});
  const std::string none = item("\xFF"), no_time = item("t" + u32(UINT32_MAX) + u64(UINT64_MAX));
  EXPECT_EQ(read(dj0 + "\4" + u64(2) + none + one + no_time + two), Value(map({{nullptr, 2}})));
  EXPECT_EQ(read(dj0 + "\3" + u64(2) + text_item("a") + item("\6" + item("a"))).as<Seq>().items.size(), 2u);
  // Many keys, so that places in the table meet.
  std::string many = dj0 + "\4" + u64(2000);
  for (int i = 0; i < 2000; ++i) many += text_item(std::to_string(i % 1500)) + (i < 1500 ? one : two);
  const Map map = read(many).as<Map>();
  ASSERT_EQ(map.items.size(), 1500u);
  EXPECT_EQ(map.at("499"), Value(2));
  EXPECT_EQ(map.at("500"), Value(1));
}

TEST(Blob, DecimalsAreReadAsPythonWritesThem) {
  for (const auto& [text, decimal] : {std::pair("1e5", "1E+5"),
                                      {" +7 ", "7"},
                                      {"1_000", "1000"},
                                      {"inf", "Infinity"},
                                      {"-NAN012", "-NaN12"},
                                      {"snan", "sNaN"},
                                      {"007.50", "7.50"},
                                      {"0.0000001", "1E-7"},
                                      {"0.000001", "0.000001"},
                                      {".5", "0.5"},
                                      {"5.", "5"},
                                      {"-0E-3", "-0.000"},
                                      {"0E3", "0E+3"},
                                      {"12E-1", "1.2"},
                                      {"123E+2", "1.23E+4"}})
    EXPECT_EQ(read(dj0 + "d" + item(text)), Value(Decimal{decimal})) << text;
  for (const char* text : {"", ".", "e5", "1e", "five", "nan5x", "1 0", "0x1", "1e9999999999999999999"})
    EXPECT_EQ(refusal(dj0 + "d" + item(text)), Errc::decode) << text;
}

TEST(Blob, CharactersOfMatlab) {
  const auto chars = [](std::uint64_t rows, std::uint64_t columns, const std::u16string& text) {
    return "A" + u64(2) + u64(rows) + u64(columns) + u32(4) + u32(0) +
           std::string(reinterpret_cast<const char*>(text.data()), 2 * text.size());
  };
  const auto texts = [](const Value& value) { return to_typed(value); };
  EXPECT_EQ(texts(read(mym + chars(1, 4, u"aé☃b"))),
            R"({"t": "array", "dtype": "unicode", "itemchars": 4, "shape": [1], "v": ["a\u00e9\u2603b"]})");
  EXPECT_EQ(texts(read(mym + chars(1, 3, u"a🐭"))),
            R"({"t": "array", "dtype": "unicode", "itemchars": 2, "shape": [1], "v": ["a\ud83d\udc2d"]})");
  EXPECT_EQ(texts(read(mym + chars(1, 3, std::u16string(u"a\0\0", 3)))),
            R"({"t": "array", "dtype": "unicode", "itemchars": 1, "shape": [1], "v": ["a"]})");
  EXPECT_EQ(texts(read(mym + chars(2, 2, u"abcd"))),
            R"({"t": "array", "dtype": "unicode", "itemchars": 1, "shape": [2, 2], "v": ["a", "c", "b", "d"]})");
  EXPECT_EQ(refusal(mym + chars(1, 2, std::u16string{u'a', 0xD83D})), Errc::unsupported);
  EXPECT_EQ(refusal(mym + chars(2, 1, u"🐭")), Errc::unsupported);
  // One a record, whatever the shape.
  const std::string field = "A" + u64(1) + u64(2) + u32(4) + u32(0) + std::string("a\0b\0", 4);
  const Fields record = read(dj0 + "F" + u32(1) + std::string("c\0", 2) + field).as<Fields>();
  EXPECT_EQ(record.shape, Shape{2});
}

TEST(Blob, ComplexNumbersOfAnyKind) {
  const auto complex = [](std::uint32_t type, auto real, auto imaginary) {
    std::string data(sizeof real + sizeof imaginary, '\0');
    std::memcpy(data.data(), &real, sizeof real);
    std::memcpy(data.data() + sizeof real, &imaginary, sizeof imaginary);
    return mym + "A" + u64(2) + u64(1) + u64(1) + u32(type) + u32(1) + data;
  };
  const auto one = [](const Value& value) { return value.as<Array>().item<std::complex<double>>(); };
  EXPECT_EQ(one(read(complex(8, std::int8_t{-1}, std::int8_t{2}))), std::complex(-1.0, 2.0));
  EXPECT_EQ(one(read(complex(14, std::int64_t{-(1ll << 53)}, INT64_MIN))), std::complex(-0x1p53, -0x1p63));
  EXPECT_EQ(one(read(complex(15, std::uint64_t{1} << 63, std::uint64_t{3}))), std::complex(0x1p63, 3.0));
  EXPECT_EQ(refusal(complex(14, std::int64_t{(1ll << 53) + 1}, std::int64_t{0})), Errc::unsupported);
  EXPECT_EQ(refusal(complex(15, UINT64_MAX, std::uint64_t{0})), Errc::unsupported);
  EXPECT_EQ(refusal(complex(65536, std::int64_t{0}, std::int64_t{0})), Errc::decode);
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(one(read(complex(6, 1.0, infinity))), std::complex(1.0, infinity));
}

TEST(Blob, DatesAndTimesThatAreNone) {
  const auto time = [](std::int32_t date, std::int64_t clock) {
    return dj0 + "t" + u32(static_cast<std::uint32_t>(date)) + u64(static_cast<std::uint64_t>(clock));
  };
  EXPECT_EQ(read(time(-1, -1)), Value());
  EXPECT_EQ(read(time(-2, -1)), Value());
  EXPECT_EQ(read(time(19691231, 235959'999999)), Value(DateTime::from_microseconds(-1)));
  for (const auto& [date, clock] : {std::pair<std::int32_t, std::int64_t>{20240230, -1},
                                    {101, -1},
                                    {0, -1},
                                    {-1, 24'00'00'000000},
                                    {-1, 60'000000},
                                    {-1, 100'00'00'000000},
                                    {INT32_MAX, -1},
                                    {-1, INT64_MAX}})
    EXPECT_EQ(refusal(time(date, clock)), Errc::decode) << date << " " << clock;
}

TEST(Blob, WhatMatlabHasAndWeDoNot) {
  EXPECT_EQ(refusal(mym + "P" + u64(2) + u64(3) + u64(3)), Errc::unsupported);
  for (const std::uint32_t type : {0u, 1u, 2u, 16u})
    EXPECT_EQ(refusal(mym + "A" + u64(2) + u64(1) + u64(1) + u32(type) + u32(0) + u64(0)), Errc::unsupported);
  for (const std::uint32_t type : {17u, 65535u, 65549u, UINT32_MAX})
    EXPECT_EQ(refusal(mym + "A" + u64(2) + u64(1) + u64(1) + u32(type) + u32(0) + u64(0)), Errc::decode);
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

}  // namespace
}  // namespace oas::format
