// Sink: where codecs put the objects of rows that are being inserted. Puts are queued; flush() announces them to the
// ledger and writes them in parallel, so that many rows cost one announcement and no row waits for another.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <oas/codec.hpp>

#include "engine/work.hpp"

namespace oas {

class Sink final : public ObjectSink {
 public:
  Sink(SessionState& state, Work& work, std::string schema);

  Value put_hashed(const Site& site, Content content) override;
  Stored put_named(const Site& site, std::string_view extension, Content content) override;
  Stored put_folder(const Site& site, std::string_view extension, std::vector<FolderEntry> files) override;
  std::optional<ObjectInfo> stat(std::string_view store, std::string_view path) override;
  bool is_folder(std::string_view store, std::string_view path) override;
  const StoreConfig& config(std::string_view store) override;

  /// Bytes in memory that wait to be written and that nobody else holds.
  std::size_t waiting() const noexcept { return waiting_; }
  /// The objects put since the last call: those of one row.
  std::vector<ObjectPath> take_row() { return std::exchange(row_, {}); }
  /// Returns when everything queued is in its store, and durable as far as the store promises.
  void flush();

 private:
  struct Put {
    std::string store, path;
    Content content;
    bool hashed = false;
  };
  void queue(Put put);
  static void write(Store& store, const Put& put);

  SessionState& state_;
  Work& work_;
  std::string schema_;
  std::vector<Put> queue_;
  std::map<ObjectPath, std::size_t> announced_;  ///< objects of the queue, each once
  std::vector<ObjectPath> row_;
  std::size_t waiting_ = 0;
  bool flushed_ = false;
};

class Source final : public ObjectSource {
 public:
  explicit Source(SessionState& state) : state_(state) {}
  ObjectRef ref(const Value& metadata) const override;

 private:
  SessionState& state_;
};

}  // namespace oas
