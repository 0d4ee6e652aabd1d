// Objects in a bucket of S3, or of a server that speaks it. The layout is the keys themselves, after the location
// (docs/format/store.md); what an entry takes: docs/howto/s3.md.
//
//  1. An object is one PUT, or a multipart upload from two parts on: parts go in parallel, and appear as one at the
//  end.
//  2. Create-only writes carry If-None-Match. Whether the server honours it is tried out once a store, with an object
//  of
//     its own, which stays there: it needs no permission to remove. Where it does not, a HEAD comes first; two writers
//     at the same moment can then both succeed, which the trait atomic_create tells.
//  3. A write whose answer was lost is repeated, and if it is then refused because something is there, that is read and
//     compared: if they are our bytes the write had succeeded.
//  4. Versions are ETags. A read is pinned to one, also when it is many requests.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>

#include <oas/store.hpp>

#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "store/path.hpp"
#include "store/s3_objects.hpp"

namespace oas {
namespace {

namespace s3 = store::s3;
using store::sigv4::Fields;

constexpr std::string_view probe_name = ".oas-create-probe";
// Of one upload, less if there are several: each part is held in memory, and so is the one that is being filled.
constexpr std::size_t parts_at_once = 4;
constexpr std::size_t most_removed = 1000, most_listed = 1000;  // by one request
// Servers remove one key after the other, so more than a few keys go in three requests at once.
constexpr std::size_t few_removed = 334, removals_at_once = 8;

bool equal(BytesView a, std::span<const BytesView> parts) {
  for (const BytesView part : parts) {
    if (a.size() < part.size() || !std::ranges::equal(a.first(part.size()), part)) return false;
    a = a.subspan(part.size());
  }
  return a.empty();
}

class S3Store final : public Store {
 public:
  S3Store(std::string name, std::shared_ptr<const s3::Client> client)
      : Store(std::move(name)), client_(std::move(client)), prefix_(client_->settings().prefix) {
    for (const bool condition : {false, true})
      for (const bool create : {false, true})
        traits_.push_back({.atomic_create = create,
                           .conditional_write = condition,
                           .at_once = client_->settings().concurrency,
                           .whole_objects = create,  // a server that has no conditions may be a folder that is shown
                           .content_versions = true});
  }

  const StoreTraits& traits() const noexcept override {
    return traits_[(creates_ == Answer::yes ? 1U : 0U) + (conditions_ == Answer::yes ? 2U : 0U)];
  }

  std::string location() const override {
    const s3::Settings& s = client_->settings();
    return fmt::format("s3 {}://{}/{}/{}", s.endpoint.scheme, s.endpoint.host, s.bucket, prefix_);
  }

 private:
  enum class Answer { unknown, no, yes };

  std::string full(const std::string& key) const {
    if (key == probe_name)
      throw Error(Errc::usage, fmt::format("{} belongs to the store itself. take another key", probe_name));
    if (prefix_.size() + key.size() > store::max_key_size)
      throw Error(Errc::usage, fmt::format("the key has {} bytes, and after the location there is room for {}",
                                           key.size(), store::max_key_size - prefix_.size()));
    return prefix_ + key;
  }

  /// Some servers list a control character as something else, and then the object could not be found again.
  std::string full_to_write(const std::string& key) const {
    if (!s3::fits_xml(key))
      throw Error(Errc::usage, "it has a control character, which listings of S3 cannot tell. take another key");
    return full(key);
  }

  // HEAD does not tell whether the object or the whole bucket is missing.
  void check_bucket() const {
    if (bucket_seen_) return;
    const s3::Answer answer =
        client_->call({.method = "GET", .query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", prefix_}}});
    if (answer.ok()) bucket_seen_ = true;
  }

  std::optional<ObjectInfo> look(const std::string& whole) const {
    auto info = s3::stat(*client_, whole);
    if (info) {
      bucket_seen_ = true;
      info->key = whole.substr(prefix_.size());
    } else {
      check_bucket();
    }
    return info;
  }

  std::optional<ObjectInfo> do_stat(const std::string& key) const override { return look(full(key)); }

  std::optional<Object> do_read(const std::string& key, ByteRange range, const Version* only) const override {
    return s3::read(*client_, full(key), range, only);
  }

  std::optional<Version> do_write(const std::string& key, std::span<const BytesView> parts,
                                  const Version* expect) override {
    const std::string whole = full_to_write(key);
    std::uint64_t size = 0;
    for (const BytesView part : parts) size += part.size();
    Fields headers;
    if (expect && !expect->is_absent()) {
      headers.emplace_back("if-match", s3::quoted(*expect));
    } else if (expect) {
      if (honours_create())
        headers.emplace_back("if-none-match", "*");
      else if (look(whole))
        return std::nullopt;
    }
    if (size > 2 * client_->settings().part_size) return write_large(whole, parts, std::move(headers));
    return put(whole, parts, std::move(headers));
  }

  std::optional<Version> put(const std::string& whole, std::span<const BytesView> parts, Fields headers) {
    s3::Call call{.method = "PUT", .key = whole, .headers = std::move(headers), .body = {parts.begin(), parts.end()}};
    const s3::Answer answer = client_->call(std::move(call));
    if (answer.ok()) {
      bucket_seen_ = true;
      if (!answer.header("etag").empty()) return s3::version_of(answer);
      const auto info = s3::stat(*client_, whole);
      if (!info) throw Error(Errc::conflict, "somebody removed it at once. write it again");
      return info->version;
    }
    if (answer.status() == 404 && !answer.problem.code.empty()) return std::nullopt;  // nothing to match
    if (answer.status() != 412) client_->fail(answer);
    if (!answer.in_doubt) return std::nullopt;
    const auto there = s3::read(*client_, whole, {}, nullptr);
    if (there && equal(there->data, parts)) return there->version;
    return std::nullopt;
  }

  std::optional<Version> write_large(const std::string& whole, std::span<const BytesView> parts, Fields headers) {
    s3::Multipart upload(client_, whole);
    std::vector<BytesView> piece;
    std::uint64_t room = s3::size_of_part(client_->settings().part_size, 0);
    for (BytesView part : parts) {
      while (!part.empty()) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(room, part.size()));
        piece.push_back(part.first(count));
        part = part.subspan(count);
        room -= count;
        if (room > 0) continue;
        upload.add(std::exchange(piece, {}), nullptr, 2 * parts_at_once);
        room = s3::size_of_part(client_->settings().part_size, upload.parts());
      }
    }
    if (!piece.empty()) upload.add(std::move(piece), nullptr, 2 * parts_at_once);
    return upload.finish(std::move(headers));
  }

  /// Fills one part while others are on their way. A short object is one PUT.
  class PartUpload final : public Upload {
   public:
    PartUpload(S3Store& store, std::string key) : store_(store), key_(std::move(key)) {}

    void append(BytesView bytes) override {
      while (!bytes.empty()) {
        if (!buffer_ || filled_ == buffer_->size()) {
          send();
          buffer_ = std::make_shared<Buffer>(static_cast<std::size_t>(
              s3::size_of_part(store_.client_->settings().part_size, upload_ ? upload_->parts() : 0)));
        }
        const std::size_t count = std::min(bytes.size(), buffer_->size() - filled_);
        std::copy_n(bytes.begin(), count, buffer_->data() + filled_);
        filled_ += count;
        bytes = bytes.subspan(count);
      }
    }

    ~PartUpload() override {
      if (upload_) --store_.uploads_;
    }

    Version commit() override {
      if (!upload_) {
        const BytesView bytes = buffer_ ? BytesView(buffer_->data(), filled_) : BytesView();
        return *store_.put(key_, {&bytes, 1}, {});
      }
      send();
      return *upload_->finish({});
    }

   private:
    void send() {
      if (filled_ == 0) return;
      if (!upload_) {
        upload_ = std::make_unique<s3::Multipart>(store_.client_, key_);
        ++store_.uploads_;
      }
      upload_->add({BytesView(buffer_->data(), filled_)}, buffer_,
                   std::max<std::size_t>(parts_at_once / std::max<std::size_t>(store_.uploads_, 1), 2) - 1);
      buffer_.reset();
      filled_ = 0;
    }

    S3Store& store_;
    std::string key_;
    std::shared_ptr<Buffer> buffer_;
    std::size_t filled_ = 0;
    std::unique_ptr<s3::Multipart> upload_;
  };

  std::unique_ptr<Upload> do_upload(const std::string& key) override {
    return std::make_unique<PartUpload>(*this, full_to_write(key));
  }

  bool do_remove(const std::string& key) override {
    const std::string whole = full(key);
    if (!look(whole)) return false;
    remove_one(whole);
    return true;
  }

  void remove_one(const std::string& whole) const {
    const s3::Answer answer = client_->call({.method = "DELETE", .key = whole});
    if (!answer.ok() && answer.status() != 404) client_->fail(answer);
  }

  std::vector<Error> do_remove_many(std::span<const std::string> keys) override {
    std::vector<Error> stayed;
    const auto stays = [&](const std::string& key, const Error& e) {
      stayed.emplace_back(e.code(), fmt::format("remove {} in store {}: {}", key, name(), e.what()),
                          fmt::format("store {}, {}", name(), key), e.native());
    };
    struct Batch {
      std::vector<std::string> keys;
      std::shared_ptr<const std::string> body;
      s3::Client::Pending sent;
    };
    std::deque<Batch> under_way;
    const auto take = [&] {
      Batch batch = std::move(under_way.front());
      under_way.pop_front();
      try {
        take_removed(client_->finish(std::move(batch.sent)), stays);
      } catch (const Error& e) {
        for (const std::string& whole : batch.keys) stays(whole.substr(prefix_.size()), e);
      }
    };
    const std::size_t share = std::clamp((keys.size() + 2) / 3, few_removed, most_removed);
    std::vector<std::string> batch;
    const auto flush = [&] {
      if (batch.empty()) return;
      if (under_way.size() == removals_at_once) take();
      try {
        auto body = std::make_shared<const std::string>(s3::remove_request(batch));
        s3::Client::Pending sent = start_removal(*body);
        under_way.push_back({std::move(batch), std::move(body), std::move(sent)});
      } catch (const Error& e) {
        for (const std::string& whole : batch) stays(whole.substr(prefix_.size()), e);
      }
      batch.clear();
    };
    for (const std::string& key : keys) {
      try {
        std::string whole = full(key);
        if (!s3::fits_xml(whole)) {
          remove_one(whole);
          continue;
        }
        batch.push_back(std::move(whole));
      } catch (const Error& e) {
        stays(key, e);
      }
      if (batch.size() == share) flush();
    }
    flush();
    while (!under_way.empty()) take();
    return stayed;
  }

  s3::Client::Pending start_removal(const std::string& body) const {
    const BytesView view = as_bytes(body);
    return client_->start({.method = "POST",
                           .query = {{"delete", ""}},
                           .headers = {{"content-md5", base64(md5({&view, 1}))}, {"content-type", "application/xml"}},
                           .body = {view},
                           .check_body = true});
  }

  template <class Stays>
  void take_removed(const s3::Answer& answer, const Stays& stays) {
    if (!answer.ok()) client_->fail(answer);
    for (const s3::Problem& problem : s3::read_removed(answer.response.body)) {
      if (problem.code == "NoSuchKey") continue;
      const std::string key = problem.key.starts_with(prefix_) ? problem.key.substr(prefix_.size()) : problem.key;
      const Errc code = problem.code == "AccessDenied" ? Errc::access : Errc::unavailable;
      stays(key, Error(code, fmt::format("the server answered {}", problem.code), {}, problem.code));
    }
  }

  Page do_list(const std::string& prefix, const std::string& after, std::size_t limit) const override;
  std::vector<UnfinishedUpload> do_unfinished(const std::string& prefix) const override;

  std::string do_url(const std::string& key, std::chrono::seconds valid) const override {
    return client_->presigned(full(key), valid);
  }

  void do_abandon(const UnfinishedUpload& upload) override { s3::end_upload(*client_, full(upload.key), upload.id); }

  void do_cancel() noexcept override { client_->cancel(); }

  bool honours_create() {
    if (creates_ == Answer::unknown) {
      const std::lock_guard lock(probing_);
      if (creates_ == Answer::unknown) creates_ = refused("if-none-match", "*", 2) ? Answer::yes : Answer::no;
    }
    return creates_ == Answer::yes;
  }

  /// Whether the server refuses to write the probe on a condition that does not hold the last time of `times`.
  bool refused(const std::string& condition, const std::string& value, int times) const {
    const BytesView text = as_bytes("Left by oas, to find out what this server does. It may be removed.\n");
    for (int i = 0; i < times; ++i) {
      try {
        const s3::Answer answer = client_->call({.method = "PUT",
                                                 .key = prefix_ + std::string(probe_name),
                                                 .headers = {{condition, value}},
                                                 .body = {text}});
        if (answer.status() == 412) return true;
        if (!answer.ok()) client_->fail(answer);
      } catch (const Error& e) {
        if (e.code() == Errc::unsupported || e.code() == Errc::usage) return false;
        throw;
      }
    }
    return false;
  }

  void do_probe() override {
    honours_create();
    const std::lock_guard lock(probing_);
    if (conditions_ == Answer::unknown)
      conditions_ = refused("if-match", "\"00000000000000000000000000000000\"", 1) ? Answer::yes : Answer::no;
  }

  std::shared_ptr<const s3::Client> client_;
  std::string prefix_;
  std::vector<StoreTraits> traits_;  // by what the probe has found
  mutable std::atomic<bool> bucket_seen_ = false;
  std::atomic<std::size_t> uploads_ = 0;  // that are sending parts
  std::mutex probing_;
  std::atomic<Answer> creates_ = Answer::unknown, conditions_ = Answer::unknown;
};

// Servers take only well-formed text: what is sent selects a little more, and what comes back is looked through.
std::string well_formed(std::string_view text) {
  text = text.substr(0, store::max_key_size);
  std::string_view rest = text;
  while (!rest.empty() && take_code_point(rest)) {
  }
  return std::string(text.substr(0, text.size() - rest.size()));
}

Page S3Store::do_list(const std::string& prefix, const std::string& after, std::size_t limit) const {
  Page page;
  const std::string from = prefix_ + prefix, behind = prefix_ + after;
  if (from.size() > store::max_key_size) return page;
  const std::string asked = well_formed(from);
  std::string start = after.empty() ? std::string() : well_formed(behind), token;
  for (bool more = true; more;) {
    // One more than the limit tells whether there are more.
    const std::size_t count = std::min(most_listed, limit - page.entries.size() + 1);
    Fields query{{"list-type", "2"}, {"encoding-type", "url"}, {"max-keys", fmt::format("{}", count)}};
    if (!asked.empty()) query.emplace_back("prefix", asked);
    if (!token.empty())
      query.emplace_back("continuation-token", token);
    else if (!start.empty())
      query.emplace_back("start-after", start);
    const s3::Answer answer = client_->call({.method = "GET", .query = std::move(query)});
    if (!answer.ok()) client_->fail(answer);
    bucket_seen_ = true;
    const s3::Listing listing = s3::read_listing(answer.response.body);
    for (const s3::Listed& one : listing.entries) {
      if (!one.key.starts_with(from) || one.key <= behind) continue;
      std::string key = one.key.substr(prefix_.size());
      if (key == probe_name || !store::broken_rule(key).empty()) continue;  // of others: they cannot be reached
      if (page.entries.size() == limit) {
        page.more = true;
        return page;
      }
      std::string tag = one.etag;
      std::erase(tag, '"');
      page.entries.push_back({std::move(key), one.size, {std::move(tag)}, one.modified});
    }
    more = listing.truncated;
    if (!more) break;
    if (listing.continuation.empty() && listing.entries.empty())
      throw Error(Errc::integrity, "the listing goes on, and the answer does not say where");
    token = listing.continuation;
    if (token.empty()) start = listing.entries.back().key;
  }
  return page;
}

std::vector<UnfinishedUpload> S3Store::do_unfinished(const std::string& prefix) const {
  std::vector<UnfinishedUpload> found;
  const std::string from = prefix_ + prefix, asked = well_formed(from);
  std::string key, id;
  for (bool more = true; more;) {
    Fields query{{"uploads", ""}, {"encoding-type", "url"}, {"max-uploads", fmt::format("{}", most_listed)}};
    if (!asked.empty()) query.emplace_back("prefix", asked);
    if (!key.empty()) query.insert(query.end(), {{"key-marker", key}, {"upload-id-marker", id}});
    const s3::Answer answer = client_->call({.method = "GET", .query = std::move(query)});
    if (!answer.ok()) client_->fail(answer);
    s3::UploadListing listing = s3::read_uploads(answer.response.body);
    for (s3::UploadListed& one : listing.entries) {
      if (one.key.size() <= prefix_.size() || !one.key.starts_with(from)) continue;
      if (!store::broken_rule(one.key.substr(prefix_.size())).empty()) continue;
      found.push_back({one.key.substr(prefix_.size()), std::move(one.id), one.initiated});
    }
    more = listing.truncated;
    if (more && listing.next_key == key && listing.next_id == id)
      throw Error(Errc::integrity, "the listing of uploads goes on, and the answer does not say where");
    key = std::move(listing.next_key);
    id = std::move(listing.next_id);
  }
  return found;
}

std::shared_ptr<Store> open_s3_store(const StoreConfig& config) {
  return std::make_shared<S3Store>(config.name, std::make_shared<s3::Client>(s3::read_settings(config)));
}

void check_s3_store(const StoreConfig& config) { s3::read_settings(config); }

}  // namespace

const StoreDriver& store_s3();
const StoreDriver& store_s3() {
  static constexpr std::string_view required[] = {"endpoint", "bucket", "location"};
  static constexpr std::string_view optional[] = {"access_key",      "secret_key",    "secure",    "proxy_server",
                                                  "region",          "addressing",    "ca_file",   "session_token",
                                                  "profile",         "anonymous",     "part_size", "concurrency",
                                                  "request_timeout", "stall_timeout", "payload",   "hedge_reads"};
  static constexpr std::string_view secret[] = {"access_key", "secret_key", "session_token"};
  static constexpr StoreDriver driver{"s3", required, optional, secret, open_s3_store, check_s3_store};
  return driver;
}

}  // namespace oas
