#include "engine/quarantine.hpp"

#include <algorithm>
#include <string>

#include <oas/value.hpp>

namespace oas::quarantine {

bool is_on(const Settings& settings) {
  const Value said = settings.get("collector.foreign_writers");
  return said.is<bool>() ? said.as<bool>() : settings.get("database.backend") != Value("sqlite");
}

std::chrono::seconds grace(const Settings& settings) {
  return std::chrono::seconds(settings.get("collector.grace").as<std::int64_t>());
}

ObjectPath kept(const ObjectPath& object) { return {object.store, std::string(section) + object.path, object.folder}; }

std::optional<ObjectPath> original(const ObjectPath& kept) {
  if (!kept.path.starts_with(section)) return std::nullopt;
  return ObjectPath{kept.store, kept.path.substr(section.size()), kept.folder};
}

bool copy(Store& store, std::string_view from, std::string_view to) {
  constexpr std::uint64_t piece = std::uint64_t{16} << 20;
  const auto info = store.stat(from);
  if (!info) return false;
  const auto upload = store.upload(to);
  for (std::uint64_t at = 0; at < info->size;) {
    const std::uint64_t length = std::min(piece, info->size - at);
    const auto part = store.read(from, {at, length}, &info->version);
    if (!part) return false;
    upload->append(part->data.view());
    at += length;
  }
  upload->commit();
  return true;
}

}  // namespace oas::quarantine
