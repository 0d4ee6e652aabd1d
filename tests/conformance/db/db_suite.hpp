// What every database must do, whatever its driver. A driver registers with one INSTANTIATE_TEST_SUITE_P.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <oas/db.hpp>

#include "db/registry.hpp"
#include "support/temp_folder.hpp"
#include "support/test_server.hpp"

namespace oas::test {

struct DbProduct {
  std::string name;
  /// Settings of a fresh, empty database; `folder` is there for it.
  std::function<db::Config(const std::filesystem::path& folder)> config;
  std::function<std::unique_ptr<db::Connection>(std::unique_ptr<db::Connection>)> decorate;
  const char* server = nullptr;  ///< the variable that names it, if it needs one
  bool keeps_nan = false;
  std::set<std::string> knows_not = {};  ///< types whose columns take other values too
  bool keeps_infinity = true;
  bool datetime_has_fraction = true;  ///< without being told how many digits
  std::string endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c";
};
inline void PrintTo(const DbProduct& product, std::ostream* out) { *out << product.name; }

inline db::ColumnDef column(std::string name, std::string type, bool nullable = false) {
  db::ColumnDef c;
  c.name = std::move(name);
  c.comment = ":" + type + ":";
  c.type = std::move(type);
  c.nullable = nullable;
  if (nullable) c.fallback.kind = db::Default::Kind::null;
  return c;
}

inline db::ColumnDef with_default(db::ColumnDef c, std::string literal) {
  c.fallback = {db::Default::Kind::literal, std::move(literal)};
  return c;
}

inline db::TableDef table(std::string name, std::vector<db::ColumnDef> columns, std::vector<std::string> key = {"id"}) {
  db::TableDef t;
  t.schema = "lab";
  t.name = std::move(name);
  t.columns = std::move(columns);
  t.primary_key = std::move(key);
  return t;
}

/// Runs `action` and gives back its error.
template <class Action>
Error error_of(Action&& action) {
  try {
    action();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "no error";
  return Error(Errc::internal, "no error");
}

class DbSuite : public testing::TestWithParam<DbProduct> {
 protected:
  using OnDuplicate = db::Dialect::OnDuplicate;
  using Mode = db::Transaction::Mode;
  using Cells = std::vector<Value>;

  void SetUp() override {
    if (const char* server = GetParam().server) OAS_NEED_SERVER(server)
    config_ = GetParam().config(folder_.path());
    connection_ = open();
    db::Transaction tx(*connection_);
    for (const auto& sql : dialect().create_schema("lab")) tx.execute(sql);
    tx.commit();
  }

  std::unique_ptr<db::Connection> open(int patience_ms = 60'000) {
    config_.patience = std::chrono::milliseconds(patience_ms);
    auto connection = db::open_connection(config_);
    return GetParam().decorate ? GetParam().decorate(std::move(connection)) : std::move(connection);
  }
  const db::Dialect& dialect() const { return connection_->dialect(); }

  void create(const db::TableDef& def) {
    db::Transaction tx(*connection_);
    for (const auto& sql : dialect().create_table(def)) tx.execute(sql);
    tx.commit();
  }
  /// The values as cells of the columns' types.
  Cells cells_of(const db::TableDef& def, const std::vector<std::string>& names, const Cells& values) const {
    Cells cells;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto c = std::ranges::find(def.columns, names[i], &db::ColumnDef::name);
      cells.push_back(dialect().to_cell(c->type, values[i]));
    }
    return cells;
  }
  std::int64_t insert(db::Transaction& tx, const db::TableDef& def, const std::vector<std::string>& names,
                      const Cells& values, OnDuplicate on = OnDuplicate::fail) const {
    return tx.execute(dialect().insert(def, names, on), cells_of(def, names, values))->affected();
  }
  void insert(const db::TableDef& def, const std::vector<std::string>& names, const Cells& values,
              OnDuplicate on = OnDuplicate::fail) {
    db::Transaction tx(*connection_);
    insert(tx, def, names, values, on);
    tx.commit();
  }
  /// All rows, ordered by the key.
  std::vector<Cells> rows(db::Connection& connection, const db::TableDef& def) const {
    std::string names, order;
    for (const auto& c : def.columns) names += (names.empty() ? "" : ", ") + dialect().quote(c.name);
    for (const auto& k : def.primary_key) order += (order.empty() ? "" : ", ") + dialect().quote(k);
    db::Transaction tx(connection, Mode::read);
    const auto cursor = tx.execute("SELECT " + names + " FROM " + name_of(def) + " ORDER BY " + order);
    std::vector<Cells> all;
    Cells cells;
    while (cursor->next(cells)) {
      for (std::size_t i = 0; i < cells.size(); ++i) {
        cells[i] = dialect().from_cell(def.columns[i].type, std::move(cells[i]));
      }
      all.push_back(cells);
    }
    return all;
  }
  std::vector<Cells> rows(const db::TableDef& def) const { return rows(*connection_, def); }
  std::string name_of(const db::TableDef& def) const { return dialect().table(def.schema, def.name); }

  TempFolder folder_;
  db::Config config_;
  std::unique_ptr<db::Connection> connection_;
};

}  // namespace oas::test
