// The test server as somebody else than the library sees it, through libpq itself; and databases of it that are empty
// and nobody else's.
#pragma once

#include <libpq-fe.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <oas/db.hpp>

#include "support/test_server.hpp"

namespace oas::test {

constexpr const char* postgres_variable = "OAS_TEST_POSTGRES";

class PostgresClient {
 public:
  using Cells = std::vector<std::string>;
  explicit PostgresClient(const std::string& database) {
    const TestServer server = test_server(postgres_variable).value();
    const std::string port = std::to_string(server.port);
    const char* names[]{"host", "port", "user", "password", "dbname", nullptr};
    const char* values[]{server.socket.c_str(),   port.c_str(),     server.user.c_str(),
                         server.password.c_str(), database.c_str(), nullptr};
    handle_.reset(PQconnectdbParams(names, values, 0));
    PQsetNoticeProcessor(
        handle_.get(), [](void*, const char*) {}, nullptr);
    if (PQstatus(handle_.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(handle_.get()));
  }
  /// Any number of statements; rows of the last one: each cell as text, or bytes as they are; NULL as "NULL".
  std::vector<Cells> run(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(handle_.get(), sql.c_str()), PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      throw std::runtime_error(sql + ": " + PQresultErrorMessage(result.get()));
    std::vector<Cells> rows;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      Cells& cells = rows.emplace_back();
      for (int i = 0; i < PQnfields(result.get()); ++i) {
        const std::string text = PQgetisnull(result.get(), row, i) ? "NULL" : PQgetvalue(result.get(), row, i);
        constexpr Oid bytea = 17;
        cells.push_back(PQftype(result.get(), i) == bytea && text.starts_with("\\x") ? bytes_of(text) : text);
      }
    }
    return rows;
  }
  std::string cell(const std::string& sql) { return run(sql).at(0).at(0); }
  std::string quoted(const std::string& text) {
    const std::unique_ptr<char, void (*)(void*)> out(PQescapeLiteral(handle_.get(), text.data(), text.size()),
                                                     PQfreemem);
    return out.get();
  }
  static std::string literal(const std::string& bytes) {
    std::string out = "'\\x";
    for (const unsigned char c : bytes) {
      out += "0123456789abcdef"[c >> 4];
      out += "0123456789abcdef"[c & 15];
    }
    return out + "'";
  }

 private:
  static std::string bytes_of(const std::string& hex) {
    std::string out;
    for (std::size_t i = 2; i < hex.size(); i += 2) out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return out;
  }
  std::unique_ptr<PGconn, void (*)(PGconn*)> handle_{nullptr, PQfinish};
};

/// Borrowed from those that earlier tests made, and emptied; given back when the process ends. `number`: a test may
/// have several.
inline const std::string& empty_postgres_database(int number = 0) {
  static PostgresClient keeper(test_server(postgres_variable).value().name);  // its session holds the locks
  static std::vector<std::string> mine;
  while (mine.size() <= static_cast<std::size_t>(number)) {
    int free = 1;
    while (keeper.cell("SELECT pg_try_advisory_lock(" + std::to_string(free) + ")") != "t") ++free;
    mine.push_back("oas_" + std::to_string(free));
    if (keeper.run("SELECT 1 FROM pg_database WHERE datname = '" + mine.back() + "'").empty())
      keeper.run("CREATE DATABASE " + mine.back());
  }
  const std::string& name = mine[static_cast<std::size_t>(number)];
  keeper.run("ALTER DATABASE " + name + " RESET ALL");
  // Of processes that were killed; PostgreSQL notices when it next writes to them.
  keeper.run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '" + name + "'");
  PostgresClient(name).run(
      "DO $$ DECLARE s text; BEGIN FOR s IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> "
      "'information_schema' LOOP EXECUTE 'DROP SCHEMA ' || quote_ident(s) || ' CASCADE'; END LOOP; CREATE SCHEMA "
      "public; END $$");
  return name;
}

/// The rows of the schema lab, to be put back later: tables that came since then are emptied.
class SavedRows {
 public:
  explicit SavedRows(const std::string& database) : database_(database) {
    PostgresClient client(database);
    for (const std::string& table : tables(client))
      rows_[table] = client.cell("SELECT coalesce(json_agg(whole_row), '[]') FROM " + table + " whole_row");
  }
  void put_back() const {
    PostgresClient client(database_);
    const std::string others = " FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = '" + database_ + "'";
    client.run("SELECT pg_terminate_backend(pid)" + others);  // of processes that were killed
    while (!client.run("SELECT 1" + others).empty()) {
    }
    std::string sql = "BEGIN; SET LOCAL session_replication_role = replica;";  // references are not looked at
    for (const std::string& table : tables(client)) {
      sql += "DELETE FROM " + table + ";";
      if (const auto rows = rows_.find(table); rows != rows_.end())
        sql += "INSERT INTO " + table + " SELECT * FROM json_populate_recordset(null::" + table + ", " +
               client.quoted(rows->second) + ");";
    }
    client.run(sql + "COMMIT");
  }

 private:
  static std::vector<std::string> tables(PostgresClient& client) {
    std::vector<std::string> out;
    for (const auto& row : client.run("SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = "
                                      "'lab'::regnamespace ORDER BY oid")) {
      out.push_back(row[0]);
    }
    return out;
  }
  std::string database_;
  std::map<std::string, std::string> rows_;
};

/// Over TCP, as most users come.
inline db::Config postgres_config(const std::string& database) {
  const TestServer server = test_server(postgres_variable).value();
  db::Config c;
  c.backend = "postgresql";
  c.host = server.host;
  c.port = server.port;
  c.user = server.user;
  c.password = server.password;
  c.name = database;
  return c;
}

}  // namespace oas::test
