#include "core/text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace oas {
namespace {

TEST(Utf8, KnowsWhatIsText) {
  for (const char* text : {"", "plain text that is long enough", "Ünïcödé, 日本語 and 🐭", "\x7f", "\xc2\x80",
                           "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(valid_utf8(text)) << text;
  for (const char* text :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x80\x80", "\xed\xa0\x80", "\xef\xbf",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "eight byte\xff", "12345678\xc3"})
    EXPECT_FALSE(valid_utf8(text)) << text;
  EXPECT_TRUE(valid_utf8(std::string_view("a\0b", 3)));
}

TEST(Utf8, EveryCodePointComesBack) {
  std::uint32_t wrong = 0;
  for (std::uint32_t c = 0; c <= 0x110000; ++c) {
    std::string text;
    const bool good = append_utf8(text, static_cast<char32_t>(c));
    std::string_view rest = text;
    if (good != (c <= 0x10FFFF && (c < 0xD800 || c >= 0xE000)))
      ++wrong;
    else if (good && (take_code_point(rest) != static_cast<char32_t>(c) || !rest.empty()))
      ++wrong;
  }
  EXPECT_EQ(wrong, 0u);
}

TEST(Float, IsWrittenAsPythonDoes) {
  const std::pair<double, const char*> cases[] = {{0, "0.0"},
                                                  {-0.0, "-0.0"},
                                                  {1, "1.0"},
                                                  {-1.5, "-1.5"},
                                                  {0.1, "0.1"},
                                                  {100, "100.0"},
                                                  {123456.789, "123456.789"},
                                                  {0.0001, "0.0001"},
                                                  {0.00012, "0.00012"},
                                                  {0.00001, "1e-05"},
                                                  {1.5e-7, "1.5e-07"},
                                                  {1e15, "1000000000000000.0"},
                                                  {1e16, "1e+16"},
                                                  {1e22, "1e+22"},
                                                  {9007199254740993.0, "9007199254740992.0"},
                                                  {12345678901234567.0, "1.2345678901234568e+16"},
                                                  {5e-324, "5e-324"},
                                                  {1.7976931348623157e308, "1.7976931348623157e+308"},
                                                  {0.30000000000000004, "0.30000000000000004"},
                                                  {HUGE_VAL, "inf"},
                                                  {-HUGE_VAL, "-inf"},
                                                  {std::numeric_limits<double>::quiet_NaN(), "nan"}};
  for (const auto& [number, text] : cases) EXPECT_EQ(python_float_repr(number), text);
}

}  // namespace
}  // namespace oas
