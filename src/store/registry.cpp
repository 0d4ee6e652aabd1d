#include "store/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/nearest.hpp"
#include "core/text.hpp"
#include "store/path.hpp"

namespace oas::store {
namespace {

[[noreturn]] void refuse(const StoreConfig& config, const std::string& why, Errc code = Errc::usage) {
  throw Error(code, why, "store " + config.name);
}

std::string hint(std::string_view unknown, const std::vector<std::string_view>& known) {
  if (known.empty()) return "it takes none";
  const std::string nearest = nearest_name(unknown, known);
  return fmt::format("known are {}{}", fmt::join(known, ", "),
                     nearest.empty() ? "" : "; did you mean " + nearest + "?");
}

std::vector<const StoreDriver*> all_drivers(std::span<const StoreDriver* const> extra) {
  std::vector<const StoreDriver*> drivers(extra.begin(), extra.end());
  drivers.insert(drivers.end(), store_drivers().begin(), store_drivers().end());
  return drivers;
}

// As DataJoint for Python compares them: without outer '/', with one at the end. Empty: there is no such section.
std::string section(std::string_view prefix) {
  if (prefix.empty()) return {};
  const std::size_t first = prefix.find_first_not_of('/');
  if (first == std::string_view::npos) return "/";
  return std::string(prefix.substr(first, prefix.find_last_not_of('/') - first + 1)) + "/";
}

}  // namespace

void check_sections(const StoreConfig& config) {
  struct Section {
    std::string_view key;
    std::string text;
  };
  const Section sections[] = {{"hash_prefix", section(config.hash_prefix.value_or("_hash"))},
                              {"schema_prefix", section(config.schema_prefix.value_or("_schema"))},
                              {"filepath_prefix", section(config.filepath_prefix.value_or(""))}};
  for (const Section& one : sections) {
    if (one.text.size() <= 1) continue;
    const std::string rule = broken_rule(std::string_view(one.text).substr(0, one.text.size() - 1));
    if (!rule.empty())
      refuse(config, fmt::format("{} is no beginning of a key: {}. give a folder of the store", one.key, rule));
  }
  for (const Section& outer : sections) {
    for (const Section& inner : sections) {
      if (outer.key == inner.key || outer.text.empty() || !inner.text.starts_with(outer.text)) continue;
      refuse(config, fmt::format("{} '{}' lies in {} '{}', so their objects would mix. give them separate folders",
                                 inner.key, inner.text, outer.key, outer.text));
    }
  }
}

const StoreDriver* find_protocol(std::string_view protocol, std::span<const StoreDriver* const> extra) {
  const auto drivers = all_drivers(extra);
  if (const auto at = std::ranges::find(drivers, protocol, &StoreDriver::protocol); at != drivers.end()) return *at;
  const auto known = known_protocols();
  const auto at = std::ranges::find(known, protocol, &StoreDriver::protocol);
  return at == known.end() ? nullptr : &*at;
}

void check_entry(const StoreConfig& config, const StoreDriver& driver) {
  check_sections(config);
  std::vector<std::string_view> known(driver.required.begin(), driver.required.end());
  known.insert(known.end(), driver.optional.begin(), driver.optional.end());
  for (const auto& [key, value] : config.options) {
    if (std::ranges::find(known, key) != known.end()) continue;
    for (const std::string_view common : {"protocol", "hash_prefix", "schema_prefix", "filepath_prefix", "subfolding",
                                          "partition_pattern", "token_length"})
      known.push_back(common);
    refuse(config,
           fmt::format("unknown setting '{}' for protocol {}. {}", shown(key), driver.protocol, hint(key, known)));
  }
  for (const std::string_view key : driver.required) {
    if (config.options.contains(key)) continue;
    refuse(config, fmt::format("the setting '{}' is missing. protocol {} needs {}", key, driver.protocol,
                               fmt::join(driver.required, ", ")));
  }
  if (!driver.check) return;
  try {
    driver.check(config);
  } catch (const Error& e) {
    refuse(config, e.what(), e.code());
  }
}

std::shared_ptr<Store> open_store(const StoreConfig& config, std::span<const StoreDriver* const> extra) try {
  const StoreDriver* driver = find_protocol(config.protocol, extra);
  if (!driver || !driver->open) {
    std::vector<std::string_view> known;
    for (const StoreDriver* one : all_drivers(extra)) known.push_back(one->protocol);
    if (!driver)
      refuse(config, fmt::format("unknown protocol '{}'. {}", shown(config.protocol), hint(config.protocol, known)));
    check_entry(config, *driver);
    refuse(config,
           fmt::format("the driver for protocol {} is missing: this library was built without one. it has drivers for "
                       "{}",
                       config.protocol, fmt::join(known, ", ")),
           Errc::unsupported);
  }
  check_entry(config, *driver);
  return driver->open(config);
} catch (const Error& e) {
  throw Error(e.code(), fmt::format("open store {}: {}", config.name, e.what()), "store " + config.name, e.native());
}

}  // namespace oas::store
