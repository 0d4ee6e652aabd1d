// A type taken apart into its words, as every database writes them: word ( argument, … ) rest.
#pragma once

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace oas::db {

struct TypeWords {
  std::string word;                         ///< in lower case
  bool parenthesis = false;                 ///< there is one, perhaps with nothing in it
  std::vector<std::string_view> arguments;  ///< between the first parenthesis and the last, split at every comma
  std::string rest;                         ///< behind it, in lower case, with single spaces
};

inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(blank);
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

inline bool same_letters(std::string_view a, std::string_view b) {
  const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, low, low);
}

inline TypeWords type_words(std::string_view text) {
  TypeWords out;
  text = trimmed(text);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  std::size_t end = 0;
  while (end < text.size() && (letter(text[end]) || (text[end] >= '0' && text[end] <= '9') || text[end] == '_'))
    out.word += low(text[end++]);
  std::string_view rest = trimmed(text.substr(end));
  const std::size_t close = rest.rfind(')');
  if (rest.starts_with('(') && close != rest.npos) {
    out.parenthesis = true;
    std::string_view inside = trimmed(rest.substr(1, close - 1));
    rest = rest.substr(close + 1);
    while (!inside.empty()) {
      const std::size_t comma = std::min(inside.find(','), inside.size());
      out.arguments.push_back(trimmed(inside.substr(0, comma)));
      inside.remove_prefix(std::min(comma + 1, inside.size()));
    }
  }
  for (const char c : trimmed(rest)) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank || !out.rest.ends_with(' ')) out.rest += blank ? ' ' : low(c);
  }
  return out;
}

inline bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}
/// A whole number up to `most`, in digits.
inline bool is_at_most(std::string_view digits, unsigned most, unsigned* value = nullptr) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (value) *value = number;
  return error == std::errc() && end == digits.data() + digits.size() && number <= most;
}
/// decimal(p,s), with spaces around the comma only: every other spelling is the database's own.
inline bool is_core_decimal(std::string_view text) {
  const TypeWords type = type_words(text);
  if (!text.starts_with("decimal(") || !text.ends_with(')') || type.arguments.size() != 2) return false;
  const auto digits = [](std::string_view s) {
    return !s.empty() && std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
  };
  return digits(type.arguments[0]) && digits(type.arguments[1]) && text[8] != ' ' && text[text.size() - 2] != ' ';
}

}  // namespace oas::db
