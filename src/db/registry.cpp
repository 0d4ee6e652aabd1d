#include "db/registry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "db/mysql_dialect.hpp"
#include "db/postgres_dialect.hpp"
#include "db/sqlite_dialect.hpp"

namespace oas::db {
namespace {

const Driver& find(std::string_view backend) {
  const auto& drivers = db_drivers();
  const auto found = std::ranges::find(drivers, backend, &Driver::backend);
  if (found != drivers.end()) return **found;
  for (const auto& [left_out, option] : {std::pair{"postgresql", "OAS_WITH_POSTGRES"}, {"mysql", "OAS_WITH_MYSQL"}}) {
    if (backend != left_out) continue;
    throw Error(Errc::unsupported, fmt::format("open a {} database: this build of oas has no driver for it. build it "
                                               "with the CMake option {}=ON",
                                               backend, option));
  }
  std::vector<std::string_view> known;
  for (const Driver* driver : drivers) known.push_back(driver->backend);
  throw Error(Errc::usage, fmt::format("find the database driver '{}': there is none. this build has {}", backend,
                                       fmt::join(known, ", ")));
}

}  // namespace

std::unique_ptr<Connection> open_connection(const Config& config) { return find(config.backend).open(config); }

namespace {

/// Those of the drivers, and those that need no driver.
std::vector<const Dialect*> dialects() {
  std::vector<const Dialect*> all{&sqlite_dialect(), &postgres_dialect(), &mysql_dialect()};
  for (const Driver* driver : db_drivers()) {
    const Dialect* dialect = &driver->dialect();
    if (std::ranges::find(all, dialect->name(), &Dialect::name) == all.end()) all.push_back(dialect);
  }
  return all;
}

}  // namespace

const Dialect& dialect_of(std::string_view backend) {
  for (const Dialect* dialect : dialects())
    if (dialect->name() == backend) return *dialect;
  return find(backend).dialect();
}

std::vector<std::string_view> dialect_names() {
  std::vector<std::string_view> names;
  for (const Dialect* dialect : dialects()) names.push_back(dialect->name());
  return names;
}

}  // namespace oas::db
