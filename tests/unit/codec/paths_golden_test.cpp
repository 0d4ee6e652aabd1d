// Paths as DataJoint for Python 2.3.5 makes them (golden/paths). Where ours differ, the rule is said here in terms of
// what the case holds, never by its name (docs/compatibility.md, Paths).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "codec/codec.hpp"
#include "codec/paths.hpp"
#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "core/typed.hpp"
#include "store/path.hpp"
#include "support/golden_kinds.hpp"
#include "unit/core/expect_error.hpp"

namespace oas::codec {
namespace {

using oas::testing::golden_kind;
using oas::testing::GoldenCase;
using oas::testing::optional_text;

const Map& member(const GoldenCase& one, std::string_view name) { return *one.find(name)->get_if<Map>(); }

// A value of a type that no key attribute has: its text is an accident of Python.
bool is_no_key(const Value& value) {
  if (const Array* array = value.get_if<Array>())
    return array->ndim() != 0 || array->dtype() == DType::c64 || array->dtype() == DType::c128 ||
           array->dtype() == DType::datetime64 || array->dtype() == DType::text;
  return value.is<Seq>() || value.is<Map>() || value.is<Cells>() || value.is<Fields>() ||
         value.is<std::complex<double>>();
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += std::isalnum(static_cast<unsigned char>(c)) || std::string_view("_.-~").find(c) != std::string_view::npos
               ? std::string(1, c)
               : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

// The parts of a path, and whether it is one that a store takes as it is.
std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts{""};
  for (const char c : path) {
    if (c == '/')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

// Here, in tests/unit/config and in tests/unit/schema.
TEST(GoldenPaths, AreOfKnownKinds) {
  const std::vector<std::string> known{"encode_pk_value", "build_object_path", "hash_path",       "parse_type_spec",
                                       "get_store_spec",  "full_path_and_url", "from_camel_case", "to_camel_case"};
  for (const GoldenCase& one : oas::testing::golden_cases("paths"))
    EXPECT_NE(std::ranges::find(known, one.text("kind")), known.end()) << one.name << " is not tested";
}

TEST(GoldenPaths, KeyText) {
  for (const GoldenCase& one : golden_kind("paths", "encode_pk_value")) {
    SCOPED_TRACE(one.name);
    if (one.find("in")->get_if<Map>()->at("t") == Value("other")) {  // a type that has no values here
      EXPECT_THROW(untyped(*one.find("in")), Error);
      continue;
    }
    const Value value = one.find("in") ? untyped(*one.find("in")) : Value();
    if (is_no_key(value) || !one.find("out")) {
      EXPECT_EQ(code_of([&] { key_text(value); }), Errc::usage);
      continue;
    }
    // What no path may hold, NUL, is encoded too.
    const std::string out = one.text("out");
    EXPECT_EQ(key_text(value), store::broken_rule("k=" + out).empty() ? out : percent_encoded(out));
  }
}

TEST(GoldenPaths, NamedPath) {
  for (const GoldenCase& one : golden_kind("paths", "build_object_path")) {
    SCOPED_TRACE(one.name);
    const Map& in = member(one, "in");
    StoreConfig config;
    config.schema_prefix = in.at("schema_prefix").as<std::string>();
    config.partition_pattern = optional_text(in, "partition_pattern");
    config.token_length = in.at("token_length").as<int>();
    Row key;
    bool takes_key = true;
    for (const Value& item : in.at("primary_key").get_if<Seq>()->items) {
      const Seq& pair = *item.get_if<Seq>();
      if (pair.items[1].get_if<Map>()->at("t") == Value("other")) {
        takes_key = false;
        continue;
      }
      key.set(pair.items[0].as<std::string>(), untyped(pair.items[1]));
      takes_key = takes_key && !is_no_key(key[pair.items[0].as<std::string>()]);
    }
    const std::string schema = in.at("schema").as<std::string>(), table = in.at("table").as<std::string>(),
                      field = in.at("field").as<std::string>(), ext = optional_text(in, "ext").value_or("");
    const Site site{schema, table, field, "main", &key};
    const std::string token = one.find("out") ? member(one, "out").at("token").as<std::string>() : "XXXXXXXX";
    if (one.find("out")) {
      EXPECT_EQ(random_token(config.token_length).size(), token.size());
    }

    const std::string path = one.find("out") ? member(one, "out").at("path").as<std::string>() : "";
    if (!takes_key || !one.find("out") || ext.find('/') != std::string::npos) {
      EXPECT_EQ(code_of([&] { named_path(config, site, ext, token); }), Errc::usage);
      continue;
    }
    const std::string ours_or_error = [&]() -> std::string {
      try {
        return named_path(config, site, ext, token);
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Errc::usage);
        return {};
      }
    }();
    const bool fits = path.size() <= 900 &&
                      std::ranges::all_of(parts_of(path), [](const std::string& part) { return part.size() <= 255; });
    if (store::broken_rule(path).empty() && fits) {
      EXPECT_EQ(ours_or_error, path);
    } else if (!ours_or_error.empty()) {  // cut or encoded until a store takes it, part by part
      EXPECT_EQ(store::broken_rule(ours_or_error), "");
      const auto theirs = parts_of(path), ours = parts_of(ours_or_error);
      ASSERT_EQ(ours.size(), theirs.size());
      for (std::size_t i = 0; i < ours.size(); ++i) {
        EXPECT_LE(ours[i].size(), 255u);
        if (theirs[i].size() <= 32 && store::broken_rule(theirs[i]).empty()) {
          EXPECT_EQ(ours[i], theirs[i]);
        }
      }
      EXPECT_EQ(ours.back(), theirs.back());
    } else {  // nothing of ours can help: a prefix or a name that is no part of a key
      EXPECT_NE(store::broken_rule(path), "");
    }
  }
}

TEST(GoldenPaths, HashedPath) {
  for (const GoldenCase& one : golden_kind("paths", "hash_path")) {
    SCOPED_TRACE(one.name);
    const Map& in = member(one, "in");
    StoreConfig config;
    config.hash_prefix = in.at("hash_prefix").as<std::string>();
    if (!in.at("subfolding").is_null()) config.subfolding = in.at("subfolding").as<std::vector<int>>();
    if (std::ranges::any_of(config.subfolding, [](int n) { return n < 0; })) continue;  // no settings have such
    const std::string schema = in.at("schema").as<std::string>();
    std::string hash = optional_text(in, "hash").value_or("");
    if (const auto hex = optional_text(in, "data_hex")) hash = content_hash(from_hex(*hex).value());

    const auto is = [](std::string_view characters) {
      return [characters](char c) { return characters.find(c) != std::string_view::npos; };
    };
    constexpr std::string_view digits = "0123456789", letters = "abcdefghijklmnopqrstuvwxyz0123456789";
    if (hash.size() == 26 && std::ranges::all_of(hash, is(digits))) {
      // A hash like any other, one in 10^19; it would fail on that content [D 33].
      EXPECT_TRUE(hashed_path(config, schema, hash).ends_with("/" + hash));
      continue;
    }
    if (!one.find("out") || !std::ranges::all_of(hash, is(letters))) {
      EXPECT_EQ(code_of([&] { hashed_path(config, schema, hash); }), Errc::usage);
      continue;
    }
    EXPECT_EQ(hash, member(one, "out").at("hash").as<std::string>());
    // Folds beyond the hash, or of no length, are left out: an empty part is no part of a key.
    std::string path = member(one, "out").at("path").as<std::string>();
    const std::size_t folds = path.find("/" + schema + "/") == std::string::npos ? 0 : path.find("/" + schema + "/");
    for (std::size_t at = path.find("//", folds); at != std::string::npos; at = path.find("//", at)) path.erase(at, 1);
    if (!store::broken_rule(path).empty()) {
      EXPECT_EQ(code_of([&] { hashed_path(config, schema, hash); }), Errc::usage);
      continue;
    }
    EXPECT_EQ(hashed_path(config, schema, hash), path);
    // And back: the hash is the last part, the schema follows the section.
    const std::vector<std::string> parts = parts_of(path);
    EXPECT_EQ(parts.back(), hash);
    const std::string section = hash_section(config);
    EXPECT_TRUE(path.starts_with(section.empty() ? schema + "/" : section + "/" + schema + "/"));
  }
}

TEST(GoldenPaths, TypeSpec) {
  for (const GoldenCase& one : golden_kind("paths", "parse_type_spec")) {
    SCOPED_TRACE(one.name);
    const CodecType type = parse_codec_type(one.text("in"));
    const Seq& out = *one.find("out")->get_if<Seq>();
    EXPECT_EQ(type.name, out.items[0].as<std::string>());
    EXPECT_EQ(type.in_store, !out.items[1].is_null());
    EXPECT_EQ(type.store, out.items[1].is_null() ? "" : out.items[1].as<std::string>());
  }
}

}  // namespace
}  // namespace oas::codec
