// Entries of stores and full paths as DataJoint for Python 2.3.5 has them (golden/paths). Where we refuse what it
// takes, the rule is said here, in terms of what the case holds (docs/compatibility.md, Settings).
#include <gtest/gtest.h>

#include <algorithm>

#include "config/load.hpp"
#include "store/path.hpp"
#include "store/registry.hpp"
#include "support/golden_kinds.hpp"

namespace oas {
namespace {

using testing::golden_kind;
using testing::GoldenCase;
using testing::optional_text;

const Map& member(const GoldenCase& one, std::string_view name) { return *one.find(name)->get_if<Map>(); }

// The entry is taken when it is read, and not only when its store is opened; a store with an unknown protocol is then
// still to be refused.
StoreConfig entry(const Settings& settings, const std::string& name) {
  const auto at = settings.stores().find(name);
  if (at == settings.stores().end()) throw Error(Errc::usage, "there is no store " + name);
  if (!store::find_protocol(at->second.protocol)) store::open_store(at->second);
  return at->second;
}

// What it takes although it cannot work: a value of a type that it fails on later, an empty or null location, folds
// that are no lengths.
bool cannot_work(const Map& spec) {
  for (const auto& [key, value] : spec.items) {
    const std::string name = key.as<std::string>();
    if (name == "token_length") {
      if (!value.is<std::int64_t>()) return true;
    } else if (name == "subfolding") {
      const Seq* list = value.get_if<Seq>();
      if (value.is_null()) continue;
      if (!list || !std::ranges::all_of(list->items, [](const Value& n) {
            return n.is<std::int64_t>() && *n.get_if<std::int64_t>() > 0;
          }))
        return true;
    } else if (name.ends_with("_prefix")) {
      const std::string text = optional_text(spec, name).value_or("");
      const std::size_t first = text.find_first_not_of('/');
      if (first == text.npos) continue;
      if (!store::broken_rule(text.substr(first, text.find_last_not_of('/') - first + 1)).empty()) return true;
    } else if (name == "partition_pattern" || name == "secure" || name == "stage") {
    } else if (!value.is<std::string>() && (name == "location" || name == "bucket" || name == "container" ||
                                            name == "endpoint" || name == "protocol")) {
      return true;
    }
  }
  for (const char* needed : {"bucket", "container", "endpoint"})
    if (spec.find(needed) && spec.at(needed) == Value("")) return true;
  const bool file = spec.find("protocol") && (spec.at("protocol") == Value("file"));
  return file && spec.find("location") && spec.at("location") == Value("");
}

TEST(GoldenStores, Entries) {
  for (const GoldenCase& one : golden_kind("paths", "get_store_spec")) {
    SCOPED_TRACE(one.name);
    const Map& in = member(one, "in");
    const Map& all = *in.at("stores").get_if<Map>();
    // It reads an empty name as a store of that name [D 1]; to us `@` alone is the default.
    std::string name = optional_text(in, "store").value_or("");
    const bool by_default = name.empty();
    const bool of_files = in.at("use_filepath_default") == Value(true);
    const Value* said = all.find(of_files && all.find("filepath_default") ? "filepath_default" : "default");
    if (by_default && said && said->is<std::string>()) name = said->as<std::string>();
    // The entry alone: it looks at no other one, we look at all.
    Map stores;
    for (const auto& [key, value] : all.items) {
      const bool names = key == Value("default") || key == Value("filepath_default");
      if (names ? value == Value(name) || !value.is<std::string>() : key == Value(name))
        stores.items.emplace_back(key, value);
    }
    const auto read = [&]() -> StoreConfig {
      if (name.empty()) throw Error(Errc::usage, "no default");
      // Beside a server, where no store is made up.
      const std::string json = to_json(map({{"database.host", "h"}, {"stores", stores}}));
      return entry(Settings::parse(json), name);
    };
    const Value* found = all.find(name);
    const Map* given = found ? found->get_if<Map>() : nullptr;
    const bool ours_by_default = by_default && said && said->is<std::string>() && given;
    if (!one.find("out") && !(ours_by_default && (in.at("store") == Value("") || !all.find("filepath_default")))) {
      EXPECT_THROW(read(), Error);
      continue;
    }
    if (given && cannot_work(*given)) {
      EXPECT_THROW(read(), Error);
      continue;
    }
    StoreConfig config;
    ASSERT_NO_THROW(config = read()) << to_json(stores);
    if (!one.find("out")) continue;
    for (const auto& [key_value, value] : member(one, "out").items) {
      const std::string key = key_value.as<std::string>();
      SCOPED_TRACE(key);
      if (key == "protocol") {
        std::string lower = value.as<std::string>();
        std::ranges::transform(lower, lower.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
        EXPECT_EQ(config.protocol, lower);
      } else if (key == "token_length") {
        EXPECT_EQ(config.token_length, std::clamp<std::int64_t>(value.as<std::int64_t>(), 4, 16));
      } else if (key == "subfolding") {
        std::vector<int> folds;
        if (!value.is_null())
          for (const Value& n : value.get_if<Seq>()->items) folds.push_back(std::min(n.as<int>(), 26));
        EXPECT_EQ(config.subfolding, folds);
      } else if (key == "partition_pattern") {
        EXPECT_EQ(config.partition_pattern, value.as<std::optional<std::string>>());
      } else if (key == "hash_prefix") {
        EXPECT_EQ(config.hash_prefix.value_or("_hash"), value.is_null() ? "" : value.as<std::string>());
      } else if (key == "schema_prefix") {
        EXPECT_EQ(config.schema_prefix.value_or("_schema"), value.is_null() ? "" : value.as<std::string>());
      } else if (key == "filepath_prefix") {
        EXPECT_EQ(config.filepath_prefix, value.as<std::optional<std::string>>());
      } else if (key == "secure" && !given->find("secure")) {
        const std::string json = to_json(map({{"database.host", "h"}, {"stores", stores}}));
        EXPECT_EQ(Settings::parse(json).get("stores." + name + ".secure"), value);
      } else if (key != "stage" && !value.is_null()) {
        EXPECT_EQ(config.options.at(key), setting_text(value));
      }
    }
  }
}

TEST(GoldenStores, FullPathsAndUrls) {
  for (const GoldenCase& one : golden_kind("paths", "full_path_and_url")) {
    SCOPED_TRACE(one.name);
    const Map& in = member(one, "in");
    const Map& spec = *in.at("spec").get_if<Map>();
    const std::string path = in.at("path").as<std::string>();
    const auto read = [&] {
      return entry(Settings::parse(to_json(map({{"database.host", "h"}, {"stores", map({{"m", spec}})}}))), "m");
    };
    if (!one.find("out")) {
      // A folder that is missing is found out when the store is opened.
      EXPECT_THROW(store::open_store(read()), Error);
      continue;
    }
    if (cannot_work(spec)) {
      EXPECT_THROW(read(), Error);
      continue;
    }
    const StoreConfig config = read();
    if (!store::broken_rule(path).empty()) {  // it leaves the store [D 25]
      EXPECT_THROW(store::object_url(config, path), Error);
      continue;
    }
    const std::string url = store::object_url(config, path);
    EXPECT_EQ(url, member(one, "out").at("url").as<std::string>());
    EXPECT_EQ(url.substr(url.find("://") + 3), member(one, "out").at("full_path").as<std::string>());
  }
}

}  // namespace
}  // namespace oas
