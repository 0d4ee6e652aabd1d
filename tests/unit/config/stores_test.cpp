// The entries of `stores`: what each protocol wants and takes, what all have in common, and where sections may lie.
#include <fmt/format.h>

#include "core/json.hpp"
#include "store/registry.hpp"
#include "unit/config/settings_in.hpp"

namespace oas {
namespace {

class StoreSettings : public SettingsIn {
 protected:
  StoreConfig entry(const std::string& json) const {
    write("datajoint.json", R"({"stores": {"m": )" + json + "}}");
    return load().stores().at("m");
  }
  void no_entry(const std::string& json, std::initializer_list<std::string_view> parts) const {
    refused(R"({"stores": {"m": )" + json + "}}", parts);
  }
};

struct Protocol {
  std::string name;
  Map required, optional;
};
std::vector<Protocol> protocols() {
  return {{"file", map({{"location", "/data"}}), map({{"sync", false}})},
          {"s3", map({{"endpoint", "e:9000"}, {"bucket", "b"}, {"location", "l"}}),
           map({{"access_key", "k"}, {"secret_key", "s"}, {"secure", false}, {"proxy_server", "p"}})},
          {"gcs", map({{"bucket", "b"}, {"location", "l"}}), map({{"token", "t"}, {"project", "p"}})},
          {"azure", map({{"container", "c"}, {"location", "l"}}),
           map({{"account_name", "n"}, {"account_key", "k"}, {"connection_string", "s"}})}};
}
std::string json_of(const std::string& protocol, const Map& required, const Map& optional) {
  Map all = map({{"protocol", protocol}});
  for (const Map* part : {&required, &optional})
    for (const auto& [key, value] : part->items) all.items.emplace_back(key, value);
  return to_json(all);
}

TEST_F(StoreSettings, EachProtocolHasItsKeys) {
  const Map common = map({{"subfolding", list({2, 3})},
                          {"partition_pattern", "{a}/{b}"},
                          {"token_length", 12},
                          {"hash_prefix", "h"},
                          {"schema_prefix", "s"},
                          {"filepath_prefix", "f"},
                          {"stage", "/x"}});
  for (const Protocol& protocol : protocols()) {
    SCOPED_TRACE(protocol.name);
    const StoreConfig bare = entry(json_of(protocol.name, protocol.required, {}));
    EXPECT_EQ(bare.name, "m");
    EXPECT_EQ(bare.protocol, protocol.name);
    EXPECT_EQ(bare.options.size(), protocol.required.items.size());
    EXPECT_EQ(bare.hash_prefix, std::nullopt);
    EXPECT_EQ(bare.schema_prefix, std::nullopt);
    EXPECT_EQ(bare.filepath_prefix, std::nullopt);
    EXPECT_EQ(bare.partition_pattern, std::nullopt);
    EXPECT_EQ(bare.token_length, 8);
    EXPECT_TRUE(bare.subfolding.empty());

    const StoreConfig full = entry(json_of(protocol.name, protocol.required, protocol.optional));
    for (const Map* part : {&protocol.required, &protocol.optional})
      for (const auto& [key, value] : part->items)
        EXPECT_EQ(full.options.at(key.as<std::string>()), setting_text(value)) << key.as<std::string>();

    const StoreConfig shaped = entry(json_of(protocol.name, protocol.required, common));
    EXPECT_EQ(shaped.subfolding, (std::vector<int>{2, 3}));
    EXPECT_EQ(shaped.partition_pattern, "{a}/{b}");
    EXPECT_EQ(shaped.token_length, 12);
    EXPECT_EQ(shaped.hash_prefix, "h");
    EXPECT_EQ(shaped.schema_prefix, "s");
    EXPECT_EQ(shaped.filepath_prefix, "f");
    EXPECT_FALSE(shaped.options.contains("stage"));

    for (const auto& [key, value] : protocol.required.items) {
      Map less;
      for (const auto& item : protocol.required.items)
        if (item.first != key) less.items.push_back(item);
      no_entry(json_of(protocol.name, less, {}), {key.as<std::string>(), "missing", protocol.name});
      Map null = less;
      null.items.emplace_back(key, Value());
      no_entry(json_of(protocol.name, null, {}), {key.as<std::string>(), "missing"});
      for (const Value& wrong : {Value(list({1})), Value(Map{}), Value(std::string("a\0b", 3))}) {
        Map bad = less;
        bad.items.emplace_back(key, wrong);
        no_entry(json_of(protocol.name, bad, {}), {"stores.m." + key.as<std::string>(), "must be"});
      }
    }
    // Keys of other protocols, and misspelt ones.
    no_entry(json_of(protocol.name, protocol.required, map({{"no_such_key", "v"}})), {"no_such_key", "known are"});
    no_entry(json_of(protocol.name, protocol.required, map({{"hash_prefx", "v"}})), {"did you mean hash_prefix?"});
    no_entry(json_of(protocol.name, protocol.required, map({{"locaton", "v"}})), {"did you mean location?"});
    for (const Protocol& other : protocols())
      for (const auto& [key, value] : other.required.items)
        if (!protocol.required.find(key.as<std::string>()))
          no_entry(json_of(protocol.name, protocol.required, map({{key, value}})), {key.as<std::string>(), "unknown"});
  }
}

TEST_F(StoreSettings, AProtocolNobodyKnowsIsCheckedWhenItIsOpened) {
  const StoreConfig config = entry(R"({"protocol": "plugin", "anything": "goes", "count": 5, "hash_prefix": "h"})");
  EXPECT_EQ(config.options.at("anything"), "goes");
  EXPECT_EQ(config.options.at("count"), "5");
  EXPECT_THROW(store::open_store(config), Error);
  no_entry(R"({"protocol": "plugin", "hash_prefix": "a", "schema_prefix": "a"})", {"lies in"});
}

TEST_F(StoreSettings, CapitalsOfAProtocolDoNotMatter) {
  EXPECT_EQ(entry(R"({"protocol": "FILE", "location": "/d"})").protocol, "file");
  EXPECT_EQ(entry(R"({"protocol": "Gcs", "bucket": "b", "location": ""})").protocol, "gcs");
}

TEST_F(StoreSettings, WithoutADriverItCanBeSaidAndNotOpened) {
  for (const Protocol& protocol : protocols()) {
    const StoreConfig config = entry(json_of(protocol.name, protocol.required, {}));
    if (store::find_protocol(protocol.name)->open) continue;  // there is one
    SCOPED_TRACE(protocol.name);
    try {
      store::open_store(config);
      ADD_FAILURE() << "it was opened";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::unsupported);
      EXPECT_NE(std::string_view(e.what()).find("driver for protocol " + protocol.name + " is missing"),
                std::string_view::npos)
          << e.what();
    }
  }
}

TEST_F(StoreSettings, CredentialsComeInPairs) {
  const std::string s3 = R"({"protocol": "s3", "endpoint": "e", "bucket": "b", "location": "")";
  no_entry(s3 + R"(, "access_key": "hunter2"})", {"access_key", "secret_key"});
  no_entry(s3 + R"(, "secret_key": "hunter2"})", {"access_key", "secret_key"});
  no_entry(s3 + R"(, "secret_key": "hunter2", "access_key": ""})", {"access_key", "secret_key"});
  entry(s3 + R"(, "secret_key": "", "access_key": ""})");
  write(".secrets/stores.m.secret_key", "hunter2");
  EXPECT_EQ(entry(s3 + R"(, "access_key": "k"})").options.at("secret_key"), "hunter2");
  EXPECT_EQ(refused(R"({"stores": {"m": )" + s3 + "}}}").find("hunter2"), std::string::npos);
}

TEST_F(StoreSettings, EmptyWhereSomethingIsNeeded) {
  no_entry(R"({"protocol": "file", "location": ""})", {"location", "empty"});
  no_entry(R"({"protocol": "s3", "endpoint": "", "bucket": "b", "location": ""})", {"endpoint", "empty"});
  no_entry(R"({"protocol": "s3", "endpoint": "e", "bucket": "", "location": ""})", {"bucket", "empty"});
  no_entry(R"({"protocol": "gcs", "bucket": "", "location": ""})", {"bucket", "empty"});
  no_entry(R"({"protocol": "azure", "container": "", "location": ""})", {"container", "empty"});
  no_entry(R"({"protocol": "s3", "endpoint": "e", "bucket": "b", "location": "", "secure": "perhaps"})", {"secure"});
  no_entry(R"({"protocol": "s3", "endpoint": "me:hunter2@e", "bucket": "b", "location": ""})", {"endpoint", "user"});
  no_entry(R"({"location": "x"})", {"needs a protocol"});
  no_entry(R"({"protocol": null, "location": "x"})", {"stores.m.protocol"});
  no_entry("{}", {"needs a protocol"});
  no_entry("5", {"stores.m", "JSON object"});
  no_entry("null", {"stores.m", "JSON object"});
}

TEST_F(StoreSettings, CommonFields) {
  const auto with = [&](const std::string& more) { return R"({"protocol": "memory", )" + more + "}"; };
  for (const auto& [given, length] : {std::pair(-5, 4), {0, 4}, {3, 4}, {4, 4}, {16, 16}, {17, 16}, {1'000'000, 16}})
    EXPECT_EQ(entry(with(fmt::format(R"("token_length": {})", given))).token_length, length);
  for (const char* wrong : {"\"long\"", "null", "8.5", "true", "[8]", "99999999999999999999"})
    no_entry(with(fmt::format(R"("token_length": {})", wrong)), {"stores.m.token_length", "whole number"});
  EXPECT_EQ(entry(with(R"("subfolding": null)")).subfolding, std::vector<int>{});
  EXPECT_EQ(entry(with(R"("subfolding": [])")).subfolding, std::vector<int>{});
  EXPECT_EQ(entry(with(R"("subfolding": [1, 26, 1000])")).subfolding, (std::vector<int>{1, 26, 26}));
  for (const char* wrong : {"[0]", "[-1]", "2", "\"2\"", "[true]", "[1.5]", "[[2]]", "{}"})
    no_entry(with(fmt::format(R"("subfolding": {})", wrong)), {"stores.m.subfolding", "whole numbers"});
  EXPECT_EQ(entry(with(R"("partition_pattern": null)")).partition_pattern, std::nullopt);
  no_entry(with(R"("partition_pattern": 5)"), {"stores.m.partition_pattern", "a text"});
  EXPECT_EQ(entry(with(R"("hash_prefix": "", "schema_prefix": null)")).hash_prefix, "");
  EXPECT_EQ(entry(with(R"("hash_prefix": "", "schema_prefix": null)")).schema_prefix, "");
}

TEST_F(StoreSettings, SectionsDoNotLieInOneAnother) {
  const auto with = [](const std::string& hash, const std::string& schema, const std::string& file) {
    return fmt::format(
        R"({{"protocol": "memory", "hash_prefix": "{}", "schema_prefix": "{}", "filepath_prefix": "{}"}})", hash,
        schema, file);
  };
  for (const auto& [hash, schema, file] : std::vector<std::array<std::string, 3>>{{"x", "xy", "xyz"},
                                                                                  {"a/b", "a/c", "a/d"},
                                                                                  {"", "", ""},
                                                                                  {"", "s", ""},
                                                                                  {"/", "s", "f"},
                                                                                  {"", "/", ""},
                                                                                  {"_hash", "_schema", "_hashes"},
                                                                                  {"a b", "%2F", "ü"}})
    entry(with(hash, schema, file));
  for (const auto& [hash, schema, file] : std::vector<std::array<std::string, 3>>{{"x", "x", ""},
                                                                                  {"a", "/a/", ""},
                                                                                  {"a", "a/b", ""},
                                                                                  {"a/b", "a", ""},
                                                                                  {"a", "b", "a/c"},
                                                                                  {"a", "b", "b"},
                                                                                  {"a", "b/c", "b"},
                                                                                  {"/", "/", ""},
                                                                                  {"//a//", "a/b/c", ""}})
    no_entry(with(hash, schema, file), {"lies in"});
  no_entry(R"({"protocol": "memory", "filepath_prefix": "_schema/in"})",
           {"filepath_prefix '_schema/in/' lies in schema_prefix '_schema/'"});
  for (const char* wrong : {"..", "../x", "a/../b", "a//b", ".", "a/./b", "x\\u0000y"}) {
    no_entry(with(wrong, "s", ""), {"hash_prefix"});
    no_entry(with("h", wrong, ""), {"schema_prefix"});
    no_entry(with("h", "s", wrong), {"filepath_prefix"});
  }
  no_entry(with(std::string(100'000, 'x'), "s", ""), {"hash_prefix", "1024"});
}

TEST_F(StoreSettings, RelativeLocationsOfFilesAreMadeAbsolute) {
  EXPECT_EQ(entry(R"({"protocol": "file", "location": "a/../b"})").options.at("location"), (root_ / "b").string());
  EXPECT_EQ(entry(R"({"protocol": "file", "location": "/a//b"})").options.at("location"), "/a/b");
  EXPECT_EQ(entry(R"({"protocol": "gcs", "bucket": "b", "location": "a/"})").options.at("location"), "a/");
}

TEST_F(StoreSettings, NamesAreWhatATypeCanHold) {
  const auto named = [&](const std::string& name) {
    return fmt::format(R"({{"stores": {{"{0}": {{"protocol": "memory"}}, "default": "{0}"}}}})", name);
  };
  for (const char* name : {"raw", "Raw-2", "my.store", "two words", "ü", "a@b", "x/y"}) {
    write("datajoint.json", named(name));
    EXPECT_EQ(load().default_store(), name);
    EXPECT_EQ(load().get(fmt::format("stores.{}.protocol", name)), Value("memory"));
  }
  for (const std::string& name :
       std::vector<std::string>{"", "a:b", "a<b", "a>b", " a", "a ", "a\\u0000b", "a\\nb", std::string(100'000, 'n')})
    refused(named(name), {"names no store"});
}

TEST_F(StoreSettings, DefaultsNameAStore) {
  refused(R"({"stores": {"default": "mian", "main": {"protocol": "memory"}}})",
          {"stores.default", "did you mean main?"});
  refused(R"({"stores": {"filepath_default": "mian", "main": {"protocol": "memory"}}})", {"stores.filepath_default"});
  refused(R"({"stores": {"default": 5, "m": {"protocol": "memory"}}})", {"stores.default", "the name of a store"});
  refused(R"({"stores": {"default": {"protocol": "memory"}}})", {"stores.default", "the name of a store"});
  refused(R"({"stores": [1]})", {"stores", "JSON object"});
  write("datajoint.json", R"({"stores": {"default": "a", "a": {"protocol": "memory"}, "b": {"protocol": "memory"}}})");
  EXPECT_EQ(load().default_filepath_store(), "a");
  write("datajoint.json", R"({"stores": {"default": null, "a": {"protocol": "memory"}, "filepath_default": "a"}})");
  EXPECT_EQ(load().default_store(), "");
  EXPECT_EQ(load().default_filepath_store(), "a");
}

}  // namespace
}  // namespace oas
