#include "db/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace oas::db {
namespace {

const Driver& find(std::string_view backend) {
  const auto& drivers = db_drivers();
  const auto found = std::ranges::find(drivers, backend, &Driver::backend);
  if (found != drivers.end()) return **found;
  std::vector<std::string_view> known;
  for (const Driver* driver : drivers) known.push_back(driver->backend);
  throw Error(Errc::usage, fmt::format("find the database driver '{}': there is none. this build has {}", backend,
                                       fmt::join(known, ", ")));
}

}  // namespace

std::unique_ptr<Connection> open_connection(const Config& config) { return find(config.backend).open(config); }

const Dialect& dialect_of(std::string_view backend) { return find(backend).dialect(); }

}  // namespace oas::db
