#include "support/raw_database.hpp"

#include <sqlite3.h>

#include <stdexcept>
#include <string_view>

#ifdef OAS_WITH_MYSQL
#include "support/mysql.hpp"
#endif
#ifdef OAS_WITH_POSTGRES
#include "support/postgres.hpp"
#endif

namespace oas::test {
namespace {

/// The statement with a literal for each `?`.
template <class Literal>
std::string with_literals(const std::string& sql, const std::vector<std::string>& bytes, const Literal& literal) {
  std::string text;
  std::size_t next = 0;
  for (const char c : sql) text += c == '?' ? literal(bytes.at(next++)) : std::string(1, c);
  return text;
}

class RawSqlite final : public RawDatabase {
 public:
  explicit RawSqlite(const std::filesystem::path& file) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) throw std::runtime_error("open " + file.string());
    sqlite3_busy_timeout(db_, 10'000);
    const auto compare = [](void*, int an, const void* a, int bn, const void* b) {
      return std::string_view(static_cast<const char*>(a), static_cast<std::size_t>(an))
          .compare(std::string_view(static_cast<const char*>(b), static_cast<std::size_t>(bn)));
    };
    sqlite3_create_collation(db_, "oas_decimal", SQLITE_UTF8, nullptr, compare);
  }
  ~RawSqlite() override { sqlite3_close(db_); }
  RawSqlite(const RawSqlite&) = delete;
  RawSqlite& operator=(const RawSqlite&) = delete;

  std::vector<Cells> run(const std::string& sql, const std::vector<std::string>& bytes = {}) override {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail(sql);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      sqlite3_bind_blob(statement, static_cast<int>(i + 1), bytes[i].data(), static_cast<int>(bytes[i].size()),
                        SQLITE_TRANSIENT);
    }
    std::vector<Cells> out;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      Cells cells;
      for (int c = 0; c < sqlite3_column_count(statement); ++c) {
        const void* data = sqlite3_column_blob(statement, c);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, c));
        cells.emplace_back(sqlite3_column_type(statement, c) == SQLITE_NULL ? "NULL"
                           : size == 0                                      ? std::string()
                                       : std::string(static_cast<const char*>(data), size));
      }
      out.push_back(std::move(cells));
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) fail(sql);
    return out;
  }
  std::string table(const std::string& name) const override { return "\"lab." + name + "\""; }
  std::string member(const std::string& column, const std::string& name) const override {
    return column + " ->> '$." + name + "'";
  }
  std::string with_member(const std::string& column, const std::string& name, const std::string& json) const override {
    return "json_set(" + column + ", '$." + name + "', json('" + json + "'))";
  }
  std::vector<std::string> tables() override {
    std::vector<std::string> out;
    for (const Cells& row :
         run("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%~oas_trash' AND name NOT LIKE "
             "'%~oas_witnesses' AND name NOT LIKE 'sqlite_%'")) {
      out.push_back('"' + row[0] + '"');
    }
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& sql) { throw std::runtime_error(sql + ": " + sqlite3_errmsg(db_)); }
  sqlite3* db_ = nullptr;
};

#ifdef OAS_WITH_POSTGRES
class RawPostgres final : public RawDatabase {
 public:
  explicit RawPostgres(const std::string& database) : client_(database) {}
  std::vector<Cells> run(const std::string& sql, const std::vector<std::string>& bytes = {}) override {
    return client_.run(with_literals(sql, bytes, &PostgresClient::literal));
  }
  std::string table(const std::string& name) const override { return "lab.\"" + name + "\""; }
  std::string member(const std::string& column, const std::string& name) const override {
    return column + " ->> '" + name + "'";
  }
  std::string with_member(const std::string& column, const std::string& name, const std::string& json) const override {
    return "jsonb_set(" + column + ", '{" + name + "}', '" + json + "')";
  }
  std::vector<std::string> tables() override {
    std::vector<std::string> out;
    for (const Cells& row : client_.run("SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND "
                                        "relname NOT LIKE '~oas%' ORDER BY oid")) {
      out.push_back(row[0]);
    }
    return out;
  }

 private:
  PostgresClient client_;
};
#endif

#ifdef OAS_WITH_MYSQL
class RawMysql final : public RawDatabase {
 public:
  explicit RawMysql(const char* variable) : client_(variable) {
    client_.run("SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')");
  }
  std::vector<Cells> run(const std::string& sql, const std::vector<std::string>& bytes = {}) override {
    return client_.run(with_literals(sql, bytes, &MysqlClient::literal));
  }
  std::string table(const std::string& name) const override { return "lab.`" + name + "`"; }
  std::string member(const std::string& column, const std::string& name) const override {
    return "json_unquote(json_extract(" + column + ", '$." + name + "'))";
  }
  std::string with_member(const std::string& column, const std::string& name, const std::string& json) const override {
    return "json_set(" + column + ", '$." + name + "', json_extract('" + json + "', '$'))";
  }
  std::vector<std::string> tables() override {
    std::vector<std::string> out;
    for (const Cells& row : client_.run("SELECT CONCAT(TABLE_SCHEMA, '.`', TABLE_NAME, '`') FROM "
                                        "information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ('information_schema', "
                                        "'mysql', 'performance_schema', 'sys') AND TABLE_NAME NOT LIKE '~oas%'")) {
      out.push_back(row[0]);
    }
    return out;
  }

 private:
  MysqlClient client_;
};
#endif

}  // namespace

std::unique_ptr<RawDatabase> raw_sqlite(const std::filesystem::path& file) { return std::make_unique<RawSqlite>(file); }
#ifdef OAS_WITH_POSTGRES
std::unique_ptr<RawDatabase> raw_postgres(const std::string& database) {
  return std::make_unique<RawPostgres>(database);
}
#endif
#ifdef OAS_WITH_MYSQL
std::unique_ptr<RawDatabase> raw_mysql(const char* variable) { return std::make_unique<RawMysql>(variable); }
#endif

}  // namespace oas::test
