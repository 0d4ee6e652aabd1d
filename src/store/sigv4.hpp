// Signature Version 4 of AWS, as S3 uses it: paths are encoded once and never normalised. Pure functions, a stage each,
// so that every stage can be compared with what AWS publishes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <oas/bytes.hpp>

namespace oas::store::sigv4 {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

/// All but A-Z, a-z, 0-9, '-', '.', '_', '~' (and '/', if kept) as %XX.
std::string encode(std::string_view text, bool keep_slashes = false);
/// What is no %XX stays as it is; '+' is a blank, as listings have it.
std::string decode(std::string_view text);
/// Sorted and encoded, "a=1&b=".
std::string query(Fields fields);

struct Credentials {
  std::string access_key = {};
  std::string secret_key = {};
  std::string session_token = {};
  bool anonymous() const noexcept { return access_key.empty(); }
};

/// "20130524T000000Z" of seconds since 1970.
std::string timestamp(std::int64_t seconds);

struct Request {
  std::string_view method;
  std::string_view path;   ///< encoded, begins with '/'
  std::string_view query;  ///< as query() gives it
  Fields headers;          ///< all that are signed, host among them; names in lower case
  std::string_view hash;   ///< of the payload in hex, or unsigned_payload
};

std::string canonical(Request request);
std::string string_to_sign(std::string_view canonical, std::string_view time, std::string_view region,
                           std::string_view service = "s3");
/// Good for one day: the first eight characters of `time`.
std::string signing_key(std::string_view secret_key, std::string_view time, std::string_view region,
                        std::string_view service = "s3");
std::string signature(std::string_view signing_key, std::string_view string_to_sign);
/// The value of the header Authorization.
std::string authorization(const Request& request, std::string_view access_key, std::string_view signing_key,
                          std::string_view time, std::string_view region, std::string_view service = "s3");
/// The query of a URL that may be used by whoever has it, `seconds` long. `request.query` and `headers` (host) as
/// above.
std::string presigned_query(Request request, Fields query, const Credentials& credentials, std::string_view time,
                            std::string_view region, std::int64_t seconds);

}  // namespace oas::store::sigv4
