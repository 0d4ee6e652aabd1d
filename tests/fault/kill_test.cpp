// Many processes on the same few contents, killed at random moments or not at all.
#include <chrono>
#include <random>
#include <thread>

#include "fault/lab.hpp"
#include "fault/server.hpp"

#ifdef OAS_WITH_POSTGRES
#include "support/postgres.hpp"
#endif

namespace oas::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int ids = 6;

Row same(int id, int content) { return {{"id", id}, {"b", std::string(100, static_cast<char>('a' + content))}}; }

void declare(const fs::path& folder) {
  ASSERT_EQ(run_child([&] {
              Session session = open_session(folder);
              auto lab = session.schema("lab");
              lab.declare("Same", Tier::manual, "id : int32\n---\nb : <blob@>");
              lab.declare("Film", Tier::manual, "id : int32\n---\nfolder : <object@>");
              return 0;
            }),
            0);
}

/// What may go wrong when others work on the same rows: nothing that lasts.
bool expected(const Error& e) {
  return e.retryable() || e.code() == Errc::duplicate ||
         e.code() == Errc::usage;  // usage: update of a row that is gone
}

/// Inserts, replaces, deletes and stages until the time is over. The exit code: 0, or 1 for an error nobody expects.
int writer(const fs::path& folder, unsigned seed, Clock::time_point end, bool collects) {
  std::mt19937 random(seed);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  Session session = open_session(folder);
  auto lab = session.schema("lab");
  while (Clock::now() < end) {
    try {
      const int id = pick(ids);
      switch (pick(collects ? 7 : 6)) {
        case 0:
        case 1: lab["Same"].insert1(same(id, pick(2))); break;
        case 2: lab["Same"].insert1(same(id, pick(2)), {.replace = true}); break;
        case 3: (lab["Same"] & key({{"id", id}})).remove(); break;
        case 4: {
          auto staged = lab["Film"].staged_insert1({{"id", id}});
          staged.store("folder").write("a/b", "content");
          if (pick(3) > 0) staged.commit();
          break;
        }
        case 5: (lab["Film"] & key({{"id", id}})).remove(); break;
        default: session.collect(); break;
      }
    } catch (const Error& e) {
      if (expected(e)) continue;
      std::fprintf(stderr, "writer: %s: %s\n", std::string(to_string(e.code())).c_str(), e.what());
      return 1;
    }
  }
  return 0;
}

/// Loads rows until the time is over. One that cannot be loaded must be gone, or another one, at a second look.
int reader(const fs::path& folder, Clock::time_point end) {
  Session session = open_session(folder);
  auto table = session.schema("lab")["Same"];
  while (Clock::now() < end) {
    for (int id = 0; id < ids; ++id) {
      const auto one = table & key({{"id", id}});
      const auto metadata = [&] {
        std::string text;
        for (const Row& row : unread(one).fetch())
          text += to_typed(row.begin()->second) + to_typed(std::prev(row.end())->second);
        return text;
      };
      const std::string before = metadata();
      try {
        for (const Row& row : one.fetch()) static_cast<void>(row);
      } catch (const Error& e) {
        if (e.code() != Errc::missing_object) throw;
        // The same content may come back, so look for as long as a removal may be seen half-way.
        bool settled = false;
        for (int look = 0; look < 3 && !settled; ++look) {
          try {
            for (const Row& row : one.fetch()) static_cast<void>(row);
            settled = true;
          } catch (const Error& again) {
            if (again.code() != Errc::missing_object) throw;
          }
        }
        if (!settled && metadata() == before && !before.empty()) {
          std::fprintf(stderr, "reader: row %d has no object: %s\n", id, e.what());
          return 1;
        }
      }
    }
  }
  return 0;
}

std::string next_user(const fs::path& folder) {
  const int status = run_child([&] {
    std::string wrong;
    {
      Session session = open_session(folder);
      session.schema("lab")["Same"].insert1({{"id", 1000}, {"b", "use"}});
      wrong = complaints(session);
      static_cast<void>(contents(session, "lab", ""));  // throws if a row cannot be loaded
      (session.schema("lab")["Same"] & key({{"id", 1000}})).remove();
    }
    write_text(folder / "wrong", wrong + leftovers(folder, "lab"));
    return 0;
  });
  return (status == 0 ? "" : "the next user failed\n") + text_of(folder / "wrong");
}

constexpr const char* s3 = "OAS_TEST_S3_VERSITYGW";

/// SQLite without a name, or the variable of a server: of a database, or of one for the objects beside SQLite.
class Kill : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (*GetParam() == 0) return;
    if (GetParam() == std::string_view(s3)) {
      OAS_NEED_S3(s3)
      return write_text(folder.path() / "s3", S3Server::fresh_location());
    }
    OAS_NEED_SERVER(GetParam())
    write_text(folder.path() / "server", empty_server(GetParam()));
  }
  FastFolder folder;
};
class Race : public Kill {};
std::string name_of(const testing::TestParamInfo<const char*>& given) { return name_of_server(given.param); }
INSTANTIATE_TEST_SUITE_P(Sqlite, Kill, testing::Values(""), name_of);
INSTANTIATE_TEST_SUITE_P(Sqlite, Race, testing::Values(""), name_of);
INSTANTIATE_TEST_SUITE_P(Server, Kill, testing::ValuesIn(servers()), name_of);
INSTANTIATE_TEST_SUITE_P(Server, Race, testing::ValuesIn(servers()), name_of);
#ifdef OAS_WITH_S3
const auto s3_name = [](const testing::TestParamInfo<const char*>&) { return "versitygw"; };
INSTANTIATE_TEST_SUITE_P(S3, Kill, testing::Values(s3), s3_name);
INSTANTIATE_TEST_SUITE_P(S3, Race, testing::Values(s3), s3_name);
#endif

TEST_P(Kill, ProcessesAtRandomMoments) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  declare(folder.path());
  const auto end = Clock::now() + std::chrono::seconds(12);
  int rounds = 0;
  while (Clock::now() < end) {
    std::vector<pid_t> all;
    for (int i = 0; i < 4; ++i) {
      const auto own = static_cast<unsigned>(random());
      all.push_back(start_child([&] { return writer(folder.path(), own, end + std::chrono::seconds(60), i == 0); }));
    }
    for (const pid_t child : all) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 150'000));  // the moment is what is tested
      ::kill(child, SIGKILL);
    }
    for (const pid_t child : all) {
      const int status = wait_for(child);
      EXPECT_TRUE(WIFSIGNALED(status)) << "a writer ended by itself with " << status;
    }
    ++rounds;
    const std::string wrong = after_a_kill(folder.path(), [&] { return next_user(folder.path()); });
    ASSERT_EQ(wrong, "") << "round " << rounds << " of seed " << seed;
  }
  EXPECT_GT(rounds, 3);
}

TEST_P(Race, NobodyFailsAndNothingDangles) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  declare(folder.path());
  const auto end = Clock::now() + std::chrono::seconds(6);
  std::vector<pid_t> all;
  for (int i = 0; i < 4; ++i) {
    const auto own = static_cast<unsigned>(random());
    all.push_back(start_child([&] { return writer(folder.path(), own, end, i == 0); }));
  }
  all.push_back(start_child([&] { return reader(folder.path(), end); }));
  for (const pid_t child : all) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(next_user(folder.path()), "") << "seed " << seed;
}

#ifdef OAS_WITH_S3
TEST(Arrival, OfWhatADeadProcessHadSent) {
  OAS_NEED_S3(s3)
  const FastFolder folder;
  const fs::path where = folder.path();
  write_text(where / "s3", S3Server::fresh_location());
  declare(where);
  const int killed = run_child([&] {
    Session session = open_session(where);
    auto staged = session.schema("lab")["Film"].staged_insert1({{"id", 1}});
    staged.store("folder").write("a", "content");
    return ::raise(SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(killed));
  const auto objects = [&] {
    EXPECT_EQ(run_child([&] {
                std::string keys;
                for (const ObjectInfo& entry : store::open_store(store_in(where))->list("").entries)
                  if (entry.key.find("film") != entry.key.npos) keys += entry.key;
                write_text(where / "keys", keys);
                return 0;
              }),
              0);
    return text_of(where / "keys");
  };
  const std::string object = objects();
  ASSERT_NE(object, "");
  EXPECT_EQ(next_user(where), "");
  ASSERT_EQ(objects(), "");
  // It arrives once more.
  ASSERT_EQ(run_child([&] {
              store::open_store(store_in(where))->write(object, Bytes::copy("content").view());
              return 0;
            }),
            0);
  EXPECT_EQ(next_user(where), "");
  EXPECT_EQ(objects(), "");
  // With the lease of the intent the waiting ends.
  const auto intents = [&](const std::string& sql) {
    const auto side = db::open_connection(settings_in(where).database())->side();
    db::Transaction tx(*side);
    std::vector<Value> cells;
    const bool found = tx.execute(sql + side->dialect().table("lab", "~oas_intents") +
                                  (sql.starts_with("UPDATE ") ? " SET until = 0" : ""))
                           ->next(cells);
    tx.commit();
    return found;
  };
  EXPECT_TRUE(intents("SELECT id FROM "));
  intents("UPDATE ");
  EXPECT_EQ(next_user(where), "");
  EXPECT_FALSE(intents("SELECT id FROM "));
}
#endif

}  // namespace
}  // namespace oas::test
