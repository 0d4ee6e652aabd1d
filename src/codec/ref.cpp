// The parts of oas/ref.hpp that read from a store.
#include <oas/ref.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <set>

#include "codec/content.hpp"
#include "codec/metadata.hpp"
#include "codec/object_read.hpp"
#include "codec/paths.hpp"
#include "core/hash.hpp"
#include "core/thread_pool.hpp"
#include "format/dtype.hpp"
#include "format/npy.hpp"
#include "store/path.hpp"

namespace oas {
namespace codec {
namespace {

const Value* member(const ObjectRef::State& state, std::string_view name) {
  const Map* map = state.metadata.get_if<Map>();
  return map ? map->find(name) : nullptr;
}

// The version that this reference reads of an object, from the first one that it sees on.
std::optional<Version> pinned(const ObjectRef::State& state, const std::string& key) {
  const std::lock_guard lock(state.mutex);
  const auto found = state.pinned.find(key);
  return found == state.pinned.end() ? std::nullopt : std::optional(Version{found->second});
}

void pin(const ObjectRef::State& state, const std::string& key, const Version& seen) {
  const std::lock_guard lock(state.mutex);
  const auto [entry, fresh] = state.pinned.try_emplace(key, seen.tag);
  if (!fresh && entry->second != seen.tag)
    damaged(state, fmt::format("{} was rewritten while it was read. fetch the row again", key), Errc::conflict);
}

}  // namespace

void damaged(const ObjectRef::State& state, const std::string& why, Errc code) {
  throw Error(code, fmt::format("read {} from store {}: {}", state.path, state.store_name, why),
              fmt::format("store {}, {}", state.store_name, state.path));
}

const ObjectRef::State& state_of(const ObjectRef& object) {
  if (!object.state()) throw Error(Errc::usage, "use a reference: it is empty");
  if (!object.state()->store) damaged(*object.state(), "there is no such store in the settings", Errc::usage);
  return *object.state();
}

std::string key_of(const ObjectRef::State& state, std::string_view file) {
  if (!state.folder) {
    if (!file.empty()) damaged(state, fmt::format("it is a file and has no '{}' in it", file), Errc::usage);
    return state.path;
  }
  if (file.empty()) damaged(state, "it is a folder. name one of its files", Errc::usage);
  const std::string rule = store::broken_rule(file);
  if (!rule.empty()) damaged(state, fmt::format("it has no file '{}': {}", file, rule), Errc::access);
  return fmt::format("{}/{}", state.path, file);
}

std::optional<std::uint64_t> recorded_size(const ObjectRef::State& state) {
  const Value* size = member(state, "size");
  return size && size->is<std::int64_t>() ? std::optional(state.size) : std::nullopt;
}

Object read_object(const ObjectRef::State& state, const std::string& key, ByteRange range) {
  const std::optional<Version> only = pinned(state, key);
  std::optional<Object> object = state.store->read(key, range, only ? &*only : nullptr);
  if (!object) damaged(state, fmt::format("there is no {}", key), Errc::missing_object);
  pin(state, key, object->version);
  return *std::move(object);
}

ObjectInfo stat_object(const ObjectRef::State& state, const std::string& key) {
  std::optional<ObjectInfo> info = state.store->stat(key);
  if (!info) damaged(state, fmt::format("there is no {}", key), Errc::missing_object);
  pin(state, key, info->version);
  return *std::move(info);
}

std::optional<std::vector<FileInfo>> manifest_files(const ObjectRef::State& state) {
  const std::optional<Object> manifest = state.store->read(manifest_path(state.path));
  if (!manifest) return std::nullopt;
  try {
    return read_manifest(manifest->data);
  } catch (const Error& e) {
    damaged(state, e.what(), e.code());
  }
}

std::vector<FileInfo> listed_files(const ObjectRef::State& state) {
  const std::string prefix = state.path + "/";
  std::vector<FileInfo> files;
  Page page;
  std::string after;
  do {
    page = state.store->list(prefix, after);
    for (const ObjectInfo& entry : page.entries) files.push_back({entry.key.substr(prefix.size()), entry.size});
    if (!page.entries.empty()) after = page.entries.back().key;
  } while (page.more && !page.entries.empty());
  return files;
}

void compare_hash(const ObjectRef::State& state, const std::function<std::string()>& found) {
  const Value* hash = member(state, "hash");
  if (!hash || !hash->is<std::string>()) return;
  const std::string is = found();
  if (is != *hash->get_if<std::string>())
    damaged(state, fmt::format("its content has the hash {}, and the row says {}. the object is damaged", is,
                               *hash->get_if<std::string>()));
}

std::size_t pieces_at_once(const ObjectRef::State& state) {
  return std::max<std::size_t>(8, state.store->traits().at_once);
}

void in_parallel(std::size_t count, std::size_t at_once, const std::function<void(std::size_t)>& task) {
  ThreadPool helpers(at_once - 1);
  parallel_for(helpers, count, at_once, task);
}

namespace {

class ObjectReader final : public Reader {
 public:
  ObjectReader(ObjectRef object, std::string key)
      : object_(std::move(object)), key_(std::move(key)), size_(stat_object(state_of(object_), key_).size) {}

  std::size_t read(std::span<std::byte> into) override {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - at_));
    if (count == 0) return 0;
    const Object piece = read_object(state_of(object_), key_, {at_, count});
    std::memcpy(into.data(), piece.data.data(), count);
    at_ += count;
    return count;
  }
  void seek(std::uint64_t offset) override {
    if (offset > size_)
      throw Error(Errc::usage, fmt::format("go to byte {} of {}: it has {} bytes", offset, key_, size_), key_);
    at_ = offset;
  }
  std::uint64_t tell() const noexcept override { return at_; }
  std::uint64_t size() const noexcept override { return size_; }

 private:
  ObjectRef object_;
  std::string key_;
  std::uint64_t size_;
  std::uint64_t at_ = 0;
};

void verify_file(const ObjectRef& object) {
  const ObjectRef::State& state = state_of(object);
  const std::uint64_t size = stat_object(state, state.path).size;
  const std::optional<std::uint64_t> recorded = recorded_size(state);
  if (recorded && *recorded != size)
    damaged(state, fmt::format("it has {} bytes, and the row says {}", size, *recorded));
  compare_hash(state, [&] { return hash_content(Content::from_object(object)); });
}

void verify_folder(const ObjectRef::State& state) {
  const std::vector<FileInfo> there = listed_files(state);
  const std::optional<std::vector<FileInfo>> manifest = manifest_files(state);
  const std::vector<FileInfo>& wanted = manifest ? *manifest : there;
  std::map<std::string_view, std::uint64_t> sizes;
  for (const FileInfo& file : there) sizes.emplace(file.path, file.size);

  std::string differences;
  Errc code = Errc::missing_object;  // as long as all that is wrong is that something is not there
  const auto differ = [&](const std::string& what, Errc kind) {
    differences += (differences.empty() ? "" : "; ") + what;
    if (kind != Errc::missing_object) code = kind;
  };
  std::uint64_t total = 0;
  for (const FileInfo& file : wanted) {
    total += file.size;
    const auto found = sizes.find(file.path);
    if (found == sizes.end())
      differ(fmt::format("{} is missing", file.path), Errc::missing_object);
    else if (found->second != file.size)
      differ(fmt::format("{} has {} bytes, and the manifest says {}", file.path, found->second, file.size),
             Errc::integrity);
  }
  const std::string_view source = manifest ? "the manifest" : "the folder, which has no manifest,";
  if (const auto recorded = recorded_size(state); recorded && *recorded != total)
    differ(fmt::format("{} has {} bytes, and the row says {}", source, total, *recorded), Errc::integrity);
  if (const Value* count = member(state, "item_count"); count && count->is<std::int64_t>())
    if (static_cast<std::uint64_t>(*count->get_if<std::int64_t>()) != wanted.size())
      differ(fmt::format("{} has {} files, and the row says {}", source, wanted.size(), *count->get_if<std::int64_t>()),
             Errc::integrity);
  if (!differences.empty()) damaged(state, differences, there.empty() ? Errc::missing_object : code);
}

}  // namespace
}  // namespace codec

std::vector<FileInfo> ObjectRef::files() const {
  const State& state = codec::state_of(*this);
  if (!state.folder) codec::damaged(state, "it is a file, and only folders have files", Errc::usage);
  if (std::optional<std::vector<FileInfo>> files = codec::manifest_files(state)) return *std::move(files);
  return codec::listed_files(state);
}

Bytes ObjectRef::read(ByteRange range) const { return read_file({}, range); }

std::string ObjectRef::url(std::chrono::seconds valid, std::string_view file) const {
  const State& state = codec::state_of(*this);
  return state.store->url(codec::key_of(state, file), valid);
}

Bytes ObjectRef::read_file(std::string_view file, ByteRange range) const {
  const State& state = codec::state_of(*this);
  Object object = codec::read_object(state, codec::key_of(state, file), range);
  const bool whole = range.offset == 0 && !range.length;
  if (const auto recorded = codec::recorded_size(state); whole && !state.folder && recorded && *recorded != object.size)
    codec::damaged(state, fmt::format("it has {} bytes, and the row says {}", object.size, *recorded));
  return std::move(object.data);
}

std::unique_ptr<Reader> ObjectRef::open(std::string_view file) const {
  return std::make_unique<codec::ObjectReader>(*this, codec::key_of(codec::state_of(*this), file));
}

void ObjectRef::verify() const {
  if (is_folder())
    codec::verify_folder(codec::state_of(*this));
  else
    codec::verify_file(*this);
}

namespace codec {
namespace {

// A file in which these headers and elements lie must agree with the row.
void check_header(const NpyRef& ref, const ObjectRef::State& state, const ArrayType& type,
                  std::span<const std::int64_t> shape) {
  if (format::same_elements(type, ref.type()) && std::ranges::equal(shape, ref.shape())) return;
  damaged(state, fmt::format("it holds {} of shape ({}), and the row says {} of shape ({})", type.name,
                             fmt::join(shape, ", "), ref.type().name, fmt::join(ref.shape(), ", ")));
}

Array read_whole(const NpyRef& ref, const ObjectRef::State& state) {
  const Object file = read_object(state, state.path);
  Array array = [&] {
    try {
      return format::read_npy(file.data, ref.type(), ref.shape());
    } catch (const Error& e) {
      damaged(state, e.what(), e.code());
    }
  }();
  check_header(ref, state, array.type(), array.shape());
  return array;
}

format::NpyHeader read_header(const NpyRef& ref, const ObjectRef::State& state) {
  // What numpy writes is this long, but for structured types and very many dimensions.
  constexpr std::uint64_t usual_header = 128;
  Object first = [&] {
    try {
      return read_object(state, state.path, {0, usual_header});
    } catch (const Error& e) {
      if (e.code() != Errc::usage) throw;
      damaged(state, fmt::format("it has less than {} bytes, and the row tells of {}", usual_header, ref.nbytes()));
    }
  }();
  try {
    const std::uint64_t needed = format::npy_header_size(first.data);
    if (needed > usual_header) {
      if (needed > first.size) damaged(state, "its header is cut off");
      first = read_object(state, state.path, {0, needed});
    }
    format::NpyHeader header = format::parse_npy_header(first.data);
    check_header(ref, state, header.type, header.shape);
    if (header.data_offset > first.size || header.data_size > first.size - header.data_offset)
      damaged(state, fmt::format("it has {} bytes, and its header announces {} after the first {}", first.size,
                                 header.data_size, header.data_offset));
    return header;
  } catch (const Error& e) {
    if (e.code() == Errc::decode || e.code() == Errc::unsupported) damaged(state, e.what(), e.code());
    throw;
  }
}

// The part of an array that is there.
Array part_of(const Array& array, std::span<const Slice> slices) {
  const format::SlicePlan plan(array.type(), array.shape(), array.order(), slices);
  std::vector<Bytes> pieces;
  for (const format::Run& run : plan.runs())
    pieces.push_back(array.data().slice(static_cast<std::size_t>(run.offset), static_cast<std::size_t>(run.length)));
  return plan.gather(pieces);
}

}  // namespace
}  // namespace codec

Array NpyRef::load() const {
  const ObjectRef::State& object_state = codec::state_of(object());
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->loaded) return *state_->loaded;
  }
  Array array = codec::read_whole(*this, object_state);  // without the lock: others may ask is_loaded() meanwhile
  const std::lock_guard lock(state_->mutex);
  if (!state_->loaded) state_->loaded = std::move(array);
  return *state_->loaded;
}

std::vector<Array> load(std::span<const NpyRef> refs) {
  std::vector<const NpyRef*> open;  // one of those that share what they load
  std::set<const NpyRef::State*> seen;
  std::size_t at_once = 1;
  for (const NpyRef& ref : refs) {
    if (ref.is_loaded() || !seen.insert(ref.state_.get()).second) continue;
    at_once = std::max(at_once, codec::state_of(ref.object()).store->traits().at_once);
    open.push_back(&ref);
  }
  codec::in_parallel(open.size(), at_once, [&](std::size_t i) { open[i]->load(); });
  std::vector<Array> arrays;
  arrays.reserve(refs.size());
  for (const NpyRef& ref : refs) arrays.push_back(ref.load());
  return arrays;
}

Array NpyRef::load(std::span<const Slice> slices) const {
  const ObjectRef::State& object_state = codec::state_of(object());
  constexpr std::uint64_t small = 4096;  // bytes: less than this is read whole, at no more requests
  const std::uint64_t whole = nbytes();
  std::optional<Array> loaded;
  std::optional<State::Header> header;
  {
    const std::lock_guard lock(state_->mutex);
    loaded = state_->loaded;
    header = state_->header;
  }
  if (loaded) return codec::part_of(*loaded, slices);
  const format::SlicePlan guess(type(), shape(), Array::Order::row, slices);  // refuses bad bounds without a request
  if (guess.runs().empty()) return guess.gather({});
  if (whole <= small) return codec::part_of(codec::read_whole(*this, object_state), slices);

  if (!header) {
    const format::NpyHeader found = codec::read_header(*this, object_state);
    header = State::Header{found.data_offset, found.order, found.type};
    const std::lock_guard lock(state_->mutex);
    state_->header = header;
  }
  const format::SlicePlan plan(header->type, shape(), header->order, slices);
  std::vector<Bytes> pieces(plan.runs().size());
  codec::in_parallel(pieces.size(), codec::pieces_at_once(object_state), [&](std::size_t i) {
    const format::Run& run = plan.runs()[i];
    pieces[i] =
        codec::read_object(object_state, object_state.path, {header->data_offset + run.offset, run.length}).data;
  });
  return plan.gather(pieces);
}

}  // namespace oas
