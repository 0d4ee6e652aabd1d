#include "store/retry.hpp"

#include <gtest/gtest.h>

namespace oas::store {
namespace {

using http::Response;

Verdict judged(int status, std::string_view code = {}) {
  Response response;
  response.status = status;
  return judge(response, code);
}
Verdict judged(Response::Trouble trouble) {
  Response response;
  response.trouble = trouble;
  return judge(response, {});
}

TEST(Retry, TellsFailuresApart) {
  EXPECT_EQ(judged(Response::Trouble::connect), Verdict::again);
  EXPECT_EQ(judged(Response::Trouble::timed_out), Verdict::again);
  EXPECT_EQ(judged(Response::Trouble::cut), Verdict::again);
  EXPECT_EQ(judged(Response::Trouble::tls), Verdict::final);
  EXPECT_EQ(judged(Response::Trouble::cancelled), Verdict::final);
  for (const int status : {408, 502, 504}) EXPECT_EQ(judged(status), Verdict::again) << status;
  EXPECT_EQ(judged(500), Verdict::briefly);
  for (const int status : {429, 503}) EXPECT_EQ(judged(status), Verdict::slower) << status;
  for (const int status : {301, 307}) EXPECT_EQ(judged(status), Verdict::elsewhere) << status;
  for (const int status : {200, 204, 206, 400, 401, 403, 404, 405, 409, 411, 412, 416, 501, 505, 507})
    EXPECT_EQ(judged(status), Verdict::final) << status;
  EXPECT_EQ(judged(503, "SlowDown"), Verdict::slower);
  EXPECT_EQ(judged(400, "RequestTimeout"), Verdict::again);
  EXPECT_EQ(judged(200, "InternalError"), Verdict::briefly);
  EXPECT_EQ(judged(409, "ExistingObjectIsDirectory"), Verdict::briefly);
  EXPECT_EQ(judged(200, "SlowDown"), Verdict::slower);
  EXPECT_EQ(judged(409, "ConditionalRequestConflict"), Verdict::again);
  EXPECT_EQ(judged(403, "RequestTimeTooSkewed"), Verdict::clock);
  EXPECT_EQ(judged(400, "AuthorizationHeaderMalformed"), Verdict::elsewhere);
  EXPECT_EQ(judged(403, "AccessDenied"), Verdict::final);
}

TEST(Retry, WaitsLongerAndLongerAtRandom) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Backoff backoff(seed);
    std::int64_t limit = Backoff::first.count();
    for (int i = 0; i < 40; ++i) {
      const auto wait = backoff.next();
      EXPECT_GE(wait.count(), 0);
      EXPECT_LE(wait.count(), std::min(limit, Backoff::longest.count()));
      limit = std::min<std::int64_t>(limit * 2, Backoff::longest.count());
    }
  }
  std::int64_t low = INT64_MAX, high = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const std::int64_t wait = Backoff(seed * 7919).next().count();
    low = std::min(low, wait);
    high = std::max(high, wait);
  }
  EXPECT_LT(low, 30);  // full jitter: anything up to the limit
  EXPECT_GT(high, 70);
}

TEST(Retry, WaitsAsLongAsTheServerAsks) {
  Response response;
  response.headers = {{"retry-after", "7"}};
  EXPECT_EQ(retry_after(response, 0), std::chrono::seconds(7));
  response.headers = {{"retry-after", "Thu, 01 Jan 1970 00:01:40 GMT"}};
  EXPECT_EQ(retry_after(response, 90), std::chrono::seconds(10));
  EXPECT_EQ(retry_after(response, 900), std::chrono::seconds(0));
  response.headers = {{"retry-after", "86400"}};
  EXPECT_EQ(retry_after(response, 0), std::chrono::seconds(60));
  response.headers = {{"retry-after", "soon"}};
  EXPECT_FALSE(retry_after(response, 0));
  EXPECT_GE(Backoff(1).next(std::chrono::seconds(7)), std::chrono::seconds(7));
}

TEST(Retry, ThrottlingLowersHowManyRunAtOnce) {
  Budget budget(64);
  EXPECT_EQ(budget.record(Verdict::slower, false), 32u);
  EXPECT_EQ(budget.record(Verdict::slower, false), std::nullopt);  // of the same moment
  EXPECT_EQ(budget.limit(), 32u);
  for (int i = 0; i < 64 * 64; ++i) budget.record(Verdict::final, true);
  EXPECT_EQ(budget.limit(), 64u);
  Budget one(1);
  one.record(Verdict::slower, false);
  EXPECT_EQ(one.limit(), 1u);
}

}  // namespace
}  // namespace oas::store
