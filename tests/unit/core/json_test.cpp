#include "core/json.hpp"

#include <cmath>

#include "expect_error.hpp"

namespace oas {
namespace {

std::string again(std::string_view text) { return to_json(from_json(text)); }

TEST(Json, IsWrittenAsPythonDoes) {
  EXPECT_EQ(again(R"({"b":1,"a":[1,2.5,null,true,"ü"]})"), R"({"b": 1, "a": [1, 2.5, null, true, "\u00fc"]})");
  EXPECT_EQ(again("[]"), "[]");
  EXPECT_EQ(again("{}"), "{}");
  EXPECT_EQ(again("1e22"), "1e+22");
  EXPECT_EQ(again("1.0"), "1.0");
  EXPECT_EQ(again("-0"), "0");
  EXPECT_EQ(again("-0.0"), "-0.0");
  EXPECT_EQ(again(R"("\u0000\b\f\n\r\t\"\\\/\u007f🐭")"), R"("\u0000\b\f\n\r\t\"\\/\u007f\ud83d\udc2d")");
  EXPECT_EQ(to_json(tuple({1, 2})), "[1, 2]");
  EXPECT_EQ(to_json(map({{1, 2}, {nullptr, 3}, {true, 4}, {1.5, 5}})), R"({"1": 2, "null": 3, "true": 4, "1.5": 5})");
  EXPECT_EQ(to_json(list({NAN, HUGE_VAL, -HUGE_VAL})), "[NaN, Infinity, -Infinity]");
}

TEST(Json, KeepsIntegersOfAnySize) {
  for (const char* text : {"9223372036854775807", "9223372036854775808", "18446744073709551616", "-9223372036854775809",
                           "123456789012345678901234567890"})
    EXPECT_EQ(again(text), text);
  EXPECT_EQ(from_json("-9223372036854775808"), Value(INT64_MIN));
}

TEST(Json, TheLastOfEqualKeysCounts) {
  EXPECT_EQ(again(R"({"a": 1, "b": 2, "a": 3, "c": 4, "b": 5})"), R"({"a": 3, "b": 5, "c": 4})");
}

TEST(Json, SaysWhereItIsWrong) {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "nul", "\"\xff\"", "\"\\ud800\"", "[1] 2", "NaN", "01", "'a'"})
    EXPECT_EQ(code_of([&] { (void)from_json(text); }), Errc::syntax) << text;
  try {
    (void)from_json("[1, x]", "the settings");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.native(), "byte 5");
    EXPECT_TRUE(std::string_view(e.what()).starts_with("read the settings: ")) << e.what();
  }
}

TEST(Json, IsOnlyNestedSoDeep) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(again(nested(max_json_depth)), nested(max_json_depth));
  EXPECT_EQ(code_of([&] { (void)from_json(nested(max_json_depth + 1)); }), Errc::syntax);
  EXPECT_EQ(code_of([&] { (void)from_json(std::string(1'000'000, '[')); }), Errc::syntax);
  Value deep;
  for (std::size_t i = 0; i < max_json_depth + 2; ++i) {
    Seq around;
    around.items.push_back(std::move(deep));
    deep = std::move(around);
  }
  EXPECT_EQ(code_of([&] { (void)to_json(deep); }), Errc::usage);
}

TEST(Json, HasNoFormForOtherValues) {
  for (const Value& value : {Value(Bytes::copy("a")), Value(Date(2026, 1, 31)), Value(std::vector<int>{1}),
                             Value(Seq{Seq::Kind::set, {}}), Value("\xff"), Value(std::complex<double>(1, 2))})
    EXPECT_EQ(code_of([&] { (void)to_json(value); }), Errc::usage) << value.describe();
  EXPECT_EQ(code_of([] { (void)to_json(BigInt{"1, 2"}); }), Errc::decode);
}

}  // namespace
}  // namespace oas
