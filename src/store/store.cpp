// What every store has in common: arguments are checked, and every error gets one clause that says what was tried.
#include <oas/store.hpp>

#include <fmt/format.h>

#include "store/path.hpp"

namespace oas {
namespace {

using store::check_key;

std::string on(std::string_view verb, std::string_view key, const std::string& name) {
  return fmt::format("{} {} in store {}", verb, key, name);
}

template <class Call>
auto with_clause(std::string_view verb, std::string_view key, const std::string& name, const Call& call) {
  try {
    return call();
  } catch (const Error& e) {
    throw Error(e.code(), fmt::format("{}: {}", on(verb, key, name), e.what()), fmt::format("store {}, {}", name, key),
                e.native());
  }
}

void check_size(std::span<const BytesView> parts, const StoreTraits& traits) {
  std::uint64_t size = 0;
  for (const BytesView part : parts) size += part.size();
  if (size <= traits.max_single_write) return;
  throw Error(Errc::usage, fmt::format("{} bytes in one write, and this store takes at most {}. use upload", size,
                                       traits.max_single_write));
}

/// Keeps the order of calls, and names the object in errors.
class CheckedUpload final : public Upload {
 public:
  CheckedUpload(std::unique_ptr<Upload> inner, std::string key, std::string name)
      : inner_(std::move(inner)), key_(std::move(key)), name_(std::move(name)) {}

  void append(BytesView bytes) override {
    step("append to", [&] { inner_->append(bytes); });
  }
  Version commit() override {
    Version version;
    step("commit", [&] { version = inner_->commit(); });
    inner_.reset();
    return version;
  }

 private:
  template <class Call>
  void step(std::string_view verb, const Call& call) {
    with_clause(verb, key_, name_, [&] {
      if (!inner_) throw Error(Errc::usage, "the upload is over: it was committed, or an earlier call failed");
      try {
        call();
      } catch (...) {  // after a failed append the object has a hole: it must not be committed
        inner_.reset();
        throw;
      }
    });
  }

  std::unique_ptr<Upload> inner_;
  std::string key_;
  std::string name_;
};

}  // namespace

std::optional<ObjectInfo> Store::stat(std::string_view key) const {
  check_key(key);
  return with_clause("look for", key, name_, [&] { return do_stat(std::string(key)); });
}

std::optional<Object> Store::read(std::string_view key, ByteRange range, const Version* only) const {
  check_key(key);
  return with_clause("read", key, name_, [&] {
    if (only && only->is_absent()) throw Error(Errc::usage, "`only` is the version of an object that is absent");
    return do_read(std::string(key), range, only);
  });
}

std::optional<Version> Store::write(std::string_view key, std::span<const BytesView> parts, const Version* expect) {
  check_key(key);
  return with_clause("write", key, name_, [&] {
    check_size(parts, traits());
    if (expect && !expect->is_absent()) do_probe();
    if (expect && !expect->is_absent() && !traits().conditional_write) {
      throw Error(Errc::unsupported, "this store cannot write on condition of a version");
    }
    return do_write(std::string(key), parts, expect);
  });
}

std::optional<Version> Store::create(std::string_view key, std::span<const BytesView> parts) {
  check_key(key);
  return with_clause("write", key, name_, [&] {
    check_size(parts, traits());
    return do_create(std::string(key), parts);
  });
}

std::unique_ptr<Upload> Store::upload(std::string_view key) {
  check_key(key);
  return with_clause("upload", key, name_, [&]() -> std::unique_ptr<Upload> {
    return std::make_unique<CheckedUpload>(do_upload(std::string(key)), std::string(key), name_);
  });
}

bool Store::remove(std::string_view key) {
  check_key(key);
  return with_clause("remove", key, name_, [&] { return do_remove(std::string(key)); });
}

std::vector<Error> Store::remove_many(std::span<const std::string> keys) {
  for (const std::string& key : keys) check_key(key);
  return with_clause("remove", fmt::format("{} objects", keys.size()), name_, [&] { return do_remove_many(keys); });
}

Page Store::list(std::string_view prefix, std::string_view after, std::size_t limit) const {
  return with_clause("list", fmt::format("'{}'", prefix), name_, [&] {
    if (limit == 0) throw Error(Errc::usage, "a page of no entries was asked for");
    return do_list(std::string(prefix), std::string(after), limit);
  });
}

void Store::sync(std::span<const std::string> keys) {
  for (const std::string& key : keys) check_key(key);
  if (keys.empty()) return;
  const std::string what = keys.size() == 1 ? keys.front() : fmt::format("{} objects", keys.size());
  with_clause("sync", what, name_, [&] { do_sync(keys); });
}

std::optional<Version> Store::do_create(const std::string& key, std::span<const BytesView> parts) {
  const Version absent = Version::absent();
  return do_write(key, parts, &absent);
}

std::vector<UnfinishedUpload> Store::unfinished(std::string_view prefix) const {
  return with_clause("look for unfinished uploads below", fmt::format("'{}'", prefix), name_,
                     [&] { return do_unfinished(std::string(prefix)); });
}

void Store::abandon(const UnfinishedUpload& upload) {
  check_key(upload.key);
  with_clause("abandon the upload of", upload.key, name_, [&] { do_abandon(upload); });
}

std::string Store::url(std::string_view key, std::chrono::seconds valid) const {
  check_key(key);
  return with_clause("make a URL of", key, name_, [&] {
    constexpr std::chrono::seconds longest{7 * 86'400};
    if (valid < std::chrono::seconds(1) || valid > longest)
      throw Error(Errc::usage, "a URL is valid from 1 second to 7 days");
    return do_url(std::string(key), valid);
  });
}

std::string Store::do_url(const std::string&, std::chrono::seconds) const {
  throw Error(Errc::unsupported, "this store has no URLs that others could read. copy the object instead");
}

void Store::probe() {
  with_clause("try out", "conditional writes", name_, [&] { do_probe(); });
}

std::vector<Error> Store::do_remove_many(std::span<const std::string> keys) {
  std::vector<Error> stayed;
  for (const std::string& key : keys) {
    try {
      do_remove(key);
    } catch (const Error& e) {
      stayed.emplace_back(e.code(), fmt::format("{}: {}", on("remove", key, name_), e.what()),
                          fmt::format("store {}, {}", name_, key), e.native());
    }
  }
  return stayed;
}

std::optional<ObjectInfo> StoreDecorator::do_stat(const std::string& key) const { return inner_->do_stat(key); }
std::optional<Object> StoreDecorator::do_read(const std::string& key, ByteRange range, const Version* only) const {
  return inner_->do_read(key, range, only);
}
std::optional<Version> StoreDecorator::do_write(const std::string& key, std::span<const BytesView> parts,
                                                const Version* expect) {
  return inner_->do_write(key, parts, expect);
}
std::optional<Version> StoreDecorator::do_create(const std::string& key, std::span<const BytesView> parts) {
  return inner_->do_create(key, parts);
}
std::unique_ptr<Upload> StoreDecorator::do_upload(const std::string& key) { return inner_->do_upload(key); }
bool StoreDecorator::do_remove(const std::string& key) { return inner_->do_remove(key); }
std::vector<Error> StoreDecorator::do_remove_many(std::span<const std::string> keys) {
  return inner_->do_remove_many(keys);
}
Page StoreDecorator::do_list(const std::string& prefix, const std::string& after, std::size_t limit) const {
  return inner_->do_list(prefix, after, limit);
}
void StoreDecorator::do_sync(std::span<const std::string> keys) { inner_->do_sync(keys); }
void StoreDecorator::do_probe() { inner_->do_probe(); }
std::string StoreDecorator::do_url(const std::string& key, std::chrono::seconds valid) const {
  return inner_->do_url(key, valid);
}
std::vector<UnfinishedUpload> StoreDecorator::do_unfinished(const std::string& prefix) const {
  return inner_->do_unfinished(prefix);
}
void StoreDecorator::do_abandon(const UnfinishedUpload& upload) { inner_->do_abandon(upload); }
void StoreDecorator::do_cancel() noexcept { inner_->do_cancel(); }

}  // namespace oas
