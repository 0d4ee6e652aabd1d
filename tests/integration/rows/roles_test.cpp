// What people may do who have the grants of a role, and no other: the printed statements are enough, and not too much.
#include "integration/rows/lab.hpp"

namespace oas::test {
namespace {

class Roles : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    lab().init();
    declare("Thing", "id : int32\n---\nb : <blob@>\nn=null : <npy@cold>\nnote='' : varchar(20)");
    lab()["Thing"].insert({thing(1), thing(2)});
  }
  static Row thing(int id) { return {{"id", id}, {"b", counting(4, id)}, {"n", counting(5, id)}}; }

  /// A session of a user who was made just now and has the grants of the role.
  Session as(db::Role role) {
    const std::string name = "u" + std::to_string(::getpid()) + "_" + std::to_string(++users_), password = "secret";
    raw()->run(on_postgres() ? "CREATE ROLE " + name + " LOGIN PASSWORD '" + password + "'"
                             : "CREATE USER '" + name + "'@'%' IDENTIFIED BY '" + password + "'");
    const auto grants = lab().grants(role, name);
    EXPECT_FALSE(grants.empty());
    for (const std::string& statement : grants) raw()->run(statement);
    Settings of_user = settings();
    of_user.set("database.user", name);
    of_user.set("database.password", password);
    return Session(of_user, options());
  }
  /// Lines of trash, of an object that no row refers to.
  void leave_behind(const std::string& path) {
    store().write(path, as_bytes("left behind"));
    raw()->run("INSERT INTO " + raw()->table("~oas_trash") + " (store, path, folder, since, id) VALUES ('main', '" +
               path + "', " + (on_postgres() ? "false" : "0") + ", 0, 'left')");
  }

 private:
  static inline int users_ = 0;  // names of users are for the whole server
};
OAS_ON_SERVERS(Roles);

TEST_P(Roles, ReadersFetchAndAudit) {
  Session session = as(db::Role::reader);
  auto table = session.schema("lab")["Thing"];
  EXPECT_EQ((table & key({{"id", 2}})).fetch1("b").as<Array>(), counting(4, 2));
  const Audit audit = session.audit({.deep = true});
  EXPECT_EQ(audit.objects, 4U);
  EXPECT_EQ(audit.findings.size(), 0U);
  refused(Errc::access, {"insert into lab.thing"}, [&] { table.insert1(thing(3)); });
  refused(Errc::access, {"delete from lab.thing"}, [&] { table.remove(); });
  refused(Errc::access, {"lab.thing"}, [&] { table.update1({{"id", 1}, {"note", "x"}}); });
  refused(Errc::access, {}, [&] { static_cast<void>(session.collect()); });
  refused(Errc::access, {}, [&] { session.schema("lab").declare("Other", Tier::manual, "id : int32"); });
  refused(Errc::access, {}, [&] { session.schema("mine"); });
}

TEST_P(Roles, WritersChangeRows) {
  Session session = as(db::Role::writer);
  auto table = session.schema("lab")["Thing"];
  table.insert({thing(3), thing(4)});
  table.insert1({{"id", 4}, {"b", counting(9)}}, {.replace = true});
  table.update1({{"id", 3}, {"n", nullptr}});
  (table & key({{"id", 1}})).remove();
  EXPECT_EQ(table.size(), 3U);
  expect_tidy(4);
  refused(Errc::access, {}, [&] { session.schema("lab").declare("Other", Tier::manual, "id : int32"); });
  refused(Errc::access, {"drop lab.thing"}, [&] { table.drop(); });
}

TEST_P(Roles, DeclarersDeclareAndDropWhatIsTheirs) {
  Session session = as(db::Role::declarer);
  Schema schema = session.schema("lab");
  auto of_thing = schema.declare("OfThing", Tier::manual, "-> Thing\nk : int32\n---\na : <attach@>");
  of_thing.insert1({{"id", 1}, {"k", 1}, {"a", Attachment("a.txt", Bytes::copy("text"))}});
  EXPECT_EQ(of_thing.size(), 1U);
  expect_tidy(5);
  of_thing.drop();
  expect_tidy(4);
}

TEST_P(Roles, CollectorsRemoveWhatNobodyNeeds) {
  leave_behind("_hash/lab/left");
  Session session = as(db::Role::collector);
  const Collected collected = session.collect();
  EXPECT_EQ(collected.removed, 1U);
  for (const Error& e : collected.errors) ADD_FAILURE() << e.what();
  expect_tidy(4);
  auto table = session.schema("lab")["Thing"];
  refused(Errc::access, {"insert into lab.thing"}, [&] { table.insert1(thing(3)); });
  refused(Errc::access, {"delete from lab.thing"}, [&] { table.remove(); });
}

}  // namespace
}  // namespace oas::test
