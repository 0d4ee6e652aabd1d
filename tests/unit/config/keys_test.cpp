// Every key outside of `stores`: its default, what it takes from a file, from the environment, and what it refuses.
#include <fmt/format.h>

#include <set>

#include "config/keys.hpp"
#include "core/json.hpp"
#include "unit/config/settings_in.hpp"

namespace oas {
namespace {

struct Line {
  std::string key, variable;
  std::string fallback;                 // as JSON
  std::string in_file, in_environment;  // two values that differ
  Value means_file, means_environment;
  std::vector<std::string> wrong;  // as JSON, in a file
};

std::vector<Line> lines() {
  const std::vector<std::string> no_text{"5", "true", "[]", "{}"};
  const std::vector<std::string> no_bool{"\"maybe\"", "2", "0.5", "[]", "{}", "\"\""};
  const auto no_number = [](std::vector<std::string> more) {
    more.insert(more.end(), {"\"many\"", "1.5", "[]", "{}", "\"\"", "99999999999999999999", "true"});
    return more;
  };
  return {
      {"database.backend",
       "DJ_BACKEND",
       "\"sqlite\"",
       "\"postgresql\"",
       "mysql",
       "postgresql",
       "mysql",
       {"\"oracle\"", "\"MySQL\"", "5"}},
      {"database.host", "DJ_HOST", "null", "\"one\"", "other", "one", "other", no_text},
      {"database.port", "DJ_PORT", "null", "\"3307\"", "3308", 3307, 3308, no_number({"0", "65536", "-1"})},
      {"database.user", "DJ_USER", "null", "\"me\"", "you", "me", "you", no_text},
      {"database.password", "DJ_PASS", "null", "\"p\"", "q", "p", "q", no_text},
      {"database.name", "DJ_DATABASE_NAME", "null", "\":memory:\"", ":other:", ":memory:", ":other:", no_text},
      {"database.use_tls",
       "DJ_USE_TLS",
       "null",
       "{\"ssl\": {}}",
       "false",
       map({{"ssl", Map{}}}),
       false,
       {"\"maybe\"", "2", "[]"}},
      {"database.reconnect", "DJ_RECONNECT", "true", "false", "yes", false, true, no_bool},
      {"database.connect_timeout", "", "15", "3", "", 3, {}, no_number({"0", "3601"})},
      {"database.lock_timeout", "", "60", "0", "", 0, {}, no_number({"-1"})},
      {"database.statement_timeout", "", "0", "3600", "", 3600, {}, no_number({"-1"})},
      {"database.create_tables", "DJ_CREATE_TABLES", "true", "0", "1", false, true, no_bool},
      {"database.database_prefix", "DJ_DATABASE_PREFIX", "\"\"", "\"a_\"", "b_", "a_", "b_", no_text},
      {"database.legacy", "", "false", "true", "", true, {}, no_bool},
      {"collector.foreign_writers", "", "null", "false", "", false, {}, no_bool},
      {"collector.grace", "", "86400", "0", "", 0, {}, no_number({"-1"})},
      {"connection.charset", "", "\"\"", "\"utf8\"", "", "utf8", {}, no_text},
      {"loglevel", "DJ_LOG_LEVEL", "\"INFO\"", "\"DEBUG\"", "CRITICAL", "DEBUG", "CRITICAL", {"\"debug\"", "10"}},
      {"safemode", "DJ_SAFEMODE", "true", "\"no\"", "TRUE", false, true, no_bool},
      {"download_path", "DJ_DOWNLOAD_PATH", "\".\"", "\"/a\"", "/b", "/a", "/b", no_text},
      {"query_cache", "DJ_QUERY_CACHE", "null", "\"/a\"", "/b", "/a", "/b", no_text},
      {"display.limit", "", "12", "5", "", 5, {}, no_number({})},
      {"display.width", "", "14", "5.0", "", 5, {}, no_number({})},
      {"display.show_tuple_count", "", "true", "1.0", "", true, {}, no_bool},
      {"display.diagram_direction", "DJ_DIAGRAM_DIRECTION", "\"LR\"", "\"TB\"", "LR", "TB", "LR", {"\"BT\"", "\"lr\""}},
      {"display.diagram_theme", "DJ_DIAGRAM_THEME", "\"auto\"", "\"dark\"", "light", "dark", "light", {"\"blue\""}},
      {"jobs.auto_refresh", "DJ_JOBS_AUTO_REFRESH", "true", "\"off\"", "on", false, true, no_bool},
      {"jobs.keep_completed", "DJ_JOBS_KEEP_COMPLETED", "false", "true", "f", true, false, no_bool},
      {"jobs.stale_timeout", "DJ_JOBS_STALE_TIMEOUT", "3600", "0", "60", 0, 60, no_number({"-1"})},
      {"jobs.default_priority", "DJ_JOBS_DEFAULT_PRIORITY", "5", "255", " 7 ", 255, 7, no_number({"-1", "256"})},
      {"jobs.version_method", "DJ_JOBS_VERSION_METHOD", "null", "\"git\"", "none", "git", "none", {"\"svn\"", "1"}},
      {"jobs.allow_new_pk_fields_in_computed_tables", "DJ_JOBS_ALLOW_NEW_PK_FIELDS_IN_COMPUTED_TABLES", "false", "true",
       "n", true, false, no_bool},
      {"jobs.add_job_metadata", "DJ_JOBS_ADD_JOB_METADATA", "false", "true", "N", true, false, no_bool},
      {"provenance.capture", "DJ_PROVENANCE_CAPTURE", "false", "true", "False", true, false, no_bool},
      {"provenance.source",
       "DJ_PROVENANCE_SOURCE",
       "{}",
       "{\"system\": \"x\"}",
       "{\"n\": [1, null]}",
       map({{"system", "x"}}),
       map({{"n", list({1, nullptr})}}),
       {"true", "\"x\"", "[]"}},
  };
}

std::string dotted(const Line& line, const std::string& value) {
  return fmt::format(R"({{"{}": {}}})", line.key, value);
}
std::string nested(const Line& line, const std::string& value) {
  const std::size_t dot = line.key.find('.');
  if (dot == std::string::npos) return dotted(line, value);
  return fmt::format(R"({{"{}": {{"{}": {}}}}})", line.key.substr(0, dot), line.key.substr(dot + 1), value);
}

class SettingsKeys : public SettingsIn {};

TEST_F(SettingsKeys, AllAreTried) {
  std::set<std::string_view> tried, known;
  const auto table = lines();
  for (const Line& line : table) tried.insert(line.key);
  for (const SettingsKey& key : settings_keys()) known.insert(key.key);
  EXPECT_EQ(tried, known);
}

TEST_F(SettingsKeys, Defaults) {
  const Settings settings = load();
  for (const Line& line : lines()) {
    SCOPED_TRACE(line.key);
    if (line.key == "database.name") continue;  // depends on the backend
    EXPECT_EQ(settings.get(line.key), from_json(line.fallback));
    write("datajoint.json", dotted(line, "null"));  // null is as if it was not there
    EXPECT_EQ(load().get(line.key), from_json(line.fallback));
    std::filesystem::remove(root_ / "datajoint.json");
  }
}

TEST_F(SettingsKeys, FromAFile) {
  for (const Line& line : lines()) {
    SCOPED_TRACE(line.key);
    for (const std::string& json : {nested(line, line.in_file), dotted(line, line.in_file)}) {
      write("datajoint.json", json);
      const Settings settings = load();
      EXPECT_EQ(settings.get(line.key), line.means_file) << json;
      EXPECT_EQ(origin(settings, line.key)->source, (root_ / "datajoint.json").string());
    }
    refused(fmt::format(R"({{"{0}": {1}, {2})", line.key, line.in_file, nested(line, line.in_file).substr(1)),
            {line.key, "twice"});
  }
}

TEST_F(SettingsKeys, TheEnvironmentIsStronger) {
  for (const Line& line : lines()) {
    SCOPED_TRACE(line.key);
    if (line.variable.empty()) continue;
    write("datajoint.json", nested(line, line.in_file));
    environment_ = {{line.variable, line.in_environment}};
    const Settings settings = load();
    EXPECT_EQ(settings.get(line.key), line.means_environment);
    EXPECT_EQ(origin(settings, line.key)->source, "environment " + line.variable);
    environment_ = {{line.variable, ""}};  // as if it was not set
    EXPECT_EQ(load().get(line.key), line.means_file);
    environment_ = {};
    std::filesystem::remove(root_ / "datajoint.json");
  }
}

TEST_F(SettingsKeys, WrongValuesAreRefusedByName) {
  for (const Line& line : lines()) {
    for (const std::string& wrong : line.wrong) {
      SCOPED_TRACE(line.key + " " + wrong);
      const std::string message = refused(nested(line, wrong));
      EXPECT_TRUE(message.starts_with("usage: read the setting " + line.key + " from ")) << message;
      EXPECT_NE(message.find("must be"), std::string::npos) << message;
      Settings settings;
      EXPECT_THROW(settings.set(line.key, from_json(wrong)), Error);
    }
  }
}

TEST_F(SettingsKeys, WrongVariablesAreRefusedByName) {
  for (const Line& line : lines()) {
    for (const std::string& wrong : line.wrong) {
      const Value value = from_json(wrong);
      const auto* text = value.get_if<std::string>();
      if (line.variable.empty() || !text || text->empty()) continue;
      SCOPED_TRACE(line.variable + " " + *text);
      environment_ = {{line.variable, *text}};
      const std::string message = refusal();
      EXPECT_NE(message.find("environment " + line.variable), std::string::npos) << message;
    }
  }
}

TEST_F(SettingsKeys, WhatGoesIntoEveryRowIsFinite) {
  Settings settings;
  for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()})
    EXPECT_THROW(settings.set("provenance.source", map({{"n", list({map({{"m", wrong}})})}})), Error);
  refused(R"({"provenance": {"source": {"n": NaN}}})", {"line 1, column"});  // no JSON either
}

TEST_F(SettingsKeys, PlainVariablesAreNotRead) {
  environment_ = {{"WIDTH", "wide"}, {"LIMIT", "x"}, {"CHARSET", "c"}, {"SHOW_TUPLE_COUNT", "?"}};
  const Settings settings = load();
  EXPECT_EQ(settings.get("display.width"), Value(14));
  EXPECT_EQ(settings.get("connection.charset"), Value(""));
}

TEST_F(SettingsKeys, ThePortGoesWithTheBackendWhereverThatIsSaid) {
  struct Case {
    std::string file, backend, host;
    int port;
  };
  for (const Case& one :
       std::vector<Case>{{R"({"database": {"host": "h"}})", "mysql", "h", 3306},
                         {R"({"database": {"host": "h", "backend": "postgresql"}})", "postgresql", "h", 5432},
                         {R"({"database": {"host": "h", "backend": "mysql"}})", "mysql", "h", 3306},
                         {R"({"database": {"host": "h", "backend": "postgresql", "port": 7}})", "postgresql", "h", 7},
                         {R"({"database": {"host": "h:77"}})", "mysql", "h", 77},
                         {R"({"database": {"host": "h:77", "port": 5}})", "mysql", "h", 77},
                         {R"({"database": {"host": "[::1]:77"}})", "mysql", "[::1]", 77},
                         {R"({"database": {"host": "::1", "port": 5}})", "mysql", "::1", 5}}) {
    SCOPED_TRACE(one.file);
    write("datajoint.json", one.file);
    const Settings settings = load();
    EXPECT_EQ(settings.database().backend, one.backend);
    EXPECT_EQ(settings.database().host, one.host);
    EXPECT_EQ(settings.database().port, one.port);
    EXPECT_EQ(settings.get("database.port"), Value(one.port));
  }
  write("datajoint.json", R"({"database": {"host": "h"}})");
  environment_ = {{"DJ_BACKEND", "postgresql"}};
  EXPECT_EQ(load().database().port, 5432);
  EXPECT_EQ(load().database().name, "postgres");
  environment_ = {};
  for (const char* host : {"h:x", "h:0", "h:65536", "h:"})
    refused(fmt::format(R"({{"database": {{"host": "{}"}}}})", host), {"no port"});
}

}  // namespace
}  // namespace oas
