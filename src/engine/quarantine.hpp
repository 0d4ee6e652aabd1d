// Writers that know nothing of the ledger, such as DataJoint for Python: they look whether a hash-addressed object is
// there, do not upload it then, and commit the row a moment later. Where they are assumed, such an object is not
// removed at once: it goes to a section of the store of its own, from which it is put back if a row appears within the
// grace period (docs/ledger.md). What is kept there is a line of the trash with the path that it has there.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <oas/config.hpp>
#include <oas/store.hpp>

#include "engine/ledger.hpp"

namespace oas::quarantine {

/// Their paths begin with it; in no other section.
constexpr std::string_view section = "_oas_quarantine/";

/// What the setting collector.foreign_writers says, or else: on servers, not on SQLite.
bool is_on(const Settings& settings);
std::chrono::seconds grace(const Settings& settings);

/// Where an object is kept meanwhile, and the other way round: nullopt if that is no such place.
ObjectPath kept(const ObjectPath& object);
std::optional<ObjectPath> original(const ObjectPath& kept);

/// False if there is none. Memory stays bounded.
bool copy(Store& store, std::string_view from, std::string_view to);

}  // namespace oas::quarantine
