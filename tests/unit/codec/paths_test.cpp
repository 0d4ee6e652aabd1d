#include "codec/paths.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "store/path.hpp"
#include "unit/core/expect_error.hpp"

namespace oas::codec {
namespace {

TEST(Paths, EveryKeyGivesALegalPath) {
  const StoreConfig config;
  const auto path_of = [&](const Value& value) {
    const Row key{{"name", value}};
    return named_path(config, Site{"lab", "scan", "movie", "main", &key}, ".avi", "abcdefgh");
  };
  using namespace std::string_literals;
  for (const std::string& text : {""s, "."s, ".."s, "../x"s, "a\0b"s, "\xff\xfe"s, std::string(500, '\x80'),
                                  std::string(100, '/'), "\n\t\x7f"s, "a/../../b"s, "%00"s}) {
    const std::string path = path_of(text);
    EXPECT_EQ(store::broken_rule(path), "") << path;
    EXPECT_TRUE(path.starts_with("_schema/lab/scan/name=")) << path;
    EXPECT_TRUE(path.ends_with("/movie_abcdefgh.avi")) << path;
  }
  EXPECT_EQ(path_of("a\0b"s), "_schema/lab/scan/name=a%00b/movie_abcdefgh.avi");
}

TEST(Paths, PartsFitFileSystems) {
  const StoreConfig config;
  std::string snow;
  for (int i = 0; i < 100; ++i) snow += "\u2603";
  const Row key{{"name", snow}};
  const Site site{"lab", "scan", "movie", "main", &key};
  const std::string path = named_path(config, site, "", "abcdefgh");
  const std::size_t first = path.find("name="), last = path.find('/', first);
  EXPECT_LE(last - first, 255u);
  EXPECT_EQ(store::broken_rule(path), "");
  const Row other{{"name", snow.substr(0, snow.size() - 3) + "abc"}};
  const Site there{"lab", "scan", "movie", "main", &other};
  EXPECT_NE(path, named_path(config, there, "", "abcdefgh"));
}

TEST(Paths, ManyLongKeysFitAKey) {
  std::vector<Row::Item> items;
  for (int i = 0; i < 12; ++i) items.emplace_back(fmt::format("attribute_number_{}", i), std::string(99, 'x') + "/");
  const Row key(items);
  const std::string path = named_path({}, Site{"lab", "scan", "movie", "main", &key}, ".npy", "abcdefgh");
  EXPECT_EQ(store::broken_rule(path + ".manifest.json"), "");
}

TEST(Paths, CutsKeepEscapesWhole) {
  std::string text;
  for (int i = 0; i < 90; ++i) text += "ü";
  text += "/";  // so that all of it is escaped: 543 bytes
  for (std::size_t pad = 0; pad < 8; ++pad) {
    const Row key{{"n" + std::string(pad, 'n'), text}};
    const std::string path = named_path({}, Site{"lab", "scan", "movie", "main", &key}, "", "abcdefgh");
    const std::string cut = path.substr(0, path.rfind("_", path.find("/movie_")));
    const std::size_t percent = cut.rfind('%');
    EXPECT_EQ(cut.size() - percent, 3u) << path;
  }
}

TEST(Paths, RefusesWhatCannotBeAKeyOrAnExtension) {
  EXPECT_EQ(code_of([] { key_text(Value(Map{})); }), Errc::usage);
  EXPECT_EQ(code_of([] { key_text(Value(Array::zeros<double>({2}))); }), Errc::usage);
  const Site site{"lab", "scan", "movie", "main", nullptr};
  EXPECT_EQ(code_of([&] { named_path({}, site, "/../x", "abcdefgh"); }), Errc::usage);
  EXPECT_EQ(code_of([&] { named_path({}, site, std::string(300, 'x'), "abcdefgh"); }), Errc::usage);
  EXPECT_EQ(code_of([&] { named_path({}, site, std::string("\0", 1), "abcdefgh"); }), Errc::usage);
  EXPECT_EQ(named_path({}, site, "npy", "abcdefgh"), "_schema/lab/scan/movie_abcdefgh.npy");
}

TEST(Paths, TokensAreClampedAndDiffer) {
  EXPECT_EQ(random_token(-1).size(), 4u);
  EXPECT_EQ(random_token(99).size(), 16u);
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string token = random_token(16);
    EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    EXPECT_TRUE(seen.insert(token).second);
  }
}

}  // namespace
}  // namespace oas::codec
