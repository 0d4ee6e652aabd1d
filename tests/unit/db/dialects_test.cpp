// What the dialects of PostgreSQL and MySQL write, without a server. Whole definitions: tests/unit/schema.
#include <gtest/gtest.h>

#include "db/postgres_dialect.hpp"
#include "db/registry.hpp"

namespace oas::test {
namespace {

using db::Default;
using db::Dialect;
using Texts = std::vector<std::string>;

const Dialect& postgres() { return db::dialect_of("postgresql"); }
const Dialect& mysql() { return db::dialect_of("mysql"); }

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

db::ColumnDef column(std::string name, std::string type, Default fallback = {}) {
  const bool nullable = fallback.kind == Default::Kind::null;
  const std::string comment = ":" + type + ":";
  return {std::move(name), std::move(type), std::move(fallback), nullable, comment};
}
Default literal(std::string text) { return {Default::Kind::literal, std::move(text)}; }

db::TableDef scans() {
  db::TableDef t;
  t.schema = "lab";
  t.name = "_scan";
  t.comment = "it's a \"scan\"";
  t.columns = {column("subject", "int32"), column("scan", "int16"), column("eye", "enum('left','right')"),
               column("rig", "varchar(12)"), column("data", "json")};
  t.columns[0].origin = t.columns[3].origin = "vivarium";
  t.columns[0].comment = ":int32:whose";
  t.primary_key = {"subject", "scan"};
  t.foreign_keys = {{{"subject"}, "vivarium", "subject", {"subject"}}, {{"rig"}, "lab", "#rig", {"rig"}}};
  t.indexes = {{{"eye", "scan"}, true}, {{"data"}, false, true}};
  return t;
}

TEST(Postgres, names_and_placeholders) {
  EXPECT_EQ(postgres().quote("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(postgres().table("lab", "~oas_trash"), "\"lab\".\"~oas_trash\"");
  EXPECT_EQ(postgres().placeholder(12), "$12");
  for (const char* bad : {"", "\xff"}) EXPECT_EQ(code_of([&] { postgres().quote(bad); }), Errc::usage);
  EXPECT_EQ(code_of([&] { postgres().quote(std::string_view("a\0b", 3)); }), Errc::usage);
}

TEST(Postgres, a_name_that_the_server_would_cut_is_refused) {
  db::TableDef t = scans();
  t.columns[4].name = std::string(63, 'x');
  EXPECT_NO_THROW(postgres().create_table(t));
  t.columns[4].name = std::string(64, 'x');
  EXPECT_EQ(code_of([&] { postgres().create_table(t); }), Errc::definition);
  t = scans();
  t.name = std::string(100'000, 'x');
  EXPECT_EQ(code_of([&] { postgres().create_table(t); }), Errc::definition);
  EXPECT_EQ(code_of([&] { postgres().create_schema(std::string(64, 's')); }), Errc::definition);
}

TEST(Postgres, a_table_has_types_indexes_and_comments_of_their_own) {
  EXPECT_EQ(postgres().portable_table(scans(), {}),
            (Texts{R"(CREATE TYPE "lab"."enum_08a01091" AS ENUM ('left', 'right'))",
                   R"(CREATE TABLE IF NOT EXISTS "lab"."_scan" ()"
                   "\n\"subject\" integer NOT NULL,\n\"scan\" smallint NOT NULL,\n\"eye\" "
                   "\"lab\".\"enum_08a01091\" NOT NULL,\n\"rig\" varchar(12) NOT NULL,\n\"data\" jsonb NOT NULL,\n"
                   "PRIMARY KEY (\"subject\", \"scan\"),\nFOREIGN KEY (\"subject\") REFERENCES "
                   "\"vivarium\".\"subject\" (\"subject\") ON UPDATE CASCADE ON DELETE RESTRICT,\nFOREIGN KEY "
                   "(\"rig\") REFERENCES \"lab\".\"#rig\" (\"rig\") ON UPDATE CASCADE ON DELETE RESTRICT\n)",
                   R"(CREATE UNIQUE INDEX "idx__scan_eye_scan" ON "lab"."_scan" ("eye", "scan"))",
                   R"(CREATE INDEX "idx__scan_rig" ON "lab"."_scan" ("rig"))",
                   R"(COMMENT ON TABLE "lab"."_scan" IS 'it''s a "scan"')",
                   R"(COMMENT ON COLUMN "lab"."_scan"."scan" IS ':int16:')",
                   R"(COMMENT ON COLUMN "lab"."_scan"."eye" IS ':enum(''left'',''right''):')",
                   R"(COMMENT ON COLUMN "lab"."_scan"."data" IS ':json:')"}));
}

TEST(Postgres, what_we_create_looks_at_what_is_there_and_finds_objects) {
  const Texts ours = postgres().create_table(scans()), theirs = postgres().portable_table(scans(), {});
  ASSERT_EQ(ours.size(), theirs.size() + 1);
  EXPECT_TRUE(ours[0].starts_with("DO 'BEGIN CREATE TYPE ")) << ours[0];
  EXPECT_TRUE(ours[1].starts_with("CREATE TABLE \"lab\"")) << ours[1];
  EXPECT_EQ(ours[3], R"(CREATE INDEX "idx__scan_data_path" ON "lab"."_scan" ((("data" ->> 'path'))))");
}

TEST(Postgres, indexes_whose_names_would_be_cut_alike_get_others) {
  db::TableDef t = scans();
  t.name = std::string(60, 't');
  t.indexes = {{{"eye", "scan"}}, {{"eye", "scan", "rig"}}};
  const Texts sql = postgres().create_table(t);
  std::vector<std::string> names;
  for (const std::string& s : sql)
    if (s.starts_with("CREATE INDEX")) names.push_back(s.substr(13, s.find(" ON ") - 13));
  ASSERT_EQ(names.size(), 3U);
  for (const std::string& name : names) EXPECT_LE(name.size(), 65U) << name;
  EXPECT_NE(names[0], names[1]);
  EXPECT_NE(names[1], names[2]);
}

TEST(Postgres, an_enum_is_named_by_its_values_in_any_order) {
  EXPECT_EQ(db::postgres_enum("enum('b','a')").name, db::postgres_enum("enum( \"a\" , 'b' )").name);
  EXPECT_EQ(db::postgres_enum("enum('b','a')").labels, (Texts{"b", "a"}));
  EXPECT_EQ(db::postgres_enum("enum('it''s')").labels, Texts{"it's"});
  EXPECT_EQ(code_of([] { db::postgres_enum("enum('a,b','c')"); }), Errc::definition);
  EXPECT_EQ(code_of([] { db::postgres_enum("enum('\"a\"')"); }), Errc::definition);
}

TEST(Postgres, types_it_has_not_are_refused) {
  for (const char* type : {"tinyint", "int unsigned", "int(11)", "int auto_increment", "double", "float(7,4)", "blob",
                           "longtext", "year", "decimal(5) zerofill", "fixed"})
    EXPECT_EQ(code_of([&] { postgres().column_type(type); }), Errc::definition) << type;
  for (const char* type : {"serial", "int", "numeric(5,2)", "dec", "float", "time(3)", "timestamp", "text",
                           "double precision", "timestamp(3) without time zone"})
    EXPECT_EQ(postgres().column_type(type), type);
}

TEST(Postgres, what_a_server_says_of_a_column_is_a_type_of_the_language) {
  const std::vector<std::pair<std::string, std::string>> types{
      {"integer", "int32"},
      {"character varying(20)", "varchar(20)"},
      {"character(3)", "char(3)"},
      {"timestamp(3) without time zone", "datetime(3)"},
      {"numeric(5,2)", "decimal(5,2)"},
      {"timestamp without time zone", "datetime"},
      {"double precision", "float64"},
      {"interval", "interval"},
      {"jsonb", "json"},
      {"timestamp with time zone", "timestamp with time zone"}};
  for (const auto& [theirs, ours] : types) EXPECT_EQ(db::postgres_core_type(theirs), ours);
}

TEST(Postgres, a_row_is_inserted_skipped_or_replaced) {
  const Texts names{"subject", "scan", "eye"};
  const std::string plain = R"(INSERT INTO "lab"."_scan" ("subject", "scan", "eye") VALUES ($1, $2, $3))";
  EXPECT_EQ(postgres().insert(scans(), names, Dialect::OnDuplicate::fail), plain);
  EXPECT_EQ(postgres().insert(scans(), names, Dialect::OnDuplicate::skip),
            plain + R"( ON CONFLICT ("subject", "scan") DO NOTHING)");
  EXPECT_EQ(postgres().insert(scans(), names, Dialect::OnDuplicate::replace),
            plain + R"( ON CONFLICT ("subject", "scan") DO UPDATE SET "eye" = excluded."eye", "rig" = excluded."rig", )"
                    R"("data" = excluded."data")");
  EXPECT_EQ(postgres().insert(scans(), {}, Dialect::OnDuplicate::fail), R"(INSERT INTO "lab"."_scan" DEFAULT VALUES)");
}

TEST(Postgres, cells) {
  EXPECT_EQ(postgres().to_cell("bool", 1), Value(true));
  EXPECT_EQ(code_of([] { postgres().to_cell("int8", 128); }), Errc::usage);
  EXPECT_EQ(postgres().to_cell("serial", 5), Value(5));
  EXPECT_EQ(postgres().from_cell("char(5)", "ab   "), Value("ab"));
  EXPECT_EQ(postgres().from_cell("varchar(5)", "ab   "), Value("ab   "));
  EXPECT_EQ(postgres().from_cell("double precision", 1.5), Value(1.5));
  EXPECT_EQ(postgres().from_cell("timestamp without time zone", "2026-01-31 00:00:00"),
            Value(DateTime(Date(2026, 1, 31))));
}

TEST(Mysql, names_and_placeholders) {
  EXPECT_EQ(mysql().quote("a`b"), "`a``b`");
  EXPECT_EQ(mysql().table("lab", "#rig"), "`lab`.`#rig`");
  EXPECT_EQ(mysql().placeholder(12), "?");
  EXPECT_NO_THROW(mysql().create_schema(std::string(64, 's')));
  EXPECT_EQ(code_of([&] { mysql().create_schema(std::string(65, 's')); }), Errc::definition);
}

TEST(Mysql, a_table_is_one_statement) {
  EXPECT_EQ(mysql().portable_table(scans(), {}),
            Texts{"CREATE TABLE IF NOT EXISTS `lab`.`_scan` (\n`subject` int NOT NULL COMMENT \"whose\",\n`scan` "
                  "smallint NOT NULL COMMENT \":int16:\",\n`eye` enum('left','right') NOT NULL COMMENT "
                  "\":enum('left','right'):\",\n`rig` varchar(12) NOT NULL,\n`data` json NOT NULL COMMENT "
                  "\":json:\",\nPRIMARY KEY (`subject`, `scan`),\nFOREIGN KEY (`subject`) REFERENCES "
                  "`vivarium`.`subject` (`subject`) ON UPDATE CASCADE ON DELETE RESTRICT,\nFOREIGN KEY (`rig`) "
                  "REFERENCES `lab`.`#rig` (`rig`) ON UPDATE CASCADE ON DELETE RESTRICT,\nunique index (`eye`,"
                  "`scan`)\n) ENGINE=InnoDB, COMMENT \"it's a \\\"scan\\\"\""});
}

TEST(Mysql, texts_arrive_as_they_were_written) {
  db::ColumnDef c = column("x", "varchar(9)", literal("a\\b'c"));
  c.comment = ":varchar(9):say \"hi\" \\ twice";
  EXPECT_EQ(mysql().column(c, "lab", false),
            "`x` varchar(9) NOT NULL DEFAULT 'a\\\\b''c' COMMENT \":varchar(9):say \\\"hi\\\" "
            "\\\\ twice\"");
  EXPECT_EQ(mysql().column(column("x", "bool", literal("True")), "lab", false),
            "`x` tinyint NOT NULL DEFAULT '1' COMMENT "
            "\":bool:\"");
}

TEST(Mysql, columns_of_references_have_the_types_that_the_server_says) {
  const std::vector<std::pair<std::string, std::string>> types{{"enum( 'a', \"b\" )", "enum('a','b')"},
                                                               {"decimal", "decimal(10,0)"},
                                                               {"dec(5, 2)", "decimal(5,2)"},
                                                               {"int(11) unsigned", "int unsigned"},
                                                               {"int auto_increment", "int"},
                                                               {"integer", "int"},
                                                               {"serial", "bigint unsigned"},
                                                               {"real", "double"},
                                                               {"bool", "tinyint"},
                                                               {"datetime(3)", "datetime(3)"},
                                                               {"year", "year(4)"}};
  for (const auto& [type, there] : types) {
    db::ColumnDef c = column("x", type);
    c.origin = "lab";
    EXPECT_EQ(mysql().column(c, "lab", false), "`x` " + there + " NOT NULL");
  }
  db::ColumnDef id = column("x", "uuid");
  id.origin = "lab";
  EXPECT_EQ(mysql().column(id, "lab", false), "`x` binary(16) NOT NULL COMMENT \":uuid:\"");
}

TEST(Mysql, what_could_not_be_read_back_is_refused) {
  const db::ColumnDef id = column("x", "uuid", literal("00112233-4455-6677-8899-aabbccddeeff"));
  EXPECT_EQ(code_of([&] { mysql().column(id, "lab", false); }), Errc::definition);
  EXPECT_NO_THROW(postgres().column(id, "lab", false));
  EXPECT_EQ(code_of([&] { mysql().column(column("x", "text"), "lab", true); }), Errc::definition);
  EXPECT_NO_THROW(mysql().column(column("x", "text"), "lab", false));
}

TEST(Mysql, types_it_has_not_are_refused) {
  for (const char* type : {"varchar(65536)", "char(256)", "decimal(66,2)", "decimal(40,31)", "enum(1,2)", "smalltext"})
    EXPECT_EQ(code_of([&] { mysql().column_type(type); }), Errc::definition) << type;
}

TEST(Mysql, only_the_same_primary_key_is_skipped_or_replaced) {
  const Texts names{"subject", "scan", "eye"};
  const std::string plain = "INSERT INTO `lab`.`_scan` (`subject`, `scan`, `eye`) VALUES (?, ?, ?)";
  const std::string same =
      " ON DUPLICATE KEY UPDATE `subject` = IF(`subject` <=> VALUES(`subject`) AND `scan` <=> VALUES(`scan`), "
      "`subject`, NULL)";
  EXPECT_EQ(mysql().insert(scans(), names, Dialect::OnDuplicate::fail), plain);
  EXPECT_EQ(mysql().insert(scans(), names, Dialect::OnDuplicate::skip), plain + same);
  EXPECT_EQ(mysql().insert(scans(), names, Dialect::OnDuplicate::replace),
            plain + same + ", `eye` = VALUES(`eye`), `rig` = VALUES(`rig`), `data` = VALUES(`data`)");
}

TEST(Mysql, cells) {
  const Uuid id = Uuid::parse("00112233-4455-6677-8899-aabbccddeeff");
  const Value cell = mysql().to_cell("uuid", id);
  ASSERT_TRUE(cell.is<Bytes>());
  EXPECT_EQ(cell.as<Bytes>().size(), 16U);
  EXPECT_EQ(mysql().from_cell("uuid", cell), Value(id));
  EXPECT_EQ(mysql().to_cell("datetime", "2026-01-31 00:00:00.6"), Value("2026-01-31 00:00:01"));
  EXPECT_EQ(mysql().to_cell("bigint unsigned", 5), Value(5));
  EXPECT_EQ(code_of([] { mysql().to_cell("int unsigned", -1); }), Errc::usage);
  EXPECT_EQ(code_of([] { mysql().to_cell("float64", std::numeric_limits<double>::infinity()); }), Errc::usage);
}

TEST(Dialects, functions_of_conditions) {
  EXPECT_EQ(postgres().function("year"), "date_part('year', {})::int");
  EXPECT_EQ(mysql().function("length"), "char_length");
  EXPECT_EQ(mysql().function("||"), std::nullopt);  // there it is "or"
  for (const Dialect* dialect : {&postgres(), &mysql(), &db::dialect_of("sqlite")}) {
    EXPECT_EQ(dialect->function("coalesce"), "coalesce");
    EXPECT_EQ(dialect->function("load_file"), std::nullopt);
  }
}

TEST(Dialects, columns_refer_to_columns_that_they_can_be_compared_with) {
  struct Pair {
    const char *child, *parent;
    bool in_postgres, in_mysql, in_sqlite;
  };
  for (const Pair& p :
       {Pair{"int8", "int16", true, false, true}, Pair{"int32", "decimal(6,2)", true, false, false},
        Pair{"decimal(6,2)", "int32", false, false, false}, Pair{"decimal(6,2)", "decimal(4,0)", true, true, true},
        Pair{"char(4)", "varchar(9)", true, true, true}, Pair{"date", "datetime", true, false, false},
        Pair{"datetime(3)", "datetime", true, true, true}, Pair{"float32", "float64", true, false, true},
        Pair{"bool", "int8", false, true, false}, Pair{"uuid", "uuid", true, true, true},
        Pair{"enum('a','b')", "enum('b','a')", true, true, true},
        Pair{"enum('a','b')", "varchar(9)", false, false, false}}) {
    db::ColumnDef child = column("x", p.child), parent = column("y", p.parent);
    child.origin = parent.origin = "lab";
    EXPECT_EQ(postgres().can_refer(child, parent), p.in_postgres) << p.child << " " << p.parent;
    EXPECT_EQ(mysql().can_refer(child, parent), p.in_mysql) << p.child << " " << p.parent;
    EXPECT_EQ(db::dialect_of("sqlite").can_refer(child, parent), p.in_sqlite) << p.child << " " << p.parent;
  }
  db::ColumnDef child = column("x", "enum('a','b')"), parent = child;
  child.origin = "lab";
  parent.origin = "vivarium";  // another type there
  EXPECT_FALSE(postgres().can_refer(child, parent));
}

TEST(Dialects, what_is_no_type_has_no_column) {
  for (const Dialect* dialect : {&postgres(), &mysql(), &db::dialect_of("sqlite")})
    for (const char* type : {"int33", "uint8", "varchar", "varchar(0)", "datetime(7)", "decimal(2,3)", "enum()",
                             "int32 = 5", "", "(", "enum('a", "int32) x"})
      EXPECT_EQ(code_of([&] { dialect->column_type(type); }), Errc::definition) << dialect->name() << " " << type;
}

TEST(Dialects, those_without_a_driver_are_there) {
  EXPECT_EQ(postgres().name(), "postgresql");
  EXPECT_EQ(mysql().name(), "mysql");
  EXPECT_EQ(code_of([] { db::dialect_of("oracle"); }), Errc::usage);
}

}  // namespace
}  // namespace oas::test
