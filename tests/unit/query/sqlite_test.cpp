// What the statements mean, on a real database.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "db/registry.hpp"
#include "query/render.hpp"
#include "tables.hpp"

namespace oas::test {
namespace {

using namespace oas::query;
using Cells = std::vector<std::vector<Value>>;

class OnSqlite : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = (std::filesystem::temp_directory_path() / "oas-query-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    db::Config config;
    config.backend = "sqlite";
    config.name = folder_ + "/lab.db";
    connection_ = db::open_connection(config);
    db::Transaction transaction(*connection_);
    for (const std::string& sql : connection_->dialect().create_schema("lab")) transaction.execute(sql);
    for (const auto& info : {subject_table(), session_table(), recording_table(), visit_table()})
      for (const std::string& sql : connection_->dialect().create_table(info->def)) transaction.execute(sql);
    insert(transaction, *subject_table(), {{1, "mouse", 20.5}, {2, "rat", nullptr}, {3, "mouse", 22.0}});
    insert(transaction, *session_table(),
           {{1, 1, "2026-01-01", "2026-01-01 10:00:00", 30, "it's"},
            {1, 2, "2026-01-02", nullptr, 60, nullptr},
            {2, 1, "2026-01-03", "2026-01-03 10:00:00", nullptr, "a%b_c\\d\"e' OR 1=1 --"}});
    insert(transaction, *recording_table(),
           {{1, 1, 1, nullptr, "x"}, {1, 1, 2, nullptr, "y"}, {2, 1, 1, nullptr, "z"}});
    insert(transaction, *visit_table(), {{1, 1}, {2, nullptr}, {3, 3}});
    transaction.commit();
  }
  void TearDown() override {
    connection_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void insert(db::Transaction& transaction, const TableInfo& info, const Cells& rows) {
    std::vector<std::string> columns;
    for (const auto& column : info.def.columns) columns.push_back(column.name);
    transaction.execute_many(connection_->dialect().insert(info.def, columns, db::Dialect::OnDuplicate::fail), rows);
  }
  Cells run(const db::Sql& sql) {
    db::Transaction transaction(*connection_, db::Transaction::Mode::read);
    const auto cursor = transaction.execute(sql);
    Cells all;
    for (std::vector<Value> row; cursor->next(row);) all.push_back(row);
    return all;
  }
  /// The rows, in the order of their cells' descriptions unless the query has one.
  Cells rows(const TreePtr& tree) {
    Cells all = run(render(*tree, connection_->dialect()));
    EXPECT_EQ(run(render_count(*tree, connection_->dialect())).at(0).at(0), Value(all.size()));
    for (const auto& row : all) EXPECT_EQ(row.size(), tree->heading().names().size());
    return all;
  }
  /// The primary keys in order.
  Cells keys_of(const TreePtr& tree) { return run(render_keys(*order_by(tree, {"KEY"}), connection_->dialect())); }

  std::string folder_;
  std::unique_ptr<db::Connection> connection_;
};

TEST_F(OnSqlite, Conditions) {
  EXPECT_EQ(keys_of(restrict(subjects(), key({{"species", "mouse"}}))), (Cells{{1}, {3}}));
  EXPECT_EQ(keys_of(restrict(subjects(), key({{"weight", nullptr}}))), (Cells{{2}}));
  EXPECT_EQ(keys_of(restrict(subjects(), key({}))), (Cells{{1}, {2}, {3}}));
  EXPECT_EQ(keys_of(restrict(subjects(), keys({}))), (Cells{}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("session_date > {}", Date(2026, 1, 1)))), (Cells{{1, 2}, {2, 1}}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("minutes in {}", std::vector<int>{30, 31}))), (Cells{{1, 1}}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("minutes in {}", std::vector<int>{}))), (Cells{}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("minutes not in {}", std::vector<int>{}))),
            (Cells{{1, 1}, {1, 2}, {2, 1}}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("case when minutes is null then 0 else minutes end < 40"))),
            (Cells{{1, 1}, {2, 1}}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("round(minutes / 60.0, 1) = 0.5 or upper(note) like 'A%'"))),
            (Cells{{1, 1}, {2, 1}}));
}

TEST_F(OnSqlite, NegationIsTheComplement) {
  const Condition heavy = where("weight > 21");
  EXPECT_EQ(keys_of(restrict(subjects(), heavy)), (Cells{{3}}));
  EXPECT_EQ(keys_of(restrict(subjects(), heavy, true)), (Cells{{1}, {2}}));  // 2 has no weight
  EXPECT_EQ(keys_of(restrict(subjects(), !heavy)), (Cells{{1}, {2}}));
  EXPECT_EQ(keys_of(restrict(subjects(), !!heavy)), (Cells{{3}}));
}

TEST_F(OnSqlite, ANullInTheOtherQueryHidesNothing) {
  EXPECT_EQ(keys_of(restrict(subjects(), visits(), true)), (Cells{{2}}));
  EXPECT_EQ(keys_of(restrict(visits(), subjects(), true)), (Cells{{2}}));
  EXPECT_EQ(keys_of(restrict(visits(), subjects())), (Cells{{1}, {3}}));
}

TEST_F(OnSqlite, SemiJoinsNest) {
  const TreePtr quiet = restrict(sessions(), project(recordings(), {}), true);
  EXPECT_EQ(keys_of(quiet), (Cells{{1, 2}}));
  EXPECT_EQ(keys_of(restrict(subjects(), quiet)), (Cells{{1}}));
  EXPECT_EQ(keys_of(restrict(subjects(), restrict(sessions(), restrict(subjects(), key({{"species", "rat"}}))))),
            (Cells{{2}}));
  EXPECT_EQ(keys_of(restrict(subjects(), project(subjects(), {}), true)), (Cells{}));
  const TreePtr unrelated = project(subjects(), {"other = subject_id"});
  EXPECT_EQ(keys_of(restrict(project(visits(), {}), unrelated)), (Cells{{1}, {2}, {3}}));
  EXPECT_EQ(keys_of(restrict(project(visits(), {}), restrict(unrelated, keys({})))), (Cells{}));
}

TEST_F(OnSqlite, HostileTextsAreTexts) {
  const std::string hostile = "a%b_c\\d\"e' OR 1=1 --";
  EXPECT_EQ(keys_of(restrict(sessions(), key({{"note", hostile}}))), (Cells{{2, 1}}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("note = {}", hostile))), (Cells{{2, 1}}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("note in {}", std::vector<std::string>{hostile, "it's"}))),
            (Cells{{1, 1}, {2, 1}}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("note = 'it''s'"))), (Cells{{1, 1}}));
  EXPECT_EQ(keys_of(restrict(sessions(), where("note = '?1 :x @y $z'"))), (Cells{}));
}

TEST_F(OnSqlite, JoinsAndRenames) {
  const TreePtr both = join(subjects(), sessions());
  EXPECT_EQ(keys_of(both), (Cells{{1, 1}, {1, 2}, {2, 1}}));
  EXPECT_EQ(keys_of(join(sessions(), subjects())), keys_of(both));
  EXPECT_EQ(keys_of(join(visits(), subjects())), (Cells{{1}, {3}}));
  const TreePtr pairs = restrict(join(project(subjects(), {"a = subject_id", "species_a = species"}),
                                      project(subjects(), {"b = subject_id", "species_b = species"})),
                                 where("species_a = species_b and a < b"));
  EXPECT_EQ(keys_of(pairs), (Cells{{1, 3}}));
  const TreePtr limited = join(limit(order_by(sessions(), {"minutes desc"}), 1), subjects());
  EXPECT_EQ(keys_of(limited), (Cells{{1, 2}}));
  EXPECT_EQ(keys_of(join(subjects(), join(sessions(), project(recordings(), {})))),
            (Cells{{1, 1, 1}, {1, 1, 2}, {2, 1, 1}}));
}

TEST_F(OnSqlite, AggregatesKeepRowsWithoutMatch) {
  const TreePtr counts = aggregate(subjects(), sessions(),
                                   {"n = count(*)", "total = sum(minutes)", "days = count(distinct session_date)"});
  EXPECT_EQ(rows(order_by(counts, {"KEY"})), (Cells{{1, 2, 90, 2}, {2, 1, nullptr, 1}, {3, 0, nullptr, 0}}));
  EXPECT_EQ(keys_of(restrict(counts, where("n = 0"))), (Cells{{3}}));
  const TreePtr some = aggregate(subjects(), restrict(sessions(), where("minutes > 40")), {"species", "n = count(*)"});
  EXPECT_EQ(rows(order_by(some, {"n desc", "KEY"})), (Cells{{1, "mouse", 1}, {2, "rat", 0}, {3, "mouse", 0}}));
  EXPECT_EQ(rows(order_by(project(counts, {"twice = n * 2"}), {"twice desc", "KEY"})), (Cells{{1, 4}, {2, 2}, {3, 0}}));
  EXPECT_EQ(keys_of(aggregate(restrict(subjects(), keys({})), sessions(), {"n = count(*)"})), (Cells{}));
}

TEST_F(OnSqlite, OrderAndLimit) {
  EXPECT_EQ(rows(project(limit(order_by(sessions(), {"minutes desc"}), 1), {"minutes"})), (Cells{{1, 2, 60}}));
  EXPECT_EQ(rows(project(limit(offset(sessions(), 1), 1), {})), (Cells{{1, 2}}));
  EXPECT_EQ(rows(project(offset(sessions(), 2), {})), (Cells{{2, 1}}));
  EXPECT_EQ(rows(project(limit(limit(sessions(), 2), 1), {})), (Cells{{1, 1}}));
  EXPECT_EQ(rows(project(limit(sessions(), 0), {})), (Cells{}));
  EXPECT_EQ(keys_of(restrict(limit(sessions(), 1), where("minutes = 60"))), (Cells{}));
  EXPECT_EQ(rows(project(restrict(limit(order_by(sessions(), {"KEY desc"}), 2), where("subject_id > 0")), {})),
            (Cells{{2, 1}, {1, 2}}));
}

TEST_F(OnSqlite, DeleteByWhere) {
  const TreePtr gone = restrict(restrict(sessions(), project(recordings(), {}), true), where("minutes = {}", 60));
  const db::Sql where_sql = *render_where(*gone, connection_->dialect());
  db::Transaction transaction(*connection_);
  const auto cursor = transaction.execute(
      "DELETE FROM " + connection_->dialect().table("lab", "session") + " WHERE " + where_sql.text, where_sql.params);
  EXPECT_EQ(cursor->affected(), 1);
}

TEST_F(OnSqlite, ManyKeysAndDeepConditions) {
  std::vector<Row> many;
  for (int i = 0; i < 5'000; ++i) many.push_back({{"subject_id", i}, {"session_id", 1}});
  EXPECT_EQ(keys_of(restrict(sessions(), keys(many))), (Cells{{1, 1}, {2, 1}}));
  TreePtr tree = sessions();
  for (int i = 0; i < 300; ++i) tree = restrict(tree, where("minutes <> {}", i + 1'000));
  EXPECT_EQ(keys_of(tree), (Cells{{1, 1}, {1, 2}}));
  tree = sessions();
  for (int i = 0; i < 10; ++i) tree = restrict(limit(tree, 10), where("minutes > 0"));
  EXPECT_EQ(keys_of(tree), (Cells{{1, 1}, {1, 2}}));
}

}  // namespace
}  // namespace oas::test
