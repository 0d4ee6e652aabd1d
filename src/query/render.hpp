// From a Tree to the SQL of a database. Pure and deterministic: the same tree gives the same text. One flat SELECT
// where that says the same, sub-queries where it does not. Columns come in the order of the heading, under its names.
#pragma once

#include <optional>
#include <span>
#include <string>

#include <oas/db.hpp>

#include "query/tree.hpp"

namespace oas::query {

/// Errors of all: syntax (a function that the database has not), usage (values that do not fit, or too many).
db::Sql render(const Tree& tree, const db::Dialect& dialect);
/// Only these attributes, in this order.
db::Sql render_columns(const Tree& tree, const db::Dialect& dialect, std::span<const std::string> attributes);
/// The primary key only. No columns at all make no statement, so of a table without visible key this is one NULL.
db::Sql render_keys(const Tree& tree, const db::Dialect& dialect);
/// One row with the number of rows.
db::Sql render_count(const Tree& tree, const db::Dialect& dialect);
/// The condition that stands behind WHERE in a SELECT, UPDATE or DELETE of the table; "1 = 1" for all rows. Columns are
/// qualified with the full name of the table, which must have no alias there. Placeholders are numbered from
/// `first_placeholder`. nullopt if the tree is not a table, restricted or not.
std::optional<db::Sql> render_where(const Tree& tree, const db::Dialect& dialect, std::size_t first_placeholder = 1);

}  // namespace oas::query
