// A table (id, data) on PostgreSQL through libpq alone: binary COPY in, binary SELECT out.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "raw.hpp"

namespace bench {

class RawPostgres final : public RawDatabase {
 public:
  explicit RawPostgres(const std::string& url) : connection_(PQconnectdb(url.c_str()), PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail();
    run("SET client_min_messages = warning");
    run("DROP TABLE IF EXISTS bench_raw");
    run("CREATE TABLE bench_raw (id integer PRIMARY KEY, data bytea NOT NULL)");
  }
  ~RawPostgres() override { PQclear(PQexec(connection_.get(), "DROP TABLE bench_raw")); }

  void insert_all(const std::vector<std::string>& rows) override {
    run("BEGIN");
    check(PQexec(connection_.get(), "COPY bench_raw FROM STDIN (FORMAT binary)"), PGRES_COPY_IN);
    std::string buffer("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      number<std::uint16_t>(buffer, 2);
      number<std::uint32_t>(buffer, 4);
      number<std::uint32_t>(buffer, static_cast<std::uint32_t>(i));
      number<std::uint32_t>(buffer, static_cast<std::uint32_t>(rows[i].size()));
      buffer += rows[i];
      if (buffer.size() > 1 << 16) put(buffer);
    }
    number<std::uint16_t>(buffer, 0xffff);
    put(buffer);
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) fail();
    while (PGresult* result = PQgetResult(connection_.get())) check(result, PGRES_COMMAND_OK);
    run("COMMIT");
  }
  void insert(std::int64_t id, std::string_view data) override {
    std::string key;
    number<std::uint32_t>(key, static_cast<std::uint32_t>(id));
    const char* values[]{key.data(), data.data()};
    const int sizes[]{4, static_cast<int>(data.size())}, binary[]{1, 1};
    const Oid types[]{23, 17};
    check(PQexecParams(connection_.get(), "INSERT INTO bench_raw VALUES ($1, $2)", 2, types, values, sizes, binary, 1),
          PGRES_COMMAND_OK);
  }
  std::vector<std::string> fetch() override { return read("SELECT id, data FROM bench_raw", nullptr); }
  std::vector<std::string> fetch(std::int64_t id) override {
    std::string key;
    number<std::uint32_t>(key, static_cast<std::uint32_t>(id));
    return read("SELECT id, data FROM bench_raw WHERE id = $1", key.data());
  }
  void clear() override { run("DELETE FROM bench_raw"); }
  std::string name() const override { return "libpq"; }
  std::string batch_insert() const override { return "COPY, binary"; }

 private:
  using Result = std::unique_ptr<PGresult, void (*)(PGresult*)>;
  [[noreturn]] void fail() const { throw std::runtime_error(PQerrorMessage(connection_.get())); }
  Result check(PGresult* given, ExecStatusType wanted) {
    Result result(given, PQclear);
    if (PQresultStatus(given) != wanted) fail();
    return result;
  }
  void run(const char* sql) { check(PQexec(connection_.get(), sql), PGRES_COMMAND_OK); }
  void put(std::string& buffer) {
    if (PQputCopyData(connection_.get(), buffer.data(), static_cast<int>(buffer.size())) != 1) fail();
    buffer.clear();
  }
  template <class T>
  static void number(std::string& to, T value) {
    for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8)
      to += static_cast<char>((value >> shift) & 0xff);
  }
  std::vector<std::string> read(const char* sql, const char* key) {
    const int size = 4, binary = 1;
    const Oid type = 23;
    const Result result =
        check(PQexecParams(connection_.get(), sql, key ? 1 : 0, &type, &key, &size, &binary, 1), PGRES_TUPLES_OK);
    std::vector<std::string> out;
    for (int row = 0; row < PQntuples(result.get()); ++row)
      out.emplace_back(PQgetvalue(result.get(), row, 1), static_cast<std::size_t>(PQgetlength(result.get(), row, 1)));
    return out;
  }

  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace bench
