// Values and statements at the edges of what a server takes.
#include <algorithm>

#include "integration/mysql/server.hpp"

namespace oas::test {
namespace {

class MysqlLimits : public OnServer {
 protected:
  Value only_v(db::Connection& connection) {
    Transaction tx(connection, Transaction::Mode::read);
    const auto cursor = tx.execute("SELECT v FROM lab.t");
    Cells cells;
    if (!cursor->next(cells)) return {};
    return cells.at(0);
  }
};
OAS_ON_SERVERS(MysqlLimits);

TEST_P(MysqlLimits, values_up_to_the_largest_message_go_in_and_larger_ones_are_refused_whole) {
  const std::string before = raw->cell("SELECT @@GLOBAL.max_allowed_packet");
  raw->run("SET GLOBAL max_allowed_packet = 4194304; ALTER TABLE lab.t ADD w longblob");
  const auto connection = open();
  raw->run("SET GLOBAL max_allowed_packet = " + before);
  const std::string large(4'000'000, 'x');
  {
    // Each by itself fits, the row as a whole does not.
    Transaction tx(*connection);
    const Cells cells{1, large, Bytes::copy(large)};
    tx.execute("INSERT INTO lab.t (id, v, w) VALUES (?, ?, ?)", cells);
    tx.commit();
  }
  EXPECT_EQ(raw->cell("SELECT LENGTH(v) + LENGTH(w) FROM lab.t"), "8000000");
  Transaction tx(*connection);
  insert(tx, 2);
  for (const Value& value : {Value(std::string(4'194'305, 'y')), Value(Bytes::copy(std::string(5'000'000, 'y')))}) {
    const Error e = error_of([&] { insert(tx, 3, value); });
    EXPECT_EQ(e.code(), Errc::constraint) << e.what();
    EXPECT_TRUE(says(e, "max_allowed_packet"));
  }
  insert(tx, 4);  // the transaction goes on
  tx.commit();
  EXPECT_EQ(ids(), "1,2,4");
}

TEST_P(MysqlLimits, large_values_come_back_whole) {
  std::string text;
  for (int i = 0; text.size() < 20'000'000; ++i) text += std::to_string(i) + ",";
  const auto connection = open();
  Transaction tx(*connection);
  insert(tx, 1, text);
  tx.commit();
  EXPECT_EQ(only_v(*connection), Value(text));
}

TEST_P(MysqlLimits, rows_of_many_sizes_go_many_to_a_message) {
  const auto connection = open();
  std::vector<Cells> rows;
  for (int i = 0; i < 3000; ++i) {
    const Value v = i % 7 == 0 ? Value() : Value(std::string(i % 500 == 1 ? 100'000 : i % 50, 'a'));
    rows.push_back({i, v});
  }
  Transaction tx(*connection);
  const auto affected = tx.execute_many("INSERT INTO `lab`.`t` (`id`, `v`) VALUES (?, ?)", rows);
  tx.commit();
  EXPECT_EQ(affected, std::vector<std::int64_t>(3000, 1));
  std::size_t bytes = 0, nulls = 0;
  for (const Cells& row : rows) row[1].is_null() ? ++nulls : bytes += row[1].as<std::string>().size();
  EXPECT_EQ(raw->run("SELECT COUNT(*), SUM(LENGTH(v)), SUM(v IS NULL), SUM(v = REPEAT('a', LENGTH(v))) FROM lab.t"),
            (std::vector<MysqlClient::Cells>{
                {"3000", std::to_string(bytes), std::to_string(nulls), std::to_string(3000 - nulls)}}));
}

TEST_P(MysqlLimits, what_became_of_each_row_is_told) {
  raw->run("INSERT INTO lab.t (id, v) VALUES (3, 'old'), (700, 'old')");
  const auto connection = open();
  std::vector<Cells> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back({i, "new"});
  const std::string skip =
      "INSERT INTO `lab`.`t` (`id`, `v`) VALUES (?, ?) ON DUPLICATE KEY UPDATE `id` = IF(`id` <=> VALUES(`id`), `id`, "
      "NULL)";
  Transaction tx(*connection);
  const auto affected = tx.execute_many(skip, rows);
  ASSERT_EQ(affected.size(), 1000U);
  for (std::size_t i = 0; i < affected.size(); ++i) EXPECT_EQ(affected[i], i == 3 || i == 700 ? 0 : 1) << i;
  EXPECT_EQ(tx.execute_many(skip, rows), std::vector<std::int64_t>(1000, 0));
  tx.commit();
  EXPECT_EQ(raw->cell("SELECT GROUP_CONCAT(id) FROM lab.t WHERE v = 'old'"), "3,700");

  Transaction another(*connection);
  const Cells same{"new"};
  EXPECT_EQ(another.execute("UPDATE lab.t SET v = ? WHERE id < 10", same)->affected(), 10);  // found, if not changed
  std::vector<Cells> keys;
  for (int i = 990; i < 1010; ++i) keys.push_back({i});
  const auto removed = another.execute_many("DELETE FROM lab.t WHERE id = ?", keys);
  EXPECT_EQ(std::ranges::count(removed, 1), 10);
}

TEST_P(MysqlLimits, a_row_that_is_refused_takes_those_of_its_message_along_and_no_others) {
  const auto connection = open();
  std::vector<Cells> rows;
  for (int i = 0; i < 100; ++i) rows.push_back({i == 60 ? 59 : i, "x"});
  Transaction outer(*connection);
  insert(outer, 500);
  {
    Transaction inner(*connection);
    const Error e = error_of([&] { inner.execute_many("INSERT INTO `lab`.`t` (`id`, `v`) VALUES (?, ?)", rows); });
    EXPECT_EQ(e.code(), Errc::duplicate);
    EXPECT_TRUE(says(e, "lab.t: duplicate primary key (id)"));
  }
  outer.commit();
  EXPECT_EQ(ids(), "500");
}

TEST_P(MysqlLimits, text_that_is_not_utf8_is_refused) {
  const auto connection = open();
  Transaction tx(*connection);
  const Error e = error_of([&] { insert(tx, 1, "\xff\xfe"); });
  EXPECT_EQ(e.code(), Errc::constraint) << e.what();
  EXPECT_EQ(std::string(e.what()).find('\xff'), std::string::npos);
  tx.commit();
  EXPECT_EQ(ids(), "");
}

TEST_P(MysqlLimits, numbers_that_do_not_exist_here_are_refused) {
  const auto connection = open();
  Transaction tx(*connection);
  for (const double number : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
    EXPECT_EQ(error_of([&] { insert(tx, 1, number); }).code(), Errc::usage);
}

TEST_P(MysqlLimits, days_that_never_were_are_seen_for_what_they_are) {
  raw->run(
      "SET sql_mode = ''; CREATE TABLE lab.d (id int PRIMARY KEY, day date, moment datetime(3)) ENGINE=InnoDB; "
      "INSERT INTO lab.d VALUES (1, '0000-00-00', '0000-00-00'), (2, '2024-00-10', '2024-02-29 12:00:00.5')");
  const auto connection = open();
  Transaction tx(*connection, Transaction::Mode::read);
  const auto cursor = tx.execute("SELECT day, moment FROM lab.d ORDER BY id");
  const db::Dialect& dialect = connection->dialect();
  Cells cells;
  ASSERT_TRUE(cursor->next(cells));
  EXPECT_EQ(error_of([&] { dialect.from_cell("date", cells[0]); }).code(), Errc::decode);
  EXPECT_EQ(error_of([&] { dialect.from_cell("datetime(3)", cells[1]); }).code(), Errc::decode);
  ASSERT_TRUE(cursor->next(cells));
  EXPECT_EQ(error_of([&] { dialect.from_cell("date", cells[0]); }).code(), Errc::decode);
  EXPECT_EQ(dialect.from_cell("datetime(3)", cells[1]), Value(DateTime(Date(2024, 2, 29), 43'200'500'000)));
}

TEST_P(MysqlLimits, cells_of_every_native_type_are_read) {
  raw->run(
      "CREATE TABLE lab.n (a tinyint unsigned, b smallint unsigned, c mediumint, d int unsigned, e bigint unsigned, "
      "f bit(10), g year, h time(2), i timestamp(1) NULL, j decimal(20,3), k set('x','y'), l binary(4), m "
      "varbinary(9), "
      "n tinytext, o float, p double) ENGINE=InnoDB; SET time_zone = '+00:00'; INSERT INTO lab.n VALUES (255, 65535, "
      "-8388608, 4294967295, 18446744073709551615, b'1000000001', 2155, '-100:01:02.25', '2001-02-03 04:05:06.7', "
      "'-12345678901234567.890', 'x,y', 'ab', 'cd', 'ü', 1.25, -1e300)");
  const auto connection = open();
  Transaction tx(*connection, Transaction::Mode::read);
  Cells cells;
  tx.execute("SELECT * FROM lab.n")->next(cells);
  const Cells wanted{255,
                     65535,
                     -8388608,
                     4294967295,
                     BigInt{"18446744073709551615"},
                     513,
                     2155,
                     "-100:01:02.25",
                     "2001-02-03 04:05:06.7",
                     "-12345678901234567.890",
                     "x,y",
                     Bytes::copy(std::string_view("ab\0\0", 4)),
                     Bytes::copy("cd"),
                     "ü",
                     1.25,
                     -1e300};
  EXPECT_EQ(cells, wanted);
}

TEST_P(MysqlLimits, sums_and_averages_are_numbers) {
  raw->run(
      "INSERT INTO lab.t (id, u) VALUES (1, 1), (2, 2); CREATE TABLE lab.p (price decimal(8,2)); INSERT INTO lab.p "
      "VALUES ('0.10'), ('0.20')");
  const auto connection = open();
  Transaction tx(*connection, Transaction::Mode::read);
  Cells cells;
  tx.execute("SELECT SUM(u), AVG(u), COUNT(*) FROM lab.t")->next(cells);
  EXPECT_EQ(cells, (Cells{3, Decimal{"1.5000"}, 2}));
  tx.execute("SELECT SUM(price), MAX(price) FROM lab.p")->next(cells);
  EXPECT_EQ(cells[0], Value(Decimal{"0.30"}));
}

}  // namespace
}  // namespace oas::test
