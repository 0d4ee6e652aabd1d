// Every operation, at every call that it makes over the borders, with every fault. An operation is run once to count
// its calls; then again for each of them: the call is refused, or its answer is lost, or the process dies before it, or
// after it. Whatever happens, the rows are the old ones or the new ones, every row has its objects, and every object
// has its row as soon as somebody uses the schema.
#include "fault/lab.hpp"
#include "fault/server.hpp"

#ifdef OAS_WITH_POSTGRES
#include "support/postgres.hpp"
#endif

namespace oas::test {
namespace {

enum Outcome { worked = 0, failed = 10, doubtful = 11 };

const std::string small(std::size_t n, char fill) { return std::string(n, fill); }
Bytes bytes(const std::string& text) { return Bytes::copy(text); }
Array numbers(std::int64_t n) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i) * n;
  return Array::own(std::move(all));
}

struct Operation {
  const char* name;
  std::function<void(Session&)> run;
  /// Leaves what an interrupted program leaves, in a process of its own.
  std::function<void(const fs::path&)> before = {};
  /// It is the first thing that its session does.
  bool first = false;
};

Schema lab(Session& session) { return session.schema("lab"); }
Query of(Session& session, const char* table, int id) { return lab(session)[table] & key({{"id", id}}); }

void declare(Session& session) {
  auto s = lab(session);
  s.declare("Other", Tier::manual, "id : int32\n---\no : <blob@>");
  s.declare("Many", Tier::manual, "id : int32\n---\na : <npy@>\nb : <blob@>\nf : <attach@>\nt : <blob>");
  s.declare("Same", Tier::manual, "id : int32\n---\nb : <blob@>");
  s.declare("Film", Tier::manual, "id : int32\n---\nn : int32\nfolder : <object@>\nfilm : <object@>");
  s.declare("Rec", Tier::manual, "id : int32\n---\no : <blob@>");
  s.declare("Channel", Tier::part, "-> master\nch : int32\n---\nw : <npy@>", "Rec");
  s.declare("Note", Tier::manual, "-> Rec\n---\ntext : <attach@>");
}

Row many(int id) {
  return {{"id", id},
          {"a", numbers(id + 3)},
          {"b", map({{"note", "row " + std::to_string(id)}})},
          {"f", Attachment("notes.txt", bytes("notes of " + std::to_string(id)))},
          {"t", numbers(2)}};
}
Row same(int id, char fill) { return {{"id", id}, {"b", small(200, fill)}}; }

void fill(Session& session) {
  auto s = lab(session);
  s["Many"].insert1(many(1));
  s["Same"].insert(std::vector<Row>{same(1, 'a'), same(2, 'a'), same(3, 'b')});
  for (int id = 1; id <= 2; ++id) {
    s["Rec"].insert1({{"id", id}, {"o", "recording " + std::to_string(id)}});
    for (int ch = 0; ch < 2; ++ch) s["Rec.Channel"].insert1({{"id", id}, {"ch", ch}, {"w", numbers(10 * id + ch)}});
    s["Note"].insert1({{"id", id}, {"text", Attachment("a.txt", bytes("note"))}});
  }
  auto staged = s["Film"].staged_insert1({{"id", 1}});
  staged.store("folder").write("x", "old");
  auto film = staged.open("film");
  film->append(as_bytes("film"));
  film->commit();
  staged.set("n", 1);
  staged.commit();
}

void write_film(StagedInsert& staged, int n) {
  const Folder folder = staged.store("folder", ".zarr");
  folder.write("zarr.json", "{}");
  folder.write("c/0/0", small(100, static_cast<char>('a' + n)));
  auto film = staged.open("film", ".avi");
  film->append(as_bytes("one"));
  film->append(as_bytes("two"));
  film->commit();
  staged.set("n", n);
}

struct Regret : std::runtime_error {
  Regret() : std::runtime_error("regret") {}
};

/// An insert and a delete whose processes die as late as they can without having tidied up.
void crash_twice(const fs::path& folder) {
  const auto die_at = [&](const char* verb, const std::function<void(Session&)>& work) {
    const int status = run_child([&] {
      const auto plan = std::make_shared<FaultPlan>();
      Session session = open_session(folder, plan);
      lab(session)["Other"].insert1({{"id", 500}, {"o", "to warm up"}});
      of(session, "Other", 500).remove();
      plan->fault = Fault::before;
      plan->callback = [] { ::raise(SIGKILL); };
      plan->at_verb = verb;
      work(session);
      return 0;
    });
    ASSERT_TRUE(WIFSIGNALED(status)) << verb;
  };
  die_at("remove_many", [](Session& session) { of(session, "Many", 1).remove(); });
  die_at("sync", [](Session& session) { lab(session)["Many"].insert1(many(7)); });
}

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all{
      {"insert1", [](Session& s) { lab(s)["Many"].insert1(many(2)); }},
      {"insert_many",
       [](Session& s) {
         std::vector<Row> rows;
         for (int id = 10; id < 14; ++id) rows.push_back(same(id, static_cast<char>('k' + id % 3)));
         lab(s)["Same"].insert(rows);
       }},
      {"insert_same", [](Session& s) { lab(s)["Same"].insert1(same(4, 'a')); }},
      {"insert_in_windows",
       [](Session& s) {
         lab(s)["Same"].insert(std::vector<Row>{same(20, 'x'), same(21, 'y')}, {.window = 100});
       }},
      {"skip_duplicates",
       [](Session& s) {
         lab(s)["Same"].insert(std::vector<Row>{same(1, 'q'), same(5, 'q')}, {.skip_duplicates = true});
       }},
      {"replace",
       [](Session& s) {
         lab(s)["Same"].insert(std::vector<Row>{same(2, 'c'), same(3, 'd')}, {.replace = true});
       }},
      {"update1",
       [](Session& s) {
         lab(s)["Many"].update1({{"id", 1}, {"b", "another"}, {"a", numbers(9)}});
       }},
      {"remove_one_of_two", [](Session& s) { of(s, "Same", 1).remove(); }},
      {"remove_last", [](Session& s) { of(s, "Same", 3).remove(); }},
      {"remove_with_parts", [](Session& s) { of(s, "Rec", 1).remove(); }},
      {"remove_folder", [](Session& s) { of(s, "Film", 1).remove(); }},
      {"insert_folder",
       [](Session& s) {
         const fs::path source = fs::current_path() / "source";
         fs::create_directories(source / "c");
         write_text(source / "zarr.json", "{}");
         write_text(source / "c" / "0", "chunk");
         lab(s)["Film"].insert1({{"id", 2}, {"n", 2}, {"folder", source}, {"film", source / "zarr.json"}});
       }},
      {"staged",
       [](Session& s) {
         auto staged = lab(s)["Film"].staged_insert1({{"id", 3}});
         write_film(staged, 3);
         staged.commit();
       }},
      {"staged_rows",
       [](Session& s) {
         auto staged = lab(s)["Film"].staged_insert();
         for (int id = 4; id < 6; ++id) {
           staged.row({{"id", id}});
           write_film(staged, id);
         }
         staged.commit();
       }},
      {"staged_discarded",
       [](Session& s) {
         auto staged = lab(s)["Film"].staged_insert1({{"id", 6}});
         write_film(staged, 6);
       }},
      {"transaction",
       [](Session& s) {
         s.transaction([&] {
           lab(s)["Same"].insert1(same(30, 'z'));
           of(s, "Same", 3).remove();
           lab(s)["Many"].insert1(many(3));
         });
       }},
      {"transaction_rolled_back",
       [](Session& s) {
         try {
           s.transaction([&] {
             lab(s)["Same"].insert1(same(31, 'z'));
             of(s, "Same", 3).remove();
             lab(s)["Same"].insert1(same(32, 'b'));
             throw Regret();
           });
         } catch (const Regret&) {
         }
       }},
      {"transaction_inner_fails",
       [](Session& s) {
         s.transaction([&] {
           lab(s)["Same"].insert1(same(33, 'v'));
           try {
             s.transaction([&] {
               lab(s)["Same"].insert1(same(34, 'w'));
               of(s, "Same", 3).remove();
               throw Regret();
             });
           } catch (const Regret&) {
           }
         });
       }},
      {"insert_refused",
       [](Session& s) {
         try {
           lab(s)["Many"].insert1(many(1));
         } catch (const Error& e) {
           if (e.code() != Errc::duplicate) throw;
         }
       }},
      {"drop", [](Session& s) { lab(s)["Rec"].drop(); },
       [](const fs::path& folder) {
         ASSERT_EQ(run_child([&] {
                     Session session = open_session(folder);
                     lab(session)["Note"].drop();
                     return 0;
                   }),
                   0);
       }},
      {"drop_film", [](Session& s) { lab(s)["Film"].drop(); }},
      {"collect_after_crash", [](Session& s) { s.collect(); }, crash_twice, true},
      {"first_use_after_crash", [](Session& s) { lab(s)["Same"].insert1(same(40, 'h')); }, crash_twice, true},
      {"transaction_after_crash", [](Session& s) { s.transaction([&] { lab(s)["Same"].insert1(same(41, 'a')); }); },
       crash_twice, true},
  };
  return all;
}

/// An operation, and whether it runs on the server of a database or with objects in S3: what the library does at its
/// borders is the same there, what the other side does in between is not.
struct Case {
  Operation operation;
  bool on_server = false, on_s3 = false;
};
std::ostream& operator<<(std::ostream& out, const Case& given) { return out << given.operation.name; }

std::vector<Case> cases(bool on_server, bool on_s3, std::initializer_list<std::string_view> names = {}) {
  std::vector<Case> out;
  for (const Operation& operation : operations())
    if (names.size() == 0 || std::ranges::find(names, operation.name) != names.end())
      out.push_back({operation, on_server, on_s3});
  return out;
}

/// OAS_TEST_EVERY_CALL in the environment: try them all.
bool every_call_wanted() { return ::getenv("OAS_TEST_EVERY_CALL") != nullptr; }

class EveryCall : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (GetParam().on_server) OAS_NEED_SERVER("OAS_TEST_POSTGRES")
#ifdef OAS_WITH_POSTGRES
    if (GetParam().on_server) {
      fs::create_directories(base());
      write_text(base() / "server", empty_server("OAS_TEST_POSTGRES"));
    }
#endif
    if (GetParam().on_s3) {
      OAS_NEED_S3("OAS_TEST_S3_VERSITYGW")
      fs::create_directories(base());
      write_text(base() / "s3", S3Server::fresh_location());
    }
    ASSERT_EQ(run_child([&] {
                Session session = open_session(base());
                declare(session);
                fill(session);
                return 0;
              }),
              0);
    const Operation& operation = GetParam().operation;
    if (operation.before) operation.before(base());
#ifdef OAS_WITH_POSTGRES
    if (GetParam().on_server)
      saved_.emplace(text_of(base() / "server").substr(std::string_view("OAS_TEST_POSTGRES ").size()));
#endif
    old_ = look(base());
    if (HasFatalFailure()) return;
    const fs::path copy = fresh_copy();
    ASSERT_EQ(act(copy, Fault::none, 0), worked);
    std::ifstream log(folder_.path() / "log");
    for (std::string line; std::getline(log, line);) calls_.push_back(line);
    new_ = look(copy);
    ASSERT_FALSE(calls_.empty());
  }

  fs::path base() const { return folder_.path() / "base"; }
  fs::path fresh_copy() const {
    const fs::path copy = folder_.path() / "copy";
    fs::remove_all(copy);
    fs::copy(base(), copy, fs::copy_options::recursive);
#ifdef OAS_WITH_POSTGRES
    if (saved_) saved_->put_back();
#endif
    if (GetParam().on_s3) {
      write_text(copy / "s3", S3Server::fresh_location());
      const auto copy_all = [&] {
        copy_objects(base(), copy);
        return 0;
      };
      EXPECT_EQ(run_child(copy_all), 0);
    }
    return copy;
  }
  std::string note(const char* name) const { return text_of(folder_.path() / name); }

  std::string look(const fs::path& where) const {
    const int status = run_child([&] {
      Session session = open_session(where);
      write_text(folder_.path() / "seen", contents(session, "lab", "other"));
      return 0;
    });
    EXPECT_EQ(status, 0);
    return note("seen");
  }

  /// Runs the operation with a fault; its outcome, or -1 if the process was killed. Leaves the list of calls, what the
  /// operation said, and, if it lived, what is wrong in the very same process.
  int act(const fs::path& where, Fault fault, int at) const {
    const Operation& operation = GetParam().operation;
    for (const char* name : {"log", "said", "wrong"}) fs::remove(folder_.path() / name);
    const int status = run_child([&] {
      fs::current_path(where);
      const auto plan = std::make_shared<FaultPlan>();
      plan->counting = false;
      plan->fault = fault;
      plan->at = at;
      plan->callback = [] { ::raise(SIGKILL); };
      int outcome = worked;
      {
        Session session = open_session(where, plan);
        if (!operation.first) lab(session)["Other"].insert1({{"id", 1}, {"o", "to warm up"}});
        plan->counting = true;
        const auto attempt = [&] {
          try {
            operation.run(session);
            return worked;
          } catch (const Error& e) {
            write_text(folder_.path() / "said", std::string(to_string(e.code())) + ": " + e.what());
            return e.code() == Errc::in_doubt ? doubtful : failed;
          }
        };
        outcome = attempt();
        plan->counting = false;
        std::string log;
        for (std::string line : plan->log()) {
          std::ranges::replace(line, '\n', ' ');
          log += line + "\n";
        }
        write_text(folder_.path() / "log", log);
        if (fault != Fault::none) write_text(folder_.path() / "wrong", same_process(session, outcome, attempt));
      }
      if (fault != Fault::none) {
        if (const std::string left = leftovers(where, "lab"); !left.empty()) {
          write_text(folder_.path() / "wrong", note("wrong") + "left by the same process:\n" + left);
        }
      }
      return static_cast<int>(outcome);
    });
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  /// A process that met a fault goes on: the same again, and all is well.
  std::string same_process(Session& session, int outcome, const std::function<Outcome()>& attempt) const {
    std::string wrong = states(contents(session, "lab", "other"), outcome);
    const bool was_old = contents(session, "lab", "other") == old_;
    const std::string said = note("said");
    const Outcome again = attempt();
    if (was_old && again != worked) wrong += "the second attempt: " + note("said") + "\n";
    write_text(folder_.path() / "said", said);
    if (again == worked && contents(session, "lab", "other") != new_)
      wrong += "the second attempt did something else\n";
    lab(session)["Other"].insert1({{"id", 2}, {"o", "what comes after"}});
    return wrong + complaints(session);
  }
  std::string states(const std::string& seen, int outcome) const {
    const bool may_be_old = outcome != worked || old_ == new_, may_be_new = outcome != failed || old_ == new_;
    if ((may_be_old && seen == old_) || (may_be_new && seen == new_)) return {};
    return "the rows are neither what they were nor what they should be:\n" + seen + "--- old\n" + old_ + "--- new\n" +
           new_;
  }

  /// A fresh process uses the schema; what is wrong then.
  std::string next_user(const fs::path& where, int outcome) const {
    fs::remove(folder_.path() / "wrong");
    const int status = run_child([&] {
      std::string wrong;
      {
        Session session = open_session(where);
        wrong = states(contents(session, "lab", "other"), outcome);
        lab(session)["Other"].insert1({{"id", 1000}, {"o", "use"}});
        wrong += complaints(session);
      }
      write_text(folder_.path() / "wrong", wrong + leftovers(where, "lab"));
      return 0;
    });
    return (status == 0 ? "" : "the next user failed\n") + note("wrong");
  }

  /// False if this fault is one that was tried already: what cannot be told from outside needs no second look.
  static bool differs(Fault fault, const std::string& call, int n) {
    const auto is_one_of = [&](std::initializer_list<const char*> verbs) {
      return std::ranges::any_of(verbs, [&](const char* verb) { return call.starts_with(verb); });
    };
    if (every_call_wanted()) return true;
    // A read without an answer is a read that was refused.
    if (fault == Fault::answer_lost) {
      return !is_one_of({"begin to read", "execute SELECT", "catalog_version", "table_version", "schemas", "introspect",
                         "stat", "read", "list", "rollback"});
    }
    // To die before a call is to die after the one before, but that half an object may be there; and what was not
    // committed dies with the process.
    if (fault == Fault::before) return n == 1 || call.starts_with("create");
    if (fault == Fault::after) return is_one_of({"commit", "write", "create", "append", "upload", "remove", "sync"});
    return true;
  }

  void every_call(Fault fault, const char* name) {
    const bool killed = fault == Fault::before || fault == Fault::after;
    for (int n = 1; n <= static_cast<int>(calls_.size()); ++n) {
      if (!differs(fault, calls_[static_cast<std::size_t>(n - 1)], n)) continue;
      const fs::path copy = fresh_copy();
      const int outcome = act(copy, fault, n);
      std::string wrong;
      if (killed != (outcome == -1)) wrong += "it ended with " + std::to_string(outcome) + "\n";
      if (!killed) wrong += note("wrong");
      if (killed) wrong += next_user(copy, doubtful);
      if (!wrong.empty()) {
        ADD_FAILURE() << GetParam() << ", call " << n << " of " << calls_.size() << " " << name << "\n  "
                      << calls_[static_cast<std::size_t>(n - 1)] << "\n  said: " << note("said") << "\n"
                      << wrong;
        if (++failures_ >= 3) GTEST_FAIL() << "and so on";
      }
    }
  }

  FastFolder folder_;
#ifdef OAS_WITH_POSTGRES
  std::optional<SavedRows> saved_;
#endif
  std::string old_, new_;
  std::vector<std::string> calls_;
  int failures_ = 0;
};

TEST_P(EveryCall, Refused) { every_call(Fault::refused, "refused"); }
TEST_P(EveryCall, AnswerLost) { every_call(Fault::answer_lost, "with its answer lost"); }
TEST_P(EveryCall, KilledBefore) { every_call(Fault::before, "never made: killed"); }
TEST_P(EveryCall, KilledAfter) { every_call(Fault::after, "made, and then killed"); }

const auto named = [](const auto& given) { return std::string(given.param.operation.name); };
INSTANTIATE_TEST_SUITE_P(Operations, EveryCall, testing::ValuesIn(cases(false, false)), named);
#ifdef OAS_WITH_S3
// Every request is much slower there, and what is left in between is the same: some operations stand for all.
INSTANTIATE_TEST_SUITE_P(S3, EveryCall,
                         testing::ValuesIn(every_call_wanted()
                                               ? cases(false, true)
                                               : cases(false, true,
                                                       {"insert1", "replace", "remove_with_parts", "staged",
                                                        "transaction_rolled_back", "first_use_after_crash"})),
                         named);
#endif

#ifdef OAS_WITH_POSTGRES
// Simple operations are in cut_test.cpp.
INSTANTIATE_TEST_SUITE_P(Postgres, EveryCall,
                         testing::ValuesIn(cases(true, false, {"transaction_inner_fails", "first_use_after_crash"})),
                         named);
#endif

}  // namespace
}  // namespace oas::test
