#include "store/s3_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "store/path.hpp"

namespace oas::store::s3 {
namespace {

[[noreturn]] void refuse(std::string_view key, std::string_view why) {
  throw Error(Errc::usage, fmt::format("the setting '{}' {}", key, why));
}

std::string_view option(const StoreConfig& config, std::string_view key) {
  const auto at = config.options.find(key);
  return at == config.options.end() ? std::string_view() : std::string_view(at->second);
}

bool truth(const StoreConfig& config, std::string_view key, bool fallback) {
  if (!config.options.contains(key)) return fallback;
  const std::string_view text = option(config, key);
  if (text != "true" && text != "false") refuse(key, "is neither true nor false");
  return text == "true";
}

std::uint64_t number(const StoreConfig& config, std::string_view key, std::uint64_t fallback, std::uint64_t least,
                     std::uint64_t most) {
  if (!config.options.contains(key)) return fallback;
  const std::string_view text = option(config, key);
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < least || value > most)
    refuse(key, fmt::format("must be a whole number from {} to {}", least, most));
  return value;
}

std::string_view host_alone(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

Endpoint read_endpoint(const StoreConfig& config) {
  std::string_view text = option(config, "endpoint");
  if (text.empty()) refuse("endpoint", "is empty. it is a host, with a port if need be: minio.lab.org:9000");
  Endpoint endpoint;
  endpoint.scheme = truth(config, "secure", true) ? "https" : "http";
  if (const std::size_t at = text.find("://"); at != text.npos) {
    endpoint.scheme = std::string(text.substr(0, at));
    for (char& c : endpoint.scheme)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (endpoint.scheme != "http" && endpoint.scheme != "https")
      refuse("endpoint", "begins with neither https:// nor http://");
    text.remove_prefix(at + 3);
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  const bool legal = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == ':' || c == '[' || c == ']' || c == '_';
  });
  if (text.empty() || !legal) refuse("endpoint", "must be a host and perhaps a port, without user, path or query");
  const std::string_view host = host_alone(text);
  std::string_view port = text.substr(host.size());
  if (!port.empty()) {
    unsigned value = 0;
    port.remove_prefix(1);
    const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), value);
    if (failure != std::errc() || end != port.data() + port.size() || value == 0 || value > 65535)
      refuse("endpoint", "has a port that is no number from 1 to 65535");
    // Clients leave the usual port out of the header Host, and what is signed must be what is sent.
    if ((endpoint.scheme == "https" && value == 443) || (endpoint.scheme == "http" && value == 80)) text = host;
  }
  endpoint.host = std::string(text);
  for (char& c : endpoint.host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return endpoint;
}

// "s3.eu-central-1.amazonaws.com", "s3-eu-central-1.amazonaws.com", "s3.dualstack.eu-central-1.amazonaws.com"
std::string region_of(std::string_view host) {
  if (!host.ends_with(amazon)) return {};
  host.remove_suffix(amazon.size());
  if (!host.starts_with("s3.") && !host.starts_with("s3-")) return {};
  host.remove_prefix(3);
  for (const std::string_view word : {"dualstack.", "fips."})
    if (host.starts_with(word)) host.remove_prefix(word.size());
  return host.find('.') == host.npos ? std::string(host) : std::string();
}

}  // namespace

Settings read_settings(const StoreConfig& config) {
  Settings s;
  s.endpoint = read_endpoint(config);
  s.bucket = option(config, "bucket");
  const bool bucket = !s.bucket.empty() && s.bucket.size() <= 255 && std::ranges::all_of(s.bucket, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
  if (s.bucket.empty()) refuse("bucket", "is empty. fill it in");
  if (!bucket || s.bucket == "." || s.bucket == "..")
    refuse("bucket", "is no name of a bucket: letters, digits, '.', '-', '_'");
  if (const std::string_view location = option(config, "location"); !location.empty()) {
    s.prefix = fmt::format("{}/", location);
    if (s.prefix.find('\0') != s.prefix.npos || s.prefix.size() > max_key_size / 2)
      refuse("location", fmt::format("must have at most {} bytes and no NUL", max_key_size / 2 - 1));
  }

  s.keys = {std::string(option(config, "access_key")), std::string(option(config, "secret_key")),
            std::string(option(config, "session_token"))};
  if (s.keys.access_key.empty() != s.keys.secret_key.empty())
    throw Error(Errc::usage,
                "only one of access_key and secret_key is there. give both, or neither to use the "
                "credentials of the machine");
  s.profile = option(config, "profile");
  s.anonymous = truth(config, "anonymous", false);
  if (!s.keys.session_token.empty() && s.keys.anonymous())
    refuse("session_token", "belongs to access_key and secret_key, which are missing");
  if (s.anonymous && (!s.keys.anonymous() || !s.profile.empty()))
    refuse("anonymous", "excludes access_key, secret_key and profile. leave one of them out");
  if (!s.profile.empty() && !s.keys.anonymous())
    refuse("profile", "excludes access_key and secret_key. leave one of them out");

  const bool at_amazon = s.endpoint.host.ends_with(amazon);
  std::string region(option(config, "region"));
  if (region.empty()) region = region_of(s.endpoint.host);
  if (!region.empty()) s.region = region;
  if (!std::ranges::all_of(s.region, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      }))
    refuse("region", "is no name of a region");

  const std::string_view addressing = option(config, "addressing");
  if (addressing == "virtual") {
    s.virtual_host = true;
  } else if (addressing.empty() || addressing == "auto") {
    // Over TLS a certificate for *.s3.amazonaws.com does not cover names with more dots.
    s.virtual_host = at_amazon && s.bucket.find('.') == s.bucket.npos && s.bucket.find('_') == s.bucket.npos;
  } else if (addressing != "path") {
    refuse("addressing", "is neither path, virtual nor auto");
  }

  s.ca_file = option(config, "ca_file");
  s.proxy = option(config, "proxy_server");
  s.part_size = number(config, "part_size", s.part_size, std::uint64_t{5} << 20, std::uint64_t{1} << 30);
  s.concurrency = number(config, "concurrency", s.concurrency, 1, 1024);
  s.request_timeout = std::chrono::seconds(number(config, "request_timeout", 120, 1, 86'400));
  s.stall_timeout = std::chrono::seconds(number(config, "stall_timeout", 30, 1, 3'600));
  s.hedge_reads = truth(config, "hedge_reads", false);
  const std::string_view payload = option(config, "payload");
  if (!payload.empty() && payload != "signed" && payload != "unsigned")
    refuse("payload", "is neither signed nor unsigned");
  s.sign_payload = payload.empty() ? s.endpoint.scheme == "http" : payload == "signed";
  return s;
}

Address address(const Settings& settings) {
  if (settings.virtual_host) return {fmt::format("{}.{}", settings.bucket, settings.endpoint.host), "/"};
  return {settings.endpoint.host, fmt::format("/{}/", sigv4::encode(settings.bucket))};
}

}  // namespace oas::store::s3
