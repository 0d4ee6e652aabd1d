// A server that crashes in the middle of an operation, at one piece after the other that the client sends, and comes
// back. What was committed is there, the session goes on, nothing dangles and nothing leaks.
#include "fault/lab.hpp"
#include "fault/server.hpp"
#include "support/cut_proxy.hpp"
#include "support/running_server.hpp"

namespace oas::test {
namespace {

Row thing(int id, const std::string& text) {
  return {{"id", id}, {"b", text}, {"n", Array::own(std::vector<std::int32_t>{id, 1})}};
}

class Restart : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Servers, Restart, testing::ValuesIn(servers()),
                         [](const auto& given) { return name_of_server(given.param); });

TEST_P(Restart, InTheMiddleOfEverything) {
  OAS_NEED_SERVER(GetParam())
  ASSERT_NE(std::getenv("OAS_TEST_MAY_RESTART"), nullptr) << "this is for a server that nobody else uses";
  FastFolder folder;
  write_text(folder.path() / "server", empty_server(GetParam()));
  const TestServer server = test_server(GetParam()).value();
  CutProxy proxy(server.host, server.port);
  RunningServer running(GetParam());
  proxy.hook = [&] {
    running.crash();
    running.start();
  };
  {
    Session session = open_session(folder.path(), nullptr, proxy.port());
    auto table = session.schema("lab").declare("Thing", Tier::manual, "id : int32\n---\nb : <blob@>\nn : <npy@>");
    int crashes = 0, id = 0, lost = 0;
    for (const bool removes : {false, true}) {
      for (int piece = 1;; piece += removes ? 5 : 2) {
        table.insert({thing(++id, "one"), thing(++id, "two")});
        const auto rows = table.size();
        SCOPED_TRACE((removes ? "remove, piece " : "insert, piece ") + std::to_string(piece));
        proxy.arm(CutProxy::Cut::hook, piece);
        bool worked = true;
        try {
          if (removes)
            (table & key({{"id", id}})).remove();
          else
            table.insert1(thing(++id, "one"));
        } catch (const Error& e) {
          EXPECT_TRUE(e.retryable() || e.code() == Errc::in_doubt) << e.what();
          worked = false;
        }
        const bool crashed = proxy.disarm();
        const auto after = table.size();
        const std::size_t expected = removes ? rows - 1 : rows + 1;
        EXPECT_TRUE(after == expected || (!worked && after == rows)) << rows << " rows, then " << after;
        if (after == rows) ++lost;
        table.insert1(thing(++id, "what comes after"));
        EXPECT_EQ(complaints(session), "");
        if (!crashed) break;
        ++crashes;
      }
    }
    EXPECT_GT(crashes, 8);
    std::printf("%d crashes, %d operations to be repeated\n", crashes, lost);
  }
  Session session = open_session(folder.path());
  session.schema("lab")["Thing"].remove();
  EXPECT_EQ(complaints(session), "");
  Session(std::move(session));
  EXPECT_EQ(leftovers(folder.path(), "lab"), "");
}

}  // namespace
}  // namespace oas::test
