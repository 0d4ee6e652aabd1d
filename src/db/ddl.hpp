// What the dialects share: quoting, the parts of CREATE TABLE, which indexes a table gets, and the functions that every
// database spells alike. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/db.hpp>

namespace oas::db {

/// Between two marks, those inside doubled. Errors: usage for an empty name, or one that is no UTF-8 or holds NUL.
std::string quote_name(char mark, std::string_view identifier);
/// 'text', apostrophes doubled. Errors: definition if it is no UTF-8 or holds NUL.
std::string quote_text(std::string_view text);
std::string join_quoted(const Dialect& dialect, std::span<const std::string> names);
/// "(?1, ?2)" for so many parameters.
std::string placeholders(const Dialect& dialect, std::size_t count);

/// Errors: definition if a name is longer than the dialect's max_identifier(), or the table has no columns or no key.
void check_names(const Dialect& dialect, const TableDef& table);
void check_name(const Dialect& dialect, std::string_view name, std::string_view of);
/// Runs `write` for a column; its errors become Errc::definition and say which column it was.
template <class F>
auto for_column(const TableDef& table, const ColumnDef& column, F&& write) {
  try {
    return write();
  } catch (const Error& e) {
    const std::string name = table.schema + "." + table.name;
    throw Error(Errc::definition, "create " + name + ": column " + column.name + ": " + e.what(), name);
  }
}

/// NOT NULL, DEFAULT NULL, NOT NULL DEFAULT CURRENT_TIMESTAMP(3), NOT NULL DEFAULT 'literal', or nothing.
std::string null_and_default(const ColumnDef& column, std::string_view literal);

/// CREATE TABLE with one line for each column, for the keys, and for each of `more`.
std::string create_table_text(const Dialect& dialect, const TableDef& table, std::vector<std::string> lines,
                              const std::vector<std::string>& more, std::string_view options, bool if_absent);

struct Index {
  std::vector<std::string> columns;
  bool unique = false, object_path = false;
  bool of_reference = false;  ///< what makes a reference unique, or quick to follow
};
/// The declared ones and those that make references unique, in the order of the definition. If the database does not
/// index references itself, then one for each other reference that the primary key or an earlier index does not serve,
/// the longest first.
std::vector<Index> indexes_of(const TableDef& table, bool references_too);

/// nullopt if databases differ in it.
std::optional<std::string> common_function(std::string_view name);

}  // namespace oas::db
