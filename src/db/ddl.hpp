// What the dialects share: quoting, the parts of CREATE TABLE, which indexes a table gets, and the functions that every
// database spells alike. Pure.
#pragma once

#include <array>
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
std::string join_quoted(const Dialect& dialect, std::span<const std::string> names, std::string_view separator = ", ");
/// "(?1, ?2)" for so many parameters.
std::string placeholders(const Dialect& dialect, std::size_t count);

/// Errors: definition if a name is longer than the dialect's max_identifier(), or the table has no columns or no key.
void check_names(const Dialect& dialect, const TableDef& table);
void check_name(const Dialect& dialect, std::string_view name, std::string_view of);
/// The lines of its columns. Errors: definition, saying which column it was.
std::vector<std::string> column_lines(const Dialect& dialect, const TableDef& table);

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

/// The hidden table in which a schema keeps where its attributes come from: ~lineage.
TableDef lineage_table(std::string_view schema);
/// Forgets what it says of the table, and tells it anew. `update`: what replaces a row.
void add_lineage(const Dialect& dialect, const TableDef& table, const Origins& origins, std::string_view update,
                 std::vector<std::string>& statements);

/// Errors: definition if the default of a core type is no value of it.
void check_default(const Dialect& dialect, const ColumnDef& column);

/// The end of INSERT in databases that know ON CONFLICT.
std::string on_conflict(const Dialect& dialect, const TableDef& table, Dialect::OnDuplicate on);

/// Dialect::function: `own` has pairs of a name and how a database spells it, where databases differ.
std::optional<std::string> spelling_of(std::string_view name, std::span<const std::array<std::string_view, 2>> own);

}  // namespace oas::db
