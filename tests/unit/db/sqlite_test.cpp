#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "db/cells.hpp"
#include "db/registry.hpp"
#include "support/faulty_connection.hpp"
#include "support/temp_folder.hpp"

namespace oas::test {
namespace {

template <class Action>
Errc code_of(Action&& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.code();
  }
  ADD_FAILURE() << "no error";
  return Errc::internal;
}

struct Sqlite : testing::Test {
  db::Config config(const std::string& name) const {
    db::Config c;
    c.backend = "sqlite";
    c.name = (folder.path() / name).string();
    return c;
  }
  TempFolder folder;
};

TEST_F(Sqlite, files_that_cannot_be_one_are_refused) {
  std::ofstream(folder.path() / "text.db") << std::string(4096, 'x');
  EXPECT_EQ(code_of([&] { db::open_connection(config("text.db")); }), Errc::decode);
  EXPECT_EQ(code_of([&] { db::open_connection(config("missing/oas.db")); }), Errc::unavailable);
  db::Config memory = config("");
  memory.name = ":memory:";
  EXPECT_EQ(code_of([&] { db::open_connection(memory); }), Errc::unsupported);
  memory.backend = "oracle";
  EXPECT_EQ(code_of([&] { db::open_connection(memory); }), Errc::usage);
}

TEST_F(Sqlite, what_a_definition_becomes_runs_in_an_empty_database) {
  const auto connection = db::open_connection(config("oas.db"));
  db::TableDef subject, scan;
  subject.schema = scan.schema = "lab";
  subject.name = "subject";
  subject.columns = {{"subject", "int32", {}, false, ":int32:who"}};
  subject.primary_key = {"subject"};
  scan = subject;
  scan.name = "scan";
  scan.foreign_keys = {{{"subject"}, "lab", "subject", {"subject"}}};
  for (const db::TableDef* table : {&subject, &scan}) {
    db::Transaction tx(*connection);
    const db::Origins origins{{"subject", "lab.subject.subject"}};
    for (const std::string& sql : db::dialect_of("sqlite").portable_table(*table, origins)) tx.execute(sql);
    tx.commit();
  }
  std::vector<std::string> names;
  for (const db::TableDef& table : connection->introspect("lab")) names.push_back(table.name);
  EXPECT_EQ(names, (std::vector<std::string>{"subject", "~lineage", "scan"}));
}

TEST_F(Sqlite, statements_cannot_reach_beyond_their_transaction) {
  const auto connection = db::open_connection(config("oas.db"));
  db::Transaction tx(*connection);
  for (const char* sql : {"COMMIT", "SAVEPOINT x", "PRAGMA foreign_keys = OFF", "ATTACH 'other.db' AS other"}) {
    EXPECT_EQ(code_of([&] { tx.execute(sql); }), Errc::access) << sql;
  }
  EXPECT_EQ(code_of([&] { tx.execute("SELECT \"text\""); }), Errc::unknown_attribute);
}

TEST_F(Sqlite, a_child_process_cannot_use_the_connection_of_its_parent) {
  const auto connection = db::open_connection(config("oas.db"));
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      db::Transaction tx(*connection);
    } catch (const Error& e) {
      ::_exit(e.code() == Errc::usage ? 0 : 2);
    }
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(Sqlite, a_commit_that_is_refused_can_be_repeated_and_one_whose_answer_is_lost_is_over) {
  for (const Fault fault : {Fault::refused, Fault::answer_lost}) {
    auto plan = std::make_shared<FaultPlan>();
    plan->fault = fault;
    plan->at = 3;  // begin, execute, commit
    FaultyConnection connection(db::open_connection(config(fault == Fault::refused ? "a.db" : "b.db")), plan);
    {
      db::Transaction tx(connection);
      tx.execute("CREATE TABLE t (x INT) STRICT");
      const bool lost = fault == Fault::answer_lost;
      EXPECT_EQ(code_of([&] { tx.commit(); }), lost ? Errc::in_doubt : Errc::unavailable);
      EXPECT_EQ(connection.depth(), lost ? 0 : 1);
      if (!lost) tx.commit();
    }
    db::Transaction tx(connection, db::Transaction::Mode::read);
    std::vector<Value> cells;
    tx.execute("SELECT count(*) FROM t")->next(cells);
    EXPECT_EQ(cells[0], Value(0));
  }
}

TEST(Decimals, are_compared_by_value_with_texts_last) {
  const auto compare = [](const char* a, const char* b) {
    EXPECT_EQ(db::compare_decimals(a, b), -db::compare_decimals(b, a)) << a << " " << b;
    return db::compare_decimals(a, b);
  };
  EXPECT_EQ(compare("10", "9"), 1);
  EXPECT_EQ(compare("1e1", "10.0"), 0);
  EXPECT_EQ(compare("-10", "-9"), -1);
  EXPECT_EQ(compare("-0.0", "0"), 0);
  EXPECT_EQ(compare("0.09", "0.1"), -1);
  EXPECT_EQ(compare("12345678901234567890.1", "12345678901234567890.2"), -1);
  EXPECT_EQ(compare("x", "1e999999999"), 1);
}

TEST(Decimals, are_rounded_half_away_from_zero) {
  const auto type = db::parse_type("decimal(4,2)");
  const auto cell = [&](const char* text) { return db::to_portable_cell(type, text).as<std::string>(); };
  EXPECT_EQ(cell("1.005"), "1.01");
  EXPECT_EQ(cell("-0.995"), "-1.00");
  EXPECT_EQ(cell("-0.001"), "0.00");
  EXPECT_EQ(cell("9.999"), "10.00");
  EXPECT_EQ(cell("1e-999999999"), "0.00");
  EXPECT_EQ(code_of([&] { cell("99.995"); }), Errc::usage);
  EXPECT_EQ(code_of([&] { cell("1e999999999"); }), Errc::usage);
}

TEST(Times, are_rounded_to_the_digits_that_are_kept) {
  const auto cell = [](const char* type, const Value& value) {
    return db::to_portable_cell(db::parse_type(type), value).as<std::string>();
  };
  EXPECT_EQ(cell("datetime(3)", "2025-12-31 23:59:59.999500"), "2026-01-01 00:00:00.000");
  EXPECT_EQ(cell("datetime(0)", DateTime::from_microseconds(-1)), "1970-01-01 00:00:00");
  EXPECT_EQ(cell("datetime", Date(2026, 1, 31)), "2026-01-31 00:00:00.000000");
  EXPECT_EQ(cell("time(1)", "01:02:03.25"), "01:02:03.3");
}

}  // namespace
}  // namespace oas::test
