// Where settings come from, which source wins, and what `oas config show` says of it.
#include "unit/config/settings_in.hpp"

namespace oas {
namespace {

namespace fs = std::filesystem;

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
  EXPECT_EQ(origin(settings, "stores.local.location")->source, "default");
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
  EXPECT_EQ(origin(settings, "database.host")->source, "environment DJ_HOST");
  environment_["DJ_PORT"] = "many";
  EXPECT_THROW(load(), Error);
}

TEST_F(SettingsIn, HowAServerIsReached) {
  using namespace std::chrono_literals;
  write("datajoint.json", R"({"database": {"backend": "postgresql", "host": "/run/postgresql", "connect_timeout": 3,
    "lock_timeout": 4, "statement_timeout": 5, "reconnect": false}})");
  const db::Config set = load().database();
  EXPECT_EQ(set.host, "/run/postgresql");
  EXPECT_EQ(set.connect_timeout, 3s);
  EXPECT_EQ(set.patience, 4s);
  EXPECT_EQ(set.statement_timeout, 5s);
  EXPECT_FALSE(set.reconnect);
  write("datajoint.json", R"({"database": {"backend": "postgresql"}})");
  const db::Config fallback = load().database();
  EXPECT_EQ(fallback.connect_timeout, 15s);
  EXPECT_EQ(fallback.patience, 60s);
  EXPECT_EQ(fallback.statement_timeout, 0s);
  EXPECT_TRUE(fallback.reconnect);
  EXPECT_EQ(fallback.tls, db::Config::Tls::preferred);
}

TEST_F(SettingsIn, EncryptionIsAsStrictAsItIsSaid) {
  using Tls = db::Config::Tls;
  const auto with = [&](const std::string& tls) {
    write("datajoint.json", R"({"database": {"host": "h", "use_tls": )" + tls + "}}");
    return load().database();
  };
  EXPECT_EQ(with("null").tls, Tls::preferred);
  EXPECT_EQ(with("false").tls, Tls::off);
  EXPECT_EQ(with("true").tls, Tls::required);
  EXPECT_EQ(with("{}").tls, Tls::required);
  EXPECT_EQ(with(R"({"ca": "ca.pem"})").tls, Tls::verified_host);
  EXPECT_EQ(with(R"({"ca": "ca.pem", "check_hostname": false})").tls, Tls::verified);
  EXPECT_EQ(with(R"({"ca": "ca.pem", "verify_mode": "none"})").tls, Tls::required);
  const db::Config all = with(R"({"ca": "ca.pem", "cert": "/c/cert.pem", "key": "key.pem", "verify_mode": true})");
  EXPECT_EQ(all.tls, Tls::verified_host);
  EXPECT_EQ(all.tls_ca, (root_ / "ca.pem").string());
  EXPECT_EQ(all.tls_certificate, "/c/cert.pem");
  EXPECT_EQ(all.tls_key, (root_ / "key.pem").string());
  for (const char* wrong :
       {R"({"ca": 5})", R"({"ciphers": "x"})", R"({"cert": "c"})", R"({"check_hostname": "yes"})",
        R"({"verify_mode": "sometimes"})", R"({"verify_mode": "required"})", R"({"check_hostname": true})"}) {
    EXPECT_THROW(with(wrong), Error) << wrong;
  }
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
  EXPECT_EQ(origin(settings, "database.password")->value, "(secret)");
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
  environment_["DJ_STORES"] = "{}";  // none at all, and so the one that is made up
  EXPECT_EQ(load().default_store(), "local");
  write(".secrets/stores.b.location", "/of/the/secret");
  environment_["DJ_STORES"] = R"({"default": "b", "b": {"protocol": "file"}})";
  EXPECT_EQ(load().stores().at("b").options.at("location"), "/of/the/secret");
  environment_["DJ_STORES"] = R"({"default": "b", "b": {"protocol": "file", "location": "here"}})";
  EXPECT_EQ(load().stores().at("b").options.at("location"), (root_ / "here").string());
  for (const char* wrong : {"[1]", "5", "null", "{", "{\"a\": 5}", "{\"a\": {}}"}) {
    environment_["DJ_STORES"] = wrong;
    EXPECT_NE(refusal().find("environment DJ_STORES"), std::string::npos) << wrong;
  }
}

TEST_F(SettingsIn, EachFolderIsLookedIntoBeforeTheSearchEnds) {
  fs::create_directories(root_ / "a/.git");
  fs::create_directories(root_ / "a/b/c");
  write("a/datajoint.json", R"({"loglevel": "DEBUG"})");  // beside .git
  EXPECT_EQ(load("a/b/c").get("loglevel"), Value("DEBUG"));
  fs::create_directories(root_ / "a/b/datajoint.json");  // a folder of that name is passed over
  EXPECT_EQ(load("a/b/c").get("loglevel"), Value("DEBUG"));
  fs::create_directory_symlink(root_ / "a/b/c", root_ / "link");  // upwards from where the folder really is
  EXPECT_EQ(load("link").file(), root_ / "a/datajoint.json");
  write("elsewhere", R"({"loglevel": "ERROR"})");
  fs::create_symlink(root_ / "elsewhere", root_ / "a/b/c/datajoint.json");  // a link to a file is one
  EXPECT_EQ(load("a/b/c").get("loglevel"), Value("ERROR"));
  EXPECT_EQ(load("a/b/c").file(), root_ / "a/b/c/datajoint.json");
}

TEST_F(SettingsIn, AFolderThatIsNoneIsRefused) {
  const auto message = [&](const fs::path& folder) {
    try {
      load(folder);
    } catch (const Error& e) {
      return std::string(to_string(e.code())) + ": " + e.what();
    }
    return std::string();
  };
  EXPECT_TRUE(message("nowhere").starts_with("usage: look for settings in ")) << message("nowhere");
  write("file", "");
  EXPECT_NE(message("file").find("no folder"), std::string::npos) << message("file");
}

TEST_F(SettingsIn, NestedAndDottedKeysSayTheSame) {
  write("datajoint.json", R"({"database.host": "db", "database": {"user": "me"}, "stores.default": "raw",
    "stores.raw.protocol": "s3", "stores": {"raw": {"endpoint": "e:9000", "bucket": "b", "location": "", "secure": false}},
    "stores.filepath_default": "more", "stores.more": {"protocol": "memory"}})");
  const Settings settings = load();
  EXPECT_EQ(settings.database().host, "db");
  EXPECT_EQ(settings.database().user, "me");
  EXPECT_EQ(settings.default_store(), "raw");
  EXPECT_EQ(settings.default_filepath_store(), "more");
  EXPECT_EQ(settings.stores().at("raw").protocol, "s3");
  EXPECT_EQ(settings.stores().at("raw").options.at("secure"), "false");
  EXPECT_EQ(settings.stores().at("raw").options.at("location"), "");
  EXPECT_EQ(settings.stores().at("more").protocol, "memory");
  refused(R"({"stores": {"default": "a", "a": {"protocol": "memory"}}, "stores.default": "a"})",
          {"stores.default", "twice"});
}

TEST_F(SettingsIn, UnknownKeysNameTheNearest) {
  refused(R"({"databse": {"host": "h"}})", {"databse.host", "did you mean database.host?"});
  refused(R"({"database": {"hots": "h"}})", {"database.hots", "did you mean database.host?"});
  refused(R"({"database.hots": "h"})", {"database.hots", "did you mean database.host?"});
  refused(R"({"savemode": true})", {"did you mean safemode?"});
  refused(R"({"databse": {}})", {"databse"});
  refused(R"({"store": {"raw": {"protocol": "memory"}}})", {"store"});
  refused(R"({"database": {"host": {"name": "h"}}})", {"database.host", "must be a text"});
  refused(R"({"database": "h"})", {"database"});
  refused(R"({"something.of.its.own": 1})", {"something.of.its.own", "no such setting"});
}

TEST_F(SettingsIn, TheFlagMustBeOne) {
  write("datajoint.json", R"({"loglevel": "DEBUG"})");
  for (const char* yes : {"true", "1", "yes", "TRUE"}) {
    environment_ = {{"DJ_IGNORE_CONFIG_FILE", yes}};
    EXPECT_EQ(load().get("loglevel"), Value("INFO")) << yes;
  }
  for (const char* no : {"", "false", "0", "no"}) {
    environment_ = {{"DJ_IGNORE_CONFIG_FILE", no}};
    EXPECT_EQ(load().get("loglevel"), Value("DEBUG")) << no;
  }
  environment_ = {{"DJ_IGNORE_CONFIG_FILE", "of course"}};
  EXPECT_NE(refusal().find("DJ_IGNORE_CONFIG_FILE"), std::string::npos);
}

TEST_F(SettingsIn, ANullOfTheFileLeavesRoomForASecret) {
  write("datajoint.json", R"({"database": {"host": "h", "user": null, "password": null},
    "stores": {"raw": {"protocol": "gcs", "bucket": "b", "location": "l", "token": null}}})");
  write(".secrets/database.user", "me");
  write(".secrets/database.password", "hunter2");
  write(".secrets/stores.raw.token", "there is a null already");
  const Settings settings = load();
  EXPECT_EQ(settings.database().user, "me");
  EXPECT_EQ(settings.database().password, "hunter2");
  EXPECT_FALSE(settings.stores().at("raw").options.contains("token"));
}

TEST_F(SettingsIn, SecretsMayDescribeAStoreAlone) {
  environment_ = {{"DJ_HOST", "h"}};
  write("system-secrets/stores.cold.protocol", "gcs\n");
  write("system-secrets/stores.cold.bucket", "b");
  write("system-secrets/stores.cold.location", "");
  write("system-secrets/stores.cold.token", "hunter2");
  write("system-secrets/stores.cold.subfolding.x", "four parts are none");
  write("system-secrets/stores.cold", "two are none");
  write("system-secrets/.stores.cold.project", "hidden");
  fs::create_directories(root_ / "system-secrets/stores.cold.project");  // no file
  const Settings settings = load();
  EXPECT_EQ(settings.stores().at("cold").protocol, "gcs");
  EXPECT_EQ(settings.stores().at("cold").options.at("token"), "hunter2");
  EXPECT_FALSE(settings.stores().at("cold").options.contains("project"));
  for (const auto& one : settings.origins()) EXPECT_EQ(one.value.find("hunter2"), std::string::npos) << one.key;
}

TEST_F(SettingsIn, SecretsOfAStoreThatNobodyHasAreSomebodyElses) {
  write("datajoint.json", R"({"stores": {"default": "a", "a": {"protocol": "memory"}}})");
  write(".secrets/stores.other.token", "hunter2");
  const Settings settings = load();
  EXPECT_FALSE(settings.stores().contains("other"));
  EXPECT_EQ(origin(settings, "stores.other.token")->value, "(secret)");
  refused(R"({"stores": {"default": "other", "a": {"protocol": "memory"}}})", {"no store 'other'"});
}

TEST_F(SettingsIn, SecretsAreKnownByNameAndByForm) {
  write("datajoint.json", R"({"database": {"host": "h", "password": "hunter2"},
    "provenance": {"source": {"url": "https://me:hunter2@lims.org/x"}},
    "stores": {"a": {"protocol": "azure", "container": "c", "location": "", "account_key": "hunter2",
                     "connection_string": "AccountKey=hunter2", "account_name": "shown"},
               "s": {"protocol": "s3", "endpoint": "https://e", "bucket": "b", "location": "",
                     "access_key": "hunter2", "secret_key": "hunter2", "proxy_server": "http://u:hunter2@p:1"},
               "p": {"protocol": "plugin", "api_secret": "hunter2", "bearer_token": "hunter2", "password": "hunter2"}}})");
  const Settings settings = load();
  for (const auto& one : settings.origins()) EXPECT_EQ(one.value.find("hunter2"), std::string::npos) << one.key;
  EXPECT_EQ(origin(settings, "stores.a.account_name")->value, "shown");
  EXPECT_EQ(origin(settings, "stores.a.token_length")->value, "8");
}

TEST_F(SettingsIn, OriginsTellDefaultsThatShapePaths) {
  write("datajoint.json", R"({"stores": {"a": {"protocol": "s3", "endpoint": "e", "bucket": "b", "location": "",
    "hash_prefix": "h"}}})");
  const Settings settings = load();
  EXPECT_EQ(origin(settings, "stores.a.hash_prefix")->source, (root_ / "datajoint.json").string());
  for (const auto& [key, value] : {std::pair("stores.a.schema_prefix", "_schema"),
                                   {"stores.a.token_length", "8"},
                                   {"stores.a.secure", "true"},
                                   {"database.backend", "sqlite"}}) {
    ASSERT_TRUE(origin(settings, key)) << key;
    EXPECT_EQ(origin(settings, key)->value, value);
    EXPECT_EQ(origin(settings, key)->source, "default");
  }
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
  EXPECT_THROW(settings.get("stores.nothing.location"), Error);
  EXPECT_THROW(settings.set("stores.raw.protocol", "file"), Error);  // which wants a location
  EXPECT_EQ(settings.get("stores.raw.protocol"), Value("memory"));
  settings.set("stores.raw", map({{"protocol", "file"}, {"location", "/x"}}));
  settings.set("stores.raw", map({{"protocol", "memory"}}));  // replaces it as a whole
  EXPECT_EQ(settings.get("stores.raw.location"), Value());
  settings.set("stores", map({{"only", map({{"protocol", "memory"}})}, {"default", "only"}}));
  EXPECT_EQ(settings.stores().size(), 1u);
  EXPECT_EQ(settings.default_store(), "only");
  settings.set("stores", map({{"raw", map({{"protocol", "memory"}})}, {"default", "raw"}}));
  EXPECT_EQ(origin(settings, "database.name")->source, "program");
}

TEST(Settings, FromATextAlone) {
  const Settings settings = Settings::parse(R"({"database": {"backend": "sqlite", "name": ":memory:"}})");
  EXPECT_EQ(settings.database().name, ":memory:");
  EXPECT_EQ(settings.stores().at("local").options.at("location"), "oas-store");
}

}  // namespace
}  // namespace oas
