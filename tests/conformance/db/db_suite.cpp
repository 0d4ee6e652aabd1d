#include "conformance/db/db_suite.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

namespace oas::test {
namespace {

using db::Transaction;

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min(),
                       highest = std::numeric_limits<std::int64_t>::max();

TEST_P(DbSuite, every_core_type_comes_back_at_its_limits) {
  struct Case {
    std::string type;
    std::vector<Value> values;
  };
  const double inf = std::numeric_limits<double>::infinity();
  std::vector<std::byte> all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<std::byte>(i));
  std::vector<Case> cases{
      {"bool", {true, false}},
      {"int8", {-128, 127}},
      {"int16", {-32768, 32767}},
      {"int32", {-2147483648LL, 2147483647}},
      {"int64", {lowest, highest, 0}},
      {"float32", {1.5, double{std::numeric_limits<float>::max()}, double{std::numeric_limits<float>::denorm_min()}}},
      {"float64", {0.1, std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min()}},
      {"decimal(5,2)", {Decimal{"999.99"}, Decimal{"-999.99"}, Decimal{"0.00"}}},
      {"decimal(30,0)", {Decimal{"123456789012345678901234567890"}}},
      {"char(3)", {"abc", "äöü"}},
      {"varchar(4)", {"", "it's", "a\"b\\", "日本語😀"}},
      {"enum('a b','it''s', 'c;d')", {"a b", "it's", "c;d"}},
      {"date", {Date(1, 1, 1), Date(9999, 12, 31), Date(2024, 2, 29)}},
      {"datetime", {DateTime(Date(1000, 1, 1))}},
      {"datetime(6)", {DateTime(Date(9999, 12, 31), 86'399'999'999)}},
      {"datetime(3)", {DateTime(Date(1969, 12, 31), 86'399'999'000)}},
      {"datetime(0)", {DateTime(Date(1900, 1, 1), 1'000'000)}},
      {"uuid", {Uuid{}, Uuid::parse("ffffffff-ffff-ffff-ffff-ffffffffffff")}},
      {"json", {map({{"n", list({1, 2.5, true, nullptr, "ü\n"})}, {"path", "a/b"}}), list({}), "text", 7, false}},
      {"bytes", {Bytes(), Bytes::copy(all_bytes)}}};
  if (GetParam().keeps_infinity) cases.push_back({"float64", {inf, -inf}});
  if (GetParam().datetime_has_fraction) cases.push_back({"datetime", {DateTime(Date(2026, 1, 31), 3'723'123'456)}});
  std::vector<db::ColumnDef> columns{column("id", "int32")};
  for (std::size_t i = 0; i < cases.size(); ++i)
    columns.push_back(column("c" + std::to_string(i), cases[i].type, true));
  const auto def = table("limits", columns);
  create(def);
  int id = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const Value& value : cases[i].values) insert(def, {"id", def.columns[i + 1].name}, {++id, value});
  }
  const auto stored = rows(def);
  ASSERT_EQ(stored.size(), static_cast<std::size_t>(id));
  std::size_t row = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const Value& value : cases[i].values) {
      EXPECT_EQ(stored[row][i + 1], value) << cases[i].type << ", row " << row;
      const std::size_t other = i == 0 ? 2 : 1;
      EXPECT_TRUE(stored[row][other].is_null());
      ++row;
    }
  }
}

TEST_P(DbSuite, introspection_gives_back_the_table_that_was_created) {
  auto rig = table("#rig", {column("rig", "varchar(20)"), column("size", "decimal(5,2)", true)}, {"rig"});
  rig.comment = "where; it's \"done\" {x} 100%";
  create(rig);
  auto scan =
      table("scan",
            {column("animal", "uuid"), with_default(column("scan", "int16"), "3"), column("my_rig", "varchar(20)"),
             column("kind", "enum('a','b')"), column("movie", "json", true), column("made", "datetime(3)"),
             with_default(column("note", "varchar(40)"), "it's 'quoted'"), column("_hidden", "bytes", true)},
            {"animal", "scan"});
  scan.columns[5].fallback.kind = db::Default::Kind::now;
  scan.foreign_keys = {{{"my_rig"}, "lab", "#rig", {"rig"}, false}};
  scan.indexes = {{{"kind", "scan"}, true, false}, {{"movie"}, false, true}};
  create(scan);
  auto part = table("scan__field", {column("animal", "uuid"), column("scan", "int16"), column("field", "int8")},
                    {"animal", "scan", "field"});
  part.foreign_keys = {{{"animal", "scan"}, "lab", "scan", {"animal", "scan"}, true}};
  create(part);
  EXPECT_EQ(open()->introspect("lab"), (std::vector{rig, scan, part}));
  EXPECT_TRUE(connection_->introspect("elsewhere").empty());
  EXPECT_EQ(connection_->schemas(), std::vector<std::string>{"lab"});

  insert(rig, {"rig"}, {"one"});
  const Uuid animal = Uuid::random();
  insert(scan, {"animal", "my_rig", "kind"}, {animal, "one", "b"});
  const auto row = rows(scan).at(0);
  EXPECT_EQ(row[1], Value(3));
  EXPECT_LT(std::abs(row[5].as<DateTime>().microseconds - DateTime::now().microseconds), 600'000'000);
  EXPECT_EQ(row[6], Value("it's 'quoted'"));
}

TEST_P(DbSuite, a_schema_made_twice_is_one_and_a_dropped_table_is_forgotten) {
  const auto def = table("scan", {column("id", "int32")});
  create(def);
  {
    Transaction tx(*connection_);
    for (const auto& sql : dialect().create_schema("lab")) tx.execute(sql);
    for (const auto& sql : dialect().drop_table(def)) tx.execute(sql);
    tx.commit();
  }
  EXPECT_TRUE(connection_->introspect("lab").empty());
  create(def);
  EXPECT_EQ(connection_->introspect("lab"), std::vector{def});
}

TEST_P(DbSuite, names_of_any_shape_and_of_the_greatest_length_work) {
  const std::string longest(dialect().max_identifier(), 'n');
  for (const std::string& name : {longest, std::string("a\"b"), std::string("select"),
                                  std::string("x'; DROP TABLE y; --"), std::string("naïve 表")}) {
    const auto def = table(name, {column("id", "int32"), column(name, "varchar(5)")});
    create(def);
    insert(def, {"id", name}, {1, "here"});
    EXPECT_EQ(rows(def), (std::vector<Cells>{{1, "here"}})) << name;
  }
  EXPECT_EQ(connection_->introspect("lab").size(), 5U);
  EXPECT_EQ(error_of([&] { create(table(longest + "n", {column("id", "int32")})); }).code(), Errc::definition);
  EXPECT_EQ(error_of([&] {
              create(table("t", {column("id", "int32"), column(longest + "n", "int32")}));
            }).code(),
            Errc::definition);
  EXPECT_EQ(error_of([&] { dialect().quote(std::string_view("a\0b", 3)); }).code(), Errc::usage);
  EXPECT_EQ(error_of([&] { dialect().quote(""); }).code(), Errc::usage);
}

TEST_P(DbSuite, duplicates_fail_are_skipped_or_replaced) {
  const auto def = table("scan", {column("id", "int32"), column("a", "varchar(9)"),
                                  with_default(column("b", "int32"), "5"), column("c", "int32", true)});
  create(def);
  const std::vector<std::string> all{"id", "a", "b", "c"};
  insert(def, all, {1, "old", 1, 1});
  EXPECT_EQ(error_of([&] { insert(def, all, {1, "new", 2, 2}); }).code(), Errc::duplicate);
  {
    Transaction tx(*connection_);
    EXPECT_EQ(insert(tx, def, all, {1, "new", 2, 2}, OnDuplicate::skip), 0);
    EXPECT_EQ(insert(tx, def, all, {2, "new", 2, 2}, OnDuplicate::skip), 1);
    tx.commit();
  }
  EXPECT_EQ(rows(def), (std::vector<Cells>{{1, "old", 1, 1}, {2, "new", 2, 2}}));
  insert(def, {"id", "a"}, {1, "new"}, OnDuplicate::replace);
  EXPECT_EQ(rows(def).at(0), (Cells{1, "new", 5, nullptr}));
}

TEST_P(DbSuite, skipping_hides_no_other_conflict) {
  auto def = table("scan", {column("id", "int32"), column("tag", "varchar(9)")});
  def.indexes = {{{"tag"}, true, false}};
  create(def);
  insert(def, {"id", "tag"}, {1, "x"});
  EXPECT_EQ(error_of([&] { insert(def, {"id", "tag"}, {2, "x"}, OnDuplicate::skip); }).code(), Errc::duplicate);
}

TEST_P(DbSuite, tables_of_keys_alone_and_singletons_take_every_kind_of_insert) {
  const auto keys = table("keys", {column("a", "int32"), column("b", "int32")}, {"a", "b"});
  create(keys);
  for (const auto on : {OnDuplicate::fail, OnDuplicate::skip, OnDuplicate::replace})
    insert(keys, {"a", "b"}, {1, static_cast<int>(on)}, on);
  insert(keys, {"a", "b"}, {1, 0}, OnDuplicate::skip);
  insert(keys, {"a", "b"}, {1, 0}, OnDuplicate::replace);
  EXPECT_EQ(rows(keys).size(), 3U);

  const auto single =
      table("single", {column("v", "int32", true), with_default(column("_singleton", "bool"), "1")}, {"_singleton"});
  create(single);
  insert(single, {}, {});
  insert(single, {}, {}, OnDuplicate::skip);
  insert(single, {"v"}, {7}, OnDuplicate::replace);
  EXPECT_EQ(rows(single), (std::vector<Cells>{{7, true}}));
  EXPECT_EQ(error_of([&] { insert(single, {}, {}); }).code(), Errc::duplicate);
}

TEST_P(DbSuite, a_missing_key_is_never_made_up) {
  const auto def = table("scan", {column("id", "int64"), column("a", "int32", true)});
  create(def);
  EXPECT_EQ(error_of([&] { insert(def, {"a"}, {1}); }).code(), Errc::missing_attribute);
  EXPECT_EQ(error_of([&] { insert(def, {"id"}, {nullptr}); }).code(), Errc::missing_attribute);
}

TEST_P(DbSuite, many_rows_with_one_statement) {
  const auto def = table("scan", {column("id", "int32"), column("a", "bytes")});
  create(def);
  std::vector<Cells> many;
  for (int i = 0; i < 1000; ++i) many.push_back({i % 600, Bytes::copy(std::to_string(i))});
  const std::vector<std::string> names{"id", "a"};
  Transaction tx(*connection_);
  const auto affected = tx.execute_many(dialect().insert(def, names, OnDuplicate::skip), many);
  tx.commit();
  ASSERT_EQ(affected.size(), 1000U);
  for (std::size_t i = 0; i < affected.size(); ++i) ASSERT_EQ(affected[i], i < 600 ? 1 : 0) << i;
  EXPECT_EQ(rows(def).size(), 600U);
}

TEST_P(DbSuite, what_is_not_committed_is_gone_and_nested_ones_are_savepoints) {
  const auto def = table("scan", {column("id", "int32")});
  create(def);
  {
    Transaction tx(*connection_);
    insert(tx, def, {"id"}, {1});
  }
  EXPECT_TRUE(rows(def).empty());
  {
    Transaction outer(*connection_);
    insert(outer, def, {"id"}, {1});
    {
      Transaction inner(*connection_);
      insert(inner, def, {"id"}, {2});
    }
    {
      Transaction inner(*connection_);
      insert(inner, def, {"id"}, {3});
      {
        Transaction third(*connection_);
        insert(third, def, {"id"}, {4});
      }
      EXPECT_EQ(connection_->depth(), 2);
      inner.commit();
    }
    {
      Transaction inner(*connection_);
      EXPECT_EQ(error_of([&] { insert(inner, def, {"id"}, {1}); }).code(), Errc::duplicate);
    }
    insert(outer, def, {"id"}, {5});
    outer.commit();
  }
  EXPECT_EQ(connection_->depth(), 0);
  EXPECT_EQ(rows(def), (std::vector<Cells>{{1}, {3}, {5}}));
}

TEST_P(DbSuite, nested_ones_in_which_nothing_ran_yet_are_undone_alone) {
  const auto def = table("scan", {column("id", "int32")});
  create(def);
  {
    Transaction outer(*connection_);
    {
      Transaction second(*connection_);
      {
        Transaction third(*connection_);
        insert(third, def, {"id"}, {1});
      }  // all that ran is undone
      insert(second, def, {"id"}, {2});
      {
        Transaction third(*connection_), fourth(*connection_);
        insert(fourth, def, {"id"}, {3});
        fourth.commit();
        insert(third, def, {"id"}, {4});
      }
      {
        Transaction third(*connection_), fourth(*connection_);
        EXPECT_EQ(error_of([&] { insert(fourth, def, {"id"}, {2}); }).code(), Errc::duplicate);
        fourth.rollback();
        insert(third, def, {"id"}, {5});
        third.commit();
      }
      second.commit();
    }
    {
      Transaction second(*connection_);
      insert(second, def, {"id"}, {6});
    }
    insert(outer, def, {"id"}, {7});
    outer.commit();
  }
  EXPECT_EQ(rows(def), (std::vector<Cells>{{2}, {5}, {7}}));
  {
    Transaction outer(*connection_), inner(*connection_);
    EXPECT_EQ(error_of([&] { insert(inner, def, {"id"}, {2}); }).code(), Errc::duplicate);
    inner.rollback();
    outer.commit();
  }
  {
    Transaction outer(*connection_), inner(*connection_);
    insert(inner, def, {"id"}, {8});
    inner.commit();
  }
  EXPECT_EQ(rows(def), (std::vector<Cells>{{2}, {5}, {7}}));
}

TEST_P(DbSuite, transactions_are_used_in_order) {
  Transaction outer(*connection_);
  {
    Transaction inner(*connection_);
    EXPECT_EQ(error_of([&] { outer.commit(); }).code(), Errc::usage);
    EXPECT_EQ(error_of([&] { outer.execute("SELECT 1"); }).code(), Errc::usage);
    inner.commit();
    EXPECT_EQ(error_of([&] { inner.commit(); }).code(), Errc::usage);
  }
  outer.rollback();
  outer.rollback();
  EXPECT_EQ(error_of([&] { outer.execute("SELECT 1"); }).code(), Errc::usage);
}

TEST_P(DbSuite, rolling_back_takes_those_inside_along) {
  Transaction outer(*connection_);
  Transaction inner(*connection_);
  outer.rollback();
  EXPECT_EQ(connection_->depth(), 0);
  EXPECT_EQ(error_of([&] { inner.execute("SELECT 1"); }).code(), Errc::usage);
}

TEST_P(DbSuite, a_reading_transaction_cannot_write) {
  const auto def = table("scan", {column("id", "int32")});
  create(def);
  Transaction tx(*connection_, Mode::read);
  EXPECT_EQ(error_of([&] { Transaction inner(*connection_, Mode::write); }).code(), Errc::usage);
  EXPECT_NE(error_of([&] { insert(tx, def, {"id"}, {1}); }).code(), Errc::internal);
  Transaction inner(*connection_, Mode::read);
}

TEST_P(DbSuite, two_connections_see_what_the_other_committed) {
  const auto def = table("scan", {column("id", "int32")});
  create(def);
  const auto other = connection_->fork();
  Transaction tx(*connection_);
  insert(tx, def, {"id"}, {1});
  EXPECT_TRUE(rows(*other, def).empty());
  tx.commit();
  EXPECT_EQ(rows(*other, def).size(), 1U);
}

TEST_P(DbSuite, a_cursor_streams_its_snapshot_while_another_connection_writes) {
  const auto def = table("scan", {column("id", "int32")});
  create(def);
  std::vector<Cells> many;
  for (int i = 0; i < 5000; ++i) many.push_back({i});
  const std::vector<std::string> names{"id"};
  {
    Transaction tx(*connection_);
    tx.execute_many(dialect().insert(def, names, OnDuplicate::fail), many);
    tx.commit();
  }
  const auto other = connection_->fork();
  Transaction reading(*connection_, Mode::read);
  const auto cursor = reading.execute("SELECT id FROM " + name_of(def) + " ORDER BY id");
  EXPECT_EQ(std::vector<std::string>(cursor->columns().begin(), cursor->columns().end()), names);
  Cells cells;
  ASSERT_TRUE(cursor->next(cells));
  {
    Transaction tx(*other);
    tx.execute("DELETE FROM " + name_of(def) + " WHERE id >= 100");
    tx.commit();
  }
  int count = 1;
  while (cursor->next(cells)) ++count;
  EXPECT_EQ(count, 5000);
  EXPECT_FALSE(cursor->next(cells));
  reading.commit();
  EXPECT_EQ(rows(def).size(), 100U);
}

TEST_P(DbSuite, a_cursor_ends_with_its_transaction_or_when_its_statement_runs_again) {
  const auto def = table("scan", {column("id", "int32")});
  create(def);
  for (int i = 0; i < 3; ++i) insert(def, {"id"}, {i});
  const std::string sql = "SELECT id FROM " + name_of(def);
  Cells cells;
  std::unique_ptr<db::Cursor> first, second, nested;
  {
    Transaction tx(*connection_);
    first = tx.execute(sql);
    ASSERT_TRUE(first->next(cells));
    second = tx.execute(sql);
    EXPECT_EQ(error_of([&] { first->next(cells); }).code(), Errc::usage);
    {
      Transaction inner(*connection_);
      nested = inner.execute(sql + " WHERE id > 0");
    }
    EXPECT_EQ(error_of([&] { nested->next(cells); }).code(), Errc::usage);
    EXPECT_TRUE(second->next(cells));
    tx.commit();
  }
  EXPECT_EQ(error_of([&] { second->next(cells); }).code(), Errc::usage);
  insert(def, {"id"}, {9});
}

TEST_P(DbSuite, the_side_commits_while_a_transaction_is_open) {
  const auto side = connection_->side();
  auto def = table("~notes", {column("id", "int32")});
  {
    Transaction tx(*side);
    for (const auto& sql : dialect().create_schema("lab")) tx.execute(sql);
    for (const auto& sql : dialect().create_table(def)) tx.execute(sql);
    tx.commit();
  }
  const auto main = table("scan", {column("id", "int32")});
  create(main);
  const std::vector<std::string> names{"id"};
  {
    Transaction open_one(*connection_);
    insert(open_one, main, names, {1});
    Transaction tx(*side);
    insert(tx, def, names, {1});
    tx.commit();
  }
  EXPECT_TRUE(rows(main).empty());
  EXPECT_EQ(rows(*connection_->side(), def).size(), 1U);
  EXPECT_EQ(rows(*side->side(), def).size(), 1U);
}

TEST_P(DbSuite, references_hold_both_ways) {
  const auto parent = table("rig", {column("rig", "varchar(9)")}, {"rig"});
  auto child = table("scan", {column("id", "int32"), column("rig", "varchar(9)", true)});
  child.foreign_keys = {{{"rig"}, "lab", "rig", {"rig"}, false}};
  create(parent);
  create(child);
  EXPECT_EQ(error_of([&] { insert(child, {"id", "rig"}, {1, "none"}); }).code(), Errc::constraint);
  insert(child, {"id", "rig"}, {1, nullptr});
  insert(parent, {"rig"}, {"one"});
  insert(child, {"id", "rig"}, {2, "one"});
  const auto change = [&](const std::string& sql) {
    Transaction tx(*connection_);
    const auto n = tx.execute(sql)->affected();
    tx.commit();
    return n;
  };
  EXPECT_EQ(error_of([&] { change("DELETE FROM " + name_of(parent)); }).code(), Errc::constraint);
  EXPECT_EQ(change("UPDATE " + name_of(parent) + " SET rig = 'two'"), 1);
  EXPECT_EQ(rows(child).at(1)[1], Value("two"));
  EXPECT_EQ(change("DELETE FROM " + name_of(child)), 2);
  EXPECT_EQ(change("DELETE FROM " + name_of(parent)), 1);
}

TEST_P(DbSuite, a_unique_reference_is_unique) {
  const auto parent = table("rig", {column("rig", "int32")}, {"rig"});
  auto child = table("scan", {column("id", "int32"), column("rig", "int32")});
  child.foreign_keys = {{{"rig"}, "lab", "rig", {"rig"}, true}};
  create(parent);
  create(child);
  insert(parent, {"rig"}, {1});
  insert(child, {"id", "rig"}, {1, 1});
  EXPECT_EQ(error_of([&] { insert(child, {"id", "rig"}, {2, 1}); }).code(), Errc::duplicate);
}

TEST_P(DbSuite, text_in_json_is_found) {
  auto def = table("scan", {column("id", "int32"), column("movie", "json", true)});
  def.indexes = {{{"movie"}, false, true}};
  create(def);
  insert(def, {"id", "movie"}, {1, map({{"path", "a/ü\"b"}, {"size", 3}})});
  insert(def, {"id", "movie"}, {2, map({{"path", "c"}})});
  insert(def, {"id"}, {3});
  Transaction tx(*connection_, Mode::read);
  const std::string path = dialect().json_text(dialect().quote("movie"), "path");
  const std::vector<Value> wanted{"a/ü\"b"};
  const auto cursor = tx.execute(
      "SELECT id, " + path + " FROM " + name_of(def) + " WHERE " + path + " = " + dialect().placeholder(1), wanted);
  Cells cells;
  ASSERT_TRUE(cursor->next(cells));
  EXPECT_EQ(cells, (Cells{1, "a/ü\"b"}));
  EXPECT_FALSE(cursor->next(cells));
}

TEST_P(DbSuite, decimals_compare_as_numbers) {
  const auto def = table("scan", {column("price", "decimal(8,2)")}, {"price"});
  create(def);
  for (const char* price : {"10.00", "9.5", "-3", "100", "-20.25", "0"}) insert(def, {"price"}, {Decimal{price}});
  std::vector<std::string> order;
  for (const auto& row : rows(def)) order.push_back(row[0].as<Decimal>().digits);
  EXPECT_EQ(order, (std::vector<std::string>{"-20.25", "-3.00", "0.00", "9.50", "10.00", "100.00"}));
  EXPECT_EQ(error_of([&] { insert(def, {"price"}, {"1e1"}); }).code(), Errc::duplicate);
  Transaction tx(*connection_, Mode::read);
  Cells cells;
  tx.execute("SELECT count(*) FROM " + name_of(def) + " WHERE price > 9")->next(cells);
  EXPECT_EQ(cells[0], Value(3));
}

TEST_P(DbSuite, functions_of_conditions_work_as_they_are_spelt) {
  const auto def = table("scan", {column("id", "int32"), column("t", "datetime")});
  create(def);
  insert(def, {"id", "t"}, {-5, "2026-03-04 05:06:07"});
  const auto ask = [&](const std::string& name, const std::string& arguments) {
    Transaction tx(*connection_, Mode::read);
    Cells cells;
    tx.execute("SELECT " + dialect().function(name).value() + "(" + arguments + ") FROM " + name_of(def))->next(cells);
    return cells.at(0).as<double>();
  };
  EXPECT_EQ(ask("abs", "id"), 5);
  EXPECT_EQ(ask("count", "*"), 1);
  EXPECT_EQ(ask("coalesce", "NULL, id"), -5);
  EXPECT_EQ(ask("greatest", "1, 3, 2"), 3);
  EXPECT_EQ(ask("length", "'äöü'"), 3);
  EXPECT_FALSE(dialect().function("load_extension"));
  EXPECT_FALSE(dialect().function("pg_sleep"));
  EXPECT_FALSE(dialect().function(""));
}

TEST_P(DbSuite, threads_with_connections_of_their_own_lose_nothing) {
  const auto def = table("scan", {column("id", "int32")});
  create(def);
  constexpr int per_thread = 25;
  std::vector<std::unique_ptr<db::Connection>> connections;
  for (int t = 0; t < 4; ++t) connections.push_back(connection_->fork());
  std::vector<std::string> failures(4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      try {
        for (int i = 0; i < per_thread; ++i) {
          Transaction tx(*connections[t]);
          insert(tx, def, {"id"}, {t * per_thread + i});
          tx.commit();
        }
      } catch (const std::exception& e) {
        failures[t] = e.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, std::vector<std::string>(4));
  EXPECT_EQ(rows(def).size(), 4U * per_thread);
}

}  // namespace
}  // namespace oas::test
