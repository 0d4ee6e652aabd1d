// From settings to a store: the drivers built in (every file in drivers/) and those a program adds.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <oas/store.hpp>

namespace oas {

/// The drivers built in, in the order of their names.
const std::vector<const StoreDriver*>& store_drivers();

namespace store {

/// The driver of `config.protocol`, once its options are known to be complete and known. `extra` come first.
/// Errors: usage, naming what is known and what is nearest. Never holds the value of an option.
const StoreDriver& find_driver(const StoreConfig& config, std::span<const StoreDriver* const> extra = {});

/// Errors: those of find_driver; access, unavailable or usage if the store cannot be opened.
std::shared_ptr<Store> open_store(const StoreConfig& config, std::span<const StoreDriver* const> extra = {});

}  // namespace store
}  // namespace oas
