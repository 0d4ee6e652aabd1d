// Each stage of a signature against what AWS publishes (tests/golden/sigv4).
#include "store/sigv4.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/hash.hpp"

namespace oas::store::sigv4 {
namespace {

const nlohmann::json& examples() {
  static const nlohmann::json json =
      nlohmann::json::parse(std::ifstream(OAS_SOURCE_DIR "/tests/golden/sigv4/s3_examples.json"));
  return json;
}
std::string text(const nlohmann::json& json, const char* name) { return json.at(name).get<std::string>(); }
std::string hash(std::string_view text) {
  const BytesView view = as_bytes(text);
  return hex(sha256({&view, 1}));
}
Fields fields(const nlohmann::json& json) {
  Fields out;
  for (const auto& [name, value] : json.items()) out.emplace_back(name, value.get<std::string>());
  return out;
}

TEST(SigV4, EveryStageIsAsPublished) {
  const nlohmann::json& all = examples();
  const std::string time = text(all, "time"), region = text(all, "region"), host = text(all, "host");
  ASSERT_EQ(all.at("requests").size(), 4u);
  for (const nlohmann::json& one : all.at("requests")) {
    SCOPED_TRACE(text(one, "name"));
    const std::string path = "/" + encode(text(one, "key"), true), payload = hash(text(one, "body"));
    const std::string sorted = query(fields(one.at("query"))), method = text(one, "method");
    Fields headers = fields(one.at("headers"));
    headers.insert(headers.end(), {{"x-amz-date", time}, {"host", host}, {"x-amz-content-sha256", payload}});
    const Request request{method, path, sorted, headers, payload};
    const std::string stage = canonical(request);
    if (one.contains("canonical")) {
      EXPECT_EQ(stage, text(one, "canonical"));
    }
    EXPECT_EQ(hash(stage), text(one, "canonical_hash"));
    const std::string to_sign = string_to_sign(stage, time, region);
    EXPECT_EQ(to_sign,
              "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n" + text(one, "canonical_hash"));
    const std::string key = signing_key(text(all, "secret_key"), time, region);
    EXPECT_EQ(signature(key, to_sign), text(one, "signature"));
    const std::string header = authorization(request, text(all, "access_key"), key, time, region);
    EXPECT_TRUE(
        header.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                           "SignedHeaders="))
        << header;
    EXPECT_TRUE(header.ends_with(",Signature=" + text(one, "signature"))) << header;
  }
}

TEST(SigV4, SigningKeyIsAsPublished) {
  const nlohmann::json& one = examples().at("signing_key");
  EXPECT_EQ(
      hex(as_bytes(signing_key(text(one, "secret_key"), text(one, "time"), text(one, "region"), text(one, "service")))),
      text(one, "key"));
}

TEST(SigV4, PresignedUrlIsAsPublished) {
  const nlohmann::json& all = examples();
  const nlohmann::json& one = all.at("presigned");
  const std::string path = "/" + text(one, "key");
  const Request request{"GET", path, {}, {{"host", text(all, "host")}}, {}};
  EXPECT_EQ(presigned_query(request, {}, {text(all, "access_key"), text(all, "secret_key"), {}}, text(all, "time"),
                            text(all, "region"), one.at("seconds").get<std::int64_t>()),
            text(one, "query"));
}

TEST(SigV4, EncodesOnceAndKeepsWhatIsPlain) {
  EXPECT_EQ(encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(encode("a b+c%2Fd/é"), "a%20b%2Bc%252Fd%2F%C3%A9");
  EXPECT_EQ(encode("name=a b/c", true), "name%3Da%20b/c");
  EXPECT_EQ(encode(std::string("\0\n\x7f", 3)), "%00%0A%7F");
  EXPECT_EQ(query({{"b", "2"}, {"a", "x y"}, {"uploads", ""}, {"a", "+"}}), "a=%2B&a=x%20y&b=2&uploads=");
}

TEST(SigV4, DecodesListings) {
  EXPECT_EQ(decode("a%20b%2Bc%C3%A9"), "a b+cé");
  EXPECT_EQ(decode("a+b"), "a b");
  EXPECT_EQ(decode("100%"), "100%");
  EXPECT_EQ(decode("%2"), "%2");
  EXPECT_EQ(decode("%zz%41"), "%zzA");
}

TEST(SigV4, TrimsHeadersAndMergesBlanks) {
  const Request request{"GET", "/", "", {{"x-a", "  a   b\t c "}, {"host", "h"}}, "p"};
  EXPECT_EQ(canonical(request), "GET\n/\n\nhost:h\nx-a:a b c\n\nhost;x-a\np");
}

TEST(SigV4, WritesTimes) {
  EXPECT_EQ(timestamp(0), "19700101T000000Z");
  EXPECT_EQ(timestamp(1'369'353'600), "20130524T000000Z");
  EXPECT_EQ(timestamp(1'709'251'199), "20240229T235959Z");
}

}  // namespace
}  // namespace oas::store::sigv4
