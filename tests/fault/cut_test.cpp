// A server whose connections are really cut: at each piece that the client sends while an operation runs, the
// connection ends before the server gets it, or before the client gets the answer, or because the server ends all of
// them. Whatever happens, the rows are the old ones or the new ones, the same session goes on, nothing dangles, and
// nothing leaks.
#include "fault/lab.hpp"
#include "support/cut_proxy.hpp"
#include "support/postgres.hpp"

namespace oas::test {
namespace {

using Cut = CutProxy::Cut;

struct Operation {
  const char* name;
  std::function<void(Schema)> run;
};
std::ostream& operator<<(std::ostream& out, const Operation& operation) { return out << operation.name; }

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

class Cuts : public testing::TestWithParam<Operation> {
 protected:
  void SetUp() override {
    OAS_NEED_SERVER(postgres_variable)
    database_ = empty_postgres_database();
    write_text(folder_.path() / "server", database_);
    proxy_ = std::make_unique<CutProxy>(test_server(postgres_variable)->host, test_server(postgres_variable)->port);
    Session session = open_session(folder_.path());
    declare(session.schema("lab"));
    fill(session.schema("lab"));
    old_ = contents(session, "lab", "other");
    GetParam().run(session.schema("lab"));
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
      GetParam().run(session.schema("lab"));
    } catch (const Error& e) {
      said = std::string(to_string(e.code())) + ": " + e.what();
      doubtful = e.code() == Errc::in_doubt;
      failed = !doubtful;
      EXPECT_TRUE(doubtful || e.retryable()) << said;
      EXPECT_EQ(said.find(test_server(postgres_variable)->password), std::string::npos);
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

  void every_piece(Cut cut, int step = 1) {
    Session direct = open_session(folder_.path());
    int pieces = 0;
    {
      Session session = open_session(folder_.path(), nullptr, proxy_->port());
      for (bool more = true; more && !HasFailure(); pieces += step) {
        SCOPED_TRACE(std::string(GetParam().name) + ", piece " + std::to_string(pieces + 1));
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

  FastFolder folder_;
  std::string database_, old_, new_;
  std::unique_ptr<CutProxy> proxy_;
  int others_ = 0;
};

TEST_P(Cuts, BeforeTheServerGetsIt) { every_piece(Cut::before); }
TEST_P(Cuts, BeforeTheAnswerComes) { every_piece(Cut::answer); }
TEST_P(Cuts, ByTheServer) {
  PostgresClient admin("postgres");
  const std::string others = " FROM pg_stat_activity WHERE datname = '" + database_ + "'";
  proxy_->hook = [&] {
    admin.run("SELECT pg_terminate_backend(pid)" + others);
    while (!admin.run("SELECT 1" + others).empty()) {
    }
  };
  every_piece(Cut::hook, 3);  // it takes long
}

INSTANTIATE_TEST_SUITE_P(Postgres, Cuts, testing::ValuesIn(operations),
                         [](const auto& given) { return std::string(given.param.name); });

}  // namespace
}  // namespace oas::test
