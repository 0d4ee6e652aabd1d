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

/// What a variable such as OAS_TEST_POSTGRES holds; nullopt if it is not there.
inline std::optional<TestServer> test_server(const char* variable) {
  const char* set = std::getenv(variable);
  if (!set) return std::nullopt;
  std::string_view url(set);
  const auto up_to = [&](std::string_view end) {
    const std::size_t at = url.find(end);
    if (at == url.npos) throw std::runtime_error(std::string(variable) + " is not as tools/with_servers writes it");
    const std::string part(url.substr(0, at));
    url.remove_prefix(at + end.size());
    return part;
  };
  TestServer server;
  up_to("://");
  server.user = up_to(":");
  server.password = up_to("@");
  server.host = up_to(":");
  server.port = std::stoi(up_to("/"));
  server.name = up_to("?socket=");
  server.socket = url;
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
