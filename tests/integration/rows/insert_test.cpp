// Inserts: all rows or none, whatever they come from, and transactions.
#include <array>
#include <list>
#include <span>

#include "lab.hpp"

namespace oas::test {
namespace {

class Insert : public Lab {
 protected:
  Table<> table() {
    return declare("Trial", "id : int32\n---\nword=\"w\" : varchar(20)\nx=null : <npy@>\nb=null : <blob@>");
  }
  static Row row(int id) { return {{"id", id}, {"x", counting(10, id)}, {"b", counting(20, id)}}; }
  static std::vector<Row> many(int first, int count) {
    std::vector<Row> rows;
    for (int i = 0; i < count; ++i) rows.push_back(row(first + i));
    return rows;
  }
};
OAS_EVERYWHERE(Insert);
#if defined(OAS_WITH_POSTGRES) && defined(OAS_WITH_S3)
INSTANTIATE_TEST_SUITE_P(OnTwoServers, Insert, ::testing::Values("postgres_versitygw"),
                         [](const auto& over) { return std::string(over.param); });
#endif

TEST_P(Insert, FromRanges) {
  auto trials = table();
  EXPECT_EQ(trials.insert(many(0, 5)), 5U);
  EXPECT_EQ(trials.insert(std::vector<Row>{}), 0U);
  EXPECT_EQ(trials.insert(std::list<Row>{row(5), row(6)}), 2U);
  const std::array<Row, 1> one{row(7)};
  EXPECT_EQ(trials.insert(one), 1U);
  EXPECT_EQ(trials.insert(std::span(one).first(0)), 0U);
  int next = 8;
  EXPECT_EQ(trials.insert(RowSource([&](Row& out) {
    if (next == 10) return false;
    out = row(next++);
    return true;
  })),
            2U);
  EXPECT_EQ(trials.size(), 10U);
  EXPECT_EQ((trials & key({{"id", 9}})).fetch1("x").as<NpyRef>().load(), counting(10, 9));
  expect_tidy(20);
}

// Others know nothing of what this process has seen.
TEST_P(Insert, ContentThatOthersRemovedIsWrittenAgain) {
  auto notes = declare("Note", "id : int32\n---\nb : <hash@>");
  const Bytes content = Bytes::copy("the same");
  notes.insert1({{"id", 1}, {"b", content}});
  expect_tidy(1);  // it was listed and read
  const std::string key = objects().at(0);
  if (std::string_view(GetParam()).ends_with("memory")) {
    EXPECT_TRUE(store().remove(key));
  } else {
    Session other(settings());
    EXPECT_TRUE(other.store("main")->remove(key));
  }
  store().clear();
  notes.insert1({{"id", 2}, {"b", content}});
  EXPECT_EQ(store().count("write"), 1U);
  EXPECT_EQ(store().count("list") + store().count("stat"), 0U);
  for (const int id : {1, 2}) EXPECT_EQ((notes & oas::key({{"id", id}})).fetch1("b").as<Bytes>().text(), "the same");
  expect_tidy(1);
}

TEST_P(Insert, FromColumns) {
  auto trials = table();
  const std::vector<std::int32_t> ids{1, 2, 3};
  EXPECT_EQ(trials.insert(columns(
                {{"id", ids}, {"word", list({"a", "b", nullptr})}, {"x", list({counting(1), nullptr, counting(3)})}})),
            3U);
  EXPECT_EQ((trials & key({{"id", 2}})).fetch1("word").as<std::string>(), "b");
  EXPECT_EQ((trials & key({{"id", 3}})).fetch1("x").as<NpyRef>().shape()[0], 3);
  refused(Errc::usage, {"insert columns", "word", "2", "3"}, [&] {
    trials.insert(columns({{"id", std::vector<std::int32_t>{4, 5, 6}}, {"word", list({"a", "b"})}}));
  });
  refused(Errc::usage, {"insert columns", "id", "int"}, [&] { trials.insert(columns({{"id", 4}})); });
  refused(Errc::usage, {"insert columns", "id"}, [&] {
    trials.insert(columns({{"id", Array::zeros<double>({2, 2})}}));
  });
  EXPECT_EQ(trials.insert(columns({})), 0U);
}

TEST_P(Insert, FromAQuery) {
  auto trials = table();
  trials.insert(many(0, 4));
  auto copy = declare("Copy", "id : int32\n---\nword : varchar(20)\nx=null : <npy@cold>\nb=null : <blob>");
  EXPECT_EQ(copy.insert(trials & where("id < {}", 3)), 3U);
  EXPECT_EQ(objects("cold").size(), 3U);
  EXPECT_EQ((copy & key({{"id", 2}})).fetch1("x").as<NpyRef>().load(), counting(10, 2));
  EXPECT_TRUE((copy & key({{"id", 2}})).fetch1("b") == Value(counting(20, 2)));
  EXPECT_EQ(copy.insert(trials, {.skip_duplicates = true}), 1U);
  EXPECT_EQ(copy.insert(trials.proj("old = id", "word").proj("id = old + 100", "word"), {.ignore_extra_fields = true}),
            4U);
  EXPECT_EQ(trials.remove(), 4U);
  EXPECT_EQ((copy & key({{"id", 0}})).fetch1("x").as<NpyRef>().load(), counting(10, 0));
  EXPECT_EQ(copy.insert(copy & where("id < 0")), 0U);
}

TEST_P(Insert, FromTheTableItself) {
  auto trials = table();
  trials.insert(many(0, 3));
  EXPECT_EQ(
      trials.insert(trials.proj("old = id", "x", "b").proj("id = old + 10", "x", "b"), {.ignore_extra_fields = true}),
      3U);
  EXPECT_EQ(trials.size(), 6U);
  EXPECT_EQ((trials & key({{"id", 11}})).fetch1("x").as<NpyRef>().load(), counting(10, 1));
  expect_tidy(6 + 3);
}

TEST_P(Insert, SkipDuplicatesKeepsTheOldRow) {
  auto trials = table();
  trials.insert(many(0, 3));
  EXPECT_EQ(
      trials.insert({Row{{"id", 1}, {"word", "new"}, {"x", counting(99)}}, row(7), row(7)}, {.skip_duplicates = true}),
      1U);
  EXPECT_EQ((trials & key({{"id", 1}})).fetch1("word").as<std::string>(), "w");
  expect_tidy(8);
}

TEST_P(Insert, ReplaceTakesTheNewRow) {
  auto trials = table();
  trials.insert(many(0, 3));
  EXPECT_EQ(trials.insert({Row{{"id", 1}, {"x", counting(99)}}, row(7)}, {.replace = true}), 2U);
  const Row one = (trials & key({{"id", 1}})).fetch1();
  EXPECT_EQ(one.at<NpyRef>("x").load(), counting(99));
  EXPECT_TRUE(one["b"].is_null());
  expect_tidy(2 + 2 + 1 + 2);
  EXPECT_EQ(trials.insert1(row(7), {.replace = true}), 1U);  // the same content stays
  EXPECT_TRUE((trials & key({{"id", 7}})).fetch1("b") == Value(counting(20, 7)));
  expect_tidy(7);
  refused(Errc::usage, {"skip_duplicates", "replace", "choose one"},
          [&] { trials.insert1(row(1), {.skip_duplicates = true, .replace = true}); });
}

TEST_P(Insert, ReplaceOfARowTwiceInOneCall) {
  auto trials = table();
  EXPECT_EQ(trials.insert({row(1), Row{{"id", 1}, {"x", counting(5)}, {"b", "last"}}}, {.replace = true}), 2U);
  EXPECT_EQ(trials.fetch1("x").as<NpyRef>().load(), counting(5));
  EXPECT_EQ(trials.fetch1("b").as<std::string>(), "last");
  session().collect();
  expect_tidy(2);
}

TEST_P(Insert, ReplaceKeepsRowsThatReferHere) {
  auto trials = table();
  trials.insert(many(1, 1));
  auto child = declare("Child", "-> Trial");
  child.insert1({{"id", 1}});
  EXPECT_EQ(trials.insert1({{"id", 1}, {"word", "new"}}, {.replace = true}), 1U);
  EXPECT_EQ(child.size(), 1U);
  EXPECT_EQ(trials.fetch1("word").as<std::string>(), "new");
}

TEST_P(Insert, ExtraFieldsAreRefusedOrPassedOver) {
  auto trials = table();
  Row extra = row(1);
  extra.set("wrod", "x");
  refused(Errc::unknown_attribute, {"insert into lab.trial, row 1", "wrod", "word", "ignore_extra_fields"},
          [&] { trials.insert1(extra); });
  EXPECT_EQ(trials.insert1(extra, {.ignore_extra_fields = true}), 1U);
}

TEST_P(Insert, SeveralWindowsAreOneInsert) {
  auto trials = table();
  const InsertOptions small{.window = 1000};  // bytes: some rows each
  EXPECT_EQ(trials.insert(many(0, 200), small), 200U);
  EXPECT_EQ(trials.size(), 200U);
  std::vector<Row> rows = many(1000, 100);
  rows.push_back(row(5));  // is there: windows before it are written and must go again
  refused(Errc::duplicate, {"insert into lab.trial", "id=5", "skip_duplicates"}, [&] { trials.insert(rows, small); });
  rows.back() = {{"id", "five"}};
  refused(Errc::usage, {"row 101", "attribute id"}, [&] { trials.insert(rows, small); });
  std::vector<Row> plain;
  for (int i = 0; i < 10'000; ++i) plain.push_back({{"id", 10'000 + i}});
  plain.push_back({{"id", 10'000}});
  refused(Errc::duplicate, {"id=10000"}, [&] { trials.insert(plain); });
  plain.pop_back();
  EXPECT_EQ(trials.insert(plain), 10'000U);
  expect_tidy(400);
}

TEST_P(Insert, AnExceptionOfTheSourceTakesAllBack) {
  auto trials = table();
  trials.insert(many(0, 2));
  const auto before = everything();
  for (const std::size_t window : {std::size_t{1}, std::size_t{500}, std::size_t{1} << 20}) {
    int id = 100;
    EXPECT_THROW(trials.insert(RowSource([&](Row& out) {
                                 if (id == 150) throw std::runtime_error("the camera is off");
                                 out = row(id++);
                                 return true;
                               }),
                               {.window = window}),
                 std::runtime_error);
    EXPECT_EQ(before, everything());
  }
}

TEST_P(Insert, TransactionsAreAllOrNothing) {
  auto trials = table();
  session().transaction([&] {
    trials.insert(many(0, 2));
    EXPECT_EQ(trials.size(), 2U);  // seen from inside
    EXPECT_EQ(open().schema("lab")["trial"].size(), 0U);
    (trials & key({{"id", 0}})).remove();
  });
  EXPECT_EQ(trials.size(), 1U);
  expect_tidy(2);
  const auto before = everything();
  EXPECT_THROW(session().transaction([&] {
    trials.insert(many(10, 2));
    trials.remove();
    trials.insert1(row(1));
    throw 5;
  }),
               int);
  EXPECT_EQ(before, everything());
  EXPECT_EQ(trials.fetch1("x").as<NpyRef>().load(), counting(10, 1));
  EXPECT_EQ(session().transaction([] { return 7; }), 7);
  expect_tidy(2);
}

TEST_P(Insert, SavepointsAreTakenBackAlone) {
  auto trials = table();
  session().transaction([&] {
    trials.insert1(row(1));
    EXPECT_THROW(session().transaction([&] {
      trials.insert1(row(2));
      session().transaction([&] { trials.insert1(row(3)); });
      trials.insert1(row(1));  // a duplicate
    }),
                 Error);
    EXPECT_EQ(trials.size(), 1U);
    session().transaction([&] { trials.insert1(row(4)); });
    fails(Errc::duplicate, {"id=1"}, [&] { trials.insert1(row(1)); });
  });
  EXPECT_EQ(trials.size(), 2U);
  expect_tidy(4);
}

TEST_P(Insert, ContentSharedWithATakenBackRowStays) {
  auto trials = table();
  trials.insert1({{"id", 1}, {"b", "same"}});
  EXPECT_THROW(session().transaction([&] {
    trials.insert1({{"id", 2}, {"b", "same"}});
    throw 1;
  }),
               int);
  EXPECT_EQ(trials.fetch1("b").as<std::string>(), "same");
  session().transaction([&] {
    trials.remove();
    trials.insert1({{"id", 3}, {"b", "same"}});
  });
  EXPECT_EQ(trials.fetch1("b").as<std::string>(), "same");
  expect_tidy(1);
}

TEST_P(Insert, DuringIteration) {
  auto trials = table();
  trials.insert(many(0, 599));
  trials.insert1({{"id", 599}});
  auto copy = declare("Copy", "id : int32\n---\nx : <npy@>");
  std::size_t seen = 0;
  for (const Row& found : trials.order_by("id")) {
    ++seen;
    if (found.at<int>("id") % 100 == 0) copy.insert1({{"id", found["id"]}, {"x", found["x"]}});
    if (found.at<int>("id") == 300) (trials & key({{"id", 599}})).remove();
    if (found.at<int>("id") == 301) trials.insert1(row(10'000));
  }
  EXPECT_EQ(seen, 600U);  // as it was when the stream began
  EXPECT_EQ(trials.size(), 600U);
  EXPECT_EQ(copy.size(), 6U);
}

TEST_P(Insert, StreamsInsideATransactionSeeItsRows) {
  auto trials = table();
  session().transaction([&] {
    trials.insert(many(0, 3));
    std::size_t seen = 0;
    for (const Row& found : trials) {
      ++seen;
      trials.insert1(row(100 + found.at<int>("id")));
    }
    EXPECT_EQ(seen, 3U);
  });
  EXPECT_EQ(trials.size(), 6U);
}

TEST_P(Insert, AStreamOutlivesTheTransactionItBeganIn) {
  auto trials = table();
  trials.insert(many(0, 3));
  std::optional<Rows> stream;
  session().transaction([&] { stream.emplace(trials.order_by("id").rows()); });
  std::size_t seen = 0;
  for (const Row& found : *stream) EXPECT_EQ(found.at<std::size_t>("id"), seen++);
  EXPECT_EQ(seen, 3U);
}

TEST_P(Insert, OfManyBlobsWithOneContentStoresItOnce) {
  auto trials = table();
  std::vector<Row> rows;
  for (int i = 0; i < 100; ++i) rows.push_back({{"id", i}, {"b", counting(1000)}});
  trials.insert(rows);
  expect_tidy(1);
  EXPECT_EQ((trials & where("id > 0")).remove(), 99U);
  expect_tidy(1);
  trials.remove();
  expect_tidy(0);
}

TEST_P(Insert, HiddenColumnsTellWhereARowCameFrom) {
  Settings settings = this->settings();
  settings.set("jobs.add_job_metadata", true);
  settings.set("provenance.capture", true);
  settings.set("provenance.source", map({{"rig", "left"}}));
  Session session(settings, options());
  auto scans = session.schema("lab").declare("Scan", Tier::manual, "id : int32\n---\nx=null : <object@>");
  auto means = session.schema("lab").declare("Mean", Tier::computed, "-> Scan\n---\nmean : float64");
  scans.insert1({{"id", 1}});
  auto staged = scans.staged_insert1({{"id", 2}});
  staged.store("x").write("a", "b");
  staged.commit();
  means.insert1({{"id", 1}, {"mean", 0.5}});
  means.insert1({{"id", 1}, {"mean", 0.75}}, {.replace = true});
  const std::string column = raw()->member("_prov", "source");
  for (const auto& cells : raw()->run("SELECT " + column + " FROM " + raw()->table("scan"))) {
    EXPECT_NE(cells[0].find("left"), std::string::npos) << cells[0];
  }
  const auto job = raw()->run("SELECT _job_start_time, _job_duration, _job_version FROM " + raw()->table("__mean"));
  ASSERT_EQ(job.size(), 1U);
  EXPECT_EQ(job[0][0].substr(0, 2), "20");
  EXPECT_LT(std::stod(job[0][1]), 600);
  EXPECT_EQ(job[0][2], "");
  fails(Errc::unknown_attribute, {"_prov"}, [&] { scans.insert1({{"id", 3}, {"_prov", "mine"}}); });
}

}  // namespace
}  // namespace oas::test
