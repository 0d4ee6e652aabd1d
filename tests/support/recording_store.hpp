// A store that passes every call on and remembers it, so that tests can say which requests were made.
// Safe for concurrent use, as every store.
#pragma once

#include <algorithm>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include <oas/store.hpp>

namespace oas::test {

/// One call over the border. `bytes`: read or written; of list the number of entries.
struct StoreCall {
  std::string verb;  ///< stat, read, write (also by create), upload, append, commit, remove, remove_many, list, sync
  std::string key;   ///< of list the prefix; of remove_many and sync the first key
  std::uint64_t bytes = 0;
  friend bool operator==(const StoreCall&, const StoreCall&) = default;
  friend std::ostream& operator<<(std::ostream& out, const StoreCall& call) {
    return out << call.verb << ' ' << call.key << ' ' << call.bytes;
  }
};

class RecordingStore final : public StoreDecorator {
 public:
  using StoreDecorator::StoreDecorator;

  std::vector<StoreCall> calls() const {
    const std::lock_guard lock(log_->mutex);
    return log_->calls;
  }
  std::size_t count(std::string_view verb) const {
    const auto all = calls();
    return static_cast<std::size_t>(std::ranges::count(all, verb, &StoreCall::verb));
  }
  std::uint64_t bytes(std::string_view verb) const {
    std::uint64_t sum = 0;
    for (const StoreCall& call : calls()) sum += call.verb == verb ? call.bytes : 0;
    return sum;
  }
  void clear() {
    const std::lock_guard lock(log_->mutex);
    log_->calls.clear();
  }

 private:
  struct Log {
    void add(std::string verb, std::string key, std::uint64_t bytes = 0) {
      const std::lock_guard lock(mutex);
      calls.push_back({std::move(verb), std::move(key), bytes});
    }
    std::mutex mutex;
    std::vector<StoreCall> calls;
  };

  class RecordingUpload final : public Upload {
   public:
    RecordingUpload(std::unique_ptr<Upload> inner, std::string key, std::shared_ptr<Log> log)
        : inner_(std::move(inner)), key_(std::move(key)), log_(std::move(log)) {}
    void append(BytesView bytes) override {
      log_->add("append", key_, bytes.size());
      inner_->append(bytes);
    }
    Version commit() override {
      log_->add("commit", key_);
      return inner_->commit();
    }

   private:
    std::unique_ptr<Upload> inner_;
    std::string key_;
    std::shared_ptr<Log> log_;
  };

  // A call is remembered also if it fails: it was made.
  std::optional<ObjectInfo> do_stat(const std::string& key) const override {
    log_->add("stat", key);
    return StoreDecorator::do_stat(key);
  }
  std::optional<Object> do_read(const std::string& key, ByteRange range, const Version* only) const override {
    try {
      auto object = StoreDecorator::do_read(key, range, only);
      log_->add("read", key, object ? object->data.size() : 0);
      return object;
    } catch (...) {
      log_->add("read", key);
      throw;
    }
  }
  std::optional<Version> do_write(const std::string& key, std::span<const BytesView> parts,
                                  const Version* expect) override {
    std::uint64_t bytes = 0;
    for (const BytesView part : parts) bytes += part.size();
    log_->add("write", key, bytes);
    return StoreDecorator::do_write(key, parts, expect);
  }
  std::optional<Version> do_create(const std::string& key, std::span<const BytesView> parts) override {
    std::uint64_t bytes = 0;
    for (const BytesView part : parts) bytes += part.size();
    log_->add("write", key, bytes);
    return StoreDecorator::do_create(key, parts);
  }
  std::unique_ptr<Upload> do_upload(const std::string& key) override {
    log_->add("upload", key);
    return std::make_unique<RecordingUpload>(StoreDecorator::do_upload(key), key, log_);
  }
  bool do_remove(const std::string& key) override {
    log_->add("remove", key);
    return StoreDecorator::do_remove(key);
  }
  std::vector<Error> do_remove_many(std::span<const std::string> keys) override {
    log_->add("remove_many", keys.empty() ? "" : keys.front());
    return StoreDecorator::do_remove_many(keys);
  }
  Page do_list(const std::string& prefix, const std::string& after, std::size_t limit) const override {
    try {
      Page page = StoreDecorator::do_list(prefix, after, limit);
      log_->add("list", prefix, page.entries.size());
      return page;
    } catch (...) {
      log_->add("list", prefix);
      throw;
    }
  }
  void do_sync(std::span<const std::string> keys) override {
    log_->add("sync", keys.front());
    StoreDecorator::do_sync(keys);
  }

  std::shared_ptr<Log> log_ = std::make_shared<Log>();
};

}  // namespace oas::test
