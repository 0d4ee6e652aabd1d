// The S3 servers of tools/with_servers, as its variables name them.
#pragma once

#include <atomic>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <string>

#include <oas/store.hpp>

#include "support/test_server.hpp"

namespace oas::test {

struct S3Server {
  std::string scheme, access_key, secret_key, host, bucket;
  int port = 0;

  /// Of a store in this bucket. `port`: another way to the server.
  std::map<std::string, std::string, std::less<>> options(const std::string& location, int other_port = 0) const {
    return {{"endpoint", scheme + "://" + host + ":" + std::to_string(other_port ? other_port : port)},
            {"bucket", bucket},
            {"location", location},
            {"access_key", access_key},
            {"secret_key", secret_key}};
  }
  /// No other test has it.
  static std::string fresh_location() {
    static std::atomic<int> counter = 0;
    return "t" + std::to_string(std::random_device{}()) + "-" + std::to_string(++counter);
  }
};

/// What a variable such as OAS_TEST_S3_VERSITYGW holds; nullopt if it is not there.
inline std::optional<S3Server> s3_server(const char* variable) {
  const char* const set = std::getenv(variable);
  if (!set) return std::nullopt;
  UrlOf url(variable, set);
  S3Server server;
  server.scheme = url.up_to("://");
  server.access_key = url.up_to(":");
  server.secret_key = url.up_to("@");
  server.host = url.up_to(":");
  server.port = std::stoi(url.up_to("/"));
  server.bucket = url.rest();
  return server;
}

}  // namespace oas::test

/// In SetUp: without the server the test is skipped, in CI it fails.
#define OAS_NEED_S3(variable)                                                                               \
  if (!::oas::test::s3_server(variable)) {                                                                  \
    if (::oas::test::must_be_there(variable)) FAIL() << (variable) << " is not set: the server is missing"; \
    GTEST_SKIP() << (variable) << " is not set. run this under tools/with_servers";                         \
  }
