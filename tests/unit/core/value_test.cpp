#include <oas/value.hpp>

#include <cmath>
#include <limits>

#include "core/bigint.hpp"
#include "core/encoding.hpp"
#include "core/ref_state.hpp"
#include "expect_error.hpp"

namespace oas {
namespace {

TEST(Value, HoldsWhatItIsGiven) {
  EXPECT_TRUE(Value().is_null());
  EXPECT_TRUE(Value(std::optional<int>()).is_null());
  EXPECT_TRUE(Value(true).is<bool>());
  EXPECT_TRUE(Value(UINT64_MAX).is<BigInt>());
  EXPECT_TRUE(Value(1.5f).is<double>());
  EXPECT_TRUE(Value("text").is<std::string>());
  EXPECT_TRUE(Value(std::vector<int>{1, 2}).is<Array>());
  EXPECT_TRUE(Value(Date(2026, 1, 31)).is<Date>());
}

TEST(Value, GivesNumbersExactlyOrNotAtAll) {
  EXPECT_EQ(Value(7).as<int>(), 7);
  EXPECT_EQ(Value(7.0).as<int>(), 7);
  EXPECT_EQ(Value(true).as<int>(), 1);
  EXPECT_EQ(Value(1).as<bool>(), true);
  EXPECT_EQ(Value(7).as<double>(), 7.0);
  EXPECT_EQ(Value(UINT64_MAX).as<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(Value(INT64_MIN).as<std::int64_t>(), INT64_MIN);
  EXPECT_EQ(Value(Decimal{"12.50"}).as<double>(), 12.5);
  EXPECT_EQ(Value(Decimal{"-1E+3"}).as<double>(), -1000.0);
  EXPECT_EQ(Value(Array::own(std::vector<std::uint8_t>{200}, {1})).as<std::vector<std::uint8_t>>()[0], 200);
  EXPECT_EQ(Value(Array(DType::i16, {}, Bytes::copy("\1\2"))).as<int>(), 0x201);

  for (const Value& value : {Value(300), Value(-1), Value(7.5), Value(NAN), Value(UINT64_MAX), Value("7"), Value()})
    EXPECT_EQ(code_of([&] { (void)value.as<std::uint8_t>(); }), Errc::usage) << value.describe();
  EXPECT_EQ(code_of([] { (void)Value(2).as<bool>(); }), Errc::usage);
  EXPECT_EQ(code_of([] { (void)Value((1LL << 53) + 1).as<double>(); }), Errc::usage);
  EXPECT_EQ(code_of([] { (void)Value(INT64_MAX).as<double>(); }), Errc::usage);
  EXPECT_EQ(code_of([] { (void)Value(Decimal{"0.1234567890123456"}).as<double>(); }), Errc::usage);
  EXPECT_EQ(code_of([] { (void)Value(0x1p63).as<std::int64_t>(); }), Errc::usage);
}

TEST(Value, GivesListsAndOptionals) {
  EXPECT_EQ(Value(list({1, 2})).as<std::vector<int>>(), (std::vector{1, 2}));
  EXPECT_EQ(Value(std::vector<float>{1, 2}).as<std::vector<float>>(), (std::vector<float>{1, 2}));
  EXPECT_EQ(Value().as<std::optional<int>>(), std::nullopt);
  EXPECT_EQ(Value(3).as<std::optional<int>>(), 3);
  EXPECT_EQ(code_of([] { (void)Value(3).as<std::vector<int>>(); }), Errc::usage);
}

TEST(Value, SaysWhatIsThereInstead) {
  try {
    (void)Value(std::vector<double>{1, 2}).as<std::string>();
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "read a value as text: it is array of float64, shape (2)");
  }
  EXPECT_EQ(Value(map({{"a", 1}})).describe(), "dict of 1");
  EXPECT_EQ(code_of([] { (void)Value(1).as<NpyRef>(); }), Errc::usage);
}

TEST(Value, EqualsWhatSaysTheSame) {
  const Value a = map({{"a", list({1, "x", 2.5, nullptr})}, {"b", tuple({true})}});
  EXPECT_EQ(a, Value(map({{"a", list({1, "x", 2.5, nullptr})}, {"b", tuple({true})}})));
  EXPECT_NE(a, Value(map({{"a", list({1, "x", 2.5, nullptr})}, {"b", list({true})}})));
  EXPECT_NE(Value(1), Value(1.0));
  EXPECT_EQ(Value(Bytes::copy("a")), Value(Bytes::copy("a")));
}

TEST(Map, FindsAndSets) {
  Map dict = map({{"a", 1}, {2, "two"}});
  dict.set("a", 5);
  dict.set("c", 6);
  EXPECT_EQ(dict.at("a"), Value(5));
  EXPECT_EQ(dict.items.size(), 3u);
  EXPECT_EQ(dict.find("2"), nullptr);
  EXPECT_EQ(code_of([&] { (void)dict.at("nope"); }), Errc::usage);
}

TEST(Row, FindsAndSets) {
  Row row{{"scan", 1}, {"rate", 2.5}};
  row.set("scan", 4);
  row.set("note", "x");
  EXPECT_EQ(row.at<int>("scan"), 4);
  EXPECT_EQ(row.size(), 3u);
  EXPECT_EQ(row.begin()->first, "scan");
  try {
    (void)row["sacn"];
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::unknown_attribute);
    EXPECT_NE(std::string(e.what()).find("scan, rate, note"), std::string::npos);
  }
}

TEST(Date, ReadsAndWritesIso) {
  for (const char* text : {"0001-01-01", "1969-12-31", "1970-01-01", "2000-02-29", "9999-12-31"})
    EXPECT_EQ(Date::parse(text).iso(), text);
  EXPECT_EQ(Date::parse("1970-01-02").days, 1);
  for (const char* text : {"", "2026-1-31", "2026-02-29", "0000-01-01", "2026-01-31 ", "2026/01/31", "02026-01-31"})
    EXPECT_EQ(code_of([&] { (void)Date::parse(text); }), Errc::decode) << text;
  EXPECT_EQ(code_of([] { (void)Date::from_days(INT32_MIN).iso(); }), Errc::usage);
  EXPECT_EQ(code_of([] { (void)Date(2026, 2, 30); }), Errc::usage);
}

TEST(Time, ReadsAndWritesIso) {
  for (const char* text : {"00:00:00", "01:02:03", "01:02:03.000004", "23:59:59.999999"})
    EXPECT_EQ(Time::parse(text).iso(), text);
  EXPECT_EQ(Time::parse("01:02").iso(), "01:02:00");
  EXPECT_EQ(Time::parse("01:02:03.5").iso(), "01:02:03.500000");
  for (const char* text : {"", "24:00:00", "01:60:00", "01:02:60", "01:02:03.", "01:02:03.1234567", "1:02:03"})
    EXPECT_EQ(code_of([&] { (void)Time::parse(text); }), Errc::decode) << text;
  EXPECT_EQ(code_of([] { (void)Time{-1}.iso(); }), Errc::usage);
}

TEST(DateTime, ReadsAndWritesIso) {
  for (const char* text : {"2026-01-31 01:02:03", "1969-12-31 23:59:59.999999", "0001-01-01 00:00:00"})
    EXPECT_EQ(DateTime::parse(text).iso(), text);
  EXPECT_EQ(DateTime::parse("1969-12-31T23:59:59.999999").microseconds, -1);
  EXPECT_EQ(DateTime(Date(2026, 1, 31), 5).iso('T'), "2026-01-31T00:00:00.000005");
  for (const char* text : {"2026-01-31", "2026-01-31  01:02:03", "2026-01-31 01:02:03Z", "2026-01-31_01:02:03"})
    EXPECT_EQ(code_of([&] { (void)DateTime::parse(text); }), Errc::decode) << text;
  EXPECT_GT(DateTime::now(), DateTime(Date(2020, 1, 1)));
}

TEST(Decimal, KeepsItsText) {
  for (const char* text : {"0", "-0.000", "12.50", ".5", "5.", "1E+10", "1e-3", "NaN", "-Infinity"})
    EXPECT_EQ(Decimal::parse(text).digits, text);
  for (const char* text : {"", "-", ".", "1,5", "1E", "0x1", "1 ", "inf", "1_0"})
    EXPECT_EQ(code_of([&] { (void)Decimal::parse(text); }), Errc::decode) << text;
}

TEST(Uuid, ReadsManyFormsAndWritesOne) {
  const char* text = "01234567-89ab-cdef-0123-456789abcdef";
  const Uuid uuid = Uuid::parse(text);
  EXPECT_EQ(uuid.text(), text);
  EXPECT_EQ(uuid.bytes[1], std::byte{0x23});
  for (const char* same : {"0123456789ABCDEF0123456789abcdef", "{01234567-89ab-cdef-0123-456789abcdef}",
                           "urn:uuid:01234567-89ab-cdef-0123-456789abcdef"})
    EXPECT_EQ(Uuid::parse(same), uuid) << same;
  for (const char* other : {"", "{}", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdeg",
                            "01234567-89ab-cdef-0123_456789abcdef", "0123456-789ab-cdef-0123-456789abcdef"})
    EXPECT_EQ(code_of([&] { (void)Uuid::parse(other); }), Errc::decode) << other;
  const Uuid random = Uuid::random();
  EXPECT_EQ(random.text()[14], '4');
  EXPECT_NE(random, Uuid::random());
}

std::string bytes_of(const Value& integer) { return hex(integer_to_bytes(integer)); }

TEST(BigInt, BecomesTwosComplementAndBack) {
  EXPECT_EQ(bytes_of(0), "00");
  EXPECT_EQ(bytes_of(-1), "ff");
  EXPECT_EQ(bytes_of(127), "7f");
  EXPECT_EQ(bytes_of(128), "8000");
  EXPECT_EQ(bytes_of(255), "ff00");
  EXPECT_EQ(bytes_of(-256), "00ff");
  EXPECT_EQ(bytes_of(UINT64_MAX), "ffffffffffffffff00");
  EXPECT_EQ(bytes_of(BigInt{"-18446744073709551616"}), "0000000000000000ff");
  for (const char* text :
       {"0", "-1", "-128", "-129", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "-9223372036854775809", "123456789012345678901234567890", "-340282366920938463463374607431768211456"}) {
    const Value integer = integer_from_text(text);
    EXPECT_EQ(integer_from_bytes(integer_to_bytes(integer)), integer) << text;
  }
}

TEST(BigInt, IsOnlyUsedWhereItIsNeeded) {
  EXPECT_EQ(integer_from_text("+0007"), Value(7));
  EXPECT_EQ(integer_from_text("-0"), Value(0));
  EXPECT_EQ(integer_from_text("9223372036854775808"), Value(BigInt{"9223372036854775808"}));
  EXPECT_EQ(integer_from_bytes(std::vector<std::byte>(12)), Value(0));
  EXPECT_EQ(integer_from_bytes(std::vector<std::byte>(12, std::byte{0xff})), Value(-1));
  EXPECT_EQ(integer_from_bytes({}), Value(0));
  for (const char* text : {"", "-", "1.0", "0x1", " 1"})
    EXPECT_EQ(code_of([&] { (void)integer_from_text(text); }), Errc::decode) << text;
  EXPECT_EQ(code_of([] { (void)integer_from_text(std::string(max_integer_digits + 1, '1')); }), Errc::unsupported);
  EXPECT_EQ(code_of([] { (void)integer_from_bytes(std::vector<std::byte>(1 << 20, std::byte{1})); }),
            Errc::unsupported);
  EXPECT_EQ(code_of([] { (void)integer_to_bytes("7"); }), Errc::usage);
  EXPECT_EQ(code_of([] { (void)integer_to_bytes(BigInt{"7x"}); }), Errc::usage);
}

TEST(References, TellWhatTheirRowSays) {
  auto state = std::make_shared<ObjectRef::State>();
  state->metadata = map({{"path", "a/b.npy"}, {"store", "raw"}});
  state->path = "a/b.npy";
  state->store_name = "raw";
  state->size = 12;
  const NpyRef ref(ObjectRef(state), ArrayType::of(DType::i16), {3, 2});
  EXPECT_EQ(ref.nbytes(), 12u);
  EXPECT_EQ(ref.path(), "a/b.npy");
  EXPECT_EQ(ref.store(), "raw");
  EXPECT_FALSE(ref.is_loaded());
  EXPECT_EQ(ref, NpyRef(ObjectRef(state), ArrayType::of(DType::i16), {3, 2}));
  EXPECT_NE(ref, NpyRef(ObjectRef(state), ArrayType::of(DType::i16), {2, 3}));
  EXPECT_EQ(ObjectRef(), ObjectRef());
  EXPECT_NE(ObjectRef(), ref.object());
  EXPECT_EQ(code_of([] { (void)ObjectRef().path(); }), Errc::usage);
  EXPECT_EQ(code_of([] { (void)NpyRef().shape(); }), Errc::usage);
}

TEST(Attachment, HasTheNameOfAFile) {
  using namespace std::string_literals;
  const Attachment attachment("notes.txt", Bytes::copy("hello"));
  EXPECT_EQ(attachment.name(), "notes.txt");
  EXPECT_EQ(attachment.size(), 5u);
  EXPECT_EQ(attachment.bytes().text(), "hello");
  EXPECT_EQ(attachment, Attachment("notes.txt", Bytes::copy("hello")));
  EXPECT_NE(attachment, Attachment("notes.md", Bytes::copy("hello")));
  for (const std::string& name : {""s, "."s, ".."s, "a/b"s, "a\\b"s, "a\0b"s})
    EXPECT_EQ(code_of([&] { Attachment(name, {}); }), Errc::usage) << name;
  EXPECT_EQ(code_of([] { (void)Attachment(std::filesystem::path("/nonexistent/file.txt")).size(); }), Errc::usage);
}

}  // namespace
}  // namespace oas
