// Several sessions side by side, in one thread and in many, and what outlives them.
#include <atomic>
#include <barrier>
#include <thread>

#include "lab.hpp"

namespace oas::test {
namespace {

constexpr std::string_view definition = "id : int32\n---\nwho : int32\nx : <npy@>\nb : <blob@>";

class Sessions : public Lab {
 protected:
  static Row row(int id, int who) {
    return {{"id", id}, {"who", who}, {"x", counting(50, id)}, {"b", counting(30, id % 7)}};
  }
};
OAS_EVERYWHERE(Sessions);

TEST_P(Sessions, SeeEachOthersRows) {
  Session one = open(), two = open();
  auto here = one.schema("lab").declare("Thing", Tier::manual, definition);
  auto there = two.schema("lab").declare("Thing", Tier::manual, definition);
  here.insert1(row(1, 1));
  EXPECT_EQ(there.fetch1("x").as<NpyRef>().load(), counting(50, 1));
  fails(Errc::duplicate, {"id=1"}, [&] { there.insert1(row(1, 2)); });
  EXPECT_EQ(there.insert1(row(2, 2)), 1U);
  EXPECT_EQ((here & key({{"id", 2}})).remove(), 1U);
  EXPECT_EQ(there.size(), 1U);
  EXPECT_EQ(there.remove(), 1U);
  expect_tidy(0);
}

TEST_P(Sessions, NoticeWhatOthersDeclareAndDrop) {
  Session one = open(), two = open();
  Schema here = one.schema("lab"), there = two.schema("lab");
  here.declare("Thing", Tier::manual, definition);
  EXPECT_EQ(there.tables(), std::vector<std::string>{"thing"});
  auto thing = there["thing"];
  thing.insert1(row(1, 1));
  here["thing"].drop();
  EXPECT_TRUE(there.tables().empty());
  fails(Errc::unknown_table, {"thing"}, [&] { there["thing"]; });
  fails(Errc::unknown_table, {"thing"}, [&] { thing.insert1(row(2, 1)); });
  here.declare("Thing", Tier::manual, "id : int32\n---\nother : int8");
  there["thing"].insert1({{"id", 1}, {"other", 2}});
  expect_tidy(0);
}

TEST_P(Sessions, ShareContentWithoutTakingItFromEachOther) {
  Session one = open(), two = open();
  auto here = one.schema("lab").declare("Thing", Tier::manual, definition);
  auto there = two.schema("lab")["thing"];
  here.insert1(row(1, 1));
  there.insert1(row(8, 2));  // the same blob
  here.insert1(row(15, 1));
  EXPECT_EQ((there & key({{"id", 1}})).remove(), 1U);
  EXPECT_EQ((here & key({{"id", 8}})).remove(), 1U);
  EXPECT_TRUE(there.fetch1("b") == Value(counting(30, 1)));
  expect_tidy(2);
  one.collect();
  two.collect();
  expect_tidy(2);
}

TEST_P(Sessions, ReferencesOutliveTheirSession) {
  std::optional<NpyRef> array;
  std::optional<ObjectRef> object;
  std::optional<Attachment> attachment;
  std::vector<Row> rows;
  {
    Session passing = open();
    auto table = passing.schema("lab").declare("Thing", Tier::manual,
                                               "id : int32\n---\nx : <npy@>\no : <object@>\na : <attach@>");
    table.insert1(
        {{"id", 1}, {"x", counting(100)}, {"o", Bytes::copy("bytes")}, {"a", Attachment("n", Bytes::copy("c"))}});
    rows = table.fetch();
    array = rows[0].at<NpyRef>("x");
    object = rows[0].at<ObjectRef>("o");
    attachment = rows[0].at<Attachment>("a");
  }
  EXPECT_EQ(array->load(oas::rows(5, 1)).item<std::int64_t>(), 5);
  EXPECT_EQ(array->load(), counting(100));
  EXPECT_EQ(object->read().text(), "bytes");
  EXPECT_EQ(attachment->bytes().text(), "c");
  object->download(path("copy"));
  EXPECT_EQ(std::filesystem::file_size(path("copy")), 5U);
}

TEST_P(Sessions, QueriesAndStreamsOutliveTheirSession) {
  std::optional<Query> query;
  std::optional<Rows> stream;
  std::optional<StagedInsert> staged;
  {
    Session passing = open();
    auto table =
        passing.schema("lab").declare("Thing", Tier::manual, "id : int32\n---\nx=null : <npy@>\no=null : <object@>");
    table.insert({Row{{"id", 1}, {"x", counting(3)}}, Row{{"id", 2}}});
    query.emplace(table & where("id < {}", 9));
    stream.emplace(table.rows());
    staged.emplace(table.staged_insert1({{"id", 3}}));
  }
  EXPECT_EQ(query->size(), 2U);
  std::size_t seen = 0;
  for (const Row& found : *stream) seen += found.size() / 3;
  EXPECT_EQ(seen, 2U);
  staged->store("o").write("a", "1");
  EXPECT_EQ(staged->commit(), 1U);
  EXPECT_EQ(query->remove(), 3U);
  expect_tidy(0);
}

TEST_P(Sessions, MovedSessionsGoOn) {
  Session one = open();
  auto table = one.schema("lab").declare("Thing", Tier::manual, definition);
  Session two = std::move(one);
  table.insert1(row(1, 1));
  EXPECT_EQ(two.schema("lab")["thing"].size(), 1U);
  one = open();
  EXPECT_EQ(one.schema("lab")["thing"].size(), 1U);
}

TEST_P(Sessions, ThreadsInsertIntoOneTable) {
  declare("Thing", definition);
  constexpr int threads = 4, each = 12;
  std::barrier start(threads);
  std::atomic<int> failures{0};
  {
    std::vector<std::jthread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        try {
          Session own = open();
          auto table = own.schema("lab")["thing"];
          start.arrive_and_wait();
          for (int i = 0; i < each; ++i) table.insert1(row(t * each + i, t));
        } catch (const std::exception& e) {
          ADD_FAILURE() << e.what();
          ++failures;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  auto table = lab()["thing"];
  EXPECT_EQ(table.size(), std::size_t{threads * each});
  for (const Row& found : table) {
    const int id = found.at<int>("id");
    EXPECT_EQ(found.at<NpyRef>("x").load(), counting(50, id));
    EXPECT_TRUE(found["b"] == Value(counting(30, id % 7)));
  }
  expect_tidy(threads * each + 7);
}

TEST_P(Sessions, ThreadsInsertDeleteAndShareContent) {
  declare("Thing", definition);
  constexpr int threads = 3, each = 10;
  std::barrier start(threads);
  {
    std::vector<std::jthread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        try {
          Session own = open();
          auto table = own.schema("lab")["thing"];
          start.arrive_and_wait();
          for (int i = 0; i < each; ++i) {
            const int id = t * 1000 + i;
            Row mine = row(id, t);
            mine.set("b", "everybody's");
            table.insert1(mine);
            if (i % 2) (table & key({{"id", id}})).remove();
            for (const Row& found : table& key({{"who", t}})) EXPECT_TRUE(found["b"] == Value("everybody's"));
          }
        } catch (const std::exception& e) {
          ADD_FAILURE() << e.what();
        }
      });
    }
  }
  session().collect();
  EXPECT_EQ(lab()["thing"].size(), std::size_t{threads * each / 2});
  expect_tidy(threads * each / 2 + 1);
}

TEST_P(Sessions, OneReferenceIsReadByManyThreads) {
  auto table = declare("Thing", "id : int32\n---\nx : <npy@>\no : <object@>");
  table.insert1({{"id", 1}, {"x", counting(100'000)}, {"o", Bytes::copy(std::string(10'000, 'o'))}});
  const NpyRef ref = table.fetch1("x").as<NpyRef>();
  const ObjectRef object = table.fetch1("o").as<ObjectRef>();
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> readers;
    for (int t = 0; t < 4; ++t) {
      readers.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) {
          const std::int64_t at = t * 20'000 + i;
          if (ref.load(rows(at, 2)).as<std::int64_t>()[1] != at + 1) ++wrong;
          if (object.read({static_cast<std::uint64_t>(i), 5}).text() != "ooooo") ++wrong;
          if (i == 10 && ref.load().size() != 100'000) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST_P(Sessions, ThreadsDeclareTheSameTable) {
  constexpr int threads = 4;
  std::barrier start(threads);
  {
    std::vector<std::jthread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        try {
          Session own = open();
          start.arrive_and_wait();
          own.schema("lab").declare("Thing", Tier::manual, definition).insert1(row(t, t));
        } catch (const std::exception& e) {
          ADD_FAILURE() << e.what();
        }
      });
    }
  }
  EXPECT_EQ(lab()["thing"].size(), std::size_t{threads});
}

TEST_P(Sessions, SayWhatTheyHaveToSayToTheLogAlone) {
  std::vector<std::string> lines;
  SessionOptions with = options();
  with.log = [&](LogLevel, std::string_view text) { lines.emplace_back(text); };
  Session own(settings(), with);
  own.schema("lab").declare("Thing", Tier::manual, definition).insert1(row(1, 1));
  EXPECT_TRUE(lines.empty());
}

}  // namespace
}  // namespace oas::test
