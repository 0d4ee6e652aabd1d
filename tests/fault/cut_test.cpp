// A server whose connections are really cut: at each piece that the client sends while an operation runs, the
// connection ends before the server gets it, or before the client gets the answer, or because the server ends all of
// them. Whatever happens, the rows are the old ones or the new ones, the same session goes on, nothing dangles, and
// nothing leaks.
#include "fault/lab.hpp"
#include "fault/server.hpp"
#include "support/cut_proxy.hpp"

namespace oas::test {
namespace {

using Cut = CutProxy::Cut;

struct Operation {
  const char* name;
  std::function<void(Schema)> run;
};

Bytes bytes(const std::string& text) { return Bytes::copy(text); }
Row thing(int id, const std::string& text) {
  return {{"id", id}, {"b", text}, {"n", Array::own(std::vector<std::int32_t>{id, 1, 2})}, {"note", "row"}};
}

void declare(Schema lab) {
  lab.declare("Other", Tier::manual, "id : int32\n---\nb : <blob@>");
  lab.declare("Thing", Tier::manual, "id : int32\n---\nb : <blob@>\nn : <npy@>\nnote : varchar(9)");
  lab.declare("Part", Tier::part, "-> master\nk : int32\n---\nf : <attach@>", "Thing");
  lab.declare("Film", Tier::manual, "id : int32\n---\nfolder : <object@>");
}
void fill(Schema lab) {
  for (const char* table : {"Thing", "Film"}) lab[table].remove();
  lab["Thing"].insert({thing(1, "one"), thing(2, "one")});
  lab["Thing.Part"].insert1({{"id", 1}, {"k", 0}, {"f", Attachment("a.txt", bytes("part"))}});
}

const Operation operations[]{
    {"insert",
     [](Schema lab) {
       lab["Thing"].insert({thing(3, "three"), thing(4, "one")});
     }},
    {"replace",
     [](Schema lab) {
       lab["Thing"].insert({thing(2, "two"), thing(5, "five")}, {.replace = true});
     }},
    {"update",
     [](Schema lab) {
       lab["Thing"].update1({{"id", 2}, {"b", "another"}});
     }},
    {"remove",
     [](Schema lab) {
       (lab["Thing"] & key({{"id", 1}})).remove();
     }},
    {"staged",
     [](Schema lab) {
       auto staged = lab["Film"].staged_insert1({{"id", 1}});
       const Folder folder = staged.store("folder");
       folder.write("a/b", as_bytes("content"));
       folder.write("c", as_bytes("more"));
       staged.commit();
     }},
};

/// A server, the operation, and every how manieth piece is cut: the more of them, the longer it takes.
struct Cutting {
  const char* server;  ///< the variable that names it
  Operation operation;
  int step;
};
std::ostream& operator<<(std::ostream& out, const Cutting& cutting) { return out << cutting.operation.name; }

class Cuts : public testing::TestWithParam<Cutting> {
 protected:
  void SetUp() override {
    OAS_NEED_SERVER(GetParam().server)
    at_ = test_server(GetParam().server).value();
    write_text(folder_.path() / "server", empty_server(GetParam().server));
    proxy_ = std::make_unique<CutProxy>(at_.host, at_.port);
    Session session = open_session(folder_.path());
    declare(session.schema("lab"));
    fill(session.schema("lab"));
    old_ = contents(session, "lab", "other");
    GetParam().operation.run(session.schema("lab"));
    new_ = contents(session, "lab", "other");
    ASSERT_NE(old_, new_);
  }

  /// True if the cut was made.
  bool attempt(Session& direct, Session& session, Cut cut, int at) {
    fill(direct.schema("lab"));
    session.schema("lab")["Other"].insert1({{"id", ++others_}, {"b", "to warm up"}});
    std::string said = "it worked";
    bool failed = false, doubtful = false;
    proxy_->arm(cut, at);
    try {
      GetParam().operation.run(session.schema("lab"));
    } catch (const Error& e) {
      said = std::string(to_string(e.code())) + ": " + e.what();
      doubtful = e.code() == Errc::in_doubt;
      failed = !doubtful;
      EXPECT_TRUE(doubtful || e.retryable()) << said;
      EXPECT_EQ(said.find(at_.password), std::string::npos);
    }
    const bool cut_made = proxy_->disarm();
    const std::string seen = contents(direct, "lab", "other");
    EXPECT_TRUE((seen == new_ && !failed) || (seen == old_ && (failed || doubtful))) << said << "\n"
                                                                                     << seen << "--- old\n"
                                                                                     << old_ << "--- new\n"
                                                                                     << new_;
    session.schema("lab")["Other"].insert1({{"id", ++others_}, {"b", "what comes after"}});
    EXPECT_EQ(complaints(session), "") << said;
    return cut_made;
  }

  void every_piece(Cut cut, int times = 1) {
    const int step = GetParam().step * times;
    Session direct = open_session(folder_.path());
    int pieces = 0;
    {
      Session session = open_session(folder_.path(), nullptr, proxy_->port());
      for (bool more = true; more && !HasFailure(); pieces += step) {
        SCOPED_TRACE(std::string(GetParam().operation.name) + ", piece " + std::to_string(pieces + 1));
        more = attempt(direct, session, cut, pieces + 1);
      }
    }
    EXPECT_GT(pieces, 5);
    fill(direct.schema("lab"));
    direct.schema("lab")["Other"].remove();
    static_cast<void>(direct.collect());
    EXPECT_EQ(complaints(direct), "");
    Session(std::move(direct));  // its end settles what it had under way
    EXPECT_EQ(leftovers(folder_.path(), "lab"), "");
  }

  /// The server ends the connections of the sessions, and has ended them when this returns.
  std::function<void()> end_connections() {
#ifdef OAS_WITH_MYSQL
    if (!is_postgres(GetParam().server)) {
      return [admin = std::make_shared<MysqlClient>(GetParam().server)] {
        // Those of tests come through the socket.
        const std::string others = "SELECT ID FROM information_schema.PROCESSLIST WHERE HOST NOT LIKE 'localhost%'";
        for (auto left = admin->run(others); !left.empty(); left = admin->run(others)) {
          for (const auto& row : left) {
            try {
              admin->run("KILL " + row[0]);
            } catch (const std::runtime_error&) {  // it is gone
            }
          }
        }
      };
    }
#endif
#ifdef OAS_WITH_POSTGRES
    std::string variable, database;
    std::istringstream(text_of(folder_.path() / "server")) >> variable >> database;
    return [admin = std::make_shared<PostgresClient>("postgres"),
            others = " FROM pg_stat_activity WHERE datname = '" + database + "'"] {
      admin->run("SELECT pg_terminate_backend(pid)" + others);
      while (!admin->run("SELECT 1" + others).empty()) {
      }
    };
#endif
  }

  FastFolder folder_;
  TestServer at_;
  std::string old_, new_;
  std::unique_ptr<CutProxy> proxy_;
  int others_ = 0;
};

TEST_P(Cuts, BeforeTheServerGetsIt) { every_piece(Cut::before); }
TEST_P(Cuts, BeforeTheAnswerComes) { every_piece(Cut::answer); }
TEST_P(Cuts, ByTheServer) {
  proxy_->hook = end_connections();
  every_piece(Cut::hook, 3);  // it takes long
}

INSTANTIATE_TEST_SUITE_P(On, Cuts, testing::ValuesIn([] {
                           std::vector<Cutting> all;
                           for (const char* server : servers())
                             for (const Operation& operation : operations)
                               all.push_back({server, operation, std::string_view(server) == "OAS_TEST_MYSQL" ? 5 : 1});
                           return all;
                         }()),
                         [](const auto& given) {
                           return name_of_server(given.param.server) + "_" + given.param.operation.name;
                         });

}  // namespace
}  // namespace oas::test
