// SQL expressions as users write them in conditions and computed attributes. parse() lets through only what is an
// expression over known attributes (no statement, no sub-query, no comment), so that nothing else reaches a database;
// emit() writes it in a database's own spelling.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/db.hpp>
#include <oas/heading.hpp>

#include "query/fragment.hpp"

namespace oas::query {

struct Token {
  enum class Kind : std::uint8_t {
    word,       ///< a keyword in lower case, an operator, a number, a quoted text, a parenthesis: goes out as it is
    attribute,  ///< by its name
    function,   ///< by its name in lower case; "(" follows
    parameter,  ///< the next {}
    all_rows,   ///< the star of count(*)
  } kind;
  std::string text;
  bool aggregated = false;  ///< inside the parentheses of an aggregate function
};
using Expression = std::vector<Token>;

/// Reading takes at most so many bytes of memory for each byte of the text, besides a message.
inline constexpr std::size_t expression_factor = 512;

enum class Aggregates : bool { refused, allowed };

/// `what` names the expression in messages: "condition", "attribute hours".
/// Errors: syntax (with the column), unknown_attribute (naming the nearest).
Expression parse(std::string_view text, const Heading& heading, std::string_view what,
                 Aggregates aggregates = Aggregates::refused);

/// `column` gives the SQL of an attribute; `all_rows` what count(*) counts. Values become what the database compares
/// with: by the type of the attribute that they are compared with, else by their own.
/// Errors: syntax (an unknown function), usage (a value that cannot be compared).
Fragment emit(const Expression& expression, std::span<const Value> values, const Heading& heading,
              const db::Dialect& dialect, const std::function<Fragment(const Token&)>& column,
              std::string_view all_rows = "*");

/// A value as the database compares it with an attribute (nullptr: with something of the value's own type).
Value bind(const Value& value, const Attribute* attribute, const db::Dialect& dialect);

/// "unknown attribute … of …. did you mean …?" for a name that the heading has not.
[[noreturn]] void throw_unknown(std::string_view what, std::string_view name, const Heading& heading);

}  // namespace oas::query
