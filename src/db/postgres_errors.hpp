// From what PostgreSQL says to an Error. What it says itself is quoted only where it holds names and no values. Pure.
#pragma once

#include <string>
#include <string_view>

#include <oas/error.hpp>

namespace oas::db {

/// The fields of an error message of the server; empty where it has none.
struct PostgresFailure {
  std::string sqlstate, message, detail, schema, table, column, constraint, position;
  std::string function;  ///< of the server's source: unlike messages, it is in no language
};

/// `tried`: "execute a statement on postgresql localhost:5432/lab"; `reading`: the transaction may not write.
Error postgres_error(const PostgresFailure& failure, const std::string& tried, const std::string& location,
                     bool reading);
/// Of a connection that could not be opened. `said` as the client library tells it; verbose, so that it has a SQLSTATE.
Error postgres_connect_error(std::string_view said, const std::string& location, const std::string& name,
                             const std::string& user);
/// The connection is gone, whatever else the message says.
bool ends_connection(std::string_view sqlstate) noexcept;

}  // namespace oas::db
