// From settings to a connection: the drivers built in, every file in drivers/.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <oas/db.hpp>

namespace oas {

/// In the order of their names.
const std::vector<const db::Driver*>& db_drivers();

namespace db {

/// Errors: usage for an unknown backend; those of the driver: unavailable, access, decode, unsupported.
std::unique_ptr<Connection> open_connection(const Config& config);
/// Pure; lives as long as the program; also of databases whose driver is not built in. Errors: usage for an unknown
/// one.
const Dialect& dialect_of(std::string_view backend);
std::vector<std::string_view> dialect_names();

}  // namespace db
}  // namespace oas
