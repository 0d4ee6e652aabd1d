// Writers that know nothing of the ledger, on servers: hash-addressed objects that no row refers to are kept for a
// while, and come back if such a writer had been about to commit a row (docs/ledger.md).
#include <algorithm>

#include "lab.hpp"

namespace oas::test {
namespace {

/// Tells before an object is removed.
class WatchedStore final : public StoreDecorator {
 public:
  using Hook = std::function<void(const std::string& key)>;
  WatchedStore(std::shared_ptr<Store> inner, Hook hook) : StoreDecorator(std::move(inner)), hook_(std::move(hook)) {}

 private:
  bool do_remove(const std::string& key) override {
    hook_(key);
    return StoreDecorator::do_remove(key);
  }
  Hook hook_;
};

class Quarantine : public Lab {
 protected:
  Session open_with(
      std::int64_t grace, WatchedStore::Hook hook = [](const std::string&) {}) {
    Settings settings = this->settings();
    settings.set("collector.foreign_writers", true);
    settings.set("collector.grace", grace);
    SessionOptions more = options();
    more.wrap_store = [hook, wrap = more.wrap_store](std::shared_ptr<Store> store) -> std::shared_ptr<Store> {
      return std::make_shared<WatchedStore>(wrap(std::move(store)), hook);
    };
    return Session(settings, more);
  }
  static Table<> table(Session& session) {
    return session.schema("lab").declare("Scan", Tier::manual, "id : int32\n---\nb : <blob@>\nx=null : <npy@>");
  }
  /// As a foreign writer: the row of the object that row `like` had.
  void insert_behind(int id, const std::string& metadata) {
    raw()->run("INSERT INTO " + raw()->table("scan") + " (id, b) VALUES (" + std::to_string(id) + ", '" + metadata +
               "')");
  }
  std::string metadata(int id) {
    return raw()->cell("SELECT b FROM " + raw()->table("scan") + " WHERE id = " + std::to_string(id));
  }
  std::size_t kept(std::string_view store = "main") {
    const auto keys = objects(store);
    return static_cast<std::size_t>(
        std::ranges::count_if(keys, [](const std::string& key) { return key.starts_with("_oas_quarantine/"); }));
  }
  static void expect_whole(Session& session, std::size_t quarantined) {
    const Audit audit = session.audit({.deep = true});
    for (const Finding& finding : audit.findings) ADD_FAILURE() << finding.path << ": " << finding.detail;
    EXPECT_EQ(audit.quarantined, quarantined);
  }
};
OAS_EVERYWHERE(Quarantine);

TEST_P(Quarantine, HashAddressedObjectsAreKeptOthersGo) {
  Session session = open_with(3600);
  auto scans = table(session);
  scans.insert({Row{{"id", 1}, {"b", counting(5)}, {"x", counting(5)}}, Row{{"id", 2}, {"b", counting(5)}}});
  (scans & key({{"id", 1}})).remove();
  EXPECT_EQ(kept(), 0U) << "another row has the same content";
  (scans & key({{"id", 2}})).remove();
  EXPECT_EQ(kept(), 1U);
  EXPECT_EQ(objects().size(), 1U);
  expect_whole(session, 1);
  scans.insert1({{"id", 3}, {"b", counting(5)}});
  EXPECT_EQ(scans.fetch1("b"), Value(counting(5)));
  scans.remove();
  EXPECT_EQ(kept(), 1U);
  EXPECT_EQ(session.collect().removed, 0U);
  EXPECT_EQ(kept(), 1U);
  Session later = open_with(0);  // the time is over
  later.collect();
  EXPECT_TRUE(objects().empty());
  expect_whole(later, 0);
}

TEST_P(Quarantine, ARowThatCameWhileTheObjectWentBringsItBack) {
  std::string row;
  bool once = true;
  Session session = open_with(3600, [&](const std::string& path) {
    if (path.find("_hash/") != std::string::npos && std::exchange(once, false)) insert_behind(7, row);
  });
  auto scans = table(session);
  scans.insert1({{"id", 1}, {"b", counting(9)}});
  row = metadata(1);
  scans.remove();  // references were read before, and are read again afterwards
  EXPECT_FALSE(once);
  EXPECT_EQ(scans.fetch1("b"), Value(counting(9)));
  session.collect();
  EXPECT_EQ(scans.fetch1("b"), Value(counting(9)));
  EXPECT_EQ(kept(), 0U);
  expect_whole(session, 0);
}

TEST_P(Quarantine, ARowThatCameLaterBringsItBack) {
  Session session = open_with(3600);
  auto scans = table(session);
  scans.insert1({{"id", 1}, {"b", counting(9)}});
  const std::string row = metadata(1);
  scans.remove();
  insert_behind(7, row);
  EXPECT_EQ(session.audit().dangling, 1U);
  const Audit repaired = session.audit({.repair = true});
  EXPECT_EQ(repaired.dangling, 0U);
  EXPECT_EQ(scans.fetch1("b"), Value(counting(9)));
  scans.remove();
  insert_behind(8, row);
  Session fresh = open_with(3600);  // its first write looks too
  table(fresh).insert1({{"id", 9}, {"b", counting(1)}});
  EXPECT_EQ((table(fresh) & key({{"id", 8}})).fetch1("b"), Value(counting(9)));
  expect_whole(fresh, 0);
}

TEST_P(Quarantine, WhatForeignWritersLeaveIsRemovedWhenItIsOld) {
  Session session = open_with(3600);
  auto scans = table(session);
  scans.insert1({{"id", 1}, {"b", counting(9)}, {"x", counting(3)}});
  raw()->run("DELETE FROM " + raw()->table("scan"));
  EXPECT_EQ(session.audit({.repair = true}).leaked, 2U);
  EXPECT_EQ(objects().size(), 2U) << "they are young";
  Session later = open_with(0);
  EXPECT_EQ(later.audit({.repair = true}).leaked, 2U);
  later.collect();
  EXPECT_TRUE(objects().empty());
}

TEST_P(Quarantine, WithoutForeignWritersObjectsGoAtOnce) {
  auto scans = table(session());
  scans.insert1({{"id", 1}, {"b", counting(9)}});
  scans.remove();
  EXPECT_TRUE(objects().empty());
}

}  // namespace
}  // namespace oas::test
