// What DataJoint for Python takes in the entries of its stores, so that an entry is checked wherever it is read, also
// by a library that has no driver for it. A driver in drivers/ comes before the line of the same name here.
#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "store/path.hpp"
#include "store/registry.hpp"

namespace oas::store {
namespace {

std::string_view option(const StoreConfig& config, std::string_view key) {
  const auto at = config.options.find(key);
  return at == config.options.end() ? std::string_view() : std::string_view(at->second);
}

void not_empty(const StoreConfig& config, std::string_view key) {
  if (option(config, key).empty()) throw Error(Errc::usage, fmt::format("the setting '{}' is empty. fill it in", key));
}

void check_s3(const StoreConfig& config) {
  not_empty(config, "endpoint");
  not_empty(config, "bucket");
  if (option(config, "access_key").empty() != option(config, "secret_key").empty())
    throw Error(Errc::usage,
                "only one of access_key and secret_key is there. give both, or neither to use the "
                "credentials of the machine");
  const std::string_view secure = option(config, "secure");
  if (config.options.contains("secure") && secure != "true" && secure != "false")
    throw Error(Errc::usage, "the setting 'secure' is neither true nor false");
}

void check_gcs(const StoreConfig& config) { not_empty(config, "bucket"); }
void check_azure(const StoreConfig& config) { not_empty(config, "container"); }

using Keys = std::string_view[];
constexpr Keys s3_required{"endpoint", "bucket", "location"};
constexpr Keys s3_optional{"access_key",      "secret_key",    "secure",  "proxy_server", "region",    "addressing",
                           "ca_file",         "session_token", "profile", "anonymous",    "part_size", "concurrency",
                           "request_timeout", "stall_timeout", "payload", "hedge_reads"};
constexpr Keys s3_secret{"access_key", "secret_key", "session_token"};
constexpr Keys gcs_required{"bucket", "location"};
constexpr Keys gcs_optional{"token", "project"};
constexpr Keys gcs_secret{"token"};
constexpr Keys azure_required{"container", "location"};
constexpr Keys azure_optional{"account_name", "account_key", "connection_string"};
constexpr Keys azure_secret{"account_key", "connection_string"};

constexpr std::array<StoreDriver, 3> protocols{
    {{"s3", s3_required, s3_optional, s3_secret, nullptr, check_s3},
     {"gcs", gcs_required, gcs_optional, gcs_secret, nullptr, check_gcs},
     {"azure", azure_required, azure_optional, azure_secret, nullptr, check_azure}}};

}  // namespace

std::span<const StoreDriver> known_protocols() { return protocols; }

std::string object_url(const StoreConfig& config, std::string_view key) {
  if (!key.empty()) check_key(key);
  const std::string_view at = option(config, "location");
  if (config.protocol == "file") {
    const std::filesystem::path folder = std::filesystem::absolute(at).lexically_normal();
    return "file://" + (key.empty() ? folder : folder / key).string();
  }
  const bool s3 = config.protocol == "s3", gcs = config.protocol == "gcs", azure = config.protocol == "azure";
  if (!s3 && !gcs && !azure) return config.protocol;
  // The location as it stands, with whatever '/' it has: so are the keys that others wrote.
  const std::string_view scheme = s3 ? "s3" : gcs ? "gs" : "az";
  return fmt::format("{}://{}/{}{}{}", scheme, option(config, azure ? "container" : "bucket"), at,
                     at.empty() ? "" : "/", key);
}

}  // namespace oas::store
