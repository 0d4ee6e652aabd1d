// How SQLite spells things, and what its hidden tables hold (docs/format/sqlite.md). Pure.
#pragma once

#include <oas/db.hpp>

namespace oas::db {

const Dialect& sqlite_dialect();

/// The parts of a TableDef that its columns do not say, as the JSON in "~oas_tables".
std::string sqlite_table_json(const TableDef& table);
/// The reverse, into `table`. Errors: decode.
void read_sqlite_table_json(std::string_view json, TableDef& table);

}  // namespace oas::db
