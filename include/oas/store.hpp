// Store: the border to object storage. Keys and bytes, nothing else: no directories, no metadata, no rename.
// A Store is safe for concurrent use and blocks. A driver writes the private do_ twins; the public functions check
// their arguments and put the store's name into every error.
//
// Keys are UTF-8, '/'-separated, relative, without "..", "." or empty parts, without NUL, at most 1,024 bytes. A store
// may refuse a key for reasons of its own (usage): a file store cannot keep an object "a" and an object "a/b" at the
// same time, nor parts of more than 255 bytes.
// Errors of every call: usage (a bad key), access, unavailable (after retries), integrity.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/bytes.hpp>
#include <oas/error.hpp>
#include <oas/ref.hpp>

namespace oas {

/// Opaque; another one whenever the object was rewritten (with StoreTraits::content_versions: with other bytes).
struct Version {
  std::string tag;
  static Version absent() { return {}; }  ///< "there must be none": makes a write create-only
  bool is_absent() const noexcept { return tag.empty(); }
  friend bool operator==(const Version&, const Version&) = default;
};

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  Version version;
  std::int64_t modified = 0;  ///< microseconds since 1970-01-01 by the store's clock
};
struct Object {
  Bytes data;
  Version version;
  std::uint64_t size = 0;  ///< of the whole object, also when a range was read
};
struct Page {
  std::vector<ObjectInfo> entries;  ///< in byte order of their keys
  bool more = false;                ///< go on with `after` = the last key
};
/// An upload that was neither committed nor discarded: its writer is at work, or died.
struct UnfinishedUpload {
  std::string key;
  std::string id;
  std::int64_t begun = 0;  ///< microseconds since 1970-01-01 by the store's clock
};
struct StoreTraits {
  bool atomic_create = false;                   ///< of several create-only writers exactly one wins
  bool conditional_write = false;               ///< `expect` is honoured for versions other than absent
  std::uint64_t max_single_write = UINT64_MAX;  ///< bytes; more goes through an upload
  std::size_t at_once = 1;                      ///< requests that pay at once: 1 where they work rather than wait
  bool whole_objects = false;                   ///< nobody can leave half an object, not even by dying
  bool content_versions = false;                ///< equal bytes under one key have one version, however often written
};

/// A stream of bytes that becomes an object, replacing one that is there. Destroyed without commit, or after an error:
/// leaves nothing. Used by one thread at a time, and not after its store is gone.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual void append(BytesView bytes) = 0;
  virtual Version commit() = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::string& name() const noexcept { return name_; }
  /// What is known without asking: atomic_create and conditional_write may turn true with probe().
  virtual const StoreTraits& traits() const noexcept = 0;
  /// Tries out what traits() cannot know; conditional writes do it by themselves. Cost: at most 3 requests, once.
  void probe();
  /// For people: "file /data/raw", "memory". Never a secret.
  virtual std::string location() const = 0;

  /// nullopt: not there. Cost: 1 request.
  std::optional<ObjectInfo> stat(std::string_view key) const;
  /// nullopt: not there. With `only`, conflict if the object is not that version. Errors: usage if the range ends past
  /// the object. Cost: 1 request.
  std::optional<Object> read(std::string_view key, ByteRange range = {}, const Version* only = nullptr) const;
  /// Writes the parts one after the other as one object, all or nothing. `expect`: only if the object is this version
  /// (Version::absent(): only if there is none); nullopt if it is not. Cost: 1 request.
  std::optional<Version> write(std::string_view key, std::span<const BytesView> parts, const Version* expect = nullptr);
  std::optional<Version> write(std::string_view key, BytesView bytes, const Version* expect = nullptr) {
    return write(key, std::span<const BytesView>(&bytes, 1), expect);
  }
  /// As write(…, absent), for a key that only the caller can know, as one with a fresh random token: mostly faster.
  /// What it gives up: if the process dies, a part of the object may be there. So the caller has noted the key before,
  /// where the next one finds it and removes what is there. After an error nothing is there. Cost: 1 request.
  std::optional<Version> create(std::string_view key, std::span<const BytesView> parts);
  /// For what does not fit memory. The object appears at commit().
  std::unique_ptr<Upload> upload(std::string_view key);
  /// A URL that reads the object without keys, for so long: as secret as a key. Cost: no request, so it may not be
  /// there. Errors: unsupported where there is no such thing; usage if `valid` is not 1 second to 7 days.
  std::string url(std::string_view key, std::chrono::seconds valid) const;
  /// Uploads to keys that begin with `prefix`. Empty where an upload leaves nothing when its process dies.
  std::vector<UnfinishedUpload> unfinished(std::string_view prefix) const;
  /// Frees what the upload holds; whoever still writes it gets conflict. One that is over is no error.
  void abandon(const UnfinishedUpload& upload);
  /// false: was not there. Cost: 1 request; 2 where a removal does not tell.
  bool remove(std::string_view key);
  /// One error a key that stayed; a key that was not there is no error.
  std::vector<Error> remove_many(std::span<const std::string> keys);
  /// Keys that begin with `prefix` (any text, also half a part) and come after `after`. Complete, or throws.
  /// Cost: 1 request; a file store reads the folders on the way whole, so ask for many (100,000) at a time.
  Page list(std::string_view prefix, std::string_view after = {}, std::size_t limit = 1000) const;
  /// Returns once these written objects survive a power cut, as far as the store was configured to promise that.
  /// Errors: missing_object.
  void sync(std::span<const std::string> keys);
  /// From any thread: what waits for this store now, uploads that have begun included, fails soon as `cancelled`.
  /// What begins later is not touched. Does nothing where nobody waits for long.
  void cancel() noexcept { do_cancel(); }

 protected:
  explicit Store(std::string name) : name_(std::move(name)) {}

 private:
  virtual std::optional<ObjectInfo> do_stat(const std::string& key) const = 0;
  virtual std::optional<Object> do_read(const std::string& key, ByteRange range, const Version* only) const = 0;
  virtual std::optional<Version> do_write(const std::string& key, std::span<const BytesView> parts,
                                          const Version* expect) = 0;
  virtual std::optional<Version> do_create(const std::string& key, std::span<const BytesView> parts);  // default: write
  virtual std::unique_ptr<Upload> do_upload(const std::string& key) = 0;
  virtual bool do_remove(const std::string& key) = 0;
  virtual std::vector<Error> do_remove_many(std::span<const std::string> keys);  // default: one by one
  virtual Page do_list(const std::string& prefix, const std::string& after, std::size_t limit) const = 0;
  virtual void do_sync(std::span<const std::string>) {}
  virtual void do_probe() {}
  virtual std::string do_url(const std::string& key, std::chrono::seconds valid) const;  // default: unsupported
  virtual std::vector<UnfinishedUpload> do_unfinished(const std::string&) const { return {}; }
  virtual void do_abandon(const UnfinishedUpload&) {}
  virtual void do_cancel() noexcept {}

  std::string name_;
  friend class StoreDecorator;  // forwards to another store's do_ twins
};

/// Base of stores that wrap another one (a prefix, a recorder, a fault injector). Forwards everything.
class StoreDecorator : public Store {
 public:
  explicit StoreDecorator(std::shared_ptr<Store> inner) : Store(inner->name()), inner_(std::move(inner)) {}
  const StoreTraits& traits() const noexcept override { return inner_->traits(); }
  std::string location() const override { return inner_->location(); }

 protected:
  std::optional<ObjectInfo> do_stat(const std::string& key) const override;
  std::optional<Object> do_read(const std::string& key, ByteRange range, const Version* only) const override;
  std::optional<Version> do_write(const std::string& key, std::span<const BytesView> parts,
                                  const Version* expect) override;
  std::optional<Version> do_create(const std::string& key, std::span<const BytesView> parts) override;
  std::unique_ptr<Upload> do_upload(const std::string& key) override;
  bool do_remove(const std::string& key) override;
  std::vector<Error> do_remove_many(std::span<const std::string> keys) override;
  Page do_list(const std::string& prefix, const std::string& after, std::size_t limit) const override;
  void do_sync(std::span<const std::string> keys) override;
  void do_probe() override;
  std::string do_url(const std::string& key, std::chrono::seconds valid) const override;
  std::vector<UnfinishedUpload> do_unfinished(const std::string& prefix) const override;
  void do_abandon(const UnfinishedUpload& upload) override;
  void do_cancel() noexcept override;
  Store& inner() const noexcept { return *inner_; }

 private:
  std::shared_ptr<Store> inner_;
};

/// One entry of `stores` in the settings: protocol plus what its driver declares (interop: settings, stores).
struct StoreConfig {
  std::string name = {};
  std::string protocol = {};
  std::map<std::string, std::string, std::less<>> options = {};  ///< the driver's own keys, values as text
  std::optional<std::string> hash_prefix = {};                   ///< default "_hash"
  std::optional<std::string> schema_prefix = {};                 ///< default "_schema"
  std::optional<std::string> filepath_prefix = {};
  std::vector<int> subfolding = {};
  std::optional<std::string> partition_pattern = {};
  int token_length = 8;
};

/// What a file under src/store/drivers/ defines: `const StoreDriver& store_file()`.
struct StoreDriver {
  std::string_view protocol;
  std::span<const std::string_view> required;  ///< keys of StoreConfig::options
  std::span<const std::string_view> optional;
  std::span<const std::string_view> secret;  ///< of both, those that are never shown
  std::shared_ptr<Store> (*open)(const StoreConfig&);
  /// Rules that go beyond the names of the keys; asked before open, also when nobody opens the store.
  /// Errors: usage, never with the value of an option.
  void (*check)(const StoreConfig&) = nullptr;
};

}  // namespace oas
