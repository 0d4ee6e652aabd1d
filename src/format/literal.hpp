// The corner of Python's literals in which numpy describes arrays. Only read: nothing is evaluated.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oas::format {

struct Literal {
  enum class Kind : std::uint8_t { none, boolean, integer, text, list, tuple, dict };
  Kind kind = Kind::none;
  std::int64_t number = 0;     ///< of boolean and integer
  std::string text;            ///< UTF-8
  std::vector<Literal> items;  ///< of list, tuple; of dict: key, value, key, value, …

  /// The value under a text key of a dict, or nullptr.
  const Literal* find(std::string_view key) const;
};

/// Errors: decode, with the place.
Literal parse_literal(std::string_view utf8);
/// As Python's repr() writes a text.
std::string quote_literal(std::string_view utf8);

}  // namespace oas::format
