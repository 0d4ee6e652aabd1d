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
  db::Default fallback;  ///< the literal unquoted; a bool's is 0 or 1
  bool nullable = false;
  std::string type;  ///< as written
  detail::TypeKind kind = detail::TypeKind::int32;
  std::string codec, store;  ///< of <codec@store>
  bool in_store = false;     ///< it has an @
  std::string comment;
  bool in_key = false;
};
struct ParsedReference {
  std::string target;                                        ///< "Subject", "lab.Subject", "Scan.Frame", "master"
  std::vector<std::pair<std::string, std::string>> renames;  ///< new name, name in the parent
  bool nullable = false, unique = false, in_key = false;
};
struct ParsedIndex {
  std::vector<std::string> attributes;
  bool unique = false;
};
struct ParsedDefinition {
  std::string comment;
  std::vector<ParsedAttribute> attributes;
  std::vector<ParsedReference> references;
  std::vector<ParsedIndex> indexes;
  /// Attributes and references in the order of their lines: the bool says reference, the number which.
  std::vector<std::pair<bool, std::size_t>> order;
};

/// Errors: definition, with the line, the column and what was expected; target "line 3, column 7 of the definition".
ParsedDefinition parse_definition(std::string_view text);

/// A type as columns have it in front of their comments, without its codec's brackets. False: not of the language.
bool parse_type(std::string_view text, ParsedAttribute& into);

}  // namespace oas::schema
