// ReferenceFinder: which objects committed rows refer to. Reads every attribute of every table of the database that can
// refer to objects, by the index on the metadata's path; an attribute that cannot be read stops everything.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "engine/ledger.hpp"
#include "engine/state.hpp"

namespace oas {

/// The one of `objects` that a key belongs to: itself, or the folder that it lies in. Null: none does.
const ObjectPath* holder_of(std::string_view store, std::string_view key, const std::set<ObjectPath>& objects);

class ReferenceFinder {
 public:
  explicit ReferenceFinder(SessionState& state) : state_(state) {}
  /// Those of the candidates that committed rows refer to, whatever transaction is open here. One snapshot.
  /// Cost: one index look-up a candidate and attribute. Errors: unsupported if a codec is not known here.
  std::set<ObjectPath> find(std::span<const ObjectPath> candidates);
  /// The objects of one stored value. `chain` may be null: none.
  std::vector<ObjectPath> of(const codec::Chain* chain, const Value& stored) const;

 private:
  SessionState& state_;
};

/// The attributes of a table that refer to objects, as columns of a SELECT. The entry outlives it.
class ObjectColumns {
 public:
  explicit ObjectColumns(const TableEntry& entry);
  /// Only those for which `wanted` holds.
  ObjectColumns(const TableEntry& entry, const std::function<bool(const Attribute&)>& wanted);
  bool empty() const noexcept { return columns_.empty(); }
  std::string list(const db::Dialect& dialect) const;  ///< quoted, with commas between
  /// `cells` in the order of the list. Errors: decode.
  std::vector<ObjectPath> objects(SessionState& state, std::span<const Value> cells) const;

 private:
  std::vector<std::pair<const Attribute*, const codec::Chain*>> columns_;
};

}  // namespace oas
