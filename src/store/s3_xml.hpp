// The XML that S3 speaks: answers read, requests written. Pure functions; what comes from outside is hostile. Names of
// elements are compared without their namespace, since servers differ in it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/bytes.hpp>

namespace oas::store::s3 {

/// What stands in an <Error>. Empty code: there was none.
struct Problem {
  std::string code = {};
  std::string message = {};
  std::string key = {};  ///< in the answer to a deletion of many
  std::string request_id = {};
  std::string region = {};
  std::string endpoint = {};
};

struct Listed {
  std::string key;
  std::uint64_t size = 0;
  std::string etag;
  std::int64_t modified = 0;  ///< microseconds since 1970, whole seconds
};
struct Listing {
  std::vector<Listed> entries = {};
  bool truncated = false;
  std::string continuation = {};
};

struct UploadListed {
  std::string key;
  std::string id;
  std::int64_t initiated = 0;  ///< microseconds since 1970
};
struct UploadListing {
  std::vector<UploadListed> entries = {};
  bool truncated = false;
  std::string next_key = {};
  std::string next_id = {};
};

/// The error in a body; empty if the body is none: it reads bodies of failures.
Problem read_problem(BytesView body);
// Errors of these: integrity, for what is not the answer that was asked for, or is cut.
Listing read_listing(BytesView body);
UploadListing read_uploads(BytesView body);
/// The id of a new multipart upload.
std::string read_upload_id(BytesView body);
/// The ETag of a finished multipart upload.
std::string read_finished(BytesView body);
/// Those that stayed.
std::vector<Problem> read_removed(BytesView body);
/// The text of the first element of that name, anywhere: answers of STS. Empty: none.
std::string read_element(BytesView body, std::string_view name);

/// Control characters that XML has no way to say.
bool fits_xml(std::string_view key) noexcept;
std::string remove_request(std::span<const std::string> keys);
std::string complete_request(std::span<const std::string> etags);

/// "2024-02-29T12:34:56.789Z" as microseconds, whole seconds; 0 if it is no time.
std::int64_t read_time(std::string_view text) noexcept;

}  // namespace oas::store::s3
