// Tables that DataJoint for Python declared on a server: its statements, as golden data has them, are run there by the
// server's own client.
#pragma once

#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <oas/oas.hpp>

#include "interop/definitions/golden.hpp"
#include "support/mysql.hpp"
#include "support/postgres.hpp"

namespace oas::test {

struct DeclaredTable {
  std::string class_name;
  Tier tier;
  std::string definition, master;
};
struct DeclaredCase {
  std::string name, schema;
  Json json;
  /// The master first. Their names are those of Python; a table of another schema is written with it here.
  std::vector<DeclaredTable> tables() const {
    const std::string word = json["tier"], class_name = json["class"];
    const Tier tier = word == "Lookup"     ? Tier::lookup
                      : word == "Imported" ? Tier::imported
                      : word == "Computed" ? Tier::computed
                                           : Tier::manual;
    std::vector<DeclaredTable> out{{class_name, tier, json["definition"], ""}};
    for (const Json& part : json["parts"]) out.push_back({part["class"], Tier::part, part["definition"], class_name});
    if (schema != "ios_gold")
      for (DeclaredTable& table : out)
        table.definition = std::regex_replace(table.definition, std::regex("-> *([A-Z])"), "-> ios_gold.$1");
    return out;
  }
  bool config(const char* key) const { return json["config"].contains(key) && json["config"][key] == true; }
};

class Declared : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { OAS_NEED_SERVER(GetParam()) }

  static bool on_postgres() { return GetParam() == std::string_view(postgres_variable); }
  static std::string backend() { return on_postgres() ? "postgresql" : "mysql"; }
  /// Of an empty server, from now on.
  void empty() {
    postgres_.reset();
    if (on_postgres())
      postgres_ = std::make_unique<PostgresClient>(empty_postgres_database());
    else
      empty_mysql_server(GetParam());
    if (!on_postgres()) mysql_ = std::make_unique<MysqlClient>(GetParam());
  }
  std::vector<std::vector<std::string>> run(const std::string& sql) {
    return on_postgres() ? postgres_->run(sql) : mysql_->run(sql);
  }

  /// What they declared without an error, in their order.
  static std::vector<DeclaredCase> declared_cases() {
    std::vector<DeclaredCase> out;
    for (Json& json : all_cases())
      if (json[backend()].contains("statements") && !json[backend()].contains("error"))
        out.push_back({json["class"], json["schema"], std::move(json)});
    return out;
  }
  /// Their statements, with texts as they were written (docs/compatibility.md). False if this server does not take
  /// them.
  bool declare_theirs(const DeclaredCase& c) {
    try {
      run(on_postgres() ? "CREATE SCHEMA IF NOT EXISTS \"" + c.schema + "\""
                        : "CREATE DATABASE IF NOT EXISTS `" + c.schema + "`");
      for (const Json& statement : c.json[backend()]["statements"]) {
        std::string sql = filled_in(statement);
        if (!statement.contains("args")) {
          std::istringstream in(sql);
          sql.clear();
          for (std::string line; std::getline(in, line);) sql += as_we_write(line, backend()) + "\n";
        }
        if (matches(sql, "^\\s*CREATE TYPE"))  // they ignore it if it is there
          sql = "DO " + postgres_->quoted("BEGIN " + sql + "; EXCEPTION WHEN duplicate_object THEN NULL; END");
        run(sql);
      }
      return true;
    } catch (const std::runtime_error& e) {
      std::cout << c.name << ": " << e.what() << "\n";
      return false;
    }
  }

  Session open(bool job_metadata = false, bool provenance = false) const {
    const TestServer server = test_server(GetParam()).value();
    Settings settings = Settings::parse(R"({"database": {"backend": ")" + backend() + R"("}, )" + stores() + "}");
    settings.set("database.host", server.host);
    settings.set("database.port", server.port);
    settings.set("database.user", server.user);
    settings.set("database.password", server.password);
    if (on_postgres()) settings.set("database.name", postgres_->cell("SELECT current_database()"));
    settings.set("jobs.add_job_metadata", job_metadata);
    settings.set("provenance.capture", provenance);
    return Session(std::move(settings));
  }
  /// All that the definitions name.
  static std::string stores() {
    std::set<std::string> names{"main"};
    static const std::regex store("<\\w+@([^>:<]+)>");
    for (const Json& json : all_cases()) {
      const std::string text = json["definition"];
      for (std::sregex_iterator at(text.begin(), text.end(), store), end; at != end; ++at) names.insert((*at)[1]);
    }
    Json out{{"default", "main"}};
    for (const std::string& name : names) out[name] = {{"protocol", "memory"}};
    return "\"stores\": " + out.dump();
  }

  /// We refuse a definition that they take only by a rule.
  static bool refused_by_rule(const Error& e, const std::string& definition) {
    std::istringstream lines(definition);
    for (std::string line; std::getline(lines, line);)
      if (may_refuse(e.what(), line, backend())) return true;
    return false;
  }

 private:
  static std::vector<Json> all_cases() {
    std::vector<Json> out;
    for (Json& entry : cases("schema")) {
      if (!entry.contains("file")) {
        out.push_back(std::move(entry));
        continue;
      }
      std::ifstream file(golden() + "/schema/" + entry["file"].get<std::string>());
      out.push_back(Json::parse(file));
    }
    return out;
  }
  /// As their driver fills in arguments.
  std::string filled_in(const Json& statement) const {
    const std::string sql = statement["sql"];
    if (!statement.contains("args")) return sql;
    std::string out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < sql.size(); ++i) {
      if (sql.compare(i, 2, "%s") == 0) {
        const std::string text = statement["args"].at(next++);
        out += on_postgres() ? postgres_->quoted(text) : MysqlClient::literal(text);
        ++i;
      } else if (sql.compare(i, 2, "%%") == 0) {
        out += '%', ++i;
      } else {
        out += sql[i];
      }
    }
    return out;
  }

  std::unique_ptr<PostgresClient> postgres_;
  std::unique_ptr<MysqlClient> mysql_;
};

#define OAS_DECLARED_ON_SERVERS(suite)                                                                           \
  INSTANTIATE_TEST_SUITE_P(                                                                                      \
      On, suite, testing::Values(postgres_variable, mariadb_variable, mysql_variable), [](const auto& given) {   \
        const std::string_view on(given.param);                                                                  \
        return std::string(on == postgres_variable ? "postgres" : on == mariadb_variable ? "mariadb" : "mysql"); \
      })

}  // namespace oas::test
