#include "store/sigv4.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <chrono>

#include <oas/error.hpp>

#include "core/hash.hpp"

namespace oas::store::sigv4 {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

bool plain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string hmac(std::string_view key, std::string_view text) {
  std::string digest(32, '\0');
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
            text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size) ||
      size != digest.size())
    throw Error(Errc::unsupported, "sign a request: OpenSSL refused HMAC-SHA256");
  return digest;
}

std::string hash_of(std::string_view text) {
  const BytesView part = as_bytes(text);
  return hex(sha256({&part, 1}));
}

std::string names(const Fields& sorted) {
  std::string list;
  for (const auto& [name, value] : sorted) {
    if (!list.empty()) list += ';';
    list += name;
  }
  return list;
}

// Without blanks around it, and one blank for several.
void append_trimmed(std::string& out, std::string_view value) {
  bool blank = false, begun = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      blank = begun;
      continue;
    }
    if (blank) out += ' ';
    blank = false;
    begun = true;
    out += c;
  }
}

std::string scope(std::string_view time, std::string_view region, std::string_view service) {
  return fmt::format("{}/{}/{}/aws4_request", time.substr(0, 8), region, service);
}

}  // namespace

std::string encode(std::string_view text, bool keep_slashes) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    if (plain(c) || (keep_slashes && c == '/')) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::string decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && nibble(text[i + 1]) >= 0 && nibble(text[i + 2]) >= 0) {
      out += static_cast<char>(nibble(text[i + 1]) * 16 + nibble(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string query(Fields fields) {
  for (auto& [name, value] : fields) {
    name = encode(name);
    value = encode(value);
  }
  std::ranges::sort(fields);
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out += '&';
    out += name;
    out += '=';
    out += value;
  }
  return out;
}

std::string timestamp(std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string canonical(Request request) {
  std::ranges::sort(request.headers);
  std::string out;
  out.reserve(512);
  out += request.method;
  out += '\n';
  out += request.path;
  out += '\n';
  out += request.query;
  out += '\n';
  for (const auto& [name, value] : request.headers) {
    out += name;
    out += ':';
    append_trimmed(out, value);
    out += '\n';
  }
  out += '\n';
  out += names(request.headers);
  out += '\n';
  out += request.hash;
  return out;
}

std::string string_to_sign(std::string_view canonical, std::string_view time, std::string_view region,
                           std::string_view service) {
  return fmt::format("{}\n{}\n{}\n{}", algorithm, time, scope(time, region, service), hash_of(canonical));
}

std::string signing_key(std::string_view secret_key, std::string_view time, std::string_view region,
                        std::string_view service) {
  return hmac(hmac(hmac(hmac(fmt::format("AWS4{}", secret_key), time.substr(0, 8)), region), service), "aws4_request");
}

std::string signature(std::string_view signing_key, std::string_view string_to_sign) {
  return hex(as_bytes(hmac(signing_key, string_to_sign)));
}

std::string authorization(const Request& request, std::string_view access_key, std::string_view signing_key,
                          std::string_view time, std::string_view region, std::string_view service) {
  Fields sorted = request.headers;
  std::ranges::sort(sorted);
  const std::string text = string_to_sign(canonical(request), time, region, service);
  return fmt::format("{} Credential={}/{},SignedHeaders={},Signature={}", algorithm, access_key,
                     scope(time, region, service), names(sorted), signature(signing_key, text));
}

std::string presigned_query(Request request, Fields fields, const Credentials& credentials, std::string_view time,
                            std::string_view region, std::int64_t seconds) {
  std::ranges::sort(request.headers);
  fields.emplace_back("X-Amz-Algorithm", algorithm);
  fields.emplace_back("X-Amz-Credential", fmt::format("{}/{}", credentials.access_key, scope(time, region, "s3")));
  fields.emplace_back("X-Amz-Date", time);
  fields.emplace_back("X-Amz-Expires", fmt::format("{}", seconds));
  fields.emplace_back("X-Amz-SignedHeaders", names(request.headers));
  if (!credentials.session_token.empty()) fields.emplace_back("X-Amz-Security-Token", credentials.session_token);
  const std::string text = query(std::move(fields));
  request.query = text;
  request.hash = unsigned_payload;
  const std::string to_sign = string_to_sign(canonical(request), time, region);
  return fmt::format("{}&X-Amz-Signature={}", text,
                     signature(signing_key(credentials.secret_key, time, region), to_sign));
}

}  // namespace oas::store::sigv4
