// What the tests of the driver for MySQL share: each runs on MariaDB and, where there is one, on MySQL.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "db/registry.hpp"
#include "support/mysql.hpp"

namespace oas::test {

using db::Transaction;
using Cells = std::vector<Value>;

class OnServer : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    OAS_NEED_SERVER(GetParam())
    empty_mysql_server(GetParam());
    config = mysql_config(GetParam());
    raw = std::make_unique<MysqlClient>(GetParam());
    raw->run("CREATE DATABASE lab; CREATE TABLE lab.t (id int PRIMARY KEY, v longtext, u int UNIQUE) ENGINE=InnoDB");
  }
  bool on_mariadb() const { return std::string_view(GetParam()) == mariadb_variable; }
  std::unique_ptr<db::Connection> open() const { return db::open_connection(config); }

  static void insert(Transaction& tx, int id, const Value& v = nullptr) {
    const Cells cells{id, v};
    tx.execute("INSERT INTO `lab`.`t` (`id`, `v`) VALUES (?, ?)", cells);
  }
  /// Rows 0 to count - 1, with the same value.
  void make_rows(int count, const std::string& v) const {
    std::string rows;
    for (int i = 0; i < count; ++i) rows += (i == 0 ? "(" : ", (") + std::to_string(i) + ", " + v + ")";
    raw->run("INSERT INTO lab.t (id, v) VALUES " + rows);
  }
  std::string ids() const { return raw->cell("SELECT COALESCE(GROUP_CONCAT(id ORDER BY id), '') FROM lab.t"); }
  /// Of the session that a connection has on the server.
  static std::string session_of(Transaction& tx) {
    Cells cells;
    tx.execute("SELECT CONNECTION_ID()")->next(cells);
    return std::to_string(cells.at(0).as<std::int64_t>());
  }

  template <class Action>
  static Error error_of(Action&& action) {
    try {
      action();
    } catch (const Error& e) {
      return e;
    }
    ADD_FAILURE() << "no error";
    return Error(Errc::internal, "no error");
  }
  static testing::AssertionResult says(const Error& e, std::string_view words) {
    if (std::string_view(e.what()).find(words) != std::string_view::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << '"' << words << "\" is not in: " << e.what();
  }

  db::Config config;
  std::unique_ptr<MysqlClient> raw;
};

#define OAS_ON_SERVERS(suite)                                                                        \
  INSTANTIATE_TEST_SUITE_P(                                                                          \
      Servers, suite, ::testing::Values(mariadb_variable, mysql_variable), [](const auto& given) {   \
        return std::string(given.param == std::string_view(mariadb_variable) ? "mariadb" : "mysql"); \
      })

}  // namespace oas::test
