#include "store/s3_settings.hpp"

#include <gtest/gtest.h>

#include "store/registry.hpp"

namespace oas::store::s3 {
namespace {

using Options = std::map<std::string, std::string, std::less<>>;

Settings read(Options more) {
  Options options{{"endpoint", "e:9000"}, {"bucket", "b"}, {"location", ""}};
  for (auto& [key, value] : more) options[key] = value;
  return read_settings({.name = "s", .protocol = "s3", .options = options});
}
std::string refused(Options more) {
  try {
    read(std::move(more));
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::usage);
    EXPECT_EQ(std::string(e.what()).find("hush"), std::string::npos) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "it was taken";
  return {};
}

TEST(S3Settings, UnderstandsEndpoints) {
  EXPECT_EQ(read({}).endpoint.scheme, "https");
  EXPECT_EQ(read({}).endpoint.host, "e:9000");
  EXPECT_EQ(read({{"secure", "false"}}).endpoint.scheme, "http");
  EXPECT_EQ(read({{"endpoint", "HTTP://Host.org:80/"}, {"secure", "true"}}).endpoint.scheme, "http");
  EXPECT_EQ(read({{"endpoint", "HTTP://Host.org:80/"}}).endpoint.host, "host.org");
  EXPECT_EQ(read({{"endpoint", "host:443"}}).endpoint.host, "host");
  EXPECT_EQ(read({{"endpoint", "http://host:443"}}).endpoint.host, "host:443");
  EXPECT_EQ(read({{"endpoint", "https://[::1]:9000"}}).endpoint.host, "[::1]:9000");
  for (const char* wrong :
       {"", "ftp://host", "host:0", "host:99999", "host:port", "me:hush@host", "host/path", "host?query", "http://"})
    EXPECT_NE(refused({{"endpoint", wrong}}).find("endpoint"), std::string::npos) << wrong;
}

TEST(S3Settings, AddressesBucketsAsTheServerHasThem) {
  const auto host = [](Options options) {
    const Address at = address(read(std::move(options)));
    return at.host + at.path;
  };
  EXPECT_EQ(host({}), "e:9000/b/");
  EXPECT_EQ(host({{"addressing", "virtual"}}), "b.e:9000/");
  EXPECT_EQ(host({{"endpoint", "s3.amazonaws.com"}}), "b.s3.amazonaws.com/");
  EXPECT_EQ(host({{"endpoint", "s3.amazonaws.com"}, {"bucket", "b.with.dots"}}), "s3.amazonaws.com/b.with.dots/");
  EXPECT_EQ(host({{"endpoint", "s3.amazonaws.com"}, {"addressing", "path"}}), "s3.amazonaws.com/b/");
  EXPECT_NE(refused({{"addressing", "other"}}).find("addressing"), std::string::npos);
}

TEST(S3Settings, FindsTheRegion) {
  EXPECT_EQ(read({}).region, "us-east-1");
  EXPECT_EQ(read({{"region", "eu-south-2"}}).region, "eu-south-2");
  EXPECT_EQ(read({{"endpoint", "s3.eu-central-1.amazonaws.com"}}).region, "eu-central-1");
  EXPECT_EQ(read({{"endpoint", "s3.dualstack.eu-west-3.amazonaws.com"}}).region, "eu-west-3");
  EXPECT_EQ(read({{"endpoint", "s3.amazonaws.com"}}).region, "us-east-1");
  EXPECT_NE(refused({{"region", "eu\ncentral"}}).find("region"), std::string::npos);
}

TEST(S3Settings, KeepsTheLocationAsItStands) {
  EXPECT_EQ(read({}).prefix, "");
  EXPECT_EQ(read({{"location", "lab"}}).prefix, "lab/");
  EXPECT_EQ(read({{"location", "lab/"}}).prefix, "lab//");
  EXPECT_EQ(read({{"location", "/lab"}}).prefix, "/lab/");
  EXPECT_NE(refused({{"location", std::string(600, 'l')}}).find("location"), std::string::npos);
}

TEST(S3Settings, WantsKeysThatBelongTogether) {
  EXPECT_EQ(read({{"access_key", "k"}, {"secret_key", "hush"}}).keys.secret_key, "hush");
  EXPECT_NE(refused({{"access_key", "k"}}).find("secret_key"), std::string::npos);
  EXPECT_NE(refused({{"secret_key", "hush"}}).find("access_key"), std::string::npos);
  EXPECT_NE(refused({{"session_token", "hush"}}).find("session_token"), std::string::npos);
  EXPECT_NE(refused({{"anonymous", "true"}, {"access_key", "k"}, {"secret_key", "hush"}}).find("anonymous"),
            std::string::npos);
  EXPECT_NE(refused({{"profile", "p"}, {"access_key", "k"}, {"secret_key", "hush"}}).find("profile"),
            std::string::npos);
  EXPECT_NE(refused({{"anonymous", "perhaps"}}).find("anonymous"), std::string::npos);
}

TEST(S3Settings, TakesNumbersWithinBounds) {
  EXPECT_EQ(read({{"part_size", "5242880"}}).part_size, 5u << 20);
  EXPECT_EQ(read({{"concurrency", "8"}}).concurrency, 8u);
  EXPECT_EQ(read({{"request_timeout", "7"}}).request_timeout, std::chrono::seconds(7));
  EXPECT_EQ(read({{"stall_timeout", "7"}}).stall_timeout, std::chrono::seconds(7));
  EXPECT_FALSE(read({}).hedge_reads);
  EXPECT_TRUE(read({{"hedge_reads", "true"}}).hedge_reads);
  for (const auto& [key, value] :
       Options{{"part_size", "1000"}, {"concurrency", "0"}, {"request_timeout", "-1"}, {"stall_timeout", "1.5"}})
    EXPECT_NE(refused({{key, value}}).find(key), std::string::npos) << key;
  EXPECT_TRUE(read({{"secure", "false"}}).sign_payload);
  EXPECT_FALSE(read({}).sign_payload);
  EXPECT_TRUE(read({{"payload", "signed"}}).sign_payload);
  EXPECT_NE(refused({{"payload", "some"}}).find("payload"), std::string::npos);
}

TEST(S3Settings, AreRefusedWithTheirNameBeforeAnythingIsOpened) {
  try {
    open_store({.name = "raw",
                .protocol = "s3",
                .options = {{"endpoint", "e"}, {"bucket", "b"}, {"location", ""}, {"acces_key", "hush"}}});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::usage);
    EXPECT_NE(std::string(e.what()).find("did you mean access_key"), std::string::npos) << e.what();
    EXPECT_EQ(std::string(e.what()).find("hush"), std::string::npos);
  }
}

}  // namespace
}  // namespace oas::store::s3
