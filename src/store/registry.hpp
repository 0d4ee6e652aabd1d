// From settings to a store: the drivers built in (every file in drivers/) and those a program adds. Protocols whose
// entries are known although there is no driver for them (protocols.cpp) are checked all the same.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/store.hpp>

namespace oas {

/// The drivers built in, in the order of their names.
const std::vector<const StoreDriver*>& store_drivers();

namespace store {

/// The protocols of DataJoint for Python. One that also has a driver is checked by the driver; `open` is null.
std::span<const StoreDriver> known_protocols();

/// What is known of `protocol`: its driver, else its entry in known_protocols(), else null. `extra` come first.
const StoreDriver* find_protocol(std::string_view protocol, std::span<const StoreDriver* const> extra = {});

/// Sections of a store: legal beginnings of keys, none inside of another. Errors: usage.
void check_sections(const StoreConfig& config);

/// All that can be said of an entry without opening it: sections, and the keys that the protocol wants and takes.
/// Errors: usage, naming what is known and what is nearest. Never holds the value of an option.
void check_entry(const StoreConfig& config, const StoreDriver& driver);

/// Errors: usage as check_entry, and for an unknown protocol; unsupported for a protocol without a driver; access or
/// unavailable if the store cannot be opened.
std::shared_ptr<Store> open_store(const StoreConfig& config, std::span<const StoreDriver* const> extra = {});

/// As in <oas/tools.hpp>.
std::string object_url(const StoreConfig& config, std::string_view key);

}  // namespace store
}  // namespace oas
