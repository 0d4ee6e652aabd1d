#include "query/tree.hpp"

#include <gtest/gtest.h>

#include "tables.hpp"

namespace oas::test {
namespace {

using Names = std::vector<std::string>;
using query::project;

TEST(Tree, ProjectionKeepsTheKeyAndTheWrittenOrder) {
  const TreePtr tree = project(sessions(), {"note", "day = session_date", "hours = minutes / 60.0"});
  EXPECT_EQ(tree->heading().names(), (Names{"subject_id", "session_id", "note", "day", "hours"}));
  EXPECT_EQ(tree->heading().primary_key(), (Names{"subject_id", "session_id"}));
  EXPECT_EQ(tree->heading().at("day").column, "date");
  EXPECT_EQ(tree->heading().at("hours").column, "");
}

TEST(Tree, DotsKeepTheRest) {
  EXPECT_EQ(project(subjects(), {"..."})->heading().names(), (Names{"subject_id", "species", "weight"}));
  EXPECT_EQ(project(subjects(), {"...", "kind = species"})->heading().names(), (Names{"subject_id", "weight", "kind"}));
  EXPECT_EQ(project(subjects(), {"...", "weight = weight * 1000"})->heading().names(),
            (Names{"subject_id", "species", "weight"}));
}

TEST(Tree, KeyAttributesCanBeRenamedAndStayInTheKey) {
  const TreePtr renamed = project(sessions(), {"animal = subject_id"});
  EXPECT_EQ(renamed->heading().primary_key(), (Names{"animal", "session_id"}));
  EXPECT_EQ(renamed->heading().at("animal").lineage, subject_id);
  const TreePtr copied = project(sessions(), {"subject_id", "animal = subject_id"});
  EXPECT_EQ(copied->heading().primary_key(), (Names{"subject_id", "session_id"}));
  EXPECT_EQ(copied->heading().names(), (Names{"subject_id", "session_id", "animal"}));
}

TEST(Tree, ProjectionRefusesWhatIsUnclear) {
  const auto refused = [](Names items) { return error_of([&] { project(sessions(), items); }); };
  EXPECT_NE(refused({"nothing"}).find("unknown_attribute"), std::string::npos);
  EXPECT_NE(refused({"minutes / 60"}).find("new_name = minutes / 60"), std::string::npos);
  EXPECT_NE(refused({"Hours = minutes"}).find("lower-case"), std::string::npos);
  EXPECT_NE(refused({"note", "note = minutes"}).find("two would have the name 'note'"), std::string::npos);
  EXPECT_NE(refused({"subject_id = minutes"}).find("two would have the name"), std::string::npos);
  EXPECT_NE(refused({"x = minutes, note"}).find("',' stands outside"), std::string::npos);
  EXPECT_NE(refused({"n = count(*)"}).find("use aggr"), std::string::npos);
  EXPECT_NE(refused({"x = minutes + {}"}).find("{} has no place"), std::string::npos);
  EXPECT_NE(refused({"x = minuts"}).find("did you mean minutes?"), std::string::npos);
}

TEST(Tree, JoinAlongReferences) {
  const TreePtr both = query::join(subjects(), sessions());
  EXPECT_EQ(both->heading().primary_key(), (Names{"subject_id", "session_id"}));
  EXPECT_EQ(both->heading().names(),
            (Names{"subject_id", "session_id", "species", "weight", "session_date", "started", "minutes", "note"}));
  // A visit has one subject at most, so the visit's key is enough.
  EXPECT_EQ(query::join(subjects(), visits())->heading().primary_key(), (Names{"visit_id"}));
  EXPECT_EQ(query::join(visits(), subjects())->heading().primary_key(), (Names{"visit_id"}));
  EXPECT_EQ(query::join(visits(), sessions())->heading().primary_key(),
            (Names{"visit_id", "subject_id", "session_id"}));
}

TEST(Tree, AttributesOfAnotherOriginAreNotJoined) {
  const std::string message = error_of([] { query::join(sessions(), recordings()); });
  EXPECT_TRUE(message.starts_with("usage: join: 'note' is on both sides")) << message;
  EXPECT_NE(message.find("rename one of them with proj"), std::string::npos);
  EXPECT_NO_THROW(query::join(sessions(), project(recordings(), {"...", "remark = note"})));
  EXPECT_FALSE(error_of([] { query::restrict(sessions(), recordings()); }).empty());
  EXPECT_NO_THROW(query::restrict(sessions(), project(recordings(), {})));
}

TEST(Tree, AggregationNeedsTheWholeKey) {
  const TreePtr counts = query::aggregate(subjects(), sessions(), {"species", "n = count(*)"});
  EXPECT_EQ(counts->heading().names(), (Names{"subject_id", "species", "n"}));
  EXPECT_NE(error_of([] { query::aggregate(sessions(), subjects(), {"n = count(*)"}); }).find("'session_id'"),
            std::string::npos);
  EXPECT_NE(error_of([] { query::aggregate(subjects(), sessions(), {"m = minutes"}); }).find("max(minutes)"),
            std::string::npos);
  EXPECT_NE(error_of([] { query::aggregate(subjects(), sessions(), {"m = sum(max(minutes))"}); }).find("no meaning"),
            std::string::npos);
}

TEST(Tree, KeysAreCheckedWhenTheyMeetAQuery) {
  EXPECT_NE(error_of([] {
              query::restrict(sessions(), key({{"sesion_id", 1}}));
            }).find("did you mean session_id?"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              query::restrict(recordings(), key({{"trace", Bytes()}}));
            }).find("cannot be compared"),
            std::string::npos);
  EXPECT_NO_THROW(query::restrict(recordings(), key({{"trace", nullptr}})));
}

TEST(Tree, OrderIsChecked) {
  EXPECT_NO_THROW(query::order_by(sessions(), {"minutes desc", "KEY", " note  ASC "}));
  EXPECT_NE(error_of([] { query::order_by(sessions(), {"minuts"}); }).find("did you mean minutes?"), std::string::npos);
  EXPECT_NE(error_of([] { query::order_by(sessions(), {"minutes + 1"}); }).find("only asc or desc"), std::string::npos);
}

TEST(Tree, OnlyRestrictedTablesHaveATable) {
  const TreePtr restricted = query::restrict(query::restrict(sessions(), where("minutes > 1")), visits());
  ASSERT_NE(restricted->table(), nullptr);
  EXPECT_EQ(restricted->table()->def.name, "session");
  EXPECT_EQ(project(sessions(), {"..."})->table(), nullptr);
  EXPECT_EQ(query::limit(sessions(), 1)->table(), nullptr);
}

TEST(Tree, DepthIsBounded) {
  TreePtr tree = sessions();
  const std::string message = error_of([&] {
    for (int i = 0; i < 10'000; ++i) tree = query::restrict(tree, Condition());
  });
  EXPECT_NE(message.find("operators one upon the other"), std::string::npos);
}

}  // namespace
}  // namespace oas::test
