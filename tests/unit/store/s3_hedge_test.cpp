// Small reads that are asked for a second time, as the setting hedge_reads says. A server holds the answer to the first
// request for "slow" back, and answers the others at once.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include <oas/store.hpp>

#include "store/registry.hpp"
#include "store/retry.hpp"
#include "support/http_server.hpp"

namespace oas::test {
namespace {

using std::chrono::milliseconds;
using store::Hedge;

TEST(Hedge, KnowsHowLongNearlyAllTake) {
  Hedge hedge;
  for (int i = 1; i < 100; ++i) hedge.record(milliseconds(i));
  EXPECT_FALSE(hedge.patience());
  hedge.record(milliseconds(100));
  EXPECT_EQ(hedge.patience(), milliseconds(100));
  for (int i = 0; i < 600; ++i) hedge.record(milliseconds(7));  // what is long ago is forgotten
  EXPECT_EQ(hedge.patience(), milliseconds(7));
}

TEST(Hedge, IsForOneInFifty) {
  Hedge hedge;
  EXPECT_FALSE(hedge.take());
  const auto taken = [&](int reads) {
    int count = 0;
    for (int i = 0; i < reads; ++i) {
      hedge.record(milliseconds(1));
      count += hedge.take();
    }
    return count;
  };
  EXPECT_EQ(taken(49), 0);
  EXPECT_EQ(taken(1), 1);
  EXPECT_EQ(taken(10'000), 200);
  for (int i = 0; i < 10'000; ++i) hedge.record(milliseconds(1));
  int at_once = 0;
  while (hedge.take()) ++at_once;
  EXPECT_EQ(at_once, 5);
}

std::string problem(std::string_view code) {
  return "<?xml version=\"1.0\"?><Error><Code>" + std::string(code) + "</Code></Error>";
}
HttpAnswer object(std::string body) { return {.body = std::move(body), .headers = {{"ETag", "\"e\""}}}; }

class HedgedReads : public ::testing::Test {
 protected:
  using Options = std::map<std::string, std::string, std::less<>>;

  ~HedgedReads() override { let_go(); }
  void let_go() {
    if (!std::exchange(gone_, true)) go_.set_value();
  }
  /// After as many reads as are needed to know how long they take.
  std::shared_ptr<Store> warm(Options more = {{"hedge_reads", "true"}}) {
    Options options{{"endpoint", server_.url()}, {"bucket", "b"},        {"location", "l"},
                    {"access_key", "key"},       {"secret_key", "hush"}, {"request_timeout", "3600"}};
    for (auto& [key, value] : more) options[key] = value;
    auto store = store::open_store({.name = "s", .protocol = "s3", .options = options});
    for (std::size_t i = 0; i < Hedge::fewest; ++i) store->read("quick");
    return store;
  }
  std::vector<HttpAsked> asked_for_slow() const {
    auto all = server_.asked();
    std::erase_if(all, [](const HttpAsked& asked) { return !asked.target.ends_with("slow"); });
    return all;
  }

  std::promise<void> go_, asked_again_;
  /// To the requests for "slow" from the second one on, in their order, the last one for ever.
  std::vector<HttpAnswer> then_{object("second")};
  std::function<HttpAnswer()> first_ = [held = go_.get_future().share()] {
    held.wait();
    return object("first");
  };
  std::atomic<std::size_t> slow_ = 0;
  bool gone_ = false;
  std::atomic<bool> is_asked_again_ = false;
  HttpServer server_{[this](const HttpAsked& asked) {
    if (!asked.target.ends_with("slow")) return object("quick");
    const std::size_t i = slow_++;
    if (i == 0) return first_();
    if (i == 1 && !is_asked_again_.exchange(true)) asked_again_.set_value();
    return then_[std::min(i, then_.size()) - 1];
  }};
};

TEST_F(HedgedReads, TheSecondAnswerCountsWhenTheFirstDoesNotCome) {
  const auto store = warm();
  const Version version{"e"};
  EXPECT_EQ(store->read("slow", {0, 6}, &version)->data.text(), "second");  // and the first request is over
  const auto asked = asked_for_slow();
  ASSERT_EQ(asked.size(), 2U);
  for (const char* header : {"range", "if-match"}) EXPECT_EQ(asked[0].headers.at(header), asked[1].headers.at(header));
}

TEST_F(HedgedReads, WhatIsNotThereAnyMoreOrWasRewrittenIsAnAnswer) {
  const auto store = warm();
  then_ = {{.status = 404, .body = problem("NoSuchKey")}};
  EXPECT_FALSE(store->read("slow"));
  EXPECT_EQ(asked_for_slow().size(), 2U);
  then_ = {{.status = 412, .body = problem("PreconditionFailed")}};
  slow_ = 0;
  const Version version{"old"};
  try {
    store->read("slow", {}, &version);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::conflict) << e.what();
  }
  EXPECT_EQ(asked_for_slow().size(), 4U);
}

// Whichever arrives first: the second is no answer, and the first one is.
TEST_F(HedgedReads, AFailureLeavesItToTheOther) {
  then_ = {{.status = 500, .body = problem("InternalError")}};
  first_ = [again = asked_again_.get_future().share()] {
    again.wait();
    return object("first");
  };
  EXPECT_EQ(warm()->read("slow")->data.text(), "first");
  EXPECT_EQ(asked_for_slow().size(), 2U);
}

TEST_F(HedgedReads, TwoFailuresAreRepeated) {
  then_ = {{.status = 500, .body = problem("InternalError")}, object("third")};
  first_ = [again = asked_again_.get_future().share()] {
    again.wait();
    return HttpAnswer{.silent = true};
  };
  EXPECT_EQ(warm()->read("slow")->data.text(), "third");
  EXPECT_EQ(asked_for_slow().size(), 3U);
}

TEST_F(HedgedReads, BothAreCancelled) {
  std::promise<void> both, over;
  const auto held = over.get_future().share();
  std::atomic<int> slow = 0;
  HttpServer server([&](const HttpAsked& asked) {
    if (!asked.target.ends_with("slow")) return object("quick");
    if (++slow == 2) both.set_value();
    held.wait();
    return object("late");
  });
  const auto store = warm({{"hedge_reads", "true"}, {"endpoint", server.url()}});
  std::thread other([&] {
    both.get_future().wait();
    store->cancel();
  });
  try {
    store->read("slow");
    ADD_FAILURE() << "it was not cancelled";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::cancelled) << e.what();
  }
  other.join();
  over.set_value();
}

// The answer comes long after the time at which a second request would be made. Were this machine so slow that it is
// not, the test would see less, but not fail.
TEST_F(HedgedReads, ThereIsNone) {
  first_ = [] {
    std::this_thread::sleep_for(milliseconds(200));
    return object("first");
  };
  const auto once = [&](Options options, const std::function<void(Store&)>& call) {
    const auto store = warm(std::move(options));
    slow_ = 0;
    const std::size_t before = asked_for_slow().size();
    call(*store);
    EXPECT_EQ(asked_for_slow().size() - before, 1U);
  };
  const auto read = [](Store& store) { EXPECT_EQ(store.read("slow")->data.text(), "first"); };
  once({}, read);  // by default
  once({{"hedge_reads", "false"}}, read);
  once({{"hedge_reads", "true"}}, [](Store& store) { store.write("slow", as_bytes("x")); });
  once({{"hedge_reads", "true"}}, [](Store& store) {  // of more than 1 MiB
    EXPECT_THROW(store.read("slow", {0, std::uint64_t{2} << 20}), Error);
  });
}

TEST_F(HedgedReads, ThereIsNoneWhileTheServerThrottles) {
  std::atomic<int> slow = 0;
  std::atomic<bool> throttling = false;
  HttpServer server([&](const HttpAsked& asked) {
    if (throttling.exchange(false))
      return HttpAnswer{.status = 503, .body = problem("SlowDown"), .headers = {{"Retry-After", "0"}}};
    if (!asked.target.ends_with("slow")) return object("quick");
    if (++slow == 1) std::this_thread::sleep_for(milliseconds(200));
    return object("first");
  });
  const auto store = warm({{"hedge_reads", "true"}, {"endpoint", server.url()}});
  throttling = true;
  store->read("quick");
  EXPECT_EQ(store->read("slow")->data.text(), "first");
  EXPECT_EQ(slow, 1);
}

}  // namespace
}  // namespace oas::test
