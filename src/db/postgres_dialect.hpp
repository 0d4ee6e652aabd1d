// How PostgreSQL spells things (docs/format/postgresql.md). Pure; needs no server and no client library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <oas/db.hpp>

namespace oas::db {

const Dialect& postgres_dialect();

/// The type that a column of an enum has: made once for a schema, and named by its values whatever their order.
struct PostgresEnum {
  std::string name;
  std::vector<std::string> labels;  ///< in the order in which they are written
};
/// `type`: enum('a','b'). Errors: definition for values that the name cannot tell apart from others, such as 'a,b'.
PostgresEnum postgres_enum(std::string_view type);

/// The type of the language nearest to what format_type() says of a column: "character varying(20)" is varchar(20),
/// "timestamp(3) without time zone" is datetime(3). What has none comes back as it is.
std::string postgres_core_type(std::string_view server_type);

}  // namespace oas::db
