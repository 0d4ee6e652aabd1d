// oas config init, show and check, and what stores in the settings mean to the other verbs.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "integration/cli/cli_fixture.hpp"

namespace {

using namespace oas;
using namespace oas::cli_test;

class ConfigTest : public CliTest {
 protected:
  void settings(std::string_view json) const { write(work_ / "datajoint.json", json); }
  void secret(const std::string& name, std::string_view text) const {
    fs::create_directories(work_ / ".secrets");
    write(work_ / ".secrets" / name, text);
  }
  /// The line of `config show --json` for a setting.
  Map shown(const std::string& setting) const {
    for (Map& line : lines(good({"config", "show", "--json"})))
      if (line.at("setting") == Value(setting)) return line;
    ADD_FAILURE() << setting << " is not shown";
    return {};
  }
  /// The line of `config check --json` for what was checked.
  Map checked(const std::string& what) const {
    for (Map& line : lines(run({"config", "check", "--json"}).out))
      if (line.at("checked") == Value(what)) return line;
    ADD_FAILURE() << what << " is not checked";
    return {};
  }
  static std::string text(const Map& line, std::string_view key) { return line.at(key).as<std::string>(); }
  static bool has(const std::string& all, std::string_view part) { return all.find(part) != std::string::npos; }
};

TEST_F(ConfigTest, InitShowCheck) {
  const std::string file = (work_ / "datajoint.json").string();
  const auto wrote = lines(good({"config", "init", "--store", "raw", "--json"}));
  ASSERT_EQ(wrote.size(), 1u);
  EXPECT_EQ(wrote[0], map({{"file", file}}));
  EXPECT_TRUE(fs::is_directory(work_ / "oas-store"));
  EXPECT_EQ(shown("stores.default"), map({{"setting", "stores.default"}, {"value", "raw"}, {"source", file}}));
  EXPECT_EQ(text(shown("stores.raw.location"), "value"), "oas-store");
  const auto lines_of_check = lines(good({"config", "check", "--json"}));
  ASSERT_EQ(lines_of_check.size(), 3u);
  for (const Map& line : lines_of_check) {
    EXPECT_EQ(line.at("ok"), Value(true));
    EXPECT_EQ(line.at("problem"), Value(""));
    EXPECT_EQ(line.items.size(), 4u);
  }
  EXPECT_EQ(text(checked("settings"), "location"), file);
  EXPECT_TRUE(has(text(checked("database"), "location"), "oas.db"));
  EXPECT_TRUE(has(text(checked("store raw"), "location"), "oas-store"));
}

TEST_F(ConfigTest, InitOverwritesNothing) {
  settings("{}");
  for (const bool link : {false, true}) {
    if (link) {
      fs::remove(work_ / "datajoint.json");
      fs::create_symlink(files_ / "elsewhere", work_ / "datajoint.json");
    }
    const Answer answer = run({"config", "init", "--location", "made"});
    EXPECT_EQ(answer.exit, 3);
    EXPECT_TRUE(has(answer.err, "it is there already")) << answer.err;
    EXPECT_FALSE(fs::exists(work_ / "made"));
    EXPECT_FALSE(fs::exists(files_ / "elsewhere"));
  }
}

TEST_F(ConfigTest, InitOfAServer) {
  const Answer answer = run({"config", "init", "--backend", "postgresql", "--host", "db:5433", "--user", "me", "--name",
                             "lab", "--store", "my.store", "--location", "data/objects"});
  EXPECT_EQ(answer.exit, 0);
  EXPECT_TRUE(has(answer.err, ".secrets/database.password")) << answer.err;
  EXPECT_EQ(text(shown("database.backend"), "value"), "postgresql");
  EXPECT_EQ(text(shown("database.host"), "value"), "db:5433");
  EXPECT_EQ(text(shown("database.port"), "value"), "5433");
  EXPECT_EQ(text(shown("database.name"), "value"), "lab");
  EXPECT_EQ(text(shown("stores.my.store.protocol"), "value"), "file");
  EXPECT_TRUE(fs::is_directory(work_ / "data/objects"));
}

TEST_F(ConfigTest, InitRefusesWhatCouldNotBeReadAgain) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--store", "a:b"},
                                             {"--store", ""},
                                             {"--store", std::string(100'000, 'n')},
                                             {"--location", ""},
                                             {"--location", "b\xff"},
                                             {"--name", "b\xff"},
                                             {"--backend", "oracle"},
                                             {"--backend", "mysql", "--host", "h:x"}}) {
    std::vector<std::string> all{"config", "init"};
    all.insert(all.end(), words.begin(), words.end());
    const Answer answer = run(all);
    EXPECT_EQ(answer.exit, 2) << answer.err;
    EXPECT_TRUE(answer.err.starts_with("oas: ")) << answer.err;
    EXPECT_TRUE(fs::is_empty(work_)) << words[1].substr(0, 20);
  }
  const Answer nowhere = run_bare({"oas", "--folder", (work_ / "none").string(), "config", "init"});
  EXPECT_EQ(nowhere.exit, 2) << nowhere.err;
  EXPECT_FALSE(fs::exists(work_ / "none"));
}

TEST_F(ConfigTest, ShowTellsWhereEachValueCameFrom) {
  settings(R"({"database": {"backend": "mysql", "host": "file", "user": "file"}, "jobs.stale_timeout": 60,
    "stores": {"default": "m", "m": {"protocol": "gcs", "bucket": "b", "location": ""}}})");
  secret("database.password", "hush\n");
  secret("stores.m.token", "hush");
  environment_ = {"DJ_HOST=variable", "DJ_SAFEMODE=no"};
  const std::string file = (work_ / "datajoint.json").string(), secrets = (work_ / ".secrets").string() + "/";
  const auto from = [&](const std::string& setting, const std::string& value, const std::string& source) {
    EXPECT_EQ(shown(setting), map({{"setting", setting}, {"value", value}, {"source", source}}));
  };
  from("database.host", "variable", "environment DJ_HOST");
  from("database.user", "file", file);
  from("database.port", "3306", "default");
  from("database.password", "(secret)", secrets + "database.password");
  from("safemode", "false", "environment DJ_SAFEMODE");
  from("jobs.stale_timeout", "60", file);
  from("stores.m.token", "(secret)", secrets + "stores.m.token");
  from("stores.m.hash_prefix", "_hash", "default");
  const std::string people = good({"config", "show"});
  EXPECT_TRUE(has(people, "setting")) << people;
  EXPECT_TRUE(has(people, "environment DJ_HOST")) << people;
  EXPECT_FALSE(has(people, "hush")) << people;
}

TEST_F(ConfigTest, SecretsAreNeverPrinted) {
  settings(R"({"database": {"backend": "postgresql", "host": "127.0.0.1", "port": 1, "user": "u", "password": "hush-1"},
    "stores": {"default": "f", "f": {"protocol": "file", "location": "oas-store"},
               "s": {"protocol": "s3", "endpoint": "https://e", "session_token": "hush-2", "request_timeout": 1, "bucket": "b", "location": "",
                     "access_key": "hush-4", "secret_key": "hush-5", "proxy_server": "http://u:hush-6@p"},
               "a": {"protocol": "azure", "container": "c", "location": "", "connection_string": "hush-7"},
               "p": {"protocol": "plugin", "api_token": "hush-8"}}})");
  secret("stores.p.password", "hush-9");
  const auto silent = [&](const std::vector<std::string>& words) {
    const Answer answer = run(words);
    EXPECT_FALSE(has(answer.out + answer.err, "hush")) << answer.out << answer.err;
  };
  const std::vector<std::vector<std::string>> verbs{{"config", "show"},
                                                    {"config", "show", "--json"},
                                                    {"config", "check"},
                                                    {"config", "check", "--json"},
                                                    {"ls"},
                                                    {"store", "check", "f"},
                                                    {"store", "check", "s"},
                                                    {"store", "check", "p"},
                                                    {"store", "ls", "a"}};
  for (const auto& words : verbs) silent(words);
  // Nor where the settings are wrong just beside a secret.
  for (
      const char* wrong :
      {R"({"database": {"password": ["hush"]}})", R"({"database": {"password": "hush" "x"}})",
       R"({"password": "hush"})", R"({"stores": {"s": {"protocol": "s3", "secret_key": "hush"}}})",
       R"({"stores": {"s": {"protocol": "s3", "endpoint": "e", "bucket": "b", "location": "", "secret_key": "hush"}}})",
       R"({"stores": {"s": {"protocol": "gcs", "bucket": "b", "location": "", "token": {"key": "hush"}}}})"}) {
    settings(wrong);
    for (const auto& words : verbs) silent(words);
    EXPECT_EQ(run({"config", "show"}).exit, 2) << wrong;
  }
  settings("{}");
  for (const char* variable : {"DJ_PORT=hush", "DJ_STORES=[\"hush\"", "DJ_PROVENANCE_SOURCE={\"hush\"",
                               "DJ_USE_TLS=hush", "DJ_IGNORE_CONFIG_FILE=hush", "DJ_STORES={\"a\": \"hush\"}"}) {
    environment_ = {variable};
    silent({"config", "show"});
    EXPECT_EQ(run({"config", "show"}).exit, 2) << variable;
  }
}

TEST_F(ConfigTest, BrokenSettingsAreWrongUseForEveryVerb) {
  settings("{\"database\": {\n  \"host\" 5}}");
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"config", "show"},
                                                                                     {"config", "check"},
                                                                                     {"ls"},
                                                                                     {"put", "lab.scan", "scan=1"},
                                                                                     {"gc"},
                                                                                     {"store", "check"}}) {
    std::vector<std::string> all = words;
    all.push_back("--json");
    const Answer answer = run(all);
    EXPECT_EQ(answer.exit, 2);
    EXPECT_EQ(answer.out, "");
    const Map error = lines(answer.err).at(0);
    EXPECT_EQ(error.at("error"), Value("syntax"));
    EXPECT_TRUE(has(text(error, "message"), "line 2, column")) << answer.err;
    EXPECT_TRUE(has(text(error, "target"), "datajoint.json")) << answer.err;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(work_), {}), 1);  // nothing was made
  settings(R"({"databse": {"backend": "sqlite"}})");
  EXPECT_TRUE(has(run({"config", "show"}).err, "databse.backend")) << run({"config", "show"}).err;
  const Answer nowhere = run_bare({"oas", "--folder", (work_ / "none").string(), "config", "show"});
  EXPECT_EQ(nowhere.exit, 2);
  EXPECT_TRUE(has(nowhere.err, "look for settings in")) << nowhere.err;
}

TEST_F(ConfigTest, CheckTellsWhatDoesNotWork) {
  settings(R"({"database": {"backend": "sqlite", "name": "lab.db"}, "stores": {
    "gone": {"protocol": "file", "location": "gone"},
    "cloud": {"protocol": "gcs", "bucket": "b", "location": "lab"},
    "odd": {"protocol": "plugin"}}})");
  EXPECT_EQ(run({"config", "check"}).exit, 1);
  EXPECT_EQ(checked("database").at("ok"), Value(true));
  EXPECT_EQ(checked("store gone").at("ok"), Value(false));
  EXPECT_EQ(text(checked("store gone"), "location"), "file://" + (work_ / "gone").string());
  EXPECT_FALSE(fs::exists(work_ / "gone"));  // it may be a disk that is not mounted
  EXPECT_EQ(text(checked("store cloud"), "location"), "gs://b/lab/");
  EXPECT_TRUE(has(text(checked("store cloud"), "problem"), "driver for protocol gcs is missing"));
  EXPECT_TRUE(has(text(checked("store odd"), "problem"), "unknown protocol 'plugin'"));
  const std::string people = run({"config", "check"}).out;
  EXPECT_TRUE(has(people, "database: ok, ")) << people;
  EXPECT_TRUE(has(people, "store odd: ")) << people;
}

TEST_F(ConfigTest, CheckTellsOfVariablesThatNobodyReads) {
  good({"config", "init"});
  environment_ = {"DJ_PASSWORD=hush", "DJ_USER=u", "DJ_THREAD_SAFE=1", "DJ_STORES="};
  const Map line = checked("environment DJ_PASSWORD");
  EXPECT_EQ(line.at("ok"), Value(false));
  EXPECT_TRUE(has(text(line, "problem"), "did you mean DJ_PASS?")) << text(line, "problem");
  std::set<std::string> all;
  for (const Map& one : lines(run({"config", "check", "--json"}).out)) all.insert(text(one, "checked"));
  EXPECT_FALSE(all.contains("environment DJ_USER"));
  EXPECT_FALSE(all.contains("environment DJ_THREAD_SAFE"));
}

TEST_F(ConfigTest, SectionsWithoutAPrefixLoseNothing) {
  // It would take the hash-addressed objects, and files of the user's, for orphans of the other section.
  settings(R"({"database": {"backend": "sqlite", "name": "lab.db"}, "stores": {"default": "m",
    "m": {"protocol": "file", "location": "oas-store", "hash_prefix": "", "schema_prefix": ""}}})");
  fs::create_directories(work_ / "oas-store/lab/mine");
  write(work_ / "oas-store/lab/mine/notes.txt", "mine");
  good({"declare", "lab.Scan", "-"}, "scan : int32\n---\nb : <blob@>\no : <object@>\n");
  good({"put", "lab.scan", "scan=1", "b=[1, 2, 3]", "o=@" + file("o.bin", "object").string()});
  const auto summary = lines(run({"fsck", "--deep", "--repair", "--json"}).out).back();
  EXPECT_EQ(summary.at("dangling"), Value(0));
  EXPECT_EQ(summary.at("leaked"), Value(0));
  good({"gc"});
  EXPECT_EQ(content(work_ / "oas-store/lab/mine/notes.txt"), "mine");
  EXPECT_EQ(lines(good({"get", "lab.scan", "b", "-w", "scan = 1", "--json"})).at(0).at("value"),
            Value(list({1, 2, 3})));
  EXPECT_EQ(good({"get", "lab.scan", "o", "-w", "scan = 1", "--raw"}), "object");
}

TEST_F(ConfigTest, NothingIsCopiedToWhereRowsHaveTheirObjects) {
  settings(R"({"database": {"backend": "sqlite", "name": "lab.db"}, "stores": {"default": "m",
    "m": {"protocol": "file", "location": "oas-store", "hash_prefix": "/h/", "schema_prefix": "//objects/v1//"}}})");
  fs::create_directories(work_ / "oas-store");
  const std::string source = file("x", "x").string();
  for (const char* key : {"h/x", "h", "objects/v1/lab/x", "objects/v1"}) {
    const Answer answer = run({"store", "cp", source, std::string("m:") + key});
    EXPECT_EQ(answer.exit, 4) << key << answer.err;
    EXPECT_TRUE(fs::is_empty(work_ / "oas-store")) << key;
  }
  for (const char* key : {"../x", "/etc/x", "a//b", "a/../b", "./x"}) {
    EXPECT_EQ(run({"store", "cp", source, std::string("m:") + key}).exit, 2) << key;
    EXPECT_TRUE(fs::is_empty(work_ / "oas-store")) << key;
  }
  good({"store", "cp", source, "m:objects/v2/x"});
  EXPECT_EQ(content(work_ / "oas-store/objects/v2/x"), "x");
}

}  // namespace
