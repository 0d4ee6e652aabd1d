// Every source of credentials against a small server in place of the service that gives them.
#include "store/credentials.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>

#include <oas/error.hpp>

#include "support/http_server.hpp"
#include "support/temp_folder.hpp"

namespace oas::store {
namespace {

using test::HttpAnswer;
using test::HttpAsked;
using test::HttpServer;

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() { variables_["HOME"] = folder_.path().string(); }

  void write(const std::string& name, std::string_view text) {
    const auto path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  Credentials make() { return Credentials(settings_, surroundings()); }
  Credentials::Surroundings surroundings() {
    return {[this](const std::string& name) -> std::optional<std::string> {
              const auto at = variables_.find(name);
              return at == variables_.end() ? std::nullopt : std::optional(at->second);
            },
            [this] { return now_.load(); }};
  }
  Error refused(Credentials credentials) { return refused_by(credentials); }
  static Error refused_by(Credentials& credentials) {
    try {
      credentials.current();
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()).find("hush"), std::string::npos) << e.what();
      return e;
    }
    ADD_FAILURE() << "there were some";
    return Error(Errc::internal, "none");
  }
  static void expect_keys(const sigv4::Credentials& keys, const std::string& key, const std::string& secret,
                          const std::string& token = {}) {
    EXPECT_EQ(keys.access_key, key);
    EXPECT_EQ(keys.secret_key, secret);
    EXPECT_EQ(keys.session_token, token);
  }
  /// Two wait for what began at moment 0, one of them for the source itself.
  void cancel_one_that_waits(const std::function<void()>& until_asked, const std::function<void()>& answer,
                             const std::string& key) {
    auto credentials = make();
    const auto cancelled = [&] {
      try {
        credentials.current(0);
        ADD_FAILURE() << "it was not cancelled";
      } catch (const Error& e) {
        EXPECT_EQ(e.code(), Errc::cancelled) << e.what();
      }
    };
    std::thread one(cancelled);
    until_asked();
    std::thread two(cancelled);
    credentials.cancel_before(1);
    one.join();
    two.join();
    cancelled();  // also if it comes only now
    answer();
    EXPECT_EQ(credentials.current(1).access_key, key);
  }
  void no_services() { variables_["AWS_EC2_METADATA_DISABLED"] = "true"; }

  test::TempFolder folder_;
  std::map<std::string, std::string> variables_;
  s3::Settings settings_;
  std::atomic<std::int64_t> now_ = 1'700'000'000;  // 2023-11-14T22:13:20Z
};

TEST_F(CredentialsTest, OfTheEntryComeFirst) {
  variables_["AWS_ACCESS_KEY_ID"] = "other";
  variables_["AWS_SECRET_ACCESS_KEY"] = "hush-other";
  settings_.keys = {"key", "hush", "token"};
  auto credentials = make();
  expect_keys(credentials.current(), "key", "hush", "token");
  EXPECT_FALSE(credentials.expired(credentials.current()));
}

TEST_F(CredentialsTest, OfTheEnvironment) {
  variables_["AWS_ACCESS_KEY_ID"] = "key";
  EXPECT_EQ(refused(make()).code(), Errc::access);
  variables_["AWS_SECRET_ACCESS_KEY"] = "hush";
  expect_keys(make().current(), "key", "hush");
  variables_["AWS_SESSION_TOKEN"] = "token";
  auto credentials = make();
  expect_keys(credentials.current(), "key", "hush", "token");
  variables_["AWS_ACCESS_KEY_ID"] = "renewed";
  EXPECT_EQ(credentials.current().access_key, "key");
  EXPECT_TRUE(credentials.expired(credentials.current()));
  EXPECT_EQ(credentials.current().access_key, "renewed");
}

TEST_F(CredentialsTest, AnonymousAsksNobody) {
  settings_.anonymous = true;
  EXPECT_TRUE(make().current().anonymous());
}

TEST_F(CredentialsTest, OfSharedFilesAndTheirProfiles) {
  no_services();
  write(".aws/credentials",
        "[default]\naws_access_key_id = d\naws_secret_access_key = hush-d\n\n"
        "[lab]\nAWS_ACCESS_KEY_ID=l\naws_secret_access_key=hush=l==\naws_session_token = t\n");
  write(
      ".aws/config",
      "# comment\n[profile cloud]\nregion = eu\ns3 =\n  aws_access_key_id = nested\naws_access_key_id = c\n"
      "aws_secret_access_key = hush-c\n[profile half]\naws_access_key_id = h\n[profile lab]\naws_access_key_id = no\n");
  expect_keys(make().current(), "d", "hush-d");
  variables_["AWS_PROFILE"] = "lab";
  expect_keys(make().current(), "l", "hush=l==", "t");
  settings_.profile = "cloud";
  expect_keys(make().current(), "c", "hush-c");
  settings_.profile = "half";
  EXPECT_EQ(refused(make()).code(), Errc::access);
  settings_.profile = "nobody";
  EXPECT_NE(std::string(refused(make()).what()).find("nobody"), std::string::npos);
  settings_.profile = {};
  variables_["AWS_PROFILE"] = "nobody";
  EXPECT_EQ(refused(make()).code(), Errc::access);
  variables_["AWS_PROFILE"] = "default";
  write("elsewhere", "[default]\naws_access_key_id = e\naws_secret_access_key = hush-e\n");
  variables_["AWS_SHARED_CREDENTIALS_FILE"] = (folder_.path() / "elsewhere").string();
  expect_keys(make().current(), "e", "hush-e");
}

TEST_F(CredentialsTest, OfAProcess) {
  no_services();
  const auto config = [&](const std::string& command) {
    write(".aws/config", "[default]\ncredential_process = " + command + "\n");
  };
  write(
      "answer",
      R"({"Version": 1, "AccessKeyId": "p", "SecretAccessKey": "hush-p", "SessionToken": "t", "Expiration": "2023-11-14T23:13:20Z"})");
  config("cat '" + (folder_.path() / "answer").string() + "'");
  expect_keys(make().current(), "p", "hush-p", "t");
  config("false");
  EXPECT_EQ(refused(make()).code(), Errc::access);
  config("echo no json hush");
  EXPECT_EQ(refused(make()).code(), Errc::unavailable);
  config(R"(echo '{"Version": 2, "AccessKeyId": "p", "SecretAccessKey": "hush"}')");
  EXPECT_EQ(refused(make()).code(), Errc::unavailable);
  config(R"(echo '{"Version": 1}')");
  EXPECT_EQ(refused(make()).code(), Errc::access);
}

TEST_F(CredentialsTest, OfAWebIdentity) {
  HttpServer sts([](const HttpAsked&) {
    return HttpAnswer{
        .body =
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
            "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>w</AccessKeyId><SecretAccessKey>"
            "hush-w</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2023-11-14T23:13:20Z"
            "</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"};
  });
  write("token", "hush.jwt\n");
  variables_["AWS_ENDPOINT_URL_STS"] = sts.url();
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = (folder_.path() / "token").string();
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/r";
  expect_keys(make().current(), "w", "hush-w", "t");
  ASSERT_EQ(sts.asked().size(), 1u);
  const HttpAsked asked = sts.asked().front();
  EXPECT_EQ(asked.method, "POST");
  EXPECT_EQ(asked.target, "/");  // the token is in the body, not in an address that proxies log
  EXPECT_EQ(asked.body,
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=oas&"
            "Version=2011-06-15&WebIdentityToken=hush.jwt");
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/nowhere";
  EXPECT_EQ(refused(make()).code(), Errc::access);
}

TEST_F(CredentialsTest, OfAContainer) {
  HttpServer service([](const HttpAsked& asked) {
    if (asked.headers.count("authorization") == 0 || asked.headers.at("authorization") != "hush-token")
      return HttpAnswer{.status = 401};
    return HttpAnswer{
        .body =
            R"({"AccessKeyId": "c", "SecretAccessKey": "hush-c", "Token": "t", "Expiration": "2023-11-14T23:13:20Z"})"};
  });
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = service.url() + "/creds";
  EXPECT_EQ(refused(make()).code(), Errc::access);
  write("token", "hush-token\n");
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = (folder_.path() / "token").string();
  expect_keys(make().current(), "c", "hush-c", "t");
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] =
      "http://example.org/creds";  // keys would cross the network in clear
  EXPECT_EQ(refused(make()).code(), Errc::access);
  EXPECT_EQ(service.asked().size(), 2u);
}

HttpAnswer metadata(const HttpAsked& asked, const std::string& key, const std::string& end) {
  if (asked.method == "PUT" && asked.target == "/latest/api/token") {
    if (!asked.headers.count("x-aws-ec2-metadata-token-ttl-seconds")) return {.status = 400};
    return {.body = "hush-session"};
  }
  if (!asked.headers.count("x-aws-ec2-metadata-token") ||
      asked.headers.at("x-aws-ec2-metadata-token") != "hush-session")
    return {.status = 401};
  const std::string folder = "/latest/meta-data/iam/security-credentials/";
  if (asked.target == folder) return {.body = "role"};
  if (asked.target == folder + "role")
    return {.body = R"({"Code": "Success", "AccessKeyId": ")" + key +
                    R"(", "SecretAccessKey": "hush-m", "Token": "t", "Expiration": ")" + end + "\"}"};
  return {.status = 404};
}

TEST_F(CredentialsTest, OfTheMachineAreRenewedAheadOfTheirEnd) {
  std::atomic<int> round = 0;
  std::atomic<bool> broken = false;
  HttpServer service([&](const HttpAsked& asked) {
    if (broken) return HttpAnswer{.status = 500};
    if (asked.target.ends_with("/role")) ++round;
    return metadata(asked, "m" + std::to_string(round.load()),
                    round < 2 ? "2023-11-14T23:13:20Z" : "2023-11-15T00:13:20Z");
  });
  variables_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = service.url();
  auto credentials = make();
  expect_keys(credentials.current(), "m1", "hush-m", "t");
  EXPECT_EQ(credentials.current().access_key, "m1");
  EXPECT_EQ(round, 1);
  now_ += 3600 - 200;  // the end is near, and not there yet
  broken = true;
  EXPECT_EQ(credentials.current().access_key, "m1");  // still good
  broken = false;
  EXPECT_EQ(credentials.current().access_key, "m1");  // not asked at once again
  now_ += 60;
  EXPECT_EQ(credentials.current().access_key, "m2");
  now_ += 3600 * 2;
  broken = true;
  EXPECT_EQ(refused_by(credentials).code(), Errc::unavailable);
}

TEST_F(CredentialsTest, AreRenewedByOneThreadForAll) {
  std::atomic<int> asked_for_role = 0;
  HttpServer service([&](const HttpAsked& asked) {
    if (asked.target.ends_with("/role")) ++asked_for_role;
    return metadata(asked, "m", "2023-11-14T23:13:20Z");
  });
  variables_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = service.url();
  auto credentials = make();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_EQ(credentials.current().access_key, "m"); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(asked_for_role, 1);
}

// Whoever is asked does not answer until the waiting is over.
TEST_F(CredentialsTest, WaitingForThemIsCancelled) {
  std::promise<void> asked, over;
  const std::shared_future<void> is_over = over.get_future().share();
  std::atomic<int> requests = 0;
  HttpServer service([&](const HttpAsked& request) {
    if (++requests == 1) {
      asked.set_value();
      is_over.wait();
    }
    return metadata(request, "m", "2023-11-14T23:13:20Z");
  });
  variables_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = service.url();
  cancel_one_that_waits([&] { asked.get_future().wait(); }, [&] { over.set_value(); }, "m");
}

TEST_F(CredentialsTest, WaitingForAProcessIsCancelled) {
  no_services();
  const std::string started = (folder_.path() / "started").string(), go = (folder_.path() / "go").string();
  write("answer", R"({"Version": 1, "AccessKeyId": "p", "SecretAccessKey": "hush-p"})");
  write(".aws/config", "[default]\ncredential_process = touch '" + started + "'; until [ -e '" + go +
                           "' ]; do sleep 0.01; done; cat '" + (folder_.path() / "answer").string() + "'\n");
  cancel_one_that_waits(
      [&] {
        while (!std::filesystem::exists(started)) std::this_thread::yield();
      },
      [&] { write("go", ""); }, "p");
}

TEST_F(CredentialsTest, WhereThereAreNoneItSaysWhereItLooked) {
  no_services();
  const Error error = refused(make());
  EXPECT_EQ(error.code(), Errc::access);
  EXPECT_NE(std::string(error.what()).find("anonymous"), std::string::npos);
}

TEST(Profiles, TakesAnyText) {
  EXPECT_TRUE(parse_profiles("").empty());
  EXPECT_TRUE(parse_profiles("key = value\n[open\nk=v").empty());
  EXPECT_EQ(parse_profiles("[a]\r\nk = v\r\n").at("a").at("k"), "v");
  EXPECT_EQ(parse_profiles("[profile  b ]\nk=\n;c=d\nx").at("b").size(), 1u);
  EXPECT_FALSE(parse_profiles("[sso-session s]\nk=v").contains("s"));
}

}  // namespace
}  // namespace oas::store
