// What only the PostgreSQL driver does: rows that stream, statements that are kept, cells in binary, tables that others
// made, roles that may do little.
#include <fstream>
#include <sstream>

#include <oas/oas.hpp>

#include "postgres_lab.hpp"
#include "support/temp_folder.hpp"

namespace oas::test {
namespace {

using Mode = db::Transaction::Mode;

class Postgres : public PostgresLab {
 protected:
  /// Most memory that this process has had, in bytes.
  static std::size_t peak() {
    std::ifstream status("/proc/self/status");
    std::string word;
    std::size_t kilobytes = 0;
    while (status >> word)
      if (word == "VmHWM:") status >> kilobytes;
    return kilobytes * 1024;
  }
};

TEST_F(Postgres, RowsStreamWhateverTheirNumber) {
  const auto connection = open();
  db::Transaction tx(*connection, Mode::read);
  const auto cursor = tx.execute("SELECT generate_series(1, 200000), repeat('x', 1000)");
  Cells cells;
  ASSERT_TRUE(cursor->next(cells));
  const std::size_t before = peak();
  std::int64_t last = 1;
  while (cursor->next(cells)) ASSERT_EQ(cells[0].as<std::int64_t>(), ++last);
  EXPECT_EQ(last, 200'000);
  EXPECT_LT(peak() - before, std::size_t{50} << 20);
}

TEST_F(Postgres, OtherStatementsRunWhileRowsStream) {
  const auto connection = open();
  db::Transaction tx(*connection);
  const auto first = tx.execute("SELECT n FROM generate_series(1, 3000) n");
  const auto second = tx.execute("SELECT n FROM generate_series(1, 3000) n WHERE n > $1", std::vector<Value>{10});
  Cells cells;
  std::int64_t sum = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(first->next(cells));
    sum += cells[0].as<std::int64_t>();
    ASSERT_TRUE(second->next(cells));
    sum -= cells[0].as<std::int64_t>();
  }
  EXPECT_EQ(sum, -10'000);
  tx.execute("CREATE TABLE public.t (id int)");
  ASSERT_TRUE(second->next(cells));
  EXPECT_EQ(cells[0], Value(1011));
  tx.commit();
}

TEST_F(Postgres, RowsThatNobodyWantsAreNotWaitedFor) {
  const auto connection = open();
  for (int i = 0; i < 2; ++i) {
    db::Transaction tx(*connection, Mode::read);
    Cells cells;
    tx.execute("SELECT generate_series(1, 100000000000)")->next(cells);  // hours of them
    EXPECT_EQ(cells[0], Value(1));
    if (i == 1) tx.commit();
  }
  EXPECT_EQ(ask(*connection, "SELECT 1"), Value(1));
}

TEST_F(Postgres, AFailureAmongTheRowsComesInItsPlace) {
  const auto connection = open();
  db::Transaction tx(*connection, Mode::read);
  const auto cursor = tx.execute("SELECT 10 / (50000 - n) FROM generate_series(1, 60000) n");
  Cells cells;
  int rows = 0;
  fails(Errc::constraint, "division by zero", [&] {
    while (cursor->next(cells)) ++rows;
  });
  EXPECT_EQ(rows, 49'999);
}

TEST_F(Postgres, StatementsAreKeptAndForgotten) {
  const auto connection = open();
  const auto kept = [&] { return ask(*connection, "SELECT count(*) FROM pg_prepared_statements").as<int>(); };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 300; ++i) {
      EXPECT_EQ(ask(*connection, "SELECT $1 + " + std::to_string(i), {round}), Value(round + i));
    }
    EXPECT_LT(kept(), 200);
    EXPECT_GE(kept(), 100);
  }
}

TEST_F(Postgres, OneStatementTakesParametersOfEveryKind) {
  const auto connection = open();
  change(
      *connection,
      "CREATE TABLE public.t (id serial PRIMARY KEY, s smallint, i int, l bigint, f real, d float8, n numeric(20,5), "
      "t text, c char(5), b bytea, o bool, u uuid, j jsonb, day date, at timestamp, clock time)");
  const std::string insert =
      "INSERT INTO public.t (s, i, l, f, d, n, t, c, b, o, u, j, day, at, clock) VALUES ($1, $2, $3, $4, $5, $6, $7, "
      "$8, $9, "
      "$10, $11, $12, $13, $14, $15)";
  const std::string id = "00000000-0000-4000-8000-000000000001";
  const Cells full{-5,
                   1 << 30,
                   std::int64_t{1} << 60,
                   1.5,
                   0.1,
                   "-123.45000",
                   "it's \\ \"x\"",
                   "ab   ",
                   Bytes::copy("\1\2"),
                   true,
                   id,
                   "{\"a\": [1, null]}",
                   "2024-02-29",
                   "1999-12-31 23:59:59.000001",
                   "01:02:03.500000"};
  const Cells empty(15), small{1,         2,       3,     4.0, 5.0, "6.00000",    "",
                               "x    ",   Bytes(), false, id,  "7", "0001-01-01", "9999-12-31 00:00:00",
                               "00:00:00"};
  db::Transaction tx(*connection);
  EXPECT_EQ(tx.execute_many(insert, std::vector<Cells>{empty, full, small, empty, full}),
            (std::vector<std::int64_t>{1, 1, 1, 1, 1}));
  const auto cursor = tx.execute("SELECT s, i, l, f, d, n, t, c, b, o, u, j, day, at, clock FROM public.t ORDER BY id");
  Cells cells;
  for (const Cells& row : {empty, full, small, empty, full}) {
    ASSERT_TRUE(cursor->next(cells));
    EXPECT_EQ(cells, row);
  }
  tx.commit();
}

TEST_F(Postgres, InsertsOfManyRowsGoTogetherAndEachIsCounted) {
  const auto connection = open();
  change(*connection, "CREATE TABLE public.t (id int PRIMARY KEY, b bytea)");
  const std::string insert = "INSERT INTO public.t (id, b) VALUES ($1, $2)";
  const auto rows = [](int first, int count, std::size_t size) {
    std::vector<Cells> out;
    for (int i = first; i < first + count; ++i)
      out.push_back({i, i % 3 ? Value(Bytes::copy(std::string(size, 'x'))) : Value()});
    return out;
  };
  {
    db::Transaction tx(*connection);
    EXPECT_EQ(tx.execute_many(insert, rows(0, 100, 5)), std::vector<std::int64_t>(100, 1));
    EXPECT_EQ(tx.execute_many(insert, rows(100, 40, 50'000)), std::vector<std::int64_t>(40, 1));
    tx.commit();
  }
  EXPECT_EQ(ask(*connection, "SELECT count(DISTINCT id) * 1000 + count(b) FROM public.t"), Value(140'093));
  fails(Errc::duplicate, "(id)", [&] {
    db::Transaction tx(*connection);
    tx.execute_many(insert, rows(120, 60, 5));
  });
  EXPECT_EQ(ask(*connection, "SELECT count(*) FROM public.t"), Value(140));
  // A row that a trigger leaves out is not counted, and neither are those that went with it: better one too few.
  client().run(
      "CREATE FUNCTION public.drop_200() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 200 THEN RETURN NULL; "
      "END IF; RETURN NEW; END'; CREATE TRIGGER drop_200 BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION "
      "public.drop_200()");
  db::Transaction tx(*connection);
  const auto counted = tx.execute_many(insert, rows(200, 32, 5));
  EXPECT_EQ(counted[0], 0);
  EXPECT_EQ(counted[31], 1);
}

TEST_F(Postgres, NumbersOfEveryLengthComeInBinaryAsTheServerWritesThem) {
  const auto connection = open();
  for (const char* number :
       {"0", "0.0", "0.00001", "-0.00010", "1", "9999", "10000", "10001.0001", "99999999.99999999",
        "123456789012345678901234567890.000000000000000000001", "-1e-20", "1e40", "NaN", "10000000000000000",
        "0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000000001"}) {
    const std::string text = number;
    db::Transaction tx(*connection, Mode::read);
    Cells cells;
    tx.execute("SELECT '" + text + "'::numeric, '" + text + "'::numeric::text")->next(cells);
    EXPECT_EQ(cells[0], cells[1]);
  }
}

TEST_F(Postgres, EnumerationsComeBesideBytesAndOtherTypesAsText) {
  const auto connection = open();
  change(*connection, "CREATE TYPE public.mood AS ENUM ('so so', 'naïve')");
  change(*connection, "CREATE TABLE public.t (m public.mood, b bytea, i interval, a int[], f float8, o bool, n int8)");
  const Bytes big = Bytes::copy(std::string(100'000, '\xff'));
  change(*connection, "INSERT INTO public.t VALUES ($1, $2, '1 day', '{1,2}', $3, $4, $5)",
         {"naïve", big, -0.5, true, INT64_MIN});
  db::Transaction tx(*connection, Mode::read);
  Cells cells;
  tx.execute("SELECT m, b FROM public.t")->next(cells);
  EXPECT_EQ(cells, (Cells{"naïve", big}));
  tx.execute("SELECT m, b, i, a, f, o, n FROM public.t")->next(cells);
  EXPECT_EQ(cells, (Cells{"naïve", big, "1 day", "{1,2}", -0.5, true, INT64_MIN}));
  tx.execute("SELECT 'Infinity'::float8, '-Infinity'::real, 'NaN'::float8, 1.5::real, '{}'::int[]")->next(cells);
  EXPECT_EQ(cells[0], Value(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(cells[1], Value(-std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(std::isnan(cells[2].as<double>()));
  EXPECT_EQ(cells[3], Value(1.5));
}

TEST_F(Postgres, SettingsOfTheServerChangeNothing) {
  PostgresClient admin("postgres");
  for (const char* setting :
       {"DateStyle = 'German'", "TimeZone = 'Asia/Tokyo'", "bytea_output = 'escape'", "IntervalStyle = 'iso_8601'",
        "extra_float_digits = -10", "search_path = 'none'", "standard_conforming_strings = off",
        "statement_timeout = 1", "lock_timeout = 1", "default_transaction_read_only = on",
        "default_transaction_isolation = 'serializable'", "client_encoding = 'LATIN1'"}) {
    admin.run("ALTER DATABASE " + config.name + " SET " + setting);
  }
  const auto connection = open();
  change(*connection,
         "CREATE TABLE public.t (day date, at timestamp DEFAULT CURRENT_TIMESTAMP, b bytea, f float8, t text)");
  change(*connection, "INSERT INTO public.t (day, b, f, t) VALUES ($1, $2, $3, 'naïve \\')",
         {"2024-01-02", Bytes::copy("\xff"), 0.1});
  db::Transaction tx(*connection, Mode::read);
  Cells cells;
  tx.execute("SELECT day, b, f, t, at, '{}'::int[] FROM public.t")->next(cells);
  EXPECT_EQ(cells[0], Value("2024-01-02"));
  EXPECT_EQ(cells[1], Value(Bytes::copy("\xff")));
  EXPECT_EQ(cells[2], Value(0.1));
  EXPECT_EQ(cells[3], Value("naïve \\"));
  EXPECT_LT(std::abs(DateTime::parse(cells[4].as<std::string>()).microseconds - DateTime::now().microseconds),
            600'000'000);
  admin.run("ALTER DATABASE " + config.name + " RESET ALL");
}

TEST_F(Postgres, WhatIsNoTextAndWhatIsTooLarge) {
  const auto connection = open();
  fails(Errc::constraint, "UTF-8", [&] { ask(*connection, "SELECT $1::text", {"\xff\xfe"}); });
  fails(Errc::usage, "NUL", [&] { ask(*connection, "SELECT $1::text", {std::string("a\0b", 3)}); });
  fails(Errc::usage, "NUL", [&] { ask(*connection, std::string("SELECT '\0'", 10)); });
  fails(Errc::constraint, "store", [&] {
    static const std::byte one{};
    ask(*connection, "SELECT $1", {Bytes::borrow(BytesView(&one, std::size_t{5} << 30))});  // refused before it is read
  });
  EXPECT_EQ(ask(*connection, "SELECT length($1)", {Bytes::copy(std::string(20 << 20, 'x'))}), Value(20 << 20));
}

TEST_F(Postgres, StatementsThatBelongToTheConnection) {
  const auto connection = open();
  for (const char* sql : {"BEGIN", "  commit", "/* x */ ROLLBACK", "-- x\nSAVEPOINT s1", "SET TimeZone = 'Asia/Tokyo'",
                          "DISCARD ALL", "COPY (SELECT 1) TO STDOUT", "DEALLOCATE ALL", "abort"}) {
    fails(Errc::access, "belong to the connection", [&] { change(*connection, sql); });
  }
  fails(Errc::usage, "none", [&] { change(*connection, "  -- nothing\n"); });
}

TEST_F(Postgres, TablesThatOthersMadeAreRead) {
  client().run(R"(
    CREATE SCHEMA odd;
    CREATE DOMAIN odd.positive AS int CHECK (VALUE > 0);
    CREATE TYPE odd.pair AS (a int, b text);
    CREATE TABLE odd.parent (a int, b int, PRIMARY KEY (b, a));
    CREATE TABLE odd.all_of_it (
      id int GENERATED ALWAYS AS IDENTITY, p odd.positive, pr odd.pair, ar text[], g int GENERATED ALWAYS AS (1 + 1) STORED,
      ts timestamptz DEFAULT now(), e int DEFAULT 1 + 1, neg numeric DEFAULT -1.50, s smallint DEFAULT -3, st text DEFAULT 'it''s',
      x int, y int, cf int, FOREIGN KEY (x, y) REFERENCES odd.parent (a, b), UNIQUE (st), CHECK (x > 0));
    CREATE INDEX ON odd.all_of_it (lower(st));
    CREATE INDEX ON odd.all_of_it (x) WHERE x > 5;
    CREATE INDEX ON odd.all_of_it (s DESC, st) INCLUDE (x);
    CREATE TABLE odd.parts (k int, v int) PARTITION BY RANGE (k);
    CREATE TABLE odd.part_1 PARTITION OF odd.parts FOR VALUES FROM (0) TO (10);
    CREATE VIEW odd.seen AS SELECT 1 AS one;
    CREATE TABLE odd."UPPER ""quoted""" ("Camel Case" int);
    ALTER TABLE odd.parent DROP COLUMN a CASCADE;
    COMMENT ON COLUMN odd.parent.b IS ':<broken';
    COMMENT ON COLUMN odd.all_of_it.x IS ':uint8:old')");
  const auto connection = open();
  const auto tables = connection->introspect("odd");
  ASSERT_EQ(tables.size(), 4U);
  EXPECT_EQ(tables[0].name, "parent");
  ASSERT_EQ(tables[0].columns.size(), 1U);
  const db::TableDef& all = tables[1];
  const auto column = [&](const std::string& name) {
    return *std::ranges::find(all.columns, name, &db::ColumnDef::name);
  };
  EXPECT_EQ(column("p").type, "odd.positive");
  EXPECT_EQ(column("ar").type, "text[]");
  EXPECT_EQ(column("x").type, "int32");
  EXPECT_EQ(column("ts").fallback.kind, db::Default::Kind::now);
  EXPECT_EQ(column("e").fallback.kind, db::Default::Kind::null);
  EXPECT_EQ(column("neg").fallback, (db::Default{db::Default::Kind::literal, "-1.50"}));
  EXPECT_EQ(column("s").fallback, (db::Default{db::Default::Kind::literal, "-3"}));
  EXPECT_EQ(column("st").fallback, (db::Default{db::Default::Kind::literal, "it's"}));
  EXPECT_EQ(all.indexes, (std::vector<db::IndexDef>{{{"st"}, true, false}, {{"s", "st"}, false, false}}));
  EXPECT_EQ(tables[2].name, "parts");
  EXPECT_EQ(tables[3].name, "UPPER \"quoted\"");
  EXPECT_EQ(connection->schemas(), std::vector<std::string>{"odd"});
}

TEST_F(Postgres, EveryChangeOfTheCatalogueIsNoticed) {
  const auto connection = open();
  std::int64_t version = connection->catalog_version();
  EXPECT_EQ(connection->catalog_version(), version);
  const auto of_table = [&] { return connection->table_version("s", "t"); };
  std::int64_t of_t = of_table();
  EXPECT_EQ(of_table(), of_t);
  for (const char* sql :
       {"CREATE SCHEMA s", "CREATE TYPE s.e AS ENUM ('a')",
        "CREATE TABLE s.t (id int PRIMARY KEY, e s.e, v varchar(5))", "ALTER TABLE s.t ADD COLUMN c int",
        "COMMENT ON COLUMN s.t.c IS ':int32:'", "COMMENT ON COLUMN s.t.c IS ':int32:x'",
        "ALTER TABLE s.t ALTER COLUMN c SET DEFAULT 5", "ALTER TABLE s.t ALTER COLUMN c SET NOT NULL",
        "ALTER TABLE s.t ALTER COLUMN v TYPE varchar(9)", "ALTER TABLE s.t RENAME COLUMN c TO d",
        "CREATE UNIQUE INDEX i ON s.t (v)", "ALTER TABLE s.t ADD FOREIGN KEY (d) REFERENCES s.t (id)",
        "ALTER TYPE s.e ADD VALUE 'b'", "ALTER TABLE s.t DROP COLUMN e", "COMMENT ON TABLE s.t IS 'x'",
        "DROP INDEX s.i", "DROP TABLE s.t", "DROP SCHEMA s CASCADE"}) {
    client().run(sql);
    const std::int64_t now = connection->catalog_version();
    EXPECT_NE(now, version) << sql;
    version = now;
    const std::int64_t now_of_t = of_table();
    const std::string_view change(sql);
    if (change.starts_with("CREATE SCHEMA") || change.starts_with("CREATE TYPE") || change.starts_with("DROP SCHEMA"))
      EXPECT_EQ(now_of_t, of_t) << sql;
    else
      EXPECT_NE(now_of_t, of_t) << sql;
    of_t = now_of_t;
  }
  client().run("CREATE TABLE public.t (id int)");
  version = connection->catalog_version();
  of_t = connection->table_version("public", "t");
  client().run("INSERT INTO public.t VALUES (1)");
  EXPECT_EQ(connection->catalog_version(), version);
  client().run("CREATE TABLE public.other (id int)");
  EXPECT_EQ(connection->table_version("public", "t"), of_t);
}

TEST_F(Postgres, ARoleThatMayOnlyRead) {
  TempFolder folder;
  const auto session_of = [&](const std::string& user, const std::string& password) {
    Settings settings = Settings::parse(R"({"database": {"backend": "postgresql"}, "stores": {"default": "main", "main":
      {"protocol": "file", "location": ")" +
                                        folder.path().string() + R"("}}})");
    settings.set("database.host", config.host);
    settings.set("database.port", config.port);
    settings.set("database.name", config.name);
    settings.set("database.user", user);
    settings.set("database.password", password);
    return Session(std::move(settings));
  };
  Session owner = session_of(config.user, config.password);
  owner.schema("lab").declare("Thing", Tier::manual, "id : int32\n---\nb : <blob@>").insert1({{"id", 1}, {"b", "one"}});
  client().run(
      "DO $$ BEGIN CREATE ROLE only_reads LOGIN PASSWORD 'r'; EXCEPTION WHEN duplicate_object OR unique_violation "
      "THEN NULL; END $$; GRANT USAGE ON SCHEMA lab TO only_reads");
  Session reader = session_of("only_reads", "r");
  fails(Errc::access, "~lineage", [&] { reader.schema("lab")["Thing"]; });
  client().run("GRANT SELECT ON ALL TABLES IN SCHEMA lab TO only_reads");
  auto thing = reader.schema("lab")["Thing"];
  EXPECT_EQ(thing.fetch1("b"), Value("one"));
  const auto files = [&] {  // but for what is kept for writers that know nothing of the ledger
    std::size_t n = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
      n += entry.is_regular_file() && entry.path().string().find("_oas_quarantine") == std::string::npos;
    return n;
  };
  const std::size_t before = files();
  fails(Errc::access, "", [&] { thing.insert1({{"id", 2}, {"b", "two"}}); });
  fails(Errc::access, "", [&] { thing.remove(); });
  fails(Errc::access, "", [&] { reader.schema("lab").declare("Other", Tier::manual, "id : int32"); });
  fails(Errc::access, "", [&] { reader.schema("fresh"); });
  EXPECT_EQ(files(), before);
  EXPECT_EQ(thing.size(), 1U);

  // One that may change rows, and nothing else.
  client().run(
      "DO $$ BEGIN CREATE ROLE changes_rows LOGIN PASSWORD 'c'; EXCEPTION WHEN duplicate_object OR "
      "unique_violation THEN NULL; END $$; GRANT USAGE ON SCHEMA lab TO changes_rows; GRANT SELECT, INSERT, "
      "UPDATE, DELETE ON ALL TABLES IN SCHEMA lab TO changes_rows");
  Session writer = session_of("changes_rows", "c");
  auto same = writer.schema("lab")["Thing"];
  same.insert({Row{{"id", 2}, {"b", "two"}}, Row{{"id", 3}, {"b", "three"}}});
  same.update1({{"id", 2}, {"b", "another"}});
  same.insert1({{"id", 3}, {"b", "new"}}, {.replace = true});
  EXPECT_EQ((same & key({{"id", 2}})).remove(), 1U);
  EXPECT_EQ(files(), 2U);
  fails(Errc::access, "", [&] { same.drop(); });
  EXPECT_EQ(writer.audit({.deep = true}).leaked, 0U);

  // Of a schema that never had anything to do with this library.
  client().run(
      "CREATE SCHEMA theirs; CREATE TABLE theirs.plain (id int PRIMARY KEY); GRANT USAGE ON SCHEMA theirs TO "
      "only_reads; "
      "GRANT SELECT ON theirs.plain TO only_reads");
  EXPECT_EQ(reader.schema("theirs")["Plain"].size(), 0U);
  EXPECT_EQ(
      client().cell("SELECT count(*) FROM pg_class WHERE relnamespace = 'theirs'::regnamespace AND relname LIKE '~%'"),
      "0");
  EXPECT_EQ(reader.audit({.deep = true}).dangling, 0U);
}

}  // namespace
}  // namespace oas::test
