#include "query/expression.hpp"

#include <gtest/gtest.h>

#include "db/registry.hpp"
#include "query/render.hpp"
#include "tables.hpp"

namespace oas::test {
namespace {

db::Sql where_of(const Condition& condition) {
  return *query::render_where(*query::restrict(sessions(), condition), db::dialect_of("sqlite"));
}
std::string text_of(std::string_view expression) {
  std::string text = where_of(where_runtime(expression)).text;
  for (std::size_t at; (at = text.find("\"lab.session\".")) != text.npos;) text.erase(at, 14);
  return text;
}
std::string refused(std::string_view expression) {
  return error_of([&] { where_of(where_runtime(expression)); });
}

TEST(Expression, NamesAreQuotedAndTheRestGoesOutAsItIs) {
  EXPECT_EQ(text_of("minutes > 5"), R"(("minutes" > 5))");
  EXPECT_EQ(text_of("minutes>5 AND NOT note is null"), R"(("minutes" > 5 and not "note" is null))");
  EXPECT_EQ(text_of("note like 'a%' or minutes not between 1 and 2.5e3"),
            R"(("note" like 'a%' or "minutes" not between 1 and 2.5e3))");
  EXPECT_EQ(text_of("minutes in (1, 2,3)"), R"(("minutes" in (1, 2, 3)))");
  EXPECT_EQ(text_of("case when minutes > - 5 then 'x' else note end = 'it''s'"),
            R"((case when "minutes" > - 5 then 'x' else "note" end = 'it''s'))");
  EXPECT_EQ(text_of("case minutes when 1 then true else false end"),
            R"((case "minutes" when 1 then true else false end))");
  EXPECT_EQ(text_of("upper(note) == 'A' and coalesce(minutes, 0) != 1"),
            R"((upper("note") = 'A' and coalesce("minutes", 0) <> 1))");
  EXPECT_EQ(text_of("\"minutes\" = .5"), R"(("minutes" = .5))");
  EXPECT_EQ(text_of("- - minutes < 0"), R"((- - "minutes" < 0))");
}

TEST(Expression, CallsThatADatabaseSpellsInOtherWords) {
  const auto in = [](const char* database, std::string_view expression) {
    std::string text =
        query::render_where(*query::restrict(sessions(), where_runtime(expression)), db::dialect_of(database))->text;
    for (const std::string_view table : {"\"lab\".\"session\".", "`lab`.`session`."})
      for (std::size_t at; (at = text.find(table)) != text.npos;) text.erase(at, table.size());
    return text;
  };
  EXPECT_EQ(in("postgresql", "year(started) = 2026 and (length(note)) > 1"),
            R"sql((date_part('year', "started")::int = 2026 and (length("note")) > 1))sql");
  EXPECT_EQ(in("postgresql", "abs(day(coalesce(started, started)) + (1)) > 1"),
            R"sql((abs(date_part('day', coalesce("started", "started"))::int + (1)) > 1))sql");
  EXPECT_EQ(in("mysql", "concat(note, 'x', upper(note)) = 'ax' and length(note) > 1"),
            "(concat_ws('', `note`, 'x', upper(`note`)) = 'ax' and char_length(`note`) > 1)");
  EXPECT_TRUE(error_of([&] { in("mysql", "note || 'x' = 'ax'"); }).starts_with("syntax"));
}

TEST(Expression, UnknownNamesTellTheNearest) {
  EXPECT_EQ(
      refused("minuts > 5"),
      "unknown_attribute: read the condition 'minuts > 5': there is no attribute 'minuts'. did you mean minutes?");
  EXPECT_TRUE(refused("\"no such\" = 1").starts_with("unknown_attribute"));
  EXPECT_TRUE(refused("\"minutes\"\"; drop\" = 1").starts_with("unknown_attribute"));
}

TEST(Expression, WhatIsNoExpressionIsRefusedWithItsColumn) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "at column 1: it is empty"},
      {"minutes >", "at column 10: it ends where"},
      {"minutes; drop table x", "at column 8: ';'"},
      {"minutes -- x", "at column 9: comments"},
      {"minutes /* x */", "at column 9: comments"},
      {"minutes # x", "at column 9: comments"},
      {"note = 'abc", "at column 8: this quote is not closed"},
      {"note = 'a\\'", "at column 10: '\\'"},
      {"note \\ 1", "at column 6: '\\'"},
      {"(minutes > 1", "at column 1: this parenthesis is not closed"},
      {"minutes > 1) or (1 = 1", "at column 12: this parenthesis was not opened"},
      {"minutes, note", "at column 8: ','"},
      {"(minutes, note) = (1, 2)", "at column 9: ','"},
      {"minutes 5", "at column 9: an operator is missing"},
      {"minutes note", "at column 9: an operator is missing"},
      {"minutes not 5", "an operator is missing"},
      {"minutes in 5", "at column 12: a list must follow"},
      {"minutes in select", "a list must follow"},
      {"minutes in (select subject_id)", "at column 13: sub-queries"},
      {"exists (1)", "at column 1: sub-queries"},
      {"session.minutes > 1", "names of tables"},
      {"minutes > 1x", "at column 11: this is not a number"},
      {"case when 1 then 2", "at column 1: this case has no end"},
      {"1 then 2", "'then' stands outside"},
      {"count(*) > 1", "count() is over many rows"},
      {"minutes = ()", "a value must stand before ')'"},
      {"minutes > * 2", "a value must stand before '*'"},
      {"note = '\xC3\xA4' ;", "at column 12: ';'"},
      {"minutes as x", "'as' is not allowed"},
      {"note = `x`", "this character is not part"},
  };
  for (const auto& [text, why] : cases) {
    const std::string message = refused(text);
    EXPECT_TRUE(message.starts_with("syntax: read the condition")) << text << ": " << message;
    EXPECT_NE(message.find(why), std::string::npos) << text << ": " << message;
  }
  EXPECT_NE(refused(std::string_view("note = '\0'", 10)).find("control character"), std::string::npos);
  EXPECT_NE(refused(std::string_view("minutes\0> 1", 11)).find("control character"), std::string::npos);
}

TEST(Expression, DepthAndLengthAreBounded) {
  EXPECT_NE(refused(std::string(100'000, '(')).find("syntax"), std::string::npos);
  EXPECT_NE(refused(std::string(5'000, '(')).find("more than 100 parentheses"), std::string::npos);
  Condition nested = where("minutes > 1");
  EXPECT_NE(error_of([&] {
              for (int i = 0; i < 1'000; ++i) nested = !nested;
            }).find("nested more than"),
            std::string::npos);
}

TEST(Expression, UnknownFunctionsAreRefused) {
  EXPECT_TRUE(refused("load_extension('x') = 1").starts_with("syntax: use load_extension in a query"));
  EXPECT_TRUE(refused("readfile(note) = 1").starts_with("syntax: use readfile"));
}

TEST(Expression, ValuesAreParameters) {
  const db::Sql sql = where_of(where("minutes > {} and note = {}", 5, "x' or 1=1 --"));
  EXPECT_EQ(sql.text, R"(("lab.session"."minutes" > ?1 and "lab.session"."note" = ?2))");
  EXPECT_EQ(sql.params, (std::vector<Value>{5, "x' or 1=1 --"}));
}

TEST(Expression, ListsStandBehindIn) {
  EXPECT_EQ(where_of(where("minutes in {}", std::vector<int>{1, 2, 3})).text,
            R"(("lab.session"."minutes" in (?1, ?2, ?3)))");
  EXPECT_EQ(where_of(where("minutes not in ({})", std::vector<int>{1, 2})).text,
            R"(("lab.session"."minutes" not in (?1, ?2)))");
  EXPECT_EQ(where_of(where("minutes in {}", std::vector<int>{})).text,
            R"(("lab.session"."minutes" in (SELECT "lab.session"."minutes" WHERE 1 = 0)))");
  const std::vector<std::int64_t> numbers{4, 5};
  EXPECT_EQ(where_of(where("minutes in {}", Array(numbers))).params, (std::vector<Value>{4, 5}));
  EXPECT_TRUE(error_of([] { where_of(where("minutes in {}", 5)); }).starts_with("usage"));
  EXPECT_TRUE(error_of([] { where_of(where("minutes = {}", std::vector<int>{1})); }).starts_with("usage"));
}

TEST(Expression, DatesTakeTheFormOfTheAttributeTheyAreComparedWith) {
  const DateTime noon(Date(2026, 1, 2), 43'200'000'000), later = DateTime::from_microseconds(noon.microseconds + 500);
  EXPECT_EQ(where_of(where("session_date >= {}", Date(2026, 1, 2))).params.at(0), Value("2026-01-02"));
  EXPECT_EQ(where_of(where("started = {}", noon)).params.at(0), Value("2026-01-02 12:00:00"));
  EXPECT_EQ(where_of(where("started < {}", later)).params.at(0), Value("2026-01-02 12:00:00.000500"));
  EXPECT_EQ(where_of(where("{} <= started", Date(2026, 1, 2))).params.at(0), Value("2026-01-02 00:00:00"));
  EXPECT_EQ(where_of(where("session_date = {}", DateTime(Date(2026, 1, 2)))).params.at(0), Value("2026-01-02"));
  EXPECT_EQ(where_of(where("started between {} and {}", Date(2026, 1, 2), Date(2026, 1, 3))).params,
            (std::vector<Value>{"2026-01-02 00:00:00", "2026-01-03 00:00:00"}));
  EXPECT_EQ(where_of(where("started not in {}", std::vector<Date>{Date(2026, 1, 2)})).params.at(0),
            Value("2026-01-02 00:00:00"));
  EXPECT_TRUE(error_of([] { where_of(where("started > {}", "yesterday")); }).starts_with("usage"));
}

TEST(Expression, ValuesMayStandAnywhere) {
  EXPECT_EQ(where_of(where("({} || {}) = note", "a", "b")).params, (std::vector<Value>{"a", "b"}));
  EXPECT_EQ(where_of(where("{} = {}", 1, 2)).params, (std::vector<Value>{1, 2}));
}

TEST(Expression, NumberOfValuesIsChecked) {
  EXPECT_TRUE(error_of([] { where_runtime("minutes > {}"); }).starts_with("usage: make the condition 'minutes > {}'"));
  EXPECT_NE(error_of([] { where_of(where_runtime("note = '{}'", {1})); }).find("{} is not allowed in quotes"),
            std::string::npos);
}

}  // namespace
}  // namespace oas::test
