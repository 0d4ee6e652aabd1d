// Queries over real rows.
#include <algorithm>

#include "lab.hpp"

namespace oas::test {
namespace {

struct Subject : Manual {
  static constexpr Definition definition = "subject : int32\n---\nname : varchar(20)\nweight=null : float64";
};
struct Visit : Manual {
  using references = References<Subject>;
  static constexpr Definition definition = R"(
    -> Subject
    visit : int16
    ---
    day : date
    minutes : float64
    rating=null : int8
    data=null : <blob@>
  )";
};

class Queries : public Lab {
 protected:
  Table<Subject> subjects = lab().table<Subject>();
  Table<Visit> visits = lab().table<Visit>();
  Queries() {
    subjects.insert({Row{{"subject", 1}, {"name", "Ann"}, {"weight", 20.5}}, Row{{"subject", 2}, {"name", "bob"}},
                     Row{{"subject", 3}, {"name", "Čeněk %_"}, {"weight", -1.0}}});
    for (int s = 1; s <= 2; ++s) {
      for (int v = 0; v < 4; ++v) {
        visits.insert1({{"subject", s},
                        {"visit", v},
                        {"day", Date(2026, 1, static_cast<unsigned>(v + 1))},
                        {"minutes", 15.0 * v},
                        {"rating", v % 2 ? Value(v) : Value()},
                        {"data", counting(3, v)}});
      }
    }
  }
  static std::vector<int> ids(const Query& query, std::string_view name = "subject") {
    std::vector<int> out;
    for (const Row& row : query) out.push_back(row.at<int>(name));
    std::ranges::sort(out);
    return out;
  }
};
OAS_EVERYWHERE(Queries);

using Ids = std::vector<int>;

TEST_P(Queries, RestrictionByKeys) {
  EXPECT_EQ((visits & key({{"subject", 1}, {"visit", 2}})).fetch1<"minutes">(), 30.0);
  EXPECT_EQ((visits & key({{"subject", 1}})).size(), 4U);
  EXPECT_EQ((visits & key({{"day", Date(2026, 1, 2)}})).size(), 2U);
  EXPECT_EQ((visits & key({{"rating", nullptr}})).size(), 4U);
  EXPECT_EQ((visits & key({})).size(), 8U);
  EXPECT_EQ((visits & keys({{{"subject", 1}, {"visit", 0}}, {{"subject", 2}, {"visit", 3}}, {{"subject", 9}}})).size(),
            2U);
  EXPECT_EQ((visits & keys({})).size(), 0U);
  EXPECT_EQ((visits & keys(subjects.keys())).size(), 8U);
  fails(Errc::unknown_attribute, {"subjcet", "subject"}, [&] { visits& key({{"subjcet", 1}}); });
}

TEST_P(Queries, RestrictionByConditions) {
  EXPECT_EQ((visits & where("minutes > {} and visit <> {}", 10, 3)).size(), 4U);
  EXPECT_EQ((visits & where("visit in {}", std::vector<int>{0, 3, 77})).size(), 4U);
  EXPECT_EQ((visits & where("visit in {}", std::vector<int>{})).size(), 0U);
  EXPECT_EQ((visits & where("visit not in {}", std::vector<int>{0})).size(), 6U);
  EXPECT_EQ(ids(subjects & where("name in {}", std::vector<std::string>{"Ann", "it's", "Čeněk %_"})), (Ids{1, 3}));
  EXPECT_EQ(ids(subjects & where("name = {}", "Čeněk %_")), Ids{3});
  EXPECT_EQ(ids(subjects & where("name like {}", "%n%")), (Ids{1, 3}));
  EXPECT_EQ((visits & where("day between {} and {}", Date(2026, 1, 2), Date(2026, 1, 3))).size(), 4U);
  EXPECT_EQ((visits & where("rating is null")).size(), 4U);
  EXPECT_EQ((visits & where_runtime("visit = {}", {1})).size(), 2U);
  EXPECT_EQ((visits & any_of({key({{"visit", 0}}), where("visit = 3")})).size(), 4U);
  EXPECT_EQ((visits & all_of({key({{"visit", 0}}), key({{"subject", 2}})})).size(), 1U);
  EXPECT_EQ((subjects & where("name = {}", "x' or '1'='1")).size(), 0U);
}

TEST_P(Queries, RestrictionByQueries) {
  EXPECT_EQ(ids(subjects & visits), (Ids{1, 2}));
  EXPECT_EQ(ids(subjects - visits), Ids{3});
  EXPECT_EQ(ids(subjects & (visits & where("minutes > {}", 40) & key({{"subject", 2}}))), Ids{2});
  EXPECT_EQ((visits & (subjects & where("name = 'bob'"))).size(), 4U);
  EXPECT_EQ((visits - (subjects & where("name = 'bob'"))).size(), 4U);
  EXPECT_EQ((visits & visits.limit(2).proj(std::vector<std::string>{})).size(), 2U);
}

TEST_P(Queries, WhatIsNotKnownIsNotHidden) {
  EXPECT_EQ((visits - where("rating > {}", 1)).size(), 6U);  // four are NULL
  EXPECT_EQ((visits & !where("rating > {}", 1)).size(), 6U);
  EXPECT_EQ((visits - key({{"rating", 1}})).size(), 6U);
  EXPECT_EQ(ids(subjects - where("weight > 0")), (Ids{2, 3}));
  EXPECT_EQ(ids(subjects - (subjects & where("weight > 0")).proj(std::vector<std::string>{})), (Ids{2, 3}));
  auto twice = subjects - where("weight > 0") - where("weight < 0");
  EXPECT_EQ(ids(twice), Ids{2});
}

TEST_P(Queries, Projections) {
  const auto brief = visits.proj("day", "hours = minutes / 60.0", "score = rating");
  EXPECT_EQ(brief.heading().names(), (std::vector<std::string>{"subject", "visit", "day", "hours", "score"}));
  EXPECT_EQ((brief & key({{"subject", 1}, {"visit", 2}})).fetch1("hours").as<double>(), 0.5);
  EXPECT_EQ((brief & where("hours >= {}", 0.75)).size(), 2U);
  EXPECT_EQ((brief & key({{"score", nullptr}})).size(), 4U);
  EXPECT_EQ(subjects.proj("...").heading().names(), subjects.heading().names());
  EXPECT_EQ(subjects.proj("mother = subject").heading().primary_key(), std::vector<std::string>{"mother"});
  EXPECT_EQ(visits.proj("it = data").limit(1).fetch1("it").as<Array>().size(), 3U);  // renamed objects stay objects
  fails(Errc::unknown_attribute, {"minuts"}, [&] { visits.proj("minuts"); });
  fails(Errc::unknown_attribute, {"minuts"}, [&] { visits.proj("h = minuts / 60"); });
}

TEST_P(Queries, Joins) {
  const auto both = subjects * visits;
  EXPECT_EQ(both.size(), 8U);
  EXPECT_EQ(both.heading().primary_key(), (std::vector<std::string>{"subject", "visit"}));
  EXPECT_EQ((both & where("name = {} and minutes = {}", "bob", 45)).fetch1("data").as<Array>(), counting(3, 3));
  const auto pairs = subjects.proj("mother = subject") * subjects;
  EXPECT_EQ(pairs.size(), 9U);
  auto other = declare("Unrelated", "subject : int32\n---\nname : varchar(20)");
  fails(Errc::usage, {"subject"}, [&] { (subjects * other).size(); });
}

TEST_P(Queries, Aggregations) {
  const auto counted = subjects.aggr(visits, "n = count(*)", "longest = max(minutes)", "rated = count(rating)");
  std::map<int, Row> rows;
  for (const Row& row : counted) rows[row.at<int>("subject")] = row;
  ASSERT_TRUE(rows.contains(1));
  EXPECT_EQ(rows[1].at<int>("n"), 4);
  EXPECT_EQ(rows[1].at<double>("longest"), 45.0);
  EXPECT_EQ(rows[1].at<int>("rated"), 2);
  EXPECT_EQ((counted & where("n = {}", 4)).size(), 2U);
}

TEST_P(Queries, OrderLimitAndOffset) {
  const auto newest = visits.order_by("day desc", "subject");
  EXPECT_EQ(newest.limit(1).fetch1().at<int>("visit"), 3);
  std::vector<std::pair<int, int>> order;
  for (const Row& row : newest.offset(1).limit(3)) order.emplace_back(row.at<int>("visit"), row.at<int>("subject"));
  EXPECT_EQ(order, (std::vector<std::pair<int, int>>{{3, 2}, {2, 1}, {2, 2}}));
  EXPECT_EQ(visits.limit(3).size(), 3U);
  EXPECT_EQ(visits.limit(0).size(), 0U);
  EXPECT_EQ(visits.offset(6).size(), 2U);
  EXPECT_EQ(visits.offset(100).size(), 0U);
  EXPECT_EQ(visits.order_by("KEY").limit(1).fetch1().at<int>("visit"), 0);
  fails(Errc::unknown_attribute, {"dya", "day"}, [&] { visits.order_by("dya"); });
  EXPECT_EQ((visits.order_by("minutes desc").limit(2) & key({{"subject", 1}})).size(), 1U);
}

TEST_P(Queries, CountsAndKeys) {
  EXPECT_FALSE(visits.empty());
  EXPECT_TRUE((visits & key({{"subject", 3}})).empty());
  const auto keys_of_two = (visits & key({{"subject", 2}})).keys();
  ASSERT_EQ(keys_of_two.size(), 4U);
  EXPECT_EQ(keys_of_two[0].size(), 2U);
  EXPECT_EQ((visits & keys(keys_of_two)).size(), 4U);
  fails(Errc::usage, {"fetch1", "more than one"}, [&] { visits.fetch1(); });
  fails(Errc::usage, {"fetch1", "no such row"}, [&] { (visits & key({{"visit", 77}})).fetch1(); });
  fails(Errc::unknown_attribute, {"dya", "day"}, [&] { visits.limit(1).fetch1("dya"); });
  EXPECT_NE((visits & where("visit = {}", 3)).sql().find(on_postgres() ? '$' : '?'), std::string::npos);
  EXPECT_EQ((visits & where("visit = {}", 3)).sql().find('3'), std::string::npos);
}

TEST_P(Queries, AreValues) {
  const auto some = visits & where("minutes > {}", 20);
  const auto fewer = some & key({{"subject", 1}});
  EXPECT_EQ(some.size(), 4U);
  EXPECT_EQ(fewer.size(), 2U);
  visits.insert1({{"subject", 1}, {"visit", 9}, {"day", Date(2026, 2, 1)}, {"minutes", 99.0}});
  EXPECT_EQ(some.size(), 5U);  // nothing ran before it was asked
  EXPECT_EQ(fewer.size(), 3U);
}

TEST_P(Queries, DeleteByAnyRestriction) {
  EXPECT_EQ((visits & where("minutes > {}", 40)).remove(), 2U);
  EXPECT_EQ((visits - key({{"rating", nullptr}})).remove(), 2U);
  EXPECT_EQ((visits & (subjects & where("name = 'bob'"))).remove(), 2U);
  EXPECT_EQ(visits.size(), 2U);
  expect_tidy(2);
}

TEST_P(Queries, DangerousTextIsRefused) {
  for (const char* text : {"subject in (select subject from subject)", "1 = 1; drop table subject",
                           "subject = 1 -- all", "subject = 1 /* all */", "load_extension('x')", "writefile('a', name)",
                           "subject = ", "(subject = 1", "name = 'open", "exists (select 1)", "subject = ?1",
                           "random_word(name) = 1", "\"subject\" = 1 or", "case when 1 then"}) {
    SCOPED_TRACE(text);
    try {
      static_cast<void>((subjects & where_runtime(text)).size());
      ADD_FAILURE() << "was taken";
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == Errc::syntax || e.code() == Errc::unknown_attribute) << to_string(e.code()) << e.what();
    }
  }
  fails(Errc::usage, {"{}"}, [&] { static_cast<void>(subjects & where_runtime("subject = {}", {1, 2})); });
  EXPECT_EQ(subjects.size(), 3U);
}

}  // namespace
}  // namespace oas::test
