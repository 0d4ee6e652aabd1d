// What a column's comment says of its attribute: `:type:comment` of attributes whose type the database does not know,
// plain text otherwise.
#pragma once

#include <string>
#include <string_view>

#include <oas/db.hpp>

#include "db/marker.hpp"
#include "schema/definition.hpp"

namespace oas::schema {

struct ColumnComment {
  std::string type;  ///< empty if the comment has none
  std::string text;
};
inline ColumnComment read_comment(std::string_view comment) {
  const db::MarkedComment marked = db::read_marker(comment);
  return {std::string(marked.type), std::string(marked.text)};
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
