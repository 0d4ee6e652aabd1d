// References and indexes of the table language, read by one constexpr reader at compile time and at run time. Pure
// functions over views; part of <oas/definition.hpp>, which is what to include.
#pragma once

#include <cstddef>
#include <string_view>

#include <oas/definition_basics.hpp>

namespace oas::detail {

struct ReferenceLine {
  std::string_view target;      ///< "Subject", "lab.Subject", "Scan.Frame", "master"; perhaps with spaces at the dots
  std::string_view projection;  ///< what stands in .proj(…), see for_each_projected
  bool nullable = false, unique = false, in_key = false;
  const char* at = nullptr;  ///< where the line begins
};
struct IndexLine {
  std::string_view items;  ///< see for_each_item
  bool unique = false;
  const char* at = nullptr;
};

/// Calls `project(new, old)` for each item of new='old', 'old', …: old names stay as they are, and … (written as three
/// dots) names nothing. False: badly written.
template <class F>
constexpr bool for_each_projected(std::string_view text, F&& project) {
  text = skip_space(text);
  while (!text.empty()) {
    const std::string_view fresh = take_word(text);
    text = skip_space(text);
    if (!fresh.empty() && !take(text, '=')) return false;
    text = skip_space(text);
    if (fresh.empty() && text.starts_with("..."))
      text.remove_prefix(3);
    else {
      if (text.empty() || (text[0] != '\'' && text[0] != '"')) return false;
      const char quote = text[0];
      text.remove_prefix(1);
      const std::string_view old = take_word(text);
      if (!take(text, quote) || !is_attribute_name(old) || (!fresh.empty() && !is_attribute_name(fresh))) return false;
      project(fresh.empty() ? old : fresh, old);
    }
    text = skip_space(text);
    if (!text.empty() && !take(text, ',')) return false;
    text = skip_space(text);
  }
  return true;
}
/// Calls `item` for each name of a list with commas, passing over empty ones. False: there is something else, or
/// nothing.
template <class F>
constexpr bool for_each_item(std::string_view list, F&& item) {
  std::size_t names = 0;
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view name = strip(list.substr(0, comma));
    if (!name.empty()) {
      if (!is_attribute_name(name)) return false;
      item(name);
      ++names;
    }
    if (comma == std::string_view::npos) return names != 0;
    list.remove_prefix(comma + 1);
  }
}

/// -> [nullable, unique] Table.proj(new='old') # comment
constexpr Flaw read_reference(std::string_view line, ReferenceLine& out) {
  std::string_view rest = skip_space(line.substr(2));
  if (take(rest, '[')) {
    do {
      rest = skip_space(rest);
      const char* at = rest.data();
      const std::string_view option = take_word(rest);
      if (same_letters(option, "nullable"))
        out.nullable = true;
      else if (same_letters(option, "unique"))
        out.unique = true;
      else
        return {Mistake::bad_reference_option, at};
      if (out.nullable && out.in_key) return {Mistake::nullable_reference_in_key, at};
      rest = skip_space(rest);
    } while (take(rest, ','));
    if (!take(rest, ']')) return {Mistake::bad_reference_option, rest.data()};
    rest = skip_space(rest);
  }
  const std::string_view whole = rest;
  std::size_t length = 0;
  const auto take_instance = [&] {  // Table() is as good as Table
    std::string_view behind = skip_space(rest);
    if (!take(behind, '(')) return;
    behind = skip_space(behind);
    if (take(behind, ')')) rest = behind;
  };
  for (;;) {
    rest = skip_space(rest);
    const std::string_view word = take_word(rest);
    if (word.empty() || is_digit(word[0])) return {Mistake::bad_reference, rest.data()};
    const std::string_view behind = skip_space(rest);
    if (length != 0 && word == "proj" && !behind.empty() && behind[0] == '(') {
      const std::size_t close = behind.find(')');
      if (close == std::string_view::npos) return {Mistake::bad_reference, behind.data()};
      out.projection = behind.substr(1, close - 1);
      if (!for_each_projected(out.projection, [](std::string_view, std::string_view) {}))
        return {Mistake::bad_reference, behind.data() + 1};
      rest = behind.substr(close + 1);
      break;
    }
    length = whole.size() - rest.size();
    take_instance();
    rest = skip_space(rest);
    if (!take(rest, '.')) break;
  }
  out.target = whole.substr(0, length);
  rest = skip_space(rest);
  if (!rest.empty() && rest[0] != '#') return {Mistake::bad_reference, rest.data()};
  return {};
}

/// True for an index line; `out.items` is then what stands between its parentheses.
constexpr bool read_index(std::string_view line, IndexLine& out) {
  bool closed = false;  // before the end, or before some comment
  for (std::size_t i = line.find(')'); i < line.size(); i = line.find(')', i + 1)) {
    const std::string_view after = skip_space(line.substr(i + 1));
    closed = closed || after.empty() || after[0] == '#';
  }
  line = strip(line.substr(0, line.find('#')));
  std::string_view word = take_word(line);
  if (same_letters(word, "unique")) {
    out.unique = true;
    line = skip_space(line);
    word = take_word(line);
  }
  line = skip_space(line);
  if (!closed || !same_letters(word, "index") || line.empty() || line.front() != '(') return false;
  out.items = line.back() == ')' ? line.substr(1, line.size() - 2) : line;  // else the comment cuts it: no names
  return true;
}

}  // namespace oas::detail
