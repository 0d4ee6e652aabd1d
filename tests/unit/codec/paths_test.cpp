#include "codec/paths.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <set>

#include "codec/codec.hpp"
#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "store/path.hpp"
#include "unit/core/expect_error.hpp"
#include "unit/format/golden.hpp"

namespace oas::codec {
namespace {

using oas::testing::golden_cases;
using oas::testing::GoldenCase;

std::optional<std::string> optional_text(const Map& map, std::string_view key) {
  const Value* value = map.find(key);
  return value && !value->is_null() ? std::optional(value->as<std::string>()) : std::nullopt;
}

// Cases of `kind`; how many there were is printed, and none is a failure.
std::vector<GoldenCase> cases_of(const std::string& kind) {
  std::vector<GoldenCase> cases;
  for (GoldenCase& one : golden_cases("paths"))
    if (one.text("kind") == kind) cases.push_back(std::move(one));
  std::cout << fmt::format("golden paths, {}: {} cases\n", kind, cases.size());
  EXPECT_GT(cases.size(), 0u) << "nothing was tested: is OAS_GOLDEN right?";
  return cases;
}

TEST(GoldenPaths, KeyText) {
  for (const GoldenCase& one : cases_of("encode_pk_value")) {
    SCOPED_TRACE(one.name);
    if (one.name == "pk_timedelta") continue;  // there are no values of that type
    EXPECT_EQ(key_text(untyped(*one.find("in"))), one.text("out"));
  }
}

TEST(GoldenPaths, NamedPath) {
  for (const GoldenCase& one : cases_of("build_object_path")) {
    SCOPED_TRACE(one.name);
    const Map& in = *one.find("in")->get_if<Map>();
    StoreConfig config;
    config.schema_prefix = in.at("schema_prefix").as<std::string>();
    config.partition_pattern = optional_text(in, "partition_pattern");
    config.token_length = in.at("token_length").as<int>();
    Row key;
    for (const Value& item : in.at("primary_key").as<Seq>().items) {
      const Seq pair = item.as<Seq>();
      key.set(pair.items[0].as<std::string>(), untyped(pair.items[1]));
    }
    const std::string schema = in.at("schema").as<std::string>(), table = in.at("table").as<std::string>(),
                      field = in.at("field").as<std::string>();
    const Site site{schema, table, field, "main", &key};
    const std::string token = one.find("out")->get_if<Map>()->at("token").as<std::string>();
    EXPECT_EQ(random_token(config.token_length).size(), token.size());
    EXPECT_EQ(named_path(config, site, in.at("ext").as<std::string>(), token),
              one.find("out")->get_if<Map>()->at("path").as<std::string>());
  }
}

TEST(GoldenPaths, HashedPath) {
  for (const GoldenCase& one : cases_of("hash_path")) {
    SCOPED_TRACE(one.name);
    const Map& in = *one.find("in")->get_if<Map>();
    StoreConfig config;
    config.hash_prefix = in.at("hash_prefix").as<std::string>();
    if (!in.at("subfolding").is_null()) config.subfolding = in.at("subfolding").as<std::vector<int>>();
    const std::string schema = in.at("schema").as<std::string>();
    std::string hash = optional_text(in, "hash").value_or("");
    if (const auto hex = optional_text(in, "data_hex")) hash = content_hash(from_hex(*hex).value());
    if (one.name == "hp_all_digits") {  // a hash like any other; DataJoint for Python would fail on this content
      EXPECT_EQ(hashed_path(config, schema, hash), "_hash/my_schema/" + hash);
      continue;
    }
    if (!one.find("out")) {
      EXPECT_EQ(code_of([&] { hashed_path(config, schema, hash); }), Errc::usage);
      continue;
    }
    const Map& out = *one.find("out")->get_if<Map>();
    EXPECT_EQ(hash, out.at("hash").as<std::string>());
    std::string path = out.at("path").as<std::string>();
    // Folds beyond the hash are left out: an empty part is no part of a key.
    if (one.name == "hp_fold_past_end") path.replace(path.find("//"), 2, "/");
    EXPECT_EQ(hashed_path(config, schema, hash), path);
  }
}

TEST(GoldenPaths, TypeSpec) {
  for (const GoldenCase& one : cases_of("parse_type_spec")) {
    SCOPED_TRACE(one.name);
    const CodecType type = parse_codec_type(one.text("in"));
    const Seq out = one.find("out")->as<Seq>();
    EXPECT_EQ(type.name, out.items[0].as<std::string>());
    EXPECT_EQ(type.in_store, !out.items[1].is_null());
    EXPECT_EQ(type.store, out.items[1].is_null() ? "" : out.items[1].as<std::string>());
  }
}

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
