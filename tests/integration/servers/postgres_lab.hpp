// What the tests of the PostgreSQL driver share: an empty database, and connections to it as they are asked for.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <oas/db.hpp>

#include "db/registry.hpp"
#include "support/postgres.hpp"

namespace oas::test {

class PostgresLab : public testing::Test {
 protected:
  using Cells = std::vector<Value>;

  void SetUp() override {
    OAS_NEED_SERVER(postgres_variable)
    config = postgres_config(empty_postgres_database());
  }
  std::unique_ptr<db::Connection> open() const { return db::open_connection(config); }
  PostgresClient client() const { return PostgresClient(config.name); }
  std::string file(const std::string& name) const { return std::string(std::getenv("OAS_TEST_TLS")) + "/" + name; }

  /// The first cell of the first row.
  static Value ask(db::Connection& connection, const std::string& sql, const Cells& params = {}) {
    db::Transaction tx(connection, db::Transaction::Mode::read);
    Cells cells;
    if (!tx.execute(sql, params)->next(cells)) return {};
    return cells.at(0);
  }
  static void change(db::Connection& connection, const std::string& sql, const Cells& params = {}) {
    db::Transaction tx(connection);
    tx.execute(sql, params);
    tx.commit();
  }
  /// What comes of the call: nothing, or an error that tells where and does not tell the password.
  template <class Call>
  std::optional<Error> error_of(Call&& call) const {
    try {
      call();
      return std::nullopt;
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find(config.password), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("postgresql " + config.host), std::string::npos) << e.what();
      return e;
    }
  }
  template <class Call>
  void fails(Errc code, const std::string& word, Call&& call) const {
    const auto error = error_of(call);
    ASSERT_TRUE(error) << "no error came";
    EXPECT_EQ(to_string(error->code()), to_string(code)) << error->what();
    EXPECT_NE(std::string(error->what()).find(word), std::string::npos) << error->what();
  }

  db::Config config;
};

}  // namespace oas::test
