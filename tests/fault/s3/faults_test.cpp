// Every fault of s3_faults.hpp strikes one request of every kind that rows make. The operation succeeds or ends in one
// typed error, what it says is true, once more it succeeds, and then nothing dangles, nothing leaks, and no upload is
// left open.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include <oas/oas.hpp>

#include "fault/lab.hpp"
#include "support/s3_faults.hpp"
#include "support/s3_server.hpp"

namespace oas::test {
namespace {

Bytes noise(std::size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random() >> 8);
  return Bytes::copy(text);
}

/// What is done to rows, and the request of it that is struck.
struct Operation {
  const char* name;
  const char* kind;
  int at = 1;
};
constexpr Operation operations[] = {
    {"first_put", "put", 1},  // by which the store tries out conditions
    {"put", "put", 1},        // of an object
    {"begin", "begin", 1},    // of an upload in parts
    {"part", "part", 2},      //
    {"complete", "complete", 1}, {"get", "get", 1},         {"range", "range", 1},
    {"list", "list", 1},         {"uploads", "uploads", 1}, {"remove", "delete_many", 1},
    {"ask", "head", 1},       // for content that may be there
    {"forget", "delete", 1},  // an object, by the store's own call
    {"give_up", "abort", 1},  // an upload
};

/// Bytes of a range have no checksum, and S3 gives none with them: the reader cannot know.
bool undetectable(const HttpFault& fault, std::string_view operation) {
  return fault.name == "flipped_bit" && operation == "range";
}

/// These say that it will not work, now or ever; repeating is no help. All others of the network and of servers in
/// trouble are survived.
bool survived(const HttpFault& fault) {
  static const std::map<std::string, bool> which = [] {
    std::map<std::string, bool> names;
    for (const HttpFault& one : s3_faults()) {
      names[one.name] = true;
      if (one.name == "done_and_page_told") break;
    }
    for (const char* name :
         {"chunked", "lower_case", "continue_first", "many_headers", "clock_skewed", "dates_missing"})
      names[name] = true;
    names["page_with_200"] = false;
    return names;
  }();
  return which.contains(fault.name) && which.at(fault.name);
}

class S3Faults : public ::testing::TestWithParam<std::tuple<const char*, HttpFault, Operation>> {
 protected:
  const char* const variable = std::get<0>(GetParam());

  void SetUp() override {
    OAS_NEED_S3(variable)
    proxy_.emplace(s3_server(variable)->port, s3_kind);
    Session session = open(0);
    session.schema("lab").declare("Item", Tier::manual, "id : int32\n---\ncontent : <blob@main>\nx=null : <npy@main>");
    insert(session, 1);
  }

  /// To the server, or through a port.
  Session open(int port) const {
    const S3Server server = s3_server(variable).value();
    Settings settings;
    settings.set("database", map({{"backend", "sqlite"}, {"name", (folder_.path() / "lab.db").string()}}));
    Map store = map({{"protocol", "s3"}});
    for (const auto& [key, value] : server.options(location_, port)) store.set(key, value);
    store.set("part_size", std::int64_t{5} << 20);
    store.set("request_timeout", 20);
    store.set("stall_timeout", 1);
    settings.set("stores.main", store);
    settings.set("collector.foreign_writers", false);
    SessionOptions options{.log = [](LogLevel, std::string_view) {}, .concurrency = 2};
    return Session(std::move(settings), std::move(options));
  }
  static Table<> items(Session& session) { return session.schema("lab")["item"]; }
  static Bytes content(std::int32_t id) {
    static const Bytes large = noise(11U << 20, 10);
    return id == 10 ? large : noise(id == 20 ? 100'000 : 10'000, static_cast<unsigned>(id));
  }
  static Array numbers() {
    std::vector<std::int64_t> all(5000);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
    return Array::own(std::move(all));
  }
  static void insert(Session& session, std::int32_t id) {
    const Value x = id == 1 ? Value(numbers()) : Value();
    items(session).insert({Row{{"id", id}, {"content", content(id)}, {"x", x}}});
  }
  /// Throws what oas throws; what it returns was compared.
  static void perform(Session& session, std::string_view name) {
    if (name == "put" || name == "first_put") {
      insert(session, 2);
    } else if (name == "begin" || name == "part" || name == "complete") {
      insert(session, 10);
    } else if (name == "ask") {
      insert(session, 20);
    } else if (name == "forget") {
      session.store("main")->write("_hash/lab/other", as_bytes("of nobody"));
      session.store("main")->remove("_hash/lab/other");
    } else if (name == "give_up") {
      const auto store = session.store("main");
      const auto upload = store->upload("_hash/lab/other");
      upload->append(content(10).view());
    } else if (name == "get") {
      EXPECT_TRUE((items(session) & where("id = {}", 1)).fetch1("content") == Value(content(1)));
    } else if (name == "range") {
      const Value x = (items(session) & where("id = {}", 1)).fetch1("x");
      const Array some = x.as<NpyRef>().load(rows(1000, 50));
      EXPECT_EQ(some.as<std::int64_t>()[0], 1000);
      EXPECT_EQ(some.as<std::int64_t>()[49], 1049);
    } else if (name == "list" || name == "uploads") {
      const Audit audit = session.audit();
      EXPECT_EQ(audit.dangling + audit.damaged + audit.leaked, 0U) << "told of a store that is in order";
      EXPECT_EQ(audit.objects, 2U);
    } else {
      (items(session) & where("id = {}", 1)).remove();
      const Collected collected = session.collect();
      if (!collected.errors.empty()) throw collected.errors.front();
      if (collected.waiting > 0) throw Error(Errc::unavailable, "objects wait to be removed");
    }
  }
  static std::vector<std::int32_t> ids(Session& session) {
    std::vector<std::int32_t> all;
    for (const Row& row : items(session).proj("id").fetch())
      all.push_back(static_cast<std::int32_t>(row.at<std::int64_t>("id")));
    return all;
  }

  FastFolder folder_;
  std::string location_ = S3Server::fresh_location();
  std::optional<HttpProxy> proxy_;
};

TEST_P(S3Faults, LeaveRowsAndObjectsWhole) {
  const auto& [server, fault, operation] = GetParam();
  if (undetectable(fault, operation.name)) return;
  const std::string name = operation.name;
  std::optional<Error> error;
  {
    Session session = open(proxy_->port());
    if (name != "first_put") insert(session, 3);
    if (name == "list" || name == "uploads") (items(session) & where("id = {}", 3)).remove(), session.collect();
    const auto before = ids(session);
    proxy_->arm(operation.kind, fault, operation.at);
    try {
      perform(session, name);
    } catch (const Error& e) {
      error = e;
    }
    EXPECT_TRUE(proxy_->disarm()) << "no request was struck";
    if (error) {
      EXPECT_FALSE(survived(fault)) << error->what();
      EXPECT_NE(error->code(), Errc::internal) << error->what();
      EXPECT_NE(error->code(), Errc::usage) << error->what();
      EXPECT_NE(std::string(error->what()).find("main"), std::string::npos) << error->what();
      EXPECT_EQ(std::string(error->what()).find(s3_server(variable)->secret_key), std::string::npos);
      if (name != "remove") {
        EXPECT_EQ(ids(session), before) << "it said that it failed: " << error->what();
        perform(session, name);
      }
    }
  }
  Session session = open(0);
  const Collected collected = session.collect();
  EXPECT_TRUE(collected.errors.empty());
  EXPECT_EQ(collected.waiting, 0U);
  // An upload whose beginning was never told has no name here: the audit finds it.
  // The same holds for what was given up and stayed, and for what no row knows.
  if (name == "begin" || name == "give_up" || name == "forget") session.audit({.repair = true});
  const Audit audit = session.audit({.deep = true});
  EXPECT_EQ(audit.dangling, 0U);
  EXPECT_EQ(audit.damaged, 0U);
  EXPECT_EQ(audit.leaked, 0U);
  for (const Finding& finding : audit.findings)
    ADD_FAILURE() << finding.path << ": " << finding.detail << (error ? error->what() : ", and no error was told");
  EXPECT_TRUE(session.store("main")->unfinished("").empty());
  for (const std::int32_t id : ids(session))
    EXPECT_TRUE((items(session) & where("id = {}", id)).fetch1("content") == Value(content(id)));
}

std::string name_of(const ::testing::TestParamInfo<S3Faults::ParamType>& over) {
  return std::get<1>(over.param).name + "_at_" + std::get<2>(over.param).name;
}
INSTANTIATE_TEST_SUITE_P(Each, S3Faults,
                         ::testing::Combine(::testing::Values("OAS_TEST_S3_VERSITYGW"),
                                            ::testing::ValuesIn(s3_faults()), ::testing::ValuesIn(operations)),
                         name_of);

/// Of another server, which is slower, those that depend on what it had done.
std::vector<HttpFault> some_faults() {
  std::vector<HttpFault> some;
  for (const HttpFault& fault : s3_faults())
    for (const char* name : {"cut_in_request_body", "answer_lost", "done_and_error_told", "error_in_200", "slow_down"})
      if (fault.name == name) some.push_back(fault);
  return some;
}
INSTANTIATE_TEST_SUITE_P(OfMoto, S3Faults,
                         ::testing::Combine(::testing::Values("OAS_TEST_S3_MOTO"), ::testing::ValuesIn(some_faults()),
                                            ::testing::ValuesIn(operations)),
                         name_of);

}  // namespace
}  // namespace oas::test
