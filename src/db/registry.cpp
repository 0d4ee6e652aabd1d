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
  std::vector<std::string_view> known;
  for (const Driver* driver : drivers) known.push_back(driver->backend);
  throw Error(Errc::usage, fmt::format("find the database driver '{}': there is none. this build has {}", backend,
                                       fmt::join(known, ", ")));
}

}  // namespace

std::unique_ptr<Connection> open_connection(const Config& config) { return find(config.backend).open(config); }

const Dialect& dialect_of(std::string_view backend) {
  // Those that need no client library are here, whatever drivers are built in.
  for (const Dialect* dialect : {&sqlite_dialect(), &postgres_dialect(), &mysql_dialect()})
    if (dialect->name() == backend) return *dialect;
  return find(backend).dialect();
}

}  // namespace oas::db
