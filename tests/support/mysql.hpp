// The test servers of MySQL and MariaDB as somebody else than the library sees them, through the client library itself.
#pragma once

#include <mysql.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <oas/db.hpp>

#include "support/test_server.hpp"

namespace oas::test {

constexpr const char* mariadb_variable = "OAS_TEST_MARIADB";
constexpr const char* mysql_variable = "OAS_TEST_MYSQL";

class MysqlClient {
 public:
  using Cells = std::vector<std::string>;
  explicit MysqlClient(const char* variable) {
    const TestServer server = test_server(variable).value();
    mysql_optionsv(handle_.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(handle_.get(), nullptr, server.user.c_str(), server.password.c_str(), nullptr, 0,
                            server.socket.c_str(), CLIENT_MULTI_STATEMENTS))
      throw std::runtime_error(mysql_error(handle_.get()));
  }
  /// Any number of statements; rows of the last one that has some, each cell as text, NULL as "NULL".
  std::vector<Cells> run(const std::string& sql) {
    MYSQL* const handle = handle_.get();
    std::vector<Cells> rows;
    int more = mysql_real_query(handle, sql.data(), sql.size());
    for (; more == 0; more = mysql_next_result(handle)) {
      const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> result(mysql_store_result(handle), mysql_free_result);
      if (!result) continue;
      rows.clear();
      while (const MYSQL_ROW row = mysql_fetch_row(result.get())) {
        const unsigned long* const sizes = mysql_fetch_lengths(result.get());
        Cells& cells = rows.emplace_back();
        for (unsigned i = 0; i < mysql_num_fields(result.get()); ++i)
          cells.emplace_back(row[i] ? std::string(row[i], sizes[i]) : "NULL");
      }
    }
    if (mysql_errno(handle) != 0) throw std::runtime_error(sql + ": " + mysql_error(handle));
    return rows;
  }
  std::string cell(const std::string& sql) { return run(sql).at(0).at(0); }
  static std::string literal(const std::string& bytes) {
    std::string out = "x'";
    for (const unsigned char c : bytes) {
      out += "0123456789abcdef"[c >> 4];
      out += "0123456789abcdef"[c & 15];
    }
    return out + "'";
  }

 private:
  std::unique_ptr<MYSQL, void (*)(MYSQL*)> handle_{mysql_init(nullptr), mysql_close};
};

/// Drops all schemas of the server and keeps other tests away from it until this process ends: schemas are all that a
/// server has, so that tests take turns.
inline void empty_mysql_server(const char* variable) {
  static std::vector<std::pair<std::string, std::unique_ptr<MysqlClient>>> keepers;
  MysqlClient* keeper = nullptr;
  for (const auto& [name, raw] : keepers)
    if (name == variable) keeper = raw.get();
  if (!keeper) {
    keeper = keepers.emplace_back(variable, std::make_unique<MysqlClient>(variable)).second.get();
    if (keeper->cell("SELECT GET_LOCK('oas_tests', 600)") != "1")
      throw std::runtime_error("another test has the server");
  }
  for (const auto& row : keeper->run("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN "
                                     "('information_schema', 'mysql', 'performance_schema', 'sys')"))
    keeper->run("SET foreign_key_checks = 0; DROP DATABASE `" + row[0] + "`");
}

/// Over TCP, as most users come.
inline db::Config mysql_config(const char* variable) {
  const TestServer server = test_server(variable).value();
  db::Config c;
  c.backend = "mysql";
  c.host = server.host;
  c.port = server.port;
  c.user = server.user;
  c.password = server.password;
  return c;
}

}  // namespace oas::test
