// Objects in the memory of this process: gone with the store. For tests and for trying things out.
#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <shared_mutex>

#include <oas/store.hpp>

#include "store/path.hpp"

namespace oas {
namespace {

Bytes joined(std::span<const BytesView> parts) {
  std::size_t size = 0;
  for (const BytesView part : parts) size += part.size();
  Buffer buffer(size);
  std::byte* at = buffer.data();
  for (const BytesView part : parts) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return std::move(buffer).finish();
}

class MemoryStore final : public Store {
 public:
  explicit MemoryStore(std::string name) : Store(std::move(name)) {}

  const StoreTraits& traits() const noexcept override {
    static constexpr StoreTraits traits{.atomic_create = true, .conditional_write = true};
    return traits;
  }
  std::string location() const override { return "memory"; }

  /// nullopt: `expect` does not hold.
  std::optional<Version> put(const std::string& key, Bytes data, const Version* expect) {
    const std::unique_lock lock(mutex_);
    const auto found = entries_.find(key);
    const Version current = found == entries_.end() ? Version::absent() : found->second.version;
    if (expect && *expect != current) return std::nullopt;
    const Version version{fmt::format("{}", ++last_version_)};
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    entries_.insert_or_assign(
        key, Entry{std::move(data), version, std::chrono::duration_cast<std::chrono::microseconds>(now).count()});
    return version;
  }

 private:
  struct Entry {
    Bytes data;
    Version version;
    std::int64_t modified = 0;
  };

  std::optional<ObjectInfo> do_stat(const std::string& key) const override {
    const std::shared_lock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    return info(*found);
  }

  std::optional<Object> do_read(const std::string& key, ByteRange range, const Version* only) const override {
    const std::shared_lock lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    const Entry& entry = found->second;
    if (only && *only != entry.version) {
      throw Error(Errc::conflict, "it was rewritten since its version was noted. look for it again");
    }
    const store::Extent part = store::inside(range, entry.data.size());
    return Object{entry.data.slice(part.offset, part.size), entry.version, entry.data.size()};
  }

  std::optional<Version> do_write(const std::string& key, std::span<const BytesView> parts,
                                  const Version* expect) override {
    return put(key, joined(parts), expect);
  }

  std::unique_ptr<Upload> do_upload(const std::string& key) override {
    class MemoryUpload final : public Upload {
     public:
      MemoryUpload(MemoryStore& store, std::string key) : store_(store), key_(std::move(key)) {}
      void append(BytesView bytes) override { data_.insert(data_.end(), bytes.begin(), bytes.end()); }
      Version commit() override { return *store_.put(key_, Bytes(std::move(data_)), nullptr); }

     private:
      MemoryStore& store_;
      std::string key_;
      std::vector<std::byte> data_;
    };
    return std::make_unique<MemoryUpload>(*this, key);
  }

  bool do_remove(const std::string& key) override {
    const std::unique_lock lock(mutex_);
    return entries_.erase(key) > 0;
  }

  Page do_list(const std::string& prefix, const std::string& after, std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    auto entry = after < prefix ? entries_.lower_bound(prefix) : entries_.upper_bound(after);
    Page page;
    for (; entry != entries_.end() && entry->first.starts_with(prefix); ++entry) {
      if (page.entries.size() == limit) {
        page.more = true;
        break;
      }
      page.entries.push_back(info(*entry));
    }
    return page;
  }

  static ObjectInfo info(const std::pair<const std::string, Entry>& entry) {
    return {entry.first, entry.second.data.size(), entry.second.version, entry.second.modified};
  }

  mutable std::shared_mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::uint64_t last_version_ = 0;
};

}  // namespace

const StoreDriver& store_memory();
const StoreDriver& store_memory() {
  static constexpr StoreDriver driver{"memory", {}, {}, {}, [](const StoreConfig& config) -> std::shared_ptr<Store> {
                                        return std::make_shared<MemoryStore>(config.name);
                                      }};
  return driver;
}

}  // namespace oas
