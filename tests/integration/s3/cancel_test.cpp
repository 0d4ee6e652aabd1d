// A session is cancelled while it waits for a server of S3 that does not answer, or wants to be left alone for a while.
// No time-out is near, so only the cancelling can end the wait; the row is not there then, nothing dangles, nothing
// leaks.
#include <gtest/gtest.h>
#include <oas/oas.hpp>

#include <future>
#include <random>

#include "support/s3_faults.hpp"
#include "support/s3_server.hpp"
#include "support/temp_folder.hpp"

namespace oas::test {
namespace {

constexpr const char* variable = "OAS_TEST_S3_VERSITYGW";

struct Wait {
  const char* kind;  ///< of the request that is answered so
  const char* name;
  HttpFault fault;
  int at = 1;
};

std::vector<Wait> waits() {
  const HttpFault never{.request = HttpFault::Request::whole, .share = 0, .end = HttpFault::End::stalled};
  const HttpFault done{.share = 0, .end = HttpFault::End::stalled};
  const HttpFault later{
      .request = HttpFault::Request::whole,
      .answer = s3_fault::says("503 Slow Down", s3_fault::error_body("SlowDown"), "Retry-After: 60\r\n")};
  std::vector<Wait> all;
  for (const auto& [kind, at] : {std::pair{"put", 1}, {"part", 2}, {"complete", 1}, {"get", 1}, {"range", 1}}) {
    all.push_back({kind, "never_done", never, at});
    all.push_back({kind, "done", done, at});
    all.push_back({kind, "pausing", later, at});
  }
  return all;
}

class S3Cancel : public ::testing::TestWithParam<Wait> {
 protected:
  void SetUp() override {
    OAS_NEED_S3(variable)
    proxy_.emplace(s3_server(variable)->port, s3_kind);
  }
  Session open() const {
    Settings settings;
    settings.set("database", map({{"backend", "sqlite"}, {"name", (folder_.path() / "lab.db").string()}}));
    Map store = map({{"protocol", "s3"}});
    for (const auto& [key, value] : s3_server(variable)->options(location_, proxy_->port())) store.set(key, value);
    store.set("part_size", std::int64_t{5} << 20);
    store.set("request_timeout", 3600);
    store.set("stall_timeout", 3600);
    settings.set("stores.main", store);
    settings.set("collector.foreign_writers", false);
    return Session(std::move(settings), SessionOptions{.log = [](LogLevel, std::string_view) {}, .concurrency = 4});
  }
  static Row row(std::int32_t id, std::size_t size) {
    std::minstd_rand random(static_cast<unsigned>(id));
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>(random() >> 8);
    return Row{{"id", id}, {"x", Bytes::copy(text)}};
  }

  TempFolder folder_;
  const std::string location_ = S3Server::fresh_location();
  std::optional<HttpProxy> proxy_;
};

TEST_P(S3Cancel, EndsTheWaitAndLeavesNothing) {
  const std::string kind = GetParam().kind;
  const std::size_t size = kind == "put" || kind == "get" ? 10'000 : 11'000'000;
  {
    Session session = open();
    auto items = session.schema("lab").declare("Item", Tier::manual, "id : int32\n---\nx : <blob@main>");
    items.insert1(row(1, size));
    std::promise<void> waiting;
    HttpFault fault = GetParam().fault;
    fault.answer = [&, answer = fault.answer](const HttpMessage& request, HttpMessage& said) {
      if (answer) answer(request, said);
      waiting.set_value();
    };
    proxy_->arm(kind, fault, GetParam().at);
    std::thread other([&] {
      waiting.get_future().wait();
      session.cancel();
    });
    const bool reads = kind == "get" || kind == "range";
    try {
      if (reads)
        items.fetch();
      else
        items.insert({row(2, size), row(3, size / 2), row(4, 500)});
      ADD_FAILURE() << "it was not cancelled";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::cancelled) << e.what();
    }
    other.join();
    EXPECT_TRUE(proxy_->disarm());
    EXPECT_EQ(items.fetch().size(), 1U) << "what begins later is not touched";
    if (GetParam().at == 1) items.insert1(row(2, size));
  }
  Session session = open();
  EXPECT_TRUE(session.collect().errors.empty());
  const Audit audit = session.audit({.deep = true});
  EXPECT_EQ(audit.dangling, 0U);
  EXPECT_EQ(audit.damaged, 0U);
  EXPECT_EQ(audit.leaked, 0U);
  EXPECT_TRUE(session.store("main")->unfinished("").empty());
}

INSTANTIATE_TEST_SUITE_P(Each, S3Cancel, ::testing::ValuesIn(waits()),
                         [](const auto& one) { return std::string(one.param.kind) + "_" + one.param.name; });

}  // namespace
}  // namespace oas::test
