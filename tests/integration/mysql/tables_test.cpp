// What makes, changes and drops tables commits on these servers: that nothing is committed along with it, and that what
// is read of tables holds.
#include <algorithm>

#include "integration/mysql/server.hpp"

namespace oas::test {
namespace {

class MysqlTables : public OnServer {
 protected:
  static db::ColumnDef column(std::string name, std::string type, std::string comment = {}) {
    db::ColumnDef c;
    c.name = std::move(name);
    c.comment = comment.empty() ? ":" + type + ":" : std::move(comment);
    c.type = std::move(type);
    return c;
  }
};
OAS_ON_SERVERS(MysqlTables);

TEST_P(MysqlTables, a_definition_is_refused_where_it_would_commit_changes) {
  const auto connection = open();
  const auto refused = [&](Transaction& tx) {
    for (const char* sql : {"CREATE TABLE lab.x (id int)", "DROP TABLE lab.t", "ALTER TABLE lab.t ADD x int",
                            "TRUNCATE TABLE lab.t", "RENAME TABLE lab.t TO lab.s", "CREATE DATABASE other",
                            "/* a comment */ drop table lab.t", "LOCK TABLES lab.t WRITE"}) {
      const Error e = error_of([&] { tx.execute(sql); });
      EXPECT_EQ(e.code(), Errc::usage) << sql << ": " << e.what();
      EXPECT_TRUE(says(e, "commit"));
    }
  };
  {
    Transaction tx(*connection);
    insert(tx, 1);
    refused(tx);
  }
  {
    Transaction outer(*connection);
    Transaction inner(*connection);
    refused(inner);
  }
  EXPECT_EQ(ids(), "");
  EXPECT_EQ(connection->introspect("lab").size(), 1U);
  Transaction reading(*connection, Transaction::Mode::read);
  EXPECT_EQ(error_of([&] { reading.execute("DROP TABLE lab.t"); }).code(), Errc::usage);
}

TEST_P(MysqlTables, what_comes_after_a_definition_is_a_transaction_again) {
  const auto connection = open();
  {
    Transaction tx(*connection);
    tx.execute("CREATE TABLE lab.x (id int PRIMARY KEY) ENGINE=InnoDB");
    tx.execute("CREATE TABLE lab.y (id int PRIMARY KEY) ENGINE=InnoDB");
    insert(tx, 1);
    EXPECT_EQ(error_of([&] { tx.execute("DROP TABLE lab.x"); }).code(), Errc::usage);
    Transaction inner(*connection);
    insert(inner, 2);
    inner.commit();
  }
  EXPECT_EQ(ids(), "");
  EXPECT_EQ(connection->introspect("lab").size(), 3U);
}

TEST_P(MysqlTables, statements_that_belong_to_the_connection_are_refused) {
  const auto connection = open();
  Transaction tx(*connection);
  insert(tx, 1);
  for (const char* sql : {"COMMIT", "ROLLBACK", "BEGIN", "START TRANSACTION", "SAVEPOINT s1", "SET autocommit = 1",
                          "SET sql_mode = ''", "UNLOCK TABLES", "GRANT ALL ON *.* TO oas", "USE lab", "XA START 'x'",
                          "KILL 1", "LOAD DATA INFILE 'x' INTO TABLE t", "CALL p()", "/*!40000 COMMIT */"}) {
    const Error e = error_of([&] { tx.execute(sql); });
    EXPECT_TRUE(e.code() == Errc::access || e.code() == Errc::syntax || e.code() == Errc::unsupported)
        << sql << ": " << e.what();
  }
  tx.rollback();
  EXPECT_EQ(ids(), "");
}

TEST_P(MysqlTables, behind_locks_changes_and_definitions_mix_and_nobody_comes_between) {
  raw->run("INSERT INTO lab.t (id) VALUES (1), (2); CREATE TABLE lab.notes (id int PRIMARY KEY) ENGINE=InnoDB");
  const auto connection = open();
  config.patience = std::chrono::milliseconds(1);
  const auto hasty = open();
  {
    Transaction tx(*connection);
    tx.execute("LOCK TABLES lab.t WRITE, lab.notes WRITE");
    tx.execute("INSERT INTO lab.notes SELECT id FROM lab.t");
    Transaction other(*hasty);
    EXPECT_EQ(error_of([&] { insert(other, 3); }).code(), Errc::unavailable);
    other.rollback();
    tx.execute("DROP TABLE lab.t");
    tx.execute("INSERT INTO lab.notes VALUES (10)");
    tx.commit();
  }
  EXPECT_EQ(raw->cell("SELECT GROUP_CONCAT(id) FROM lab.notes"), "1,2,10");
  {
    Transaction tx(*connection);
    tx.execute("LOCK TABLES lab.notes WRITE");
    tx.execute("INSERT INTO lab.notes VALUES (11)");
  }
  Transaction tx(*hasty);
  tx.execute("INSERT INTO lab.notes VALUES (12)");
  tx.commit();
  Transaction after(*connection);  // not by itself, as the session was set to before
  after.execute("INSERT INTO lab.notes VALUES (13)");
  after.rollback();
  EXPECT_EQ(raw->cell("SELECT GROUP_CONCAT(id) FROM lab.notes"), "1,2,10,12");
}

TEST_P(MysqlTables, the_catalogue_has_another_number_after_every_change_of_anybody) {
  const auto connection = open();
  connection->introspect("lab");
  std::int64_t last = connection->catalog_version();
  for (const char* change : {"ALTER TABLE lab.t ADD x int", "ALTER TABLE lab.t ADD INDEX (x)",
                             "CREATE TABLE lab.n (id int)", "ALTER TABLE lab.n COMMENT 'x'", "DROP TABLE lab.n",
                             "CREATE TABLE lab.n (id int)", "RENAME TABLE lab.n TO lab.m"}) {
    raw->run(change);
    const std::int64_t now = connection->catalog_version();
    EXPECT_NE(now, last) << change;
    last = now;
  }
  // After a while it is the same; how long that takes is the server's to say.
  for (int i = 0; i < 1000 && last != connection->catalog_version(); ++i) {
    last = connection->catalog_version();
    raw->run("DO SLEEP(0.1)");
  }
  EXPECT_EQ(connection->catalog_version(), last);
  raw->run("INSERT INTO lab.t (id) VALUES (1)");
  EXPECT_EQ(connection->catalog_version(), last);
  Transaction tx(*connection);
  insert(tx, 2);
  raw->run("CREATE TABLE lab.late (id int)");
  EXPECT_NE(connection->catalog_version(), last);
}

TEST_P(MysqlTables, a_table_has_another_number_after_every_change_of_anybody) {
  const auto connection = open();
  const auto of = [&](const char* table) { return connection->table_version("lab", table); };
  EXPECT_EQ(of("n"), of("n"));  // there is none
  std::int64_t last = of("n");
  for (const char* change :
       {"CREATE TABLE lab.n (id int)", "ALTER TABLE lab.n ADD x int", "ALTER TABLE lab.n ADD INDEX (x)",
        "ALTER TABLE lab.n COMMENT 'x'", "ALTER TABLE lab.n MODIFY x int COMMENT 'y'", "DROP TABLE lab.n",
        "CREATE TABLE lab.n (id int)", "RENAME TABLE lab.n TO lab.m"}) {
    raw->run(change);
    const std::int64_t now = of("n");
    EXPECT_NE(now, last) << change;
    last = now;
  }
  for (int i = 0; i < 1000 && last != of("m"); ++i) {
    last = of("m");
    raw->run("DO SLEEP(0.1)");
  }
  EXPECT_EQ(of("m"), last);
  raw->run("INSERT INTO lab.m (id) VALUES (1)");
  raw->run("CREATE TABLE lab.late (id int)");
  EXPECT_EQ(of("m"), last);
}

TEST_P(MysqlTables, tables_come_after_those_that_they_refer_to) {
  raw->run(
      "CREATE TABLE lab.zz (id int PRIMARY KEY) ENGINE=InnoDB; CREATE TABLE lab.aa (id int PRIMARY KEY, FOREIGN KEY "
      "(id) REFERENCES lab.zz (id)) ENGINE=InnoDB; CREATE TABLE lab.self (id int PRIMARY KEY, parent int, FOREIGN KEY "
      "(parent) REFERENCES lab.self (id)) ENGINE=InnoDB; ALTER TABLE lab.zz COMMENT 'changed later'");
  const auto tables = open()->introspect("lab");
  const auto at = [&](const char* name) {
    return std::ranges::find(tables, name, &db::TableDef::name) - tables.begin();
  };
  EXPECT_LT(at("zz"), at("aa"));
  EXPECT_EQ(tables.size(), 4U);
}

TEST_P(MysqlTables, objects_are_found_by_an_index_that_other_programs_do_not_see) {
  const auto connection = open();
  const db::Dialect& dialect = connection->dialect();
  db::TableDef def;
  def.schema = "lab";
  def.name = "scan";
  const std::string longest(64, 'm');
  def.columns = {column("id", "int32"), column("movie", "json", ":<blob@>:a note"),
                 column(longest, "json", ":<npy@>:")};
  def.columns[1].nullable = true;
  def.columns[1].fallback.kind = db::Default::Kind::null;
  def.columns[2].nullable = true;
  def.columns[2].fallback.kind = db::Default::Kind::null;
  def.primary_key = {"id"};
  def.indexes = {{{"movie"}, false, true}, {{longest}, false, true}};
  Transaction tx(*connection);
  for (const auto& sql : dialect.create_table(def)) tx.execute(sql);
  const auto tables = connection->introspect("lab");
  EXPECT_EQ(*std::ranges::find(tables, "scan", &db::TableDef::name), def);

  std::vector<Cells> rows;
  for (int i = 0; i < 2000; ++i) rows.push_back({i, R"({"path": "_hash/lab/)" + std::to_string(i) + R"(", "n": 1})"});
  rows[7][1] = R"({"path": "ü/\"q\"/)" + std::string(1000, 'x') + "\"}";
  rows[8][1] = "[1, 2]";
  rows[9][1] = nullptr;
  const std::vector<std::string> names{"id", "movie"};
  tx.execute_many(dialect.insert(def, names, db::Dialect::OnDuplicate::fail), rows);
  tx.commit();
  raw->run("ANALYZE TABLE lab.scan");
  const std::string select = "SELECT id FROM lab.scan WHERE " + dialect.path_among(def, "movie", 3);
  const Cells wanted{"_hash/lab/1999", "ü/\"q\"/" + std::string(1000, 'x'), "_HASH/LAB/5"};
  Transaction reading(*connection, Transaction::Mode::read);
  const auto cursor = reading.execute(select + " ORDER BY id", wanted);
  Cells cells;
  ASSERT_TRUE(cursor->next(cells));
  EXPECT_EQ(cells[0], Value(7));
  ASSERT_TRUE(cursor->next(cells));
  EXPECT_EQ(cells[0], Value(1999));
  EXPECT_FALSE(cursor->next(cells));
  const auto plan = reading.execute("EXPLAIN FORMAT=JSON " + select, wanted);
  ASSERT_TRUE(plan->next(cells));
  EXPECT_NE(cells[0].as<std::string>().find("range"), std::string::npos) << cells[0].as<std::string>();

  const auto seen = raw->run("SHOW COLUMNS FROM lab.scan");
  for (const auto& row : seen)
    EXPECT_TRUE(row[0] == "id" || row[0] == "movie" || row[0] == longest || row[0][0] == '_');
  EXPECT_EQ(raw->run("SELECT * FROM lab.scan WHERE id = 9").at(0).size(), 3U);
  raw->run("INSERT INTO lab.scan VALUES (5000, NULL, NULL)");

  def.indexes.clear();  // of a program that makes no such index
  const auto slow =
      reading.execute("SELECT id FROM lab.scan WHERE " + dialect.path_among(def, "movie", 1) + " ORDER BY id",
                      std::span(wanted).first(1));
  ASSERT_TRUE(slow->next(cells));
  EXPECT_EQ(cells[0], Value(1999));
}

TEST_P(MysqlTables, texts_of_the_ledger_are_told_apart_byte_by_byte) {
  const auto connection = open();
  const db::Dialect& dialect = connection->dialect();
  db::TableDef def;
  def.schema = "lab";
  def.name = "~oas_claims";
  def.columns = {column("store", "varchar(255)"), column("path", "varchar(1024)"), column("n", "int32")};
  def.primary_key = {"store", "path"};
  Transaction tx(*connection);
  for (const auto& sql : dialect.create_table(def)) tx.execute(sql);
  const std::vector<std::string> names{"store", "path", "n"};
  const std::string insert = dialect.insert(def, names, db::Dialect::OnDuplicate::fail);
  int n = 0;
  for (const std::string& path : {std::string("a"), std::string("A"), std::string("a "), std::string("ä"),
                                  std::string(1024, 'x'), std::string(1023, 'x') + "y"}) {
    const Cells cells{"main", path, ++n};
    tx.execute(insert, cells);
  }
  for (const auto& [path, number] : {std::pair("a", 1), std::pair("A", 2), std::pair("a ", 3), std::pair("ä", 4)}) {
    const Cells wanted{path};
    Cells cells;
    const auto cursor = tx.execute("SELECT n FROM " + dialect.table("lab", "~oas_claims") + " WHERE path = ?", wanted);
    ASSERT_TRUE(cursor->next(cells));
    EXPECT_EQ(cells[0], Value(number));
    EXPECT_FALSE(cursor->next(cells));
  }
}

}  // namespace
}  // namespace oas::test
