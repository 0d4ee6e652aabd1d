// What a PostgreSQL database holds, read from its system tables. docs/format/postgresql.md says how definitions are
// found again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <oas/db.hpp>

namespace oas::db {

/// In the order of their names; not those of the server itself, and `public` only if it has tables.
std::vector<std::string> postgres_schemas(Transaction& look);
/// In the order of their creation.
std::vector<TableDef> postgres_tables(Transaction& look, std::string_view schema);
/// A number made of all that tables are.
std::int64_t postgres_catalog_version(Transaction& look);
/// A number made of all that this table is; 0 if there is none.
std::int64_t postgres_table_version(Transaction& look, std::string_view schema, std::string_view table);

/// From the text of pg_get_expr(). What is neither a literal nor the time of the insert is no default here.
Default postgres_default(std::string_view expression, bool nullable);

}  // namespace oas::db
