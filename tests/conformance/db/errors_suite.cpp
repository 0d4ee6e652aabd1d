#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "conformance/db/db_suite.hpp"

namespace oas::test {
namespace {

using db::Transaction;

TEST_P(DbSuite, errors_say_what_and_where_and_never_the_values) {
  auto def = table("#rig", {column("id", "int32"), column("other", "varchar(20)"), column("size", "int8", true)},
                   {"id", "other"});
  create(def);
  const std::vector<std::string> names{"id", "other"};
  insert(def, names, {1, "secret-value"});
  Error e = error_of([&] { insert(def, names, {1, "secret-value"}); });
  EXPECT_EQ(e.code(), Errc::duplicate);
  EXPECT_NE(std::string(e.what()).find("id, other"), std::string::npos) << e.what();
  EXPECT_EQ(std::string(e.what()).find("secret-value"), std::string::npos) << e.what();
  EXPECT_EQ(e.target(), "lab.#rig");
  EXPECT_FALSE(e.native().empty());

  const auto run = [&](const std::string& sql, std::vector<Value> params = {}) {
    return error_of([&] {
      Transaction tx(*connection_);
      tx.execute(sql, params);
    });
  };
  const std::string name = name_of(def);
  EXPECT_EQ(run("SELECT * FROM nowhere").code(), Errc::unknown_table);
  EXPECT_EQ(run("SELECT nonesuch FROM " + name).code(), Errc::unknown_attribute);
  EXPECT_EQ(run("SELECT " + dialect().quote("nonesuch") + " FROM " + name).code(), Errc::unknown_attribute);
  e = run("SELEC 'secret-value'");
  EXPECT_EQ(e.code(), Errc::syntax);
  EXPECT_EQ(std::string(e.what()).find("secret-value"), std::string::npos) << e.what();
  EXPECT_EQ(run("INSERT INTO " + name + " (id) VALUES (3)").code(), Errc::missing_attribute);
  e = run("INSERT INTO " + name + " (id, other, size) VALUES (3, 'x', 100000)");
  EXPECT_EQ(e.code(), Errc::constraint);
  EXPECT_EQ(run("SELECT " + dialect().placeholder(1), {}).code(), Errc::usage);
  EXPECT_EQ(run("SELECT 1; SELECT 2").code(), Errc::usage);
  EXPECT_EQ(run("SELECT " + dialect().placeholder(1), {map({})}).code(), Errc::usage);
}

TEST_P(DbSuite, the_database_itself_refuses_what_does_not_fit_the_type) {
  struct Case {
    std::string type, sql;
  };
  const std::vector<Case> cases{{"bool", "2"},
                                {"int8", "128"},
                                {"int16", "-32769"},
                                {"int32", "2147483648"},
                                {"int64", "'x'"},
                                {"float64", "'x'"},
                                {"decimal(4,1)", "'x'"},
                                {"varchar(2)", "'abc'"},
                                {"enum('a','b')", "'c'"},
                                {"date", "'2026-02-30'"},
                                {"datetime(3)", "'2026-01-01 25:00'"},
                                {"uuid", "'x'"},
                                {"json", "'{'"}};
  int i = 0;
  for (const auto& [type, row] : cases) {
    const auto& sql = row;  // lambdas cannot name structured bindings
    if (GetParam().knows_not.contains(type)) continue;
    const auto def = table("t" + std::to_string(++i), {column("id", "int32"), column("v", type)});
    create(def);
    const Error e = error_of([&] {
      Transaction tx(*connection_);
      tx.execute("INSERT INTO " + name_of(def) + " VALUES (1, " + sql + ")");
    });
    EXPECT_EQ(e.code(), Errc::constraint) << type << ": " << e.what();
  }
}

TEST_P(DbSuite, waiting_for_another_writer_ends) {
  const auto def = table("t", {column("id", "int32")});
  create(def);
  const auto hasty = open(20);
  Transaction tx(*connection_);
  insert(tx, def, {"id"}, {1});
  const Error e = error_of([&] {
    Transaction other(*hasty);
    insert(other, def, {"id"}, {1});
  });
  EXPECT_EQ(e.code(), Errc::unavailable);
  EXPECT_TRUE(e.retryable());
  EXPECT_EQ(hasty->depth(), 0);
}

TEST_P(DbSuite, another_thread_cancels_what_runs) {
  std::atomic<bool> over = false;
  std::thread other([&] {
    while (!over) {  // until it has met the statement, which it must let begin
      connection_->cancel();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  const Error e = error_of([&] {
    Transaction tx(*connection_);
    Cells cells;
    tx.execute(GetParam().endless)->next(cells);
  });
  over = true;
  other.join();
  EXPECT_EQ(e.code(), Errc::cancelled) << e.what();
  EXPECT_EQ(connection_->depth(), 0);
  connection_->cancel();  // nothing runs
  const auto def = table("t", {column("id", "int32")});
  create(def);
  insert(def, {"id"}, {1});
  EXPECT_EQ(rows(def).size(), 1U);
}

TEST_P(DbSuite, a_table_made_twice_is_a_duplicate) {
  const auto def = table("t", {column("id", "int32")});
  create(def);
  EXPECT_EQ(error_of([&] { create(def); }).code(), Errc::duplicate);
}

TEST_P(DbSuite, values_that_do_not_fit_are_refused_with_the_type) {
  struct Case {
    std::string type;
    Value value;
  };
  const std::vector<Case> cases{{"int8", 128},
                                {"int32", 1.0},
                                {"int32", true},
                                {"int32", "1"},
                                {"bool", 2},
                                {"bool", "true"},
                                {"float32", 1e39},
                                {"float64", "1"},
                                {"varchar(2)", "äöü"},
                                {"varchar(2)", 12},
                                {"varchar(9)", "\xff"},
                                {"enum('a')", "A"},
                                {"date", "tomorrow"},
                                {"date", 5},
                                {"datetime", "x"},
                                {"uuid", "x"},
                                {"decimal(3,1)", 100},
                                {"decimal(3,1)", 1.5},
                                {"decimal(3,1)", "NaN"},
                                {"decimal(3,1)", "99.95"},
                                {"json", Bytes::copy("x")},
                                {"json", list({std::numeric_limits<double>::quiet_NaN()})},
                                {"bytes", "text"},
                                {"varchar(9)", std::string("a\0b", 3)}};
  for (const auto& [name, content] : cases) {
    const std::string& type = name;  // lambdas cannot name structured bindings
    const Value& value = content;
    const Error e = error_of([&] { dialect().to_cell(type, value); });
    EXPECT_EQ(e.code(), Errc::usage) << type;
    EXPECT_NE(std::string(e.what()).find(type), std::string::npos) << e.what();
  }
  if (!GetParam().keeps_nan) {
    EXPECT_EQ(error_of([&] { dialect().to_cell("float64", std::nan("")); }).code(), Errc::usage);
  }
  EXPECT_TRUE(dialect().to_cell("int8", nullptr).is_null());
  for (const char* type :
       {"int33", "uint8", "varchar", "varchar(0)", "datetime(7)", "decimal(2,3)", "enum()", "int32 = 5", "", "("}) {
    EXPECT_EQ(error_of([&] { dialect().column_type(type); }).code(), Errc::definition) << type;
  }
}

}  // namespace
}  // namespace oas::test
