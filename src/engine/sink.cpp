#include "engine/sink.hpp"

#include <fmt/format.h>

#include "codec/content.hpp"
#include "codec/metadata.hpp"
#include "codec/paths.hpp"
#include "core/thread_pool.hpp"

namespace oas {
namespace {

// Content that is there already is not sent again: below this a create-only write finds out by itself, above it the
// bytes are worth a question first.
constexpr std::uint64_t worth_asking = 64 << 10;  // bytes

// More than this, or more than one flush, may take longer than a lease.
constexpr std::uint64_t lasting = 256 << 20;  // bytes

}  // namespace

Sink::Sink(SessionState& state, Work& work, std::string schema)
    : state_(state), work_(work), schema_(std::move(schema)), cancels_(state.cancels) {}

void Sink::queue(const ObjectPath& object, std::vector<Put> puts) {
  const std::lock_guard lock(mutex_);
  if (!announced_.insert(object).second) return;
  for (Put& put : puts) {
    for (const Bytes& part : put.content.parts) {
      if (!part.borrowed() && part.owner().use_count() <= 2) waiting_ += part.size();
    }
    queue_.push_back(std::move(put));
  }
}

void RowSink::put(ObjectPath object, std::vector<Sink::Put> puts) {
  sink_.queue(object, std::move(puts));
  objects_.push_back(std::move(object));
}

Value RowSink::put_hashed(const Site& site, Content content) {
  const std::string store(site.store);
  const std::string hash = codec::hash_content(content);
  const std::string path = codec::hashed_path(state_.store_config(store), site.schema, hash);
  const Stored stored{path, store, content.size()};
  std::vector<Sink::Put> puts;
  puts.push_back({store, path, std::move(content), true});
  put({store, path, false}, std::move(puts));
  return codec::hashed_metadata(hash, stored, site.schema);
}

Stored RowSink::put_named(const Site& site, std::string_view extension, Content content) {
  const std::string store(site.store);
  const StoreConfig& config = state_.store_config(store);
  const std::string path = codec::named_path(config, site, extension, codec::random_token(config.token_length));
  Stored stored{path, store, content.size()};
  std::vector<Sink::Put> puts;
  puts.push_back({store, path, std::move(content), false});
  put({store, path, false}, std::move(puts));
  return stored;
}

Stored RowSink::put_folder(const Site& site, std::string_view extension, std::vector<FolderEntry> files) {
  const std::string store(site.store);
  const StoreConfig& config = state_.store_config(store);
  const std::string path = codec::named_path(config, site, extension, codec::random_token(config.token_length));
  std::vector<Sink::Put> puts;
  puts.reserve(files.size() + 1);
  std::vector<FileInfo> infos;
  infos.reserve(files.size());
  std::uint64_t total = 0;
  for (FolderEntry& file : files) {
    const std::uint64_t size = file.content.size();
    total += size;
    infos.push_back({file.path, size});
    puts.push_back({store, path + "/" + file.path, std::move(file.content), false});
  }
  const std::string manifest = codec::manifest_text(infos, total, codec::utc_timestamp());
  puts.push_back({store, codec::manifest_path(path), Content(Bytes::copy(manifest)), false});
  put({store, path, true}, std::move(puts));
  return {path, store, total};
}

std::optional<ObjectInfo> RowSink::stat(std::string_view store, std::string_view path) {
  return state_.store(store)->stat(path);
}

bool RowSink::is_folder(std::string_view store, std::string_view path) {
  return !state_.store(store)->list(std::string(path) + "/", {}, 1).entries.empty();
}

const StoreConfig& RowSink::config(std::string_view store) { return state_.store_config(store); }

void Sink::write(Store& store, const Put& put) {
  const std::uint64_t size = put.content.size();
  if (!put.hashed) {
    if (codec::write_content(store, put.path, put.content, codec::Expect::unknown_key)) return;
    throw Error(Errc::conflict,
                fmt::format("write {} to store {}: there is an object of this random name already. insert again",
                            put.path, store.name()),
                fmt::format("store {}, {}", store.name(), put.path));
  }
  if (size >= worth_asking) {
    if (const auto there = store.stat(put.path); there && there->size == size) return;
  }
  if (codec::write_content(store, put.path, put.content, codec::Expect::absent)) return;
  // The name says what the content is. Our intent keeps collectors from removing it.
  if (store.traits().whole_objects) return;
  const auto there = store.stat(put.path);
  if (there && there->size == size) return;
  // Somebody left half of this content under its name, or took it away meanwhile: the bytes at hand are the content.
  codec::write_content(store, put.path, put.content, codec::Expect::anything);
}

void Sink::flush() {
  if (queue_.empty()) return;
  const std::vector<ObjectPath> objects(announced_.begin(), announced_.end());
  std::map<std::string, Store*> stores;
  for (const Put& put : queue_) {
    Store*& store = stores[put.store];
    if (!store) store = state_.store(put.store).get();
  }
  std::uint64_t bytes = 0;
  std::vector<std::uint64_t> held;
  for (const Put& put : queue_) {
    const std::uint64_t size = put.content.size();
    bytes += size;
    // What is not in memory is read in pieces; those of an upload wait until they are a part of it.
    held.push_back(codec::in_memory(put.content) ? 0 : size <= codec::piece_size ? size : 4 * codec::piece_size);
  }
  work_.begin_put(schema_, objects, flushed_ || bytes >= lasting);
  flushed_ = true;
  codec::in_rounds(held, state_.in_flight(), [&](const std::vector<std::size_t>& which, std::size_t at_once) {
    parallel_for(state_.pool, which.size(), at_once, [&](std::size_t i) {
      const Put& put = queue_[which[i]];
      if (state_.cancels != cancels_)
        throw Error(Errc::cancelled, "write objects: it was cancelled. it can be repeated");
      write(*stores.at(put.store), put);
    });
  });
  for (const auto& [name, store] : stores) {
    std::vector<std::string> keys;
    for (const Put& put : queue_) {
      if (put.store == name) keys.push_back(put.path);
    }
    store->sync(keys);
  }
  queue_.clear();
  announced_.clear();
  waiting_ = 0;
}

ObjectRef Source::ref(const Value& metadata) const {
  codec::Metadata known = codec::read_metadata(metadata);
  std::shared_ptr<Store> store = state_.store(known.store);
  return codec::make_ref(metadata, std::move(known), std::move(store));
}

}  // namespace oas
