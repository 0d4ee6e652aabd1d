#include "store/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/nearest.hpp"

namespace oas::store {
namespace {

std::string hint(std::string_view unknown, const std::vector<std::string_view>& known) {
  if (known.empty()) return "it takes none";
  const std::string nearest = nearest_name(unknown, known);
  return fmt::format("known are {}{}", fmt::join(known, ", "),
                     nearest.empty() ? "" : "; did you mean " + nearest + "?");
}

}  // namespace

const StoreDriver& find_driver(const StoreConfig& config, std::span<const StoreDriver* const> extra) {
  const auto fail = [&](const std::string& why) {
    throw Error(Errc::usage, fmt::format("open store {}: {}", config.name, why), "store " + config.name);
  };
  std::vector<const StoreDriver*> drivers(extra.begin(), extra.end());
  drivers.insert(drivers.end(), store_drivers().begin(), store_drivers().end());
  const auto found = std::ranges::find(drivers, std::string_view(config.protocol), &StoreDriver::protocol);
  if (found == drivers.end()) {
    std::vector<std::string_view> known;
    for (const StoreDriver* driver : drivers) known.push_back(driver->protocol);
    fail(fmt::format("unknown protocol '{}'. {}", config.protocol, hint(config.protocol, known)));
  }
  const StoreDriver& driver = **found;
  std::vector<std::string_view> known(driver.required.begin(), driver.required.end());
  known.insert(known.end(), driver.optional.begin(), driver.optional.end());
  for (const auto& [key, value] : config.options) {
    if (std::ranges::find(known, key) == known.end()) {
      fail(fmt::format("unknown setting '{}' for protocol {}. {}", key, driver.protocol, hint(key, known)));
    }
  }
  for (const std::string_view key : driver.required) {
    if (!config.options.contains(key)) {
      fail(fmt::format("the setting '{}' is missing. protocol {} needs {}", key, driver.protocol,
                       fmt::join(driver.required, ", ")));
    }
  }
  return driver;
}

std::shared_ptr<Store> open_store(const StoreConfig& config, std::span<const StoreDriver* const> extra) {
  const StoreDriver& driver = find_driver(config, extra);
  try {
    return driver.open(config);
  } catch (const Error& e) {
    throw Error(e.code(), fmt::format("open store {}: {}", config.name, e.what()), "store " + config.name, e.native());
  }
}

}  // namespace oas::store
