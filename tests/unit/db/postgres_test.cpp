// What the driver for PostgreSQL knows without a server: cells on the wire, defaults as they are read back, errors.
#include <gtest/gtest.h>

#include "db/postgres_catalog.hpp"
#include "db/postgres_errors.hpp"
#include "db/postgres_wire.hpp"

namespace oas::db {
namespace {

using namespace std::string_literals;
using Cells = std::vector<Value>;

PostgresSignature signature(const Cells& params) {
  PostgresSignature s;
  EXPECT_TRUE(s.add(params));
  return s;
}

TEST(PostgresWire, ParametersHaveTheTypeOfTheirValue) {
  const Cells params{nullptr, true, 7, std::int64_t{1} << 40, 0.5, "text", Bytes::copy("b")};
  const PostgresSignature s = signature(params);
  EXPECT_EQ(s.kinds(), "\0bildty"s);
  EXPECT_EQ(s.types(), (std::vector<PostgresType>{0, 16, 23, 20, 701, 0, 17}));
  const PostgresParameters p(params, s);
  ASSERT_EQ(p.count(), 7);
  EXPECT_EQ(p.values()[0], nullptr);
  const auto bytes = [&](int i) { return std::string(p.values()[i], static_cast<std::size_t>(p.lengths()[i])); };
  EXPECT_EQ(bytes(1), "\1");
  EXPECT_EQ(bytes(2), "\0\0\0\7"s);
  EXPECT_EQ(bytes(3), "\0\0\1\0\0\0\0\0"s);
  EXPECT_EQ(bytes(4), "\x3f\xe0\0\0\0\0\0\0"s);
  EXPECT_EQ(bytes(5), "text");
  EXPECT_EQ(bytes(6), "b");
  EXPECT_EQ(p.formats()[5], 0);
  EXPECT_EQ(p.formats()[6], 1);
  EXPECT_EQ(p.bytes(), 1U + 4 + 8 + 8 + 4 + 1);
}

TEST(PostgresWire, OneStatementServesRowsThatDifferInNullsAndInLength) {
  PostgresSignature s;
  EXPECT_TRUE(s.add(Cells{nullptr, 1}));
  EXPECT_TRUE(s.add(Cells{"a", std::int64_t{1} << 40}));
  EXPECT_TRUE(s.add(Cells{nullptr, 2}));
  EXPECT_EQ(s.kinds(), "tl");
  EXPECT_FALSE(s.add(Cells{1, 1}));
  EXPECT_EQ(s.kinds(), "tl");
  EXPECT_TRUE(s.takes(signature({nullptr, 5})));
  EXPECT_FALSE(s.takes(signature({"a", 0.5})));
  EXPECT_FALSE(signature({1}).takes(signature({std::int64_t{1} << 40})));
  EXPECT_FALSE(s.takes(signature({"a"})));
  const Cells row{"a", 2};
  EXPECT_EQ(PostgresParameters(row, s).lengths()[1], 8);
  EXPECT_EQ(s.repeated(2).kinds(), "tltl");
}

TEST(PostgresWire, WhatIsNoCellIsRefusedWithItsNumber) {
  for (const auto& [value, code] :
       {std::pair<Value, Errc>{map({}), Errc::usage}, {"a\0b"s, Errc::usage}, {Date(2024, 1, 1), Errc::usage}}) {
    try {
      signature({1, value});
      ADD_FAILURE() << value.describe();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code);
      EXPECT_NE(std::string(e.what()).find("parameter 2"), std::string::npos) << e.what();
    }
  }
}

TEST(PostgresWire, InsertsOfOneRowBecomeInsertsOfSeveral) {
  EXPECT_EQ(postgres_insert_of_rows("INSERT INTO \"a\".\"t\" (\"x\", \"y\") VALUES ($1, $2)", 2, 3),
            "INSERT INTO \"a\".\"t\" (\"x\", \"y\") VALUES ($1, $2), ($3, $4), ($5, $6)");
  for (const char* other :
       {"INSERT INTO t VALUES ($1, $2) ON CONFLICT DO NOTHING", "INSERT INTO t VALUES ($1, $1)",
        "INSERT INTO t VALUES ($1)", "INSERT INTO t VALUES ($1, lower($2))", "DELETE FROM t VALUES ($1, $2)",
        "INSERT INTO t SELECT 1 WHERE 2 IN (VALUES ($1, $2)", ""}) {
    EXPECT_EQ(postgres_insert_of_rows(other, 2, 3), "") << other;
  }
  EXPECT_EQ(postgres_insert_of_rows("INSERT INTO t DEFAULT VALUES", 0, 3), "");
}

TEST(PostgresWire, BinaryCells) {
  const auto read = [](PostgresType type, const std::string& cell) { return read_binary_cell(type, cell, nullptr); };
  EXPECT_EQ(read(16, "\1"), Value(true));
  EXPECT_EQ(read(21, "\xff\xfe"), Value(-2));
  EXPECT_EQ(read(20, "\x80\0\0\0\0\0\0\0"s), Value(INT64_MIN));
  EXPECT_EQ(read(700, "\x3f\x80\0\0"s), Value(1.0));
  EXPECT_EQ(read(1082, "\0\0\0\0"s), Value("2000-01-01"));
  EXPECT_EQ(read(1082, "\x7f\xff\xff\xff"), Value("infinity"));
  EXPECT_EQ(read(1082, "\x7f\xff\xff\xfe"), Value("after the year 9999"));
  EXPECT_EQ(read(1114, "\xff\xff\xff\xff\xff\xff\xff\xff"), Value("1999-12-31 23:59:59.999999"));
  EXPECT_EQ(read(1114, "\x80\0\0\0\0\0\0\0"s), Value("-infinity"));
  EXPECT_EQ(read(2950, std::string(16, '\xab')), Value("abababab-abab-abab-abab-abababababab"));
  EXPECT_EQ(read(3802, "\1{}"), Value("{}"));
  EXPECT_EQ(read(1700, "\0\2\0\0\0\0\0\2\0\1\x13\x88"s), Value("1.50"));
  EXPECT_EQ(read(1700, "\0\1\xff\xff\x40\0\0\4\0\1"s), Value("-0.0001"));
  EXPECT_EQ(read(1700, "\0\0\0\0\xc0\0\0\0"s), Value("NaN"));
  EXPECT_EQ(read(25, "text"), Value("text"));
}

TEST(PostgresWire, LargeBytesShareTheMemoryTheyCameIn) {
  const auto owner = std::make_shared<const std::string>(100'000, 'x');
  const Value large = read_binary_cell(17, *owner, owner);
  EXPECT_EQ(static_cast<const void*>(large.as<Bytes>().data()), owner->data());
  EXPECT_EQ(owner.use_count(), 2);
  EXPECT_NE(static_cast<const void*>(read_binary_cell(17, owner->substr(0, 10), owner).as<Bytes>().data()),
            owner->data());
}

TEST(PostgresWire, DamagedCellsAreNoValues) {
  for (const auto& [type, cell] : std::vector<std::pair<PostgresType, std::string>>{{16, ""},
                                                                                    {23, "\0\0\0"s},
                                                                                    {20, "\0\0\0\0\0"s},
                                                                                    {701, "x"},
                                                                                    {1082, ""},
                                                                                    {1114, "1234567"},
                                                                                    {2950, "short"},
                                                                                    {3802, ""},
                                                                                    {3802, "\2{}"},
                                                                                    {1700, ""},
                                                                                    {1700, "\0\5\0\0\0\0\0\2\0\1"s},
                                                                                    {1700, "\0\0\0\0\x11\x11\0\0"s},
                                                                                    {1700, "\0\0\0\0\0\0\xff\xff"s}}) {
    try {
      read_binary_cell(type, cell, nullptr);
      ADD_FAILURE() << type;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::decode);
    }
  }
  for (const auto& [type, cell] :
       std::vector<std::pair<PostgresType, std::string>>{{23, "1x"}, {17, "\\x1"}, {17, "\\xzz"}, {701, ""}}) {
    try {
      read_text_cell(type, cell);
      ADD_FAILURE() << type;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::decode);
    }
  }
  EXPECT_EQ(read_text_cell(17, "\\x00ff"), Value(Bytes::copy("\0\xff"s)));
}

TEST(PostgresCatalog, DefaultsAsTheyAreReadBack) {
  using Kind = Default::Kind;
  const std::vector<std::pair<std::string, Default>> cases{
      {"", {Kind::none, ""}},
      {"5", {Kind::literal, "5"}},
      {"(-5)", {Kind::literal, "-5"}},
      {"'-5'::integer", {Kind::literal, "-5"}},
      {"1.50", {Kind::literal, "1.50"}},
      {"'it''s'::character varying", {Kind::literal, "it's"}},
      {"''::text", {Kind::literal, ""}},
      {"'a'::lab.enum_12345678", {Kind::literal, "a"}},
      {"'2024-01-01 00:00:00'::timestamp without time zone", {Kind::literal, "2024-01-01 00:00:00"}},
      {"'{\"a\": 1}'::jsonb", {Kind::literal, "{\"a\": 1}"}},
      {"true", {Kind::literal, "true"}},
      {"CURRENT_TIMESTAMP", {Kind::now, ""}},
      {"CURRENT_TIMESTAMP(3)", {Kind::now, "CURRENT_TIMESTAMP(3)"}},
      {"now()", {Kind::now, ""}},
      {"NULL::character varying", {Kind::none, ""}},
      {"nextval('lab.t_id_seq'::regclass)", {Kind::none, ""}},
      {"(1 + 1)", {Kind::none, ""}},
      {"('a'::text || 'b'::text)", {Kind::none, ""}},
      {"'unclosed", {Kind::none, ""}}};
  for (const auto& [expression, wanted] : cases) EXPECT_EQ(postgres_default(expression, false), wanted) << expression;
  EXPECT_EQ(postgres_default("NULL::text", true), (Default{Kind::null, ""}));
}

TEST(PostgresErrors, HaveACodeAndNoValues) {
  const auto of = [](const std::string& state, bool reading = false) {
    PostgresFailure f;
    f.sqlstate = state;
    f.message = "the server's words";
    f.detail = "Key (id, other)=(1, secret) already exists.";
    f.schema = "lab";
    f.table = "scan";
    f.column = "id";
    f.constraint = "scan_pkey";
    f.position = "7";
    const Error e = postgres_error(f, "try it on postgresql h:1/d", "postgresql h:1/d", reading);
    EXPECT_EQ(std::string(e.what()).find("secret"), std::string::npos) << e.what();
    EXPECT_EQ(e.native(), state);
    EXPECT_TRUE(std::string(e.what()).starts_with("try it on postgresql h:1/d: ")) << e.what();
    return e.code();
  };
  const std::vector<std::pair<const char*, Errc>> codes{{"23505", Errc::duplicate},
                                                        {"23502", Errc::missing_attribute},
                                                        {"23503", Errc::constraint},
                                                        {"23514", Errc::constraint},
                                                        {"22001", Errc::constraint},
                                                        {"22P02", Errc::constraint},
                                                        {"42P01", Errc::unknown_table},
                                                        {"3F000", Errc::unknown_table},
                                                        {"42703", Errc::unknown_attribute},
                                                        {"42601", Errc::syntax},
                                                        {"42883", Errc::syntax},
                                                        {"42501", Errc::access},
                                                        {"42P07", Errc::duplicate},
                                                        {"42830", Errc::definition},
                                                        {"2BP01", Errc::constraint},
                                                        {"40001", Errc::unavailable},
                                                        {"40P01", Errc::unavailable},
                                                        {"55P03", Errc::unavailable},
                                                        {"57014", Errc::unavailable},
                                                        {"57P01", Errc::unavailable},
                                                        {"08006", Errc::unavailable},
                                                        {"53100", Errc::unavailable},
                                                        {"53300", Errc::unavailable},
                                                        {"25P02", Errc::usage},
                                                        {"25006", Errc::access},
                                                        {"0A000", Errc::unsupported},
                                                        {"XX001", Errc::integrity},
                                                        {"54000", Errc::constraint},
                                                        {"42P18", Errc::usage},
                                                        {"XX000", Errc::internal}};
  for (const auto& [state, code] : codes) EXPECT_EQ(to_string(of(state)), to_string(code)) << state;
  EXPECT_EQ(of("25006", true), Errc::usage);
}

TEST(PostgresErrors, OfConnectionsAreToldByTheirStateInAnyLanguage) {
  const auto of = [](const std::string& said) { return postgres_connect_error(said, "postgresql h:1/d", "d", "me"); };
  const std::string at = "connection to server at \"h\" (::1), port 1 failed: ";
  EXPECT_EQ(of(at + "FATAL:  28P01: password authentication failed for user \"me\"\nORT:  x").code(), Errc::access);
  EXPECT_EQ(of(at + "SCHWERWIEGEND:  3D000: Datenbank »d« existiert nicht").code(), Errc::usage);
  EXPECT_EQ(of(at + "FATAL:  57P03: the database system is starting up").native(), "57P03");
  EXPECT_EQ(of(at + "Connection refused\n\tIs the server running?").code(), Errc::unavailable);
  EXPECT_EQ(of(at + "SSL error: certificate verify failed").code(), Errc::access);
  EXPECT_EQ(of("").code(), Errc::unavailable);
}

}  // namespace
}  // namespace oas::db
