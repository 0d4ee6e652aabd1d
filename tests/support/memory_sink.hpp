// A sink that writes at once into one store, and the source that reads it again: codecs without an engine.
#pragma once

#include <memory>

#include <oas/codec.hpp>

#include "codec/content.hpp"
#include "codec/metadata.hpp"
#include "codec/paths.hpp"
#include "store/registry.hpp"

namespace oas::test {

inline std::shared_ptr<Store> memory_store(const std::string& name = "main") {
  StoreConfig config;
  config.name = name;
  config.protocol = "memory";
  return store::open_store(config);
}

class MemorySink final : public ObjectSink {
 public:
  explicit MemorySink(std::shared_ptr<Store> store, StoreConfig config = {})
      : store_(std::move(store)), config_(std::move(config)) {}

  std::size_t written() const noexcept { return written_; }  ///< objects

  Value put_hashed(const Site& site, Content content) override {
    const std::string hash = codec::hash_content(content);
    const std::string path = codec::hashed_path(config_, site.schema, hash);
    put(path, content, codec::Expect::absent);
    return codec::hashed_metadata(hash, {path, store_->name(), content.size()}, site.schema);
  }
  Stored put_named(const Site& site, std::string_view extension, Content content) override {
    const std::string path = fresh_path(site, extension);
    put(path, content, codec::Expect::unknown_key);
    return {path, store_->name(), content.size()};
  }
  Stored put_folder(const Site& site, std::string_view extension, std::vector<FolderEntry> files) override {
    const std::string path = fresh_path(site, extension);
    std::uint64_t total = 0;
    std::vector<FileInfo> infos;
    for (const FolderEntry& file : files) {
      put(path + "/" + file.path, file.content, codec::Expect::unknown_key);
      infos.push_back({file.path, file.content.size()});
      total += file.content.size();
    }
    put(codec::manifest_path(path), Bytes::copy(codec::manifest_text(infos, total, codec::utc_timestamp())),
        codec::Expect::unknown_key);
    return {path, store_->name(), total};
  }
  std::optional<ObjectInfo> stat(std::string_view, std::string_view path) override { return store_->stat(path); }
  bool is_folder(std::string_view, std::string_view path) override {
    return !store_->list(std::string(path) + "/", {}, 1).entries.empty();
  }
  const StoreConfig& config(std::string_view) override { return config_; }

 private:
  std::string fresh_path(const Site& site, std::string_view extension) const {
    return codec::named_path(config_, site, extension, codec::random_token(config_.token_length));
  }
  void put(const std::string& path, const Content& content, codec::Expect expect) {
    codec::write_content(*store_, path, content, expect);
    ++written_;
  }

  std::shared_ptr<Store> store_;
  StoreConfig config_;
  std::size_t written_ = 0;
};

class MemorySource final : public ObjectSource {
 public:
  explicit MemorySource(std::shared_ptr<Store> store) : store_(std::move(store)) {}
  ObjectRef ref(const Value& metadata) const override { return codec::make_ref(metadata, store_); }
  const StoreConfig& config(std::string_view) const override { return config_; }

 private:
  std::shared_ptr<Store> store_;
  StoreConfig config_;
};

}  // namespace oas::test
