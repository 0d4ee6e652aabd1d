// Quoted texts and the values of enums in the table language, read at compile time and at run time. Pure functions over
// views; part of <oas/definition.hpp>, which is what to include.
#pragma once

#include <cstddef>
#include <string_view>

#include <oas/definition_basics.hpp>

namespace oas::detail {

/// A text as it was written, without its quotes; its own quote doubled inside is one.
struct Written {
  std::string_view body;
  char quote = 0;
  /// Calls `f` with each character that is meant.
  template <class F>
  constexpr void for_each_char(F&& f) const {
    for (std::size_t i = 0; i < body.size(); ++i) {
      f(body[i]);
      if (quote && body[i] == quote && i + 1 < body.size() && body[i + 1] == quote) ++i;
    }
  }
  constexpr bool same_text(const Written& other) const {
    std::size_t i = 0, k = 0;
    for (; i < body.size() && k < other.body.size(); ++i, ++k) {
      if (body[i] != other.body[k]) return false;
      i += quote && body[i] == quote;
      k += other.quote && other.body[k] == other.quote;
    }
    return i >= body.size() && k >= other.body.size();
  }
};

/// Calls `value` with each value of an enum's list, until it says false. Says what is wrong with the list.
template <class F>
constexpr Mistake for_each_enum_value(std::string_view list, F&& value) {
  for (;;) {
    list = strip(list);
    Written one;
    if (!list.empty() && (list[0] == '\'' || list[0] == '"')) {
      one.quote = list[0];
      std::size_t end = list.find(one.quote, 1);
      while (end != std::string_view::npos && end + 1 < list.size() && list[end + 1] == one.quote)
        end = list.find(one.quote, end + 2);
      if (end == std::string_view::npos) return Mistake::unclosed_quote;
      one.body = list.substr(1, end - 1);
      list = strip(list.substr(end + 1));
    } else {  // 1 is as good as '1'
      const std::size_t comma = list.find(',');
      one.body = strip(list.substr(0, comma));
      // A ':' would end the type in the column's comment.
      if (one.body.empty() || one.body.find_first_of("'\":") != std::string_view::npos) return Mistake::bad_enum;
      list = comma == std::string_view::npos ? std::string_view() : list.substr(comma);
    }
    if (!value(one)) return Mistake::none;
    if (list.empty()) return Mistake::none;
    if (!take(list, ',')) return Mistake::bad_enum;
  }
}
/// What stands between the first '(' and the last ')'.
constexpr std::string_view in_parentheses(std::string_view type) {
  const std::size_t open = type.find('('), close = type.rfind(')');
  return open == std::string_view::npos || close == std::string_view::npos ? std::string_view()
                                                                           : type.substr(open + 1, close - open - 1);
}

constexpr Mistake read_enum(std::string_view rest) {
  if (rest.size() < 3 || rest.front() != '(' || rest.back() != ')') return Mistake::bad_enum;
  const std::string_view list = rest.substr(1, rest.size() - 2);
  std::size_t count = 0;
  bool different = true;
  const Mistake mistake = for_each_enum_value(list, [&](const Written& value) {
    std::size_t before = 0;
    for_each_enum_value(list, [&](const Written& other) {
      if (before++ == count) return false;
      return different = different && !other.same_text(value);
    });
    return ++count <= 1000 && different;
  });
  if (mistake != Mistake::none) return mistake;
  return different && count <= 1000 ? Mistake::none : Mistake::bad_enum;
}

}  // namespace oas::detail
