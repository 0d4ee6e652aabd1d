// The database servers of tools/with_servers, as its variables name them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace oas::test {

struct TestServer {
  std::string user, password, host, name, socket;
  int port = 0;
};

/// Takes the URL apart that tools/with_servers wrote into a variable.
class UrlOf {
 public:
  /// `url`: what the variable holds.
  UrlOf(std::string variable, std::string_view url) : variable_(std::move(variable)), rest_(url) {}
  std::string up_to(std::string_view end) {
    const std::size_t at = rest_.find(end);
    if (at == rest_.npos) throw std::runtime_error(variable_ + " is not as tools/with_servers writes it");
    std::string part(rest_.substr(0, at));
    rest_.remove_prefix(at + end.size());
    return part;
  }
  std::string rest() const { return std::string(rest_); }

 private:
  std::string variable_;
  std::string_view rest_;
};

/// What a variable such as OAS_TEST_POSTGRES holds; nullopt if it is not there.
inline std::optional<TestServer> test_server(const char* variable) {
  const char* const set = std::getenv(variable);
  if (!set) return std::nullopt;
  UrlOf url(variable, set);
  TestServer server;
  url.up_to("://");
  server.user = url.up_to(":");
  server.password = url.up_to("@");
  server.host = url.up_to(":");
  server.port = std::stoi(url.up_to("/"));
  server.name = url.up_to("?socket=");
  server.socket = url.rest();
  return server;
}

/// A missing server is a failure in CI, but for MySQL, which Debian does not have, and those that were sought in vain.
inline bool must_be_there(std::string_view variable) {
  const char* ci = std::getenv("CI");
  const char* in_vain = std::getenv("OAS_TEST_UNOBTAINABLE");
  return ci && std::string_view(ci) == "true" && variable != "OAS_TEST_MYSQL" &&
         (!in_vain || (' ' + std::string(in_vain) + ' ').find(' ' + std::string(variable) + ' ') == std::string::npos);
}

}  // namespace oas::test

/// In SetUp: without the server the test is skipped, in CI it fails.
#define OAS_NEED_SERVER(variable)                                                                           \
  if (!::oas::test::test_server(variable)) {                                                                \
    if (::oas::test::must_be_there(variable)) FAIL() << (variable) << " is not set: the server is missing"; \
    GTEST_SKIP() << (variable) << " is not set. run this under tools/with_servers";                         \
  }
