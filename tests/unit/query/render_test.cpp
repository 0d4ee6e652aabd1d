#include "query/render.hpp"

#include <gtest/gtest.h>

#include "db/registry.hpp"
#include "tables.hpp"

namespace oas::test {
namespace {

using namespace oas::query;

const db::Dialect& dialect() { return db::dialect_of("sqlite"); }
std::string text(const TreePtr& tree) { return render(*tree, dialect()).text; }
std::string where_text(const TreePtr& tree) {
  const auto sql = render_where(*tree, dialect());
  return sql ? sql->text : "none";
}

TEST(Render, ATable) {
  EXPECT_EQ(text(subjects()), R"(SELECT t1."subject_id", t1."species", t1."weight" FROM "lab.subject" AS t1)");
  EXPECT_EQ(render_keys(*sessions(), dialect()).text,
            R"(SELECT t1."subject_id", t1."session_id" FROM "lab.session" AS t1)");
  EXPECT_EQ(render_count(*sessions(), dialect()).text, R"(SELECT count(*) FROM "lab.session" AS t1)");
  const std::vector<std::string> some{"weight", "species"};
  EXPECT_EQ(render_columns(*subjects(), dialect(), some).text,
            R"(SELECT t1."weight", t1."species" FROM "lab.subject" AS t1)");
}

TEST(Render, RestrictionsAreFlat) {
  const TreePtr tree = restrict(restrict(subjects(), key({{"subject_id", 1}, {"weight", nullptr}})),
                                where("species = {}", "mouse"), true);
  const db::Sql sql = render_keys(*tree, dialect());
  EXPECT_EQ(sql.text, R"(SELECT t1."subject_id" FROM "lab.subject" AS t1 WHERE (t1."subject_id" = ?1 AND )"
                      R"(t1."weight" IS NULL) AND ((t1."species" = ?2)) IS NOT TRUE)");
  EXPECT_EQ(sql.params, (std::vector<Value>{1, "mouse"}));
}

TEST(Render, CombinedConditions) {
  const auto where_of = [](const Condition& c) { return where_text(restrict(visits(), c)); };
  EXPECT_EQ(where_of(Condition()), "1 = 1");
  EXPECT_EQ(where_of(any_of({})), "1 = 0");
  EXPECT_EQ(where_of(keys({})), "1 = 0");
  EXPECT_EQ(where_of(key({})), "1 = 1");
  EXPECT_EQ(where_of(keys({{{"visit_id", 1}}, {{"visit_id", 2}}})), R"("lab.visit"."visit_id" IN (?1, ?2))");
  EXPECT_EQ(where_of(keys({{{"visit_id", 1}}, {{"subject_id", nullptr}}})),
            R"(("lab.visit"."visit_id" = ?1 OR "lab.visit"."subject_id" IS NULL))");
  EXPECT_EQ(where_of(any_of({where("visit_id < 1"), !where("visit_id > 2")})),
            R"((("lab.visit"."visit_id" < 1) OR (("lab.visit"."visit_id" > 2)) IS NOT TRUE))");
}

TEST(Render, SemiJoins) {
  EXPECT_EQ(where_text(restrict(sessions(), restrict(subjects(), where("weight > {}", 1.5)))),
            R"(EXISTS (SELECT 1 FROM "lab.subject" AS t1 WHERE t1."subject_id" = "lab.session"."subject_id" AND )"
            R"((t1."weight" > ?1)))");
  EXPECT_EQ(where_text(restrict(subjects(), visits(), true)),
            R"(NOT EXISTS (SELECT 1 FROM "lab.visit" AS t1 WHERE t1."subject_id" = "lab.subject"."subject_id"))");
  // Nothing in common: whether there is anything at all.
  EXPECT_EQ(where_text(restrict(subjects(), project(visits(), {}))), R"(EXISTS (SELECT 1 FROM "lab.visit" AS t1))");
  // A limited one is what it is before it is compared.
  EXPECT_EQ(where_text(restrict(subjects(), limit(visits(), 2))),
            R"(EXISTS (SELECT 1 FROM (SELECT t1."visit_id", t1."subject_id" FROM "lab.visit" AS t1 ORDER BY )"
            R"(t1."visit_id" LIMIT 2) AS t2 WHERE t2."subject_id" = "lab.subject"."subject_id"))");
  EXPECT_EQ(where_text(restrict_on(visits(), subjects(), {{"visit_id", "subject_id"}})),
            R"(EXISTS (SELECT 1 FROM "lab.subject" AS t1 WHERE t1."subject_id" = "lab.visit"."visit_id"))");
}

TEST(Render, WhereIsForTablesOnly) {
  EXPECT_EQ(where_text(sessions()), "1 = 1");
  EXPECT_EQ(where_text(limit(sessions(), 1)), "none");
  EXPECT_EQ(where_text(project(sessions(), {"..."})), "none");
  EXPECT_EQ(render_where(*restrict(visits(), key({{"visit_id", 1}})), dialect(), 4)->text,
            R"("lab.visit"."visit_id" = ?4)");
}

TEST(Render, ProjectionsAreFlat) {
  const TreePtr tree = project(sessions(), {"day = session_date", "hours = minutes / 60.0"});
  EXPECT_EQ(text(restrict(tree, where("hours > {} and day < {}", 2, Date(2026, 1, 1)))),
            R"(SELECT t1."subject_id", t1."session_id", t1."session_date" AS "day", t1."minutes" / 60.0 AS "hours" )"
            R"(FROM "lab.session" AS t1 WHERE ((t1."minutes" / 60.0) > ?1 and t1."session_date" < ?2))");
  EXPECT_EQ(
      text(project(tree, {"twice = hours * 2"})),
      R"(SELECT t1."subject_id", t1."session_id", (t1."minutes" / 60.0) * 2 AS "twice" FROM "lab.session" AS t1)");
}

TEST(Render, ExpressionsDoNotGrowWithoutBound) {
  TreePtr tree = project(subjects(), {"w = weight + 1"});
  for (int i = 0; i < 60; ++i) tree = project(tree, {"w = w + w"});
  EXPECT_LT(text(tree).size(), 200'000u);
}

TEST(Render, Joins) {
  const TreePtr tree = join(join(restrict(subjects(), where("weight > 1")), project(sessions(), {"minutes"})),
                            project(recordings(), {"remark = note"}));
  EXPECT_EQ(text(tree), R"(SELECT t1."subject_id", t2."session_id", t3."channel", t1."species", t1."weight", )"
                        R"(t2."minutes", t3."note" AS "remark" FROM "lab.subject" AS t1 JOIN "lab.session" AS t2 ON )"
                        R"(t1."subject_id" = t2."subject_id" JOIN "lab.__recording" AS t3 ON t1."subject_id" = )"
                        R"(t3."subject_id" AND t2."session_id" = t3."session_id" WHERE (t1."weight" > 1))");
  EXPECT_EQ(text(join(project(subjects(), {"a = subject_id"}), project(subjects(), {"b = subject_id"}))),
            R"(SELECT t1."subject_id" AS "a", t2."subject_id" AS "b" FROM "lab.subject" AS t1 CROSS JOIN )"
            R"("lab.subject" AS t2)");
}

TEST(Render, Aggregations) {
  const TreePtr tree = aggregate(subjects(), restrict(sessions(), where("minutes > {}", 5)),
                                 {"species", "n = count(*)", "longest = max(minutes) - min(minutes)"});
  EXPECT_EQ(text(tree),
            R"(SELECT t1."subject_id", t1."species", count(t2."subject_id") AS "n", max(t2."minutes") - )"
            R"(min(t2."minutes") AS "longest" FROM "lab.subject" AS t1 LEFT JOIN "lab.session" AS t2 ON )"
            R"(t1."subject_id" = t2."subject_id" AND (t2."minutes" > ?1) GROUP BY t1."subject_id", t1."species")");
  EXPECT_EQ(text(restrict(project(tree, {"n"}), where("n > 1"))),
            R"(SELECT t3."subject_id", t3."n" FROM (SELECT t1."subject_id", count(t2."subject_id") AS "n" FROM )"
            R"("lab.subject" AS t1 LEFT JOIN "lab.session" AS t2 ON t1."subject_id" = t2."subject_id" AND )"
            R"((t2."minutes" > ?1) GROUP BY t1."subject_id", t1."species") AS t3 WHERE (t3."n" > 1))");
}

TEST(Render, OrderAndLimit) {
  const std::string plain = R"(SELECT t1."visit_id", t1."subject_id" FROM "lab.visit" AS t1)";
  EXPECT_EQ(text(limit(visits(), 3)), plain + R"( ORDER BY t1."visit_id" LIMIT 3)");
  EXPECT_EQ(text(offset(visits(), 3)), plain + R"( ORDER BY t1."visit_id" LIMIT 9223372036854775807 OFFSET 3)");
  EXPECT_EQ(text(limit(offset(visits(), 3), 2)), text(offset(limit(visits(), 2), 3)));
  EXPECT_EQ(text(order_by(order_by(visits(), {"visit_id"}), {"subject_id desc", "KEY"})),
            plain + R"( ORDER BY t1."subject_id" DESC, t1."visit_id")");
  // What comes after a limit sees only the rows within, and their order stays.
  EXPECT_EQ(text(restrict(limit(order_by(visits(), {"subject_id desc"}), 3), where("visit_id > 1"))),
            R"(SELECT t2."visit_id", t2."subject_id" FROM ()" + plain +
                R"( ORDER BY t1."subject_id" DESC LIMIT 3) AS t2 WHERE (t2."visit_id" > 1) ORDER BY t2."subject_id" )"
                R"(DESC)");
  EXPECT_EQ(
      render_count(*limit(visits(), 3), dialect()).text,
      R"(SELECT count(*) FROM (SELECT t1."visit_id" FROM "lab.visit" AS t1 ORDER BY t1."visit_id" LIMIT 3) AS t2)");
}

TEST(Render, TooManyValuesAreRefusedHere) {
  std::vector<Row> many;
  for (int i = 0; i < 40'000; ++i) many.push_back({{"visit_id", i}});
  EXPECT_NE(error_of([&] { text(restrict(visits(), keys(many))); }).find("use fewer keys at once"), std::string::npos);
}

}  // namespace
}  // namespace oas::test
