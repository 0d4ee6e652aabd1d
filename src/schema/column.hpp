// What a column's comment says of its attribute: `:type:comment` of attributes whose type the database does not know,
// plain text otherwise.
#pragma once

#include <string>
#include <string_view>

#include <oas/db.hpp>

#include "schema/definition.hpp"

namespace oas::schema {

struct ColumnComment {
  std::string type;  ///< empty if the comment has none
  std::string text;
};
inline ColumnComment read_comment(std::string_view comment) {
  const std::size_t end = comment.starts_with(':') ? comment.find(':', 1) : std::string_view::npos;
  if (end == std::string_view::npos || end == 1) return {{}, std::string(comment)};
  return {std::string(comment.substr(1, end - 1)), std::string(comment.substr(end + 1))};
}

/// The type of a column: the core type in its comment, which the database may not know any more (int8, bool, uuid),
/// or else what the database says.
inline std::string column_type(const db::ColumnDef& column) {
  ParsedAttribute parsed;
  std::string marked = read_comment(column.comment).type;
  const bool core = parse_type(marked, parsed) && parsed.kind <= detail::TypeKind::json;
  return core ? marked : column.type;
}

}  // namespace oas::schema
