#include "store/s3_xml.hpp"

#include <gtest/gtest.h>

#include <pugixml.hpp>

#include <oas/error.hpp>

namespace oas::store::s3 {
namespace {

template <class Call>
Errc code_of(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Errc::internal;
}

TEST(S3Xml, ReadsProblems) {
  const Problem problem = read_problem(as_bytes(
      R"(<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>gone</Message><RequestId>r1</RequestId></Error>)"));
  EXPECT_EQ(problem.code, "NoSuchKey");
  EXPECT_EQ(problem.request_id, "r1");
  EXPECT_EQ(read_problem(as_bytes("<ErrorResponse><Error><Code>Expired</Code></Error></ErrorResponse>")).code,
            "Expired");
  for (const char* none : {"", "garbage", "<html><body>502</body></html>", "<Error><Code>Cut</Co", "{\"Code\": \"x\"}"})
    EXPECT_EQ(read_problem(as_bytes(none)).code, "") << none;
}

TEST(S3Xml, ReadsListings) {
  const Listing listing = read_listing(as_bytes(R"(<?xml version="1.0" encoding="UTF-8"?>
<s3:ListBucketResult xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/"><s3:Name>b</s3:Name><s3:IsTruncated>true</s3:IsTruncated>
<s3:EncodingType>url</s3:EncodingType><s3:NextContinuationToken>t+/=</s3:NextContinuationToken>
<s3:Contents><s3:Key>a%20b%2Bc+d%01</s3:Key><s3:LastModified>2024-02-29T12:34:56.789Z</s3:LastModified>
<s3:ETag>&quot;abc-2&quot;</s3:ETag><s3:Size>18446744073709551615</s3:Size></s3:Contents></s3:ListBucketResult>)"));
  ASSERT_EQ(listing.entries.size(), 1u);
  EXPECT_EQ(listing.entries[0].key, "a b+c d\x01");
  EXPECT_EQ(listing.entries[0].etag, "\"abc-2\"");
  EXPECT_EQ(listing.entries[0].size, UINT64_MAX);
  EXPECT_EQ(listing.entries[0].modified, 1'709'210'096'000'000);
  EXPECT_TRUE(listing.truncated);
  EXPECT_EQ(listing.continuation, "t+/=");
}

TEST(S3Xml, TakesKeysAsTheyAreWhereTheyAreNotEncoded) {
  const Listing listing = read_listing(
      as_bytes("<ListBucketResult><Contents><Key>a%20+&#10;b</Key><Size>0</Size></Contents><Contents><Key> </Key>"
               "<Size>1</Size></Contents></ListBucketResult>"));
  ASSERT_EQ(listing.entries.size(), 2u);
  EXPECT_EQ(listing.entries[0].key, "a%20+\nb");
  EXPECT_EQ(listing.entries[1].key, " ");
}

TEST(S3Xml, RefusesWhatIsNoListing) {
  for (const char* text : {"", "garbage", "<html/>", "<ListBucketResult><Contents><Key>a</Key>",
                           "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
                           "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
                           "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
                           "<Error><Code>InternalError</Code></Error>"})
    EXPECT_EQ(code_of([&] { read_listing(as_bytes(text)); }), Errc::integrity) << text;
}

TEST(S3Xml, ReadsTheEndOfAnUpload) {
  EXPECT_EQ(
      read_finished(as_bytes("<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag></CompleteMultipartUploadResult>")),
      "\"e-1\"");
  EXPECT_EQ(code_of([] { read_finished(as_bytes("<Error><Code>InternalError</Code></Error>")); }), Errc::integrity);
  EXPECT_EQ(code_of([] { read_finished(as_bytes("<html/>")); }), Errc::integrity);
  EXPECT_EQ(code_of([] { read_finished(as_bytes("")); }), Errc::integrity);
  EXPECT_EQ(
      read_upload_id(as_bytes("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")),
      "u");
  EXPECT_EQ(code_of([] { read_upload_id(as_bytes("<InitiateMultipartUploadResult/>")); }), Errc::integrity);
}

TEST(S3Xml, ReadsWhatStayed) {
  const auto stayed =
      read_removed(as_bytes("<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b &amp; "
                            "c</Key><Code>AccessDenied</Code></Error></DeleteResult>"));
  ASSERT_EQ(stayed.size(), 1u);
  EXPECT_EQ(stayed[0].key, "b & c");
  EXPECT_EQ(stayed[0].code, "AccessDenied");
}

TEST(S3Xml, WritesKeysThatAreReadBackEqual) {
  const std::vector<std::string> keys{"plain", "<&>\"'", "tab\tline\nreturn\r", " blank ", "é☃😀", "a%20b+c"};
  pugi::xml_document document;
  const std::string text = remove_request(keys);
  ASSERT_TRUE(document.load_buffer(text.data(), text.size(), pugi::parse_default | pugi::parse_ws_pcdata_single));
  std::vector<std::string> back;
  for (const auto& node : document.child("Delete").children("Object"))
    back.emplace_back(node.child("Key").text().get());
  EXPECT_EQ(back, keys);
  EXPECT_NE(complete_request(std::vector<std::string>{"\"x\"", "\"y\""}).find("<PartNumber>2</PartNumber>"),
            std::string::npos);
}

TEST(S3Xml, KnowsWhatXmlCannotSay) {
  EXPECT_TRUE(fits_xml("a\tb\nc\r é 😀"));
  for (const char* text : {"\x01", "a\x1f", "\xef\xbf\xbe", "\xef\xbf\xbf"}) EXPECT_FALSE(fits_xml(text));
}

TEST(S3Xml, ReadsTimes) {
  EXPECT_EQ(read_time("1970-01-01T00:00:01Z"), 1'000'000);
  EXPECT_EQ(read_time("2024-02-29T12:34:56.789Z"), 1'709'210'096'000'000);
  for (const char* text : {"", "yesterday", "2024-02-30T00:00:00Z", "2024-02", "2024-13-01T00:00:00Z"})
    EXPECT_EQ(read_time(text), 0) << text;
}

}  // namespace
}  // namespace oas::store::s3
