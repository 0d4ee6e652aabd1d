#include "store/path.hpp"

#include <gtest/gtest.h>

namespace oas::store {
namespace {

TEST(Key, EachRuleIsNamed) {
  const auto rule = [](std::string_view key) { return broken_rule(key); };
  EXPECT_EQ(rule("a/b c=1/#x%2F☃"), "");
  EXPECT_NE(rule("").find("empty"), std::string::npos);
  EXPECT_NE(rule("/a").find("relative"), std::string::npos);
  EXPECT_NE(rule("a/").find("ends"), std::string::npos);
  EXPECT_NE(rule("a//b").find("empty part"), std::string::npos);
  EXPECT_NE(rule("a/../b").find("'..'"), std::string::npos);
  EXPECT_NE(rule("./b").find("'.'"), std::string::npos);
  EXPECT_NE(rule(std::string_view("a\0b", 3)).find("NUL"), std::string::npos);
  EXPECT_NE(rule("\xc3").find("UTF-8"), std::string::npos);
  EXPECT_EQ(rule(std::string(1024, 'x')), "");
  EXPECT_NE(rule(std::string(1025, 'x')).find("1025"), std::string::npos);
}

TEST(Key, AHostileKeyIsShownHarmlessly) {
  try {
    check_key("\x1b[2J\xff/..");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::usage);
    EXPECT_NE(std::string(e.what()).find("\\x1b[2J\\xff/.."), std::string::npos) << e.what();
  }
}

TEST(Key, LongKeysAreCutBetweenCharacters) {
  std::string key(79, 'x');
  for (int i = 0; i < 500; ++i) key += "☃";
  try {
    check_key(key);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.target()), std::string(79, 'x') + "…");
  }
}

TEST(Extent, CountsFromTheOffset) {
  EXPECT_EQ(inside({2, 3}, 5).size, 3u);
  EXPECT_EQ(inside({2, std::nullopt}, 5).size, 3u);
  EXPECT_EQ(inside({5, std::nullopt}, 5).size, 0u);
  EXPECT_THROW(inside({2, 4}, 5), Error);
  EXPECT_THROW(inside({6, std::nullopt}, 5), Error);
  EXPECT_THROW(inside({1, UINT64_MAX}, 5), Error);
}

}  // namespace
}  // namespace oas::store
