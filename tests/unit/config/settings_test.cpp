#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "config/load.hpp"

namespace oas {
namespace {

namespace fs = std::filesystem;

class SettingsIn : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::temp_directory_path() / "oas-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    root_ = folder;
    fs::create_directories(root_ / ".git");  // the search ends here
  }
  void TearDown() override {
    if (!root_.empty()) fs::remove_all(root_);
  }
  void write(const fs::path& file, std::string_view text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  Settings load(const fs::path& folder = {}) {
    return SettingsAccess::load(
        root_ / folder,
        [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          if (found == environment_.end()) return std::nullopt;
          return found->second;
        },
        root_ / "system-secrets");
  }
  std::string refused(std::string_view json) {
    write("datajoint.json", json);
    try {
      load();
    } catch (const Error& error) {
      return std::string(to_string(error.code())) + ": " + error.what();
    }
    return {};
  }
  static const Settings::Origin* origin(const std::vector<Settings::Origin>& all_origins, std::string_view key) {
    const auto found = std::ranges::find(all_origins, key, &Settings::Origin::key);
    return found == all_origins.end() ? nullptr : &*found;
  }

  fs::path root_;
  std::map<std::string, std::string> environment_;
};

TEST_F(SettingsIn, NothingConfiguredMeansEmbedded) {
  const Settings settings = load();
  EXPECT_TRUE(settings.embedded());
  EXPECT_EQ(settings.database().backend, "sqlite");
  EXPECT_EQ(settings.database().name, (root_ / "oas.db").string());
  EXPECT_EQ(settings.default_store(), "local");
  EXPECT_EQ(settings.default_filepath_store(), "local");
  EXPECT_EQ(settings.stores().at("local").protocol, "file");
  EXPECT_EQ(settings.stores().at("local").options.at("location"), (root_ / "oas-store").string());
  EXPECT_TRUE(settings.file().empty());
  const auto origins = settings.origins();
  ASSERT_NE(origin(origins, "stores.local.location"), nullptr);
  EXPECT_EQ(origin(origins, "stores.local.location")->source, "default");
  EXPECT_EQ(Settings().database().name, "oas.db");
}

TEST_F(SettingsIn, TheFileIsFoundUpwardsAndPathsAreRelativeToIt) {
  write("datajoint.json", R"({"database": {"backend": "sqlite", "name": "data/lab.db"},
    "stores": {"default": "raw", "raw": {"protocol": "FILE", "location": "store"}}})");
  fs::create_directories(root_ / "a/b");
  const Settings settings = load("a/b");
  EXPECT_FALSE(settings.embedded());
  EXPECT_EQ(settings.file(), root_ / "datajoint.json");
  EXPECT_EQ(settings.database().name, (root_ / "data/lab.db").string());
  EXPECT_EQ(settings.stores().at("raw").options.at("location"), (root_ / "store").string());
  EXPECT_EQ(settings.stores().at("raw").protocol, "file");
}

TEST_F(SettingsIn, TheSearchEndsAtARepository) {
  write("datajoint.json", R"({"database.name": "outer.db"})");
  fs::create_directories(root_ / "inner/.hg");
  EXPECT_TRUE(load("inner").embedded());
  write("inner/datajoint.json", R"({"database.name": "inner.db"})");
  EXPECT_EQ(load("inner").database().name, (root_ / "inner/inner.db").string());
}

TEST_F(SettingsIn, NestedAndDottedKeysSayTheSame) {
  write("datajoint.json", R"({"database.host": "db", "database.user": "me", "stores.default": "raw",
    "stores.raw.protocol": "s3", "stores": {"raw": {"endpoint": "e:9000", "bucket": "b", "location": "", "secure": false}}})");
  const Settings settings = load();
  EXPECT_EQ(settings.database().backend, "mysql");
  EXPECT_EQ(settings.database().host, "db");
  EXPECT_EQ(settings.database().port, 3306);
  EXPECT_EQ(settings.default_store(), "raw");
  EXPECT_EQ(settings.stores().at("raw").protocol, "s3");
  EXPECT_EQ(settings.stores().at("raw").options.at("secure"), "false");
  EXPECT_EQ(settings.stores().at("raw").options.at("location"), "");
}

TEST_F(SettingsIn, TheEnvironmentWinsOverTheFile) {
  write("datajoint.json",
        R"({"database": {"host": "file", "port": 1}, "safemode": true, "jobs": {"auto_refresh": true}})");
  environment_ = {{"DJ_HOST", "variable"}, {"DJ_SAFEMODE", "false"}, {"DJ_BACKEND", "postgresql"}, {"WIDTH", "wide"}};
  const Settings settings = load();
  EXPECT_EQ(settings.database().host, "variable");
  EXPECT_EQ(settings.database().port, 1);
  EXPECT_EQ(settings.database().backend, "postgresql");
  EXPECT_EQ(settings.get("safemode"), Value(false));
  EXPECT_EQ(settings.get("jobs.auto_refresh"), Value(true));
  EXPECT_EQ(origin(settings.origins(), "database.host")->source, "environment DJ_HOST");
  environment_["DJ_PORT"] = "many";
  EXPECT_THROW(load(), Error);
}

TEST_F(SettingsIn, ThePortGoesWithTheBackend) {
  write("datajoint.json", R"({"database": {"host": "h", "backend": "postgresql"}})");
  EXPECT_EQ(load().database().port, 5432);
  write("datajoint.json", R"({"database": {"host": "h:77"}})");
  EXPECT_EQ(load().database().port, 77);
  EXPECT_EQ(load().database().host, "h");
  write("datajoint.json", R"({"database": {"host": "[::1]:77", "port": 5}})");
  EXPECT_EQ(load().database().port, 5);
  EXPECT_NE(refused(R"({"database": {"host": "h:x"}})").find("no port"), std::string::npos);
}

TEST_F(SettingsIn, NoStoreIsMadeUpBesideAServer) {
  write("datajoint.json", R"({"database": {"host": "h"}})");
  EXPECT_TRUE(load().stores().empty());
  EXPECT_EQ(load().default_store(), "");
}

TEST_F(SettingsIn, SecretsFillWhatIsMissingAndAreNeverShown) {
  write("datajoint.json", R"({"database": {"host": "h", "user": "file"},
    "stores": {"raw": {"protocol": "s3", "endpoint": "e", "bucket": "b", "location": "l", "secret_key": "in-file"}}})");
  write(".secrets/database.user", "secret-user\n");
  write(".secrets/database.password", "  hunter2\n");
  write(".secrets/stores.raw.access_key", "AKIA\n");
  write(".secrets/stores.raw.secret_key", "other\n");
  write(".secrets/readme", "nothing");
  write("system-secrets/database.password", "not this");
  const Settings settings = load();
  EXPECT_EQ(settings.database().user, "file");
  EXPECT_EQ(settings.database().password, "hunter2");
  EXPECT_EQ(settings.stores().at("raw").options.at("access_key"), "AKIA");
  EXPECT_EQ(settings.stores().at("raw").options.at("secret_key"), "in-file");
  for (const auto& one : settings.origins())
    for (const char* secret : {"hunter2", "AKIA", "in-file"})
      EXPECT_EQ(one.value.find(secret), std::string::npos) << one.key;
  EXPECT_EQ(origin(settings.origins(), "database.password")->value, "(secret)");
}

TEST_F(SettingsIn, SystemSecretsServeWhereThereAreNoOwn) {
  write("system-secrets/database.password", "p");
  environment_ = {{"DJ_HOST", "h"}};
  EXPECT_EQ(load().database().password, "p");
  environment_["DJ_IGNORE_CONFIG_FILE"] = "true";
  EXPECT_EQ(load().database().password, "");
  write("datajoint.json", "broken");
  EXPECT_EQ(load().database().host, "h");
}

TEST_F(SettingsIn, TheStoresOfTheEnvironmentReplaceThoseOfTheFile) {
  write("datajoint.json", R"({"stores": {"default": "a", "a": {"protocol": "file", "location": "a"}}})");
  environment_ = {{"DJ_STORES", R"({"b": {"protocol": "file", "location": "/b"}})"}};
  const Settings settings = load();
  EXPECT_FALSE(settings.stores().contains("a"));
  EXPECT_EQ(settings.stores().at("b").options.at("location"), "/b");
  EXPECT_EQ(settings.default_store(), "");
  environment_["DJ_STORES"] = "[1]";
  EXPECT_THROW(load(), Error);
}

TEST_F(SettingsIn, StoreFields) {
  write("datajoint.json", R"({"stores": {"m": {"protocol": "file", "location": "/data", "subfolding": [2, 3],
    "partition_pattern": "{a}/{b}", "token_length": 99, "hash_prefix": "x", "schema_prefix": "xy", "stage": "/s"},
    "n": {"protocol": "file", "location": "/n", "hash_prefix": "", "schema_prefix": null}}})");
  const Settings settings = load();
  const StoreConfig& m = settings.stores().at("m");
  EXPECT_EQ(m.subfolding, (std::vector<int>{2, 3}));
  EXPECT_EQ(m.partition_pattern, "{a}/{b}");
  EXPECT_EQ(m.token_length, 16);
  EXPECT_EQ(m.hash_prefix, "x");
  EXPECT_EQ(m.schema_prefix, "xy");
  EXPECT_FALSE(m.options.contains("stage"));
  EXPECT_EQ(settings.stores().at("n").hash_prefix, "");
  EXPECT_EQ(settings.stores().at("n").schema_prefix, "");
  EXPECT_EQ(settings.stores().at("n").token_length, 8);
}

TEST_F(SettingsIn, MistakesAreNamed) {
  const auto has = [&](std::string_view json, std::string_view part) {
    const std::string message = refused(json);
    EXPECT_NE(message.find(part), std::string::npos) << json << "\n" << message;
  };
  has(R"({"databse": {"host": "h"}})", "did you mean database.host?");
  has(R"({"database": {"hots": "h"}})", "did you mean database.host?");
  has(R"({"database": {"port": "x"}})", "it must be a whole number");
  has(R"({"database": {"password": 5}})", "it must be a text");
  has(R"({"database": {"backend": "oracle"}})", "sqlite, postgresql or mysql");
  has(R"({"stores": {"default": "mian", "main": {"protocol": "file", "location": "/d"}}})", "did you mean main?");
  has(R"({"stores": {"default": 5, "m": {"protocol": "file", "location": "/d"}}})", "the name of a store");
  has(R"({"stores": {"m": {"location": "x"}}})", "needs a protocol");
  has(R"({"stores": {"m": {"protocol": "file", "location": "/d", "filepath_prefix": "_schema/in"}}})",
      "filepath_prefix '_schema/in' lies in schema_prefix '_schema'");
  has(R"({"stores": {"m": {"protocol": "file", "location": "/d", "hash_prefix": "a", "schema_prefix": "/a/"}}})",
      "lies in");
  has(R"({"stores": {"m": {"protocol": "file", "location": "/d", "subfolding": [0]}}})", "whole numbers from 1");
  has(R"([1, 2])", "must be a JSON object");
}

TEST_F(SettingsIn, BrokenFilesTellWhereAndNotWhat) {
  const std::string message = refused("{\"database\": {\n  \"password\": \"hunter2\" \"host\": 1}}");
  EXPECT_TRUE(message.starts_with("syntax")) << message;
  EXPECT_NE(message.find("line 2"), std::string::npos) << message;
  EXPECT_EQ(message.find("hunter2"), std::string::npos);
}

TEST_F(SettingsIn, SettingsCanBeSetByTheProgram) {
  Settings settings = load();
  settings.set("database.name", "/other.db");
  EXPECT_EQ(settings.database().name, "/other.db");
  EXPECT_FALSE(settings.embedded());
  settings.set("stores.raw", map({{"protocol", "memory"}}));
  settings.set("stores.default", "raw");
  EXPECT_EQ(settings.default_store(), "raw");
  EXPECT_EQ(settings.get("stores.raw.protocol"), Value("memory"));
  EXPECT_THROW(settings.set("stores.default", "nothing"), Error);
  EXPECT_THROW(settings.set("database.port", "x"), Error);
  EXPECT_EQ(settings.default_store(), "raw");
  EXPECT_THROW(settings.get("databse.name"), Error);
  EXPECT_EQ(origin(settings.origins(), "database.name")->source, "program");
}

TEST(Settings, FromATextAlone) {
  const Settings settings = Settings::parse(R"({"database": {"backend": "sqlite", "name": ":memory:"}})");
  EXPECT_EQ(settings.database().name, ":memory:");
  EXPECT_EQ(settings.stores().at("local").options.at("location"), "oas-store");
}

}  // namespace
}  // namespace oas
