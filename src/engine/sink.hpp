// Sink: where codecs put the objects of rows that are being inserted, each row through a RowSink of its own, several at
// a time. Puts are queued; flush() announces them to the ledger and writes them in parallel, so that many rows cost one
// announcement and no row waits for another.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <oas/codec.hpp>

#include "engine/work.hpp"

namespace oas {

class Sink {
 public:
  Sink(SessionState& state, Work& work, std::string schema);

  /// Bytes in memory that wait to be written and that nobody else holds.
  std::size_t waiting() const noexcept { return waiting_; }
  /// Returns when everything queued is in its store, and durable as far as the store promises.
  void flush();

 private:
  friend class RowSink;
  struct Put {
    std::string store, path;
    Content content;
    bool hashed = false;
  };
  /// An object and the files it consists of; of content that is queued already, nothing.
  void queue(const ObjectPath& object, std::vector<Put> puts);
  static void write(Store& store, const Put& put);

  SessionState& state_;
  Work& work_;
  std::string schema_;
  const std::uint64_t cancels_;  ///< SessionState::cancels when this began
  std::mutex mutex_;
  std::vector<Put> queue_;
  std::set<ObjectPath> announced_;  ///< objects of the queue
  std::size_t waiting_ = 0;
  bool flushed_ = false;
};

/// The objects of one row on their way to the sink. Used by one thread; hashing is done here, beside other rows'.
class RowSink final : public ObjectSink {
 public:
  explicit RowSink(Sink& sink) : sink_(sink), state_(sink.state_) {}

  Value put_hashed(const Site& site, Content content) override;
  Stored put_named(const Site& site, std::string_view extension, Content content) override;
  Stored put_folder(const Site& site, std::string_view extension, std::vector<FolderEntry> files) override;
  std::optional<ObjectInfo> stat(std::string_view store, std::string_view path) override;
  bool is_folder(std::string_view store, std::string_view path) override;
  const StoreConfig& config(std::string_view store) override;

  /// What was put so far.
  std::vector<ObjectPath> objects() && { return std::move(objects_); }

 private:
  void put(ObjectPath object, std::vector<Sink::Put> puts);

  Sink& sink_;
  SessionState& state_;
  std::vector<ObjectPath> objects_;
};

class Source final : public ObjectSource {
 public:
  explicit Source(SessionState& state) : state_(state) {}
  ObjectRef ref(const Value& metadata) const override;
  const StoreConfig& config(std::string_view store) const override { return state_.store_config(store); }

 private:
  SessionState& state_;
};

}  // namespace oas
