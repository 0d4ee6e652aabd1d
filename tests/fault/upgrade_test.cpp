// A server that is upgraded to a newer release while a session works with it: stopped in the middle of an operation,
// upgraded with the tools of the newer release, and started in its place. What was committed is there, nothing is
// half-written, and the session goes on.
#include "fault/lab.hpp"
#include "fault/server.hpp"
#include "support/cut_proxy.hpp"
#include "support/running_server.hpp"

namespace oas::test {
namespace {

class Upgrade : public testing::TestWithParam<const char*> {
 protected:
  /// "15.18", "10.11.19-MariaDB-…": as the server itself says it.
  std::string version() const {
#ifdef OAS_WITH_POSTGRES
    if (is_postgres(GetParam())) return PostgresClient("oas").cell("SHOW server_version");
#endif
#ifdef OAS_WITH_MYSQL
    if (!is_postgres(GetParam())) return MysqlClient(GetParam()).cell("SELECT VERSION()");
#endif
    return {};
  }
};
/// Of MySQL there is one release only.
std::vector<const char*> upgradable() {
  std::vector<const char*> all = servers();
  std::erase_if(all, [](std::string_view variable) { return variable == "OAS_TEST_MYSQL"; });
  return all;
}
INSTANTIATE_TEST_SUITE_P(Servers, Upgrade, testing::ValuesIn(upgradable()),
                         [](const auto& given) { return name_of_server(given.param); });

constexpr const char* definition = "id : int32\n---\nname : varchar(20)\nb : <blob@>\nn=null : <npy@>";
Row thing(int id) {
  return {{"id", id}, {"name", "é" + std::to_string(id)}, {"b", id}, {"n", Array::own(std::vector<std::int32_t>{id})}};
}

TEST_P(Upgrade, InTheMiddleOfAnInsert) {
  OAS_NEED_SERVER(GetParam())
  ASSERT_NE(std::getenv("OAS_TEST_MAY_RESTART"), nullptr) << "this is for a server that nobody else uses";
  RunningServer running(GetParam());
  if (!running.can_be_upgraded())
    GTEST_SKIP()
        << "build/newer has no newer release (tests/servers/get_databases), or the server's user may not enter";
  FastFolder folder;
  write_text(folder.path() / "server", empty_server(GetParam()));
  const TestServer server = test_server(GetParam()).value();
  const std::string before = version();
  CutProxy proxy(server.host, server.port);
  proxy.hook = [&] { running.upgrade(); };

  Session session = open_session(folder.path(), nullptr, proxy.port());
  auto table = session.schema("lab").declare("Thing", Tier::manual, definition);
  for (int id = 1; id <= 4; ++id) table.insert1(thing(id));
  proxy.arm(CutProxy::Cut::hook, 5);
  try {
    table.insert({thing(5), thing(6)});
    ADD_FAILURE() << "the insert did not notice";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::unavailable) << e.what();
    EXPECT_TRUE(e.retryable()) << e.what();
    EXPECT_NE(std::string(e.what()).find(server.host), std::string::npos) << e.what();
    EXPECT_EQ(std::string(e.what()).find(server.password), std::string::npos) << e.what();
  }
  EXPECT_TRUE(proxy.disarm());
  EXPECT_NE(version(), before);
  std::printf("%s, then %s\n", before.c_str(), version().c_str());

  const auto all_is_well = [](Session& one, int expected) {
    auto things = one.schema("lab")["Thing"];
    EXPECT_EQ(things.size(), static_cast<std::size_t>(expected));
    for (const Row& row : things.fetch()) {
      const int id = row["id"].as<int>();
      EXPECT_EQ(row["name"].as<std::string>(), "é" + std::to_string(id));
      EXPECT_EQ(shown(row["b"]), shown(Value(id)));
      EXPECT_EQ(shown(row["n"]), "npy " + to_typed(thing(id)["n"]));
    }
    EXPECT_EQ(complaints(one), "");
  };
  all_is_well(session, 4);
  table.insert({thing(5), thing(6)});
  table.update1({{"id", 1}, {"name", "é1"}, {"b", 1}});
  (table & key({{"id", 2}})).remove();
  all_is_well(session, 5);
  session.schema("lab").declare("Other", Tier::manual, "-> Thing\n---\nx : float64").insert1({{"id", 1}, {"x", 0.5}});

  Session another = open_session(folder.path());
  all_is_well(another, 5);
  another.schema("lab")["Thing"].remove();
  all_is_well(another, 0);
  Session(std::move(another));
  EXPECT_EQ(leftovers(folder.path(), "lab"), "");
}

}  // namespace
}  // namespace oas::test
