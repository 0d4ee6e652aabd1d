// The entry of an S3 store, understood. Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <oas/store.hpp>

#include "store/sigv4.hpp"

namespace oas::store::s3 {

inline constexpr std::string_view amazon = ".amazonaws.com";  ///< ends of its hosts

/// Where requests go: "https", "s3.amazonaws.com:9000".
struct Endpoint {
  std::string scheme = "https";
  std::string host = {};  ///< with its port
};

struct Settings {
  Endpoint endpoint = {};
  std::string bucket = {};
  std::string prefix = {};  ///< of every key: the location as it stands and a '/', or empty
  std::string region = "us-east-1";
  bool virtual_host = false;  ///< the bucket stands in the host
  sigv4::Credentials keys = {};
  bool anonymous = false;
  std::string profile = {};
  std::string ca_file = {}, proxy = {};
  std::uint64_t part_size = std::uint64_t{16} << 20;  ///< bytes
  std::size_t concurrency = 64;                       ///< requests at once
  std::chrono::seconds request_timeout{120};          ///< of a request with all that repeats it
  std::chrono::seconds stall_timeout{30};
  bool sign_payload = false;
  bool hedge_reads = false;
};

/// Errors: usage, naming the setting and never its value.
Settings read_settings(const StoreConfig& config);

/// The host of a request, and its path before the key, encoded: {"bucket.s3.amazonaws.com", "/"} or {host, "/bucket/"}.
struct Address {
  std::string host;
  std::string path;
};
Address address(const Settings& settings);

}  // namespace oas::store::s3
