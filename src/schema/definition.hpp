// A definition read at run time: what the compiler checks in literals, in vectors, for texts that only arrive later.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <oas/db.hpp>
#include <oas/definition.hpp>

namespace oas::schema {

struct ParsedAttribute {
  std::string name;
  db::Default fallback;  ///< the literal without its quotes
  bool nullable = false;
  std::string type;  ///< as written
  detail::TypeKind kind = detail::TypeKind::int32;
  std::string codec, store;  ///< of <codec@store>
  bool in_store = false;     ///< it has an @
  std::string comment;
  bool in_key = false;
  detail::Position at;
};
struct ParsedReference {
  std::string target;  ///< "Subject", "lab.Subject", "Scan.Frame", "master"
  /// What .proj(…) names: new name, name in the parent; the same twice if it keeps its name.
  std::vector<std::pair<std::string, std::string>> names;
  bool nullable = false, unique = false, in_key = false;
  detail::Position at;
};
struct ParsedIndex {
  std::vector<std::string> attributes;
  bool unique = false;
  detail::Position at;
};
struct ParsedDefinition {
  std::string comment;
  std::vector<ParsedAttribute> attributes;
  std::vector<ParsedReference> references;
  std::vector<ParsedIndex> indexes;
  enum class Line : std::uint8_t { attribute, reference, index };
  /// What the lines are, in their order, and which of its kind.
  std::vector<std::pair<Line, std::size_t>> order;
  /// What is legal and perhaps not meant, for people: a type of the database itself, a line that does nothing.
  std::vector<std::string> notes;
};

/// Reading takes at most so many bytes of memory for each byte of the text, besides a message.
inline constexpr std::size_t definition_factor = 512;

/// Errors: definition, with the line, the column, what was expected and the place in the line; target "line 3, column 7
/// of the definition".
ParsedDefinition parse_definition(std::string_view text);
/// "line 3, column 7 of the definition"
std::string place(detail::Position at);

/// A type as columns have it in front of their comments, without its codec's brackets. False: not of the language.
bool parse_type(std::string_view text, ParsedAttribute& into);
/// Core types and codecs are what a column's comment has in front of it; others are the database's own.
inline bool is_marked(detail::TypeKind kind) {
  return kind <= detail::TypeKind::json || kind == detail::TypeKind::codec;
}

}  // namespace oas::schema
