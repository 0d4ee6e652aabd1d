#include "store/s3_objects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <thread>

#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "store/crc.hpp"
#include "store/path.hpp"

namespace oas::store::s3 {
namespace {

constexpr std::size_t reads_at_once = 8;  // of one object

[[noreturn]] void rewritten() {
  throw Error(Errc::conflict, "it was rewritten since its version was noted. look for it again");
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "bytes 3-6/10". Some servers send it with a status of 200.
struct ContentRange {
  std::uint64_t first, last, total;
};
std::optional<ContentRange> content_range(const http::Response& response) {
  std::string_view text = response.header("content-range");
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-'), slash = text.find('/');
  if (dash == text.npos || slash == text.npos || dash > slash) return std::nullopt;
  const auto first = number(text.substr(0, dash)), last = number(text.substr(dash + 1, slash - dash - 1)),
             total = number(text.substr(slash + 1));
  if (!first || !last || !total || *last < *first || *last >= *total) return std::nullopt;
  return ContentRange{*first, *last, *total};
}

/// Some servers (rclone) say 200 and send a range all the same.
bool partial(const http::Response& response) {
  return response.status == 206 || (response.status == 200 && !response.header("content-range").empty());
}

sigv4::Fields pinned(const Version* only) {
  if (only && is_etag(*only)) return {{"if-match", quoted(*only)}};
  return {};
}

/// Where the bytes of a GET arrive: in one piece of memory, of which the first request fills a share.
struct Arrival {
  Buffer buffer{0};
  std::uint64_t expected = 0;  // bytes of the answer's body
  bool placed = false;
  std::atomic<bool> large = false;  // told while others wait

  bool place(const http::Response& response, std::span<std::byte>& into, std::uint64_t share) {
    const auto length = number(response.header("content-length"));
    placed = false;  // by an attempt that was cut
    if (!length) return false;
    expected = *length;
    large = expected > small;
    buffer = Buffer(static_cast<std::size_t>(expected));  // untouched memory costs nothing, whatever the length says
    into = buffer.span().first(static_cast<std::size_t>(expected > 2 * share ? share : expected));
    return placed = true;
  }
};

/// The rest of an object whose first bytes are there, several ranges at once.
void read_rest(const Client& client, const std::string& key, std::uint64_t offset, std::uint64_t done,
               std::span<std::byte> into, const Version& version, std::uint64_t began) {
  const std::uint64_t share = client.settings().part_size;
  struct Piece {
    std::uint64_t at, size;
    Client::Pending pending;
  };
  std::deque<Piece> pieces;  // destroyed before `into` is: nobody writes there any more
  const auto take = [&] {
    Piece piece = std::move(pieces.front());
    pieces.pop_front();
    const Answer answer = client.finish(std::move(piece.pending));
    if (answer.status() == 412 || answer.status() == 404) rewritten();
    if (!partial(answer.response) || answer.response.placed != piece.size || version_of(answer) != version)
      throw Error(Errc::integrity, "a range of it came back as something else", {},
                  fmt::format("HTTP {}", answer.status()));
  };
  while (done < into.size()) {
    const std::uint64_t size = std::min<std::uint64_t>(share, into.size() - done);
    if (pieces.size() == std::min(reads_at_once, client.settings().concurrency)) take();
    Call call{.method = "GET", .key = key, .headers = pinned(&version), .began = began};
    call.headers.emplace_back("range", fmt::format("bytes={}-{}", offset + done, offset + done + size - 1));
    call.place = [to = into.subspan(done, size), first = offset + done](const http::Response& response,
                                                                        std::span<std::byte>& where) {
      where = to;
      const auto told = content_range(response);
      return told && told->first == first && told->last - first + 1 == to.size();
    };
    pieces.push_back({done, size, client.start(std::move(call))});
    done += size;
  }
  while (!pieces.empty()) take();
}

/// Against what the server keeps of the whole object. A checksum of checksums (of parts) ends in "-N".
void verify(const Answer& answer, BytesView bytes) {
  if (answer.header("x-amz-checksum-type") == "COMPOSITE") return;
  for (const auto& [header, value] : answer.response.headers) {
    constexpr std::string_view prefix = "x-amz-checksum-";
    if (!header.starts_with(prefix) || value.find('-') != value.npos) continue;
    const std::string_view name = std::string_view(header).substr(prefix.size());
    const auto computed = checksum(name, bytes);
    if (!computed) continue;
    if (*computed == value) return;
    throw Error(Errc::integrity, fmt::format("the {} of what came back is not the one that the server keeps", name), {},
                fmt::format("HTTP {}", answer.status()));
  }
}

std::optional<Object> empty_range(const Client& client, const std::string& key, const ByteRange& range,
                                  const Version* only) {
  const auto info = stat(client, key);
  if (!info) return std::nullopt;
  if (only && info->version != *only) rewritten();
  const Extent part = inside(range, info->size);
  if (part.size != 0) rewritten();  // it was shorter a moment ago
  return Object{{}, info->version, info->size};
}

}  // namespace

Version version_of(const Answer& answer) {
  std::string_view tag = answer.header("etag");
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') tag = tag.substr(1, tag.size() - 2);
  if (!tag.empty()) return {std::string(tag)};
  return {fmt::format("time {}, {} bytes", answer.header("last-modified"), answer.header("content-length"))};
}

std::string quoted(const Version& version) { return fmt::format("\"{}\"", version.tag); }

bool is_etag(const Version& version) noexcept { return !version.tag.starts_with("time "); }

std::optional<ObjectInfo> stat(const Client& client, const std::string& key) {
  const Answer answer = client.call({.method = "HEAD", .key = key});
  if (answer.status() == 404) return std::nullopt;
  if (!answer.ok()) client.fail(answer);
  const auto size = number(answer.header("content-length"));
  if (!size)
    throw Error(Errc::integrity, "the answer does not tell its size", {}, fmt::format("HTTP {}", answer.status()));
  const std::int64_t modified = http::read_date(answer.header("last-modified"));
  return ObjectInfo{key, *size, version_of(answer), std::max<std::int64_t>(modified, 0) * 1'000'000};
}

std::optional<Object> read(const Client& client, const std::string& key, ByteRange range, const Version* only) {
  constexpr auto far = static_cast<std::uint64_t>(INT64_MAX);
  if (range.length == 0u || range.offset > far) return empty_range(client, key, range, only);
  const std::uint64_t began = client.moment();
  Call call{.method = "GET", .key = key, .headers = pinned(only), .began = began};
  const bool ranged = range.offset > 0 || range.length;
  if (ranged) {
    const bool open = !range.length || *range.length > far - range.offset;
    call.headers.emplace_back("range",
                              open ? fmt::format("bytes={}-", range.offset)
                                   : fmt::format("bytes={}-{}", range.offset, range.offset + *range.length - 1));
  }
  if (!ranged) call.headers.emplace_back("x-amz-checksum-mode", "ENABLED");
  if (client.settings().hedge_reads && range.length.value_or(0) <= small)
    call.signal = std::make_shared<http::Signal>();
  Arrival arrivals[2];
  const auto start = [&](Arrival& arrival) {
    Call one = call;
    one.place = [&](const http::Response& response, std::span<std::byte>& into) {
      return arrival.place(response, into, client.settings().part_size);
    };
    return client.start(std::move(one));
  };
  Answer answer = client.finish_small(start(arrivals[0]), [&]() -> std::optional<Client::Pending> {
    if (arrivals[0].large) return std::nullopt;
    return start(arrivals[1]);
  });
  Arrival& arrival = arrivals[answer.second ? 1 : 0];
  if (answer.status() == 404) return std::nullopt;
  if (answer.status() == 412) rewritten();
  if (answer.status() == 416) return empty_range(client, key, range, only);

  Object object;
  object.version = version_of(answer);
  if (only && object.version != *only) rewritten();
  std::uint64_t begins = 0;
  const std::uint64_t length = arrival.placed ? arrival.expected : answer.response.body.size();
  object.size = length;
  if (partial(answer.response)) {
    const auto told = content_range(answer.response);
    if (!told || told->first != range.offset || told->last - told->first + 1 != length)
      throw Error(Errc::integrity, "another range came back than was asked for", {},
                  fmt::format("HTTP {}", answer.status()));
    object.size = told->total;
    begins = told->first;
  }
  const Extent part = inside(range, object.size);
  if (part.offset < begins || part.offset - begins + part.size > length)
    throw Error(Errc::integrity, "less came back than was asked for", {}, fmt::format("HTTP {}", answer.status()));
  Bytes bytes;
  if (arrival.placed) {
    if (answer.response.placed < arrival.expected) {
      if (answer.response.placed != std::min(client.settings().part_size, arrival.expected))
        throw Error(Errc::integrity, "the answer is shorter than it said", {}, fmt::format("HTTP {}", answer.status()));
      read_rest(client, key, begins, answer.response.placed, arrival.buffer.span(), object.version, began);
    }
    bytes = std::move(arrival.buffer).finish();
  } else {
    bytes = Bytes(std::move(answer.response.body));
  }
  if (object.size == length && !(arrival.placed && answer.response.placed < arrival.expected)) verify(answer, bytes);
  object.data = part.size == bytes.size() ? std::move(bytes) : bytes.slice(part.offset - begins, part.size);
  return object;
}

std::uint64_t size_of_part(std::uint64_t first, std::size_t number) noexcept {
  return first << std::min<std::size_t>(number / 1000, 9);
}

Multipart::Multipart(std::shared_ptr<const Client> client, std::string key)
    : client_(std::move(client)), key_(std::move(key)), began_(client_->moment()) {
  const Answer answer =
      client_->call({.method = "POST", .key = key_, .query = {{"uploads", ""}}, .began = began_, .check_body = true});
  if (!answer.ok()) client_->fail(answer);
  id_ = read_upload_id(answer.response.body);
}

Multipart::~Multipart() {
  if (id_.empty()) return;
  const bool sending = !sent_.empty();
  sent_.clear();  // cancels
  try {
    if (sending)
      end_upload(*client_, key_, id_);
    else
      client_->call({.method = "DELETE", .key = key_, .query = {{"uploadId", id_}}});
  } catch (...) {  // what stays is found by an audit
    return;
  }
}

// A server that has got a part already may keep it after the end of its upload, and the upload with it (S3 says so of
// AbortMultipartUpload): then it is ended once more.
void end_upload(const Client& client, const std::string& key, const std::string& id) {
  constexpr int most_ends = 6;
  std::chrono::milliseconds pause(25);
  for (int i = 0; i < most_ends; ++i, pause *= 2) {
    const Answer ended = client.call({.method = "DELETE", .key = key, .query = {{"uploadId", id}}});
    if (!ended.ok() && ended.status() != 404) client.fail(ended);
    std::this_thread::sleep_for(pause);
    if (!client.call({.method = "GET", .key = key, .query = {{"uploadId", id}}}).ok())
      return;  // gone, or not to be seen
  }
  throw Error(Errc::unavailable, fmt::format("end an unfinished upload of {}: the server keeps it. try again", key));
}

void Multipart::add(std::vector<BytesView> bytes, std::shared_ptr<const void> owner, std::size_t most) {
  while (sent_.size() >= std::max<std::size_t>(most, 1)) take_oldest();
  for (const BytesView part : bytes) size_ += part.size();
  const std::size_t number = parts_.size();
  parts_.emplace_back();
  sent_.push_back({number, std::move(owner),
                   client_->start({.method = "PUT",
                                   .key = key_,
                                   .query = {{"partNumber", fmt::format("{}", number + 1)}, {"uploadId", id_}},
                                   .body = std::move(bytes),
                                   .began = began_})});
}

void Multipart::take_oldest() {
  Sent sent = std::move(sent_.front());
  sent_.pop_front();
  const Answer answer = client_->finish(std::move(sent.pending));
  if (answer.status() == 404)
    throw Error(Errc::conflict, "somebody aborted the upload. try again", {}, "HTTP 404 NoSuchUpload");
  if (!answer.ok()) client_->fail(answer);
  parts_[sent.number] = answer.header("etag");
  if (parts_[sent.number].empty())
    throw Error(Errc::integrity, "the answer to a part has no ETag", {}, fmt::format("HTTP {}", answer.status()));
}

namespace {

/// What most servers call the whole: the MD5 of the parts' MD5s. Empty if the parts have other ETags.
std::string etag_of_parts(const std::vector<std::string>& parts) {
  Md5 md5;
  for (std::string_view tag : parts) {
    if (tag.size() >= 2 && tag.front() == '"') tag = tag.substr(1, tag.size() - 2);
    const auto digest = from_hex(tag);
    if (!digest || digest->size() != 16) return {};
    md5.update(*digest);
  }
  return fmt::format("{}-{}", hex(md5.finish()), parts.size());
}

}  // namespace

std::optional<Version> Multipart::finish(sigv4::Fields headers) {
  while (!sent_.empty()) take_oldest();
  const std::string body = complete_request(parts_);
  const BytesView view = as_bytes(body);
  headers.emplace_back("content-type", "application/xml");
  const Answer answer = client_->call({.method = "POST",
                                       .key = key_,
                                       .query = {{"uploadId", id_}},
                                       .headers = std::move(headers),
                                       .body = {view},
                                       .began = began_,
                                       .check_body = true});
  if (answer.ok()) {
    std::string etag = read_finished(answer.response.body);
    id_.clear();
    std::erase(etag, '"');
    return Version{etag};
  }
  if (answer.in_doubt) {
    // Only an end takes an upload away, and the first one may have come through: what is there decides.
    const auto there = stat(*client_, key_);
    const std::string etag = etag_of_parts(parts_);
    const bool alike =
        there && there->size == size_ &&
        (etag.empty() || there->version.tag.find('-') == std::string::npos || there->version.tag == etag);
    if (alike) {
      id_.clear();
      return there->version;
    }
  }
  if (answer.status() == 412) return std::nullopt;
  if (answer.status() == 404)
    throw Error(Errc::conflict, "somebody aborted the upload. try again", {}, "HTTP 404 NoSuchUpload");
  client_->fail(answer);
}

}  // namespace oas::store::s3
