#include "engine/references.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "codec/metadata.hpp"

namespace oas {
namespace {

constexpr std::size_t batch = 400;

/// True if the object is found by the member "path" alone: what the index on the metadata can answer. A codec of a
/// user's own may name several objects, or name them elsewhere; then rows have to be looked at.
bool found_by_path(const codec::Chain& chain) {
  static const std::string probe = "_hash/probe/probe";
  const Value metadata = map({{"path", probe}, {"store", "probe"}, {"is_dir", false}});
  try {
    return codec::managed_paths(chain, metadata) == std::vector<std::string>{probe};
  } catch (const Error&) {
    return false;
  }
}

/// A transaction is open. What it creates has no committed rows; what it drops still has them.
void keep_committed(std::vector<std::shared_ptr<const TableEntry>>& tables, db::Connection& others) {
  std::set<std::pair<std::string, std::string>> committed;
  for (const std::string& schema : others.schemas()) {
    for (const db::TableDef& def : others.introspect(schema)) {
      if (!def.name.starts_with("~")) committed.emplace(schema, def.name);
    }
  }
  std::erase_if(tables, [&](const auto& entry) {
    return committed.erase({entry->info->def.schema, entry->info->def.name}) == 0;
  });
  if (committed.empty()) return;
  const auto& [schema, table] = *committed.begin();
  throw Error(Errc::unavailable,
              fmt::format("look for references in {0}.{1}: the open transaction drops it, and may yet roll back. "
                          "commit it first",
                          schema, table),
              schema + "." + table);
}

}  // namespace

const ObjectPath* holder_of(std::string_view store, std::string_view key, const std::set<ObjectPath>& objects) {
  ObjectPath wanted{std::string(store), std::string(key)};
  if (const auto found = objects.find(wanted); found != objects.end()) return &*found;
  wanted.folder = true;
  for (;;) {
    if (const auto found = objects.find(wanted); found != objects.end()) return &*found;
    const std::size_t at = wanted.path.rfind('/');
    if (at == std::string::npos) return nullptr;
    wanted.path.resize(at);
  }
}

std::vector<ObjectPath> ReferenceFinder::of(const codec::Chain* chain, const Value& stored) const {
  std::vector<ObjectPath> out;
  if (!chain || stored.is_null() || !codec::is_object(*chain)) return out;
  const auto metadata = codec::read_metadata(stored);
  for (auto& path : codec::managed_paths(*chain, stored)) {
    const bool folder = metadata.folder && path == metadata.path;
    out.push_back({state_.store_name(metadata.store), std::move(path), folder});
  }
  return out;
}

ObjectColumns::ObjectColumns(const TableEntry& entry) : ObjectColumns(entry, [](const Attribute&) { return true; }) {}

ObjectColumns::ObjectColumns(const TableEntry& entry, const std::function<bool(const Attribute&)>& wanted) {
  const auto attributes = entry.info->heading.attributes();
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    const codec::Chain* chain = entry.chains[i];
    if (chain && codec::is_object(*chain) && wanted(attributes[i])) columns_.emplace_back(&attributes[i], chain);
  }
}

std::string ObjectColumns::list(const db::Dialect& dialect) const {
  std::string out;
  for (const auto& [attribute, chain] : columns_) out += (out.empty() ? "" : ", ") + dialect.quote(attribute->name);
  return out;
}

std::vector<ObjectPath> ObjectColumns::objects(SessionState& state, std::span<const Value> cells) const {
  std::vector<ObjectPath> out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (cells[i].is_null()) continue;
    const auto more = ReferenceFinder(state).of(columns_[i].second, codec::parse_metadata(cells[i].as<std::string>()));
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

std::set<ObjectPath> ReferenceFinder::find(std::span<const ObjectPath> candidates) {
  std::map<std::string, std::vector<const ObjectPath*>> by_path;
  for (const ObjectPath& c : candidates) by_path[c.path].push_back(&c);
  std::vector<Value> paths;
  for (const auto& [path, list] : by_path) paths.emplace_back(path);

  std::set<ObjectPath> found;
  const auto seen = [&](const std::string& store, const std::string& path) {
    const auto at = by_path.find(path);
    if (at == by_path.end()) return;
    for (const ObjectPath* c : at->second) {
      if (c->store == store) found.insert(*c);
    }
  };
  const db::Dialect& dialect = state_.dialect();
  std::vector<Value> cells;
  // Another connection than the one whose open transaction may have deleted rows that it can bring back.
  auto reader = state_.take_reader();
  auto tables = state_.all_tables();
  if (state_.works > 0) keep_committed(tables, *reader);
  {
    db::Transaction look(*reader, db::Transaction::Mode::read);
    for (const auto& entry : tables) {
      const db::TableDef& def = entry->info->def;
      const std::string& schema = def.schema;
      if (!entry->unknown_codec.empty()) {
        throw Error(Errc::unsupported,
                    fmt::format("look for references in {}.{}: attribute type {} is not known here, so nothing can be "
                                "removed. add its codec to the session",
                                schema, def.name, entry->unknown_codec),
                    schema + "." + def.name);
      }
      const std::string table = dialect.table(schema, def.name);
      const auto attributes = entry->info->heading.attributes();
      for (std::size_t i = 0; i < attributes.size(); ++i) {
        const codec::Chain* chain = entry->chains[i];
        if (!chain || !codec::is_object(*chain)) continue;
        const std::string column = dialect.quote(attributes[i].name);
        if (!found_by_path(*chain)) {
          const auto cursor = look.execute(fmt::format("SELECT {0} FROM {1} WHERE {0} IS NOT NULL", column, table));
          while (cursor->next(cells)) {
            for (const auto& object : of(chain, codec::parse_metadata(cells[0].as<std::string>())))
              seen(object.store, object.path);
          }
          continue;
        }
        const std::string path = dialect.json_text(column, "path"), store = dialect.json_text(column, "store");
        for (std::size_t first = 0; first < paths.size(); first += batch) {
          const std::size_t count = std::min(batch, paths.size() - first);
          const auto cursor = look.execute(fmt::format("SELECT {}, {} FROM {} WHERE {}", path, store, table,
                                                       dialect.path_among(def, attributes[i].name, count)),
                                           std::span<const Value>(paths).subspan(first, count));
          while (cursor->next(cells)) {
            seen(state_.store_name(cells[1].is_null() ? "" : cells[1].as<std::string>()), cells[0].as<std::string>());
          }
        }
      }
    }
  }
  state_.give_reader(std::move(reader));
  return found;
}

}  // namespace oas
