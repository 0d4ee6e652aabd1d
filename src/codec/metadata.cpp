#include "codec/metadata.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <unordered_set>

#include "core/json.hpp"
#include "core/ref_state.hpp"
#include "core/text.hpp"
#include "store/path.hpp"

namespace oas::codec {
namespace {

[[noreturn]] void damaged(const std::string& why) {
  throw Error(Errc::decode, fmt::format("read the metadata of an object: {}. the row is damaged, or not ours", why));
}

const Map& members(const Value& stored) {
  const Map* map = stored.get_if<Map>();
  if (!map) damaged(fmt::format("there is {} in place of a JSON object", stored.describe()));
  return *map;
}

const std::string& text_member(const Map& map, std::string_view name) {
  const Value* value = map.find(name);
  if (!value) damaged(fmt::format("it has no '{}'", name));
  const std::string* text = value->get_if<std::string>();
  if (!text) damaged(fmt::format("its '{}' is {} and no text", name, value->describe()));
  return *text;
}

std::string store_name(const Map& map) {
  const Value* value = map.find("store");
  return !value || value->is_null() ? std::string() : text_member(map, "store");
}

Value number(std::uint64_t value) { return Value(value); }

}  // namespace

Value parse_metadata(std::string_view json) {
  try {
    return from_strict_json(json, "it");
  } catch (const Error& e) {
    damaged(e.what());
  }
}

Metadata read_metadata(const Value& stored) {
  const Map& map = members(stored);
  Metadata out{text_member(map, "path"), store_name(map), std::nullopt, false};
  const std::string rule = store::broken_rule(out.path);
  if (!rule.empty()) damaged("its path is no key: " + rule);
  if (const Value* size = map.find("size"); size && !size->is_null()) {
    const std::int64_t* bytes = size->get_if<std::int64_t>();
    if (!bytes || *bytes < 0) damaged(fmt::format("its 'size' is {} and no number of bytes", size->describe()));
    out.size = static_cast<std::uint64_t>(*bytes);
  }
  if (const Value* folder = map.find("is_dir"); folder && !folder->is_null()) {
    if (!folder->is<bool>()) damaged(fmt::format("its 'is_dir' is {} and no bool", folder->describe()));
    out.folder = *folder->get_if<bool>();
  }
  return out;
}

ObjectRef make_ref(const Value& stored, std::shared_ptr<const Store> store) {
  return make_ref(stored, read_metadata(stored), std::move(store));
}

ObjectRef make_ref(const Value& stored, Metadata known, std::shared_ptr<const Store> store) {
  auto state = std::make_shared<ObjectRef::State>();
  state->metadata = stored;
  state->store = std::move(store);
  state->store_name = std::move(known.store);
  state->path = std::move(known.path);
  state->folder = known.folder;
  state->size = known.size.value_or(0);
  return ObjectRef(std::move(state));
}

Value hashed_metadata(std::string_view hash, const Stored& stored, std::string_view schema) {
  return map({{"hash", hash},
              {"path", stored.path},
              {"schema", schema},
              {"store", stored.store},
              {"size", number(stored.size)}});
}

Value object_metadata(const Stored& stored, std::optional<std::string_view> extension,
                      std::optional<std::uint64_t> files, std::string_view timestamp) {
  return map({{"path", stored.path},
              {"store", stored.store},
              {"size", number(stored.size)},
              {"ext", extension ? Value(*extension) : Value()},
              {"is_dir", files.has_value()},
              {"item_count", files ? number(*files) : Value()},
              {"timestamp", timestamp}});
}

std::string manifest_text(std::span<const FileInfo> files, std::uint64_t total, std::string_view created) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const FileInfo& file : files) {
    const std::string rule = store::broken_rule(file.path);
    if (!rule.empty())
      throw Error(Errc::usage, fmt::format("list '{}' in a manifest: {}", shown(file.path), rule), shown(file.path));
    list.push_back({{"path", file.path}, {"size", file.size}});
  }
  Json manifest;
  manifest["files"] = std::move(list);
  manifest["total_size"] = total;
  manifest["item_count"] = files.size();
  manifest["created"] = created;
  return manifest.dump(2, ' ', true);
}

std::vector<FileInfo> read_manifest(BytesView text) {
  const auto refuse = [](const std::string& why) -> void {
    throw Error(Errc::integrity, fmt::format("read the manifest of a folder: {}", why));
  };
  Value manifest;
  try {
    manifest = from_strict_json(as_text(text), "it");
  } catch (const Error& e) {
    refuse(e.what());
  }
  const Map* map = manifest.get_if<Map>();
  const Value* list = map ? map->find("files") : nullptr;
  if (!list || !list->is<Seq>()) refuse("it is no JSON object with a list 'files'");
  std::vector<FileInfo> files;
  for (const Value& item : list->get_if<Seq>()->items) {
    const Map* entry = item.get_if<Map>();
    const Value* path = entry ? entry->find("path") : nullptr;
    const Value* size = entry ? entry->find("size") : nullptr;
    if (!path || !path->is<std::string>() || !size || !size->is<std::int64_t>() || *size->get_if<std::int64_t>() < 0)
      refuse(fmt::format("its file number {} has no path and size", files.size() + 1));
    files.push_back({*path->get_if<std::string>(), static_cast<std::uint64_t>(*size->get_if<std::int64_t>())});
    const std::string rule = store::broken_rule(files.back().path);
    if (!rule.empty()) refuse(fmt::format("its file number {} cannot lie in the folder: {}", files.size(), rule));
  }
  std::unordered_set<std::string_view> paths;
  for (const FileInfo& file : files)
    if (!paths.insert(file.path).second) refuse(fmt::format("'{}' stands there twice", shown(file.path)));
  for (const FileInfo& file : files)
    for (std::size_t slash = file.path.find('/'); slash != std::string::npos; slash = file.path.find('/', slash + 1))
      if (paths.contains(std::string_view(file.path).substr(0, slash)))
        refuse(fmt::format("'{}' is both a file and a folder", shown(file.path.substr(0, slash))));
  return files;
}

std::string utc_timestamp() {
  const DateTime now = DateTime::now();
  const std::int64_t fraction = now.microseconds % 1'000'000;
  return fmt::format("{}.{:06}+00:00", DateTime::from_microseconds(now.microseconds - fraction).iso('T'), fraction);
}

}  // namespace oas::codec
