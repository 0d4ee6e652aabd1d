#include "store/s3_xml.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <pugixml.hpp>

#include <oas/error.hpp>

#include "core/text.hpp"
#include "store/sigv4.hpp"

namespace oas::store::s3 {
namespace {

std::string_view local(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == name.npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node& one : node)
    if (local(one.name()) == name) return one;
  return {};
}

std::string text_of(const pugi::xml_node& node, std::string_view name) { return child(node, name).text().get(); }

[[noreturn]] void refuse(std::string_view what, std::string_view why) {
  throw Error(Errc::integrity,
              fmt::format("the server's {} cannot be read: {}. is the endpoint an S3 server?", what, why));
}

/// The root, which is `name`.
pugi::xml_node open(pugi::xml_document& document, BytesView body, std::string_view name, std::string_view what,
                    std::string_view also = {}) {
  const pugi::xml_parse_result result = document.load_buffer(
      body.data(), body.size(), pugi::parse_default | pugi::parse_ws_pcdata_single, pugi::encoding_utf8);
  if (!result) refuse(what, fmt::format("{} at byte {}", result.description(), result.offset));
  const pugi::xml_node root = document.document_element();
  if (local(root.name()) == name || (!also.empty() && local(root.name()) == also)) return root;
  if (local(root.name()) == "Error") refuse(what, fmt::format("it is the error {}", shown(text_of(root, "Code"))));
  refuse(what, fmt::format("it is <{}>, not <{}>", shown(root.name()), name));
}

std::uint64_t number(const pugi::xml_node& node, std::string_view name, std::string_view what) {
  const std::string text = text_of(node, name);
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size())
    refuse(what, fmt::format("its {} is no number", name));
  return value;
}

bool flag(const pugi::xml_node& node, std::string_view name) { return text_of(node, name) == "true"; }

Problem problem_in(const pugi::xml_node& node) {
  return {text_of(node, "Code"),      text_of(node, "Message"), text_of(node, "Key"),
          text_of(node, "RequestId"), text_of(node, "Region"),  text_of(node, "Endpoint")};
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\t': out += "&#9;"; break;
      case '\n': out += "&#10;"; break;
      case '\r': out += "&#13;"; break;
      default: out += c;
    }
  }
}

bool has_namesake(const pugi::xml_node& node, std::string_view name, pugi::xml_node& found, int depth) {
  if (depth == 0) return false;
  for (const pugi::xml_node& one : node) {
    if (local(one.name()) == name) {
      found = one;
      return true;
    }
    if (has_namesake(one, name, found, depth - 1)) return true;
  }
  return false;
}

}  // namespace

Problem read_problem(BytesView body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8)) return {};
  pugi::xml_node root = document.document_element();
  if (local(root.name()) == "ErrorResponse") root = child(root, "Error");
  if (local(root.name()) != "Error") return {};
  return problem_in(root);
}

Listing read_listing(BytesView body) {
  constexpr std::string_view what = "listing";
  pugi::xml_document document;
  const pugi::xml_node root = open(document, body, "ListBucketResult", what);
  const bool encoded = text_of(root, "EncodingType") == "url";
  Listing listing;
  for (const pugi::xml_node& one : root) {
    if (local(one.name()) != "Contents") continue;
    std::string key = text_of(one, "Key");
    if (key.empty()) refuse(what, "an entry has no key");
    if (encoded) key = sigv4::decode(key);
    listing.entries.push_back(
        {std::move(key), number(one, "Size", what), text_of(one, "ETag"), read_time(text_of(one, "LastModified"))});
  }
  listing.truncated = flag(root, "IsTruncated");
  listing.continuation = text_of(root, "NextContinuationToken");
  return listing;
}

UploadListing read_uploads(BytesView body) {
  constexpr std::string_view what = "listing of uploads";
  pugi::xml_document document;
  const pugi::xml_node root = open(document, body, "ListMultipartUploadsResult", what);
  const bool encoded = text_of(root, "EncodingType") == "url";
  const auto key_of = [&](const pugi::xml_node& node, std::string_view name) {
    const std::string key = text_of(node, name);
    return encoded ? sigv4::decode(key) : key;
  };
  UploadListing listing;
  for (const pugi::xml_node& one : root) {
    if (local(one.name()) != "Upload") continue;
    listing.entries.push_back({key_of(one, "Key"), text_of(one, "UploadId"), read_time(text_of(one, "Initiated"))});
  }
  listing.truncated = flag(root, "IsTruncated");
  listing.next_key = key_of(root, "NextKeyMarker");
  listing.next_id = text_of(root, "NextUploadIdMarker");
  return listing;
}

std::string read_upload_id(BytesView body) {
  pugi::xml_document document;
  const pugi::xml_node root = open(document, body, "InitiateMultipartUploadResult", "answer to an upload",
                                   "InitiateMultipartUpload");  // as rclone calls it
  std::string id = text_of(root, "UploadId");
  if (id.empty()) refuse("answer to an upload", "it has no UploadId");
  return id;
}

std::string read_finished(BytesView body) {
  constexpr std::string_view what = "answer to the end of an upload";
  pugi::xml_document document;
  std::string etag = text_of(open(document, body, "CompleteMultipartUploadResult", what), "ETag");
  if (etag.empty()) refuse(what, "it has no ETag");
  return etag;
}

std::vector<Problem> read_removed(BytesView body) {
  pugi::xml_document document;
  const pugi::xml_node root = open(document, body, "DeleteResult", "answer to a deletion");
  std::vector<Problem> stayed;
  for (const pugi::xml_node& one : root)
    if (local(one.name()) == "Error") stayed.push_back(problem_in(one));
  return stayed;
}

std::string read_element(BytesView body, std::string_view name) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8)) return {};
  pugi::xml_node found;
  constexpr int deepest = 16;
  return has_namesake(document, name, found, deepest) ? found.text().get() : std::string();
}

bool fits_xml(std::string_view key) noexcept {
  while (!key.empty()) {
    const auto c = take_code_point(key);
    if (!c || (*c < 0x20 && *c != '\t' && *c != '\n' && *c != '\r') || *c == 0xFFFE || *c == 0xFFFF) return false;
  }
  return true;
}

std::string remove_request(std::span<const std::string> keys) {
  std::string out = R"(<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)";
  for (const std::string& key : keys) {
    out += "<Object><Key>";
    append_escaped(out, key);
    out += "</Key></Object>";
  }
  out += "<Quiet>true</Quiet></Delete>";
  return out;
}

std::string complete_request(std::span<const std::string> etags) {
  std::string out =
      R"(<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)";
  std::size_t number = 0;
  for (const std::string& etag : etags) {
    out += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>", ++number);
    append_escaped(out, etag);
    out += "</ETag>";
    out += "</Part>";
  }
  out += "</CompleteMultipartUpload>";
  return out;
}

std::int64_t read_time(std::string_view text) noexcept {
  using namespace std::chrono;
  int field[6] = {};
  static constexpr int lengths[] = {4, 2, 2, 2, 2, 2};
  static constexpr std::string_view between = "--T::";
  std::size_t at = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    const auto length = static_cast<std::size_t>(lengths[i]);
    if (text.size() < at + length) return 0;
    const char* const from = text.data() + at;
    const auto [end, failure] = std::from_chars(from, from + length, field[i]);
    if (failure != std::errc() || end != from + length) return 0;
    at += length;
    if (i < between.size() && (at >= text.size() || text[at++] != between[i])) return 0;
  }
  const year_month_day date{year(field[0]), month(static_cast<unsigned>(field[1])),
                            day(static_cast<unsigned>(field[2]))};
  if (!date.ok()) return 0;
  const auto time = sys_days(date) + hours(field[3]) + minutes(field[4]) + seconds(field[5]);
  return duration_cast<microseconds>(time.time_since_epoch()).count();
}

}  // namespace oas::store::s3
