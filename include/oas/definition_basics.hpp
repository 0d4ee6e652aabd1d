// The mistakes that a table definition can have, and the few text functions its parser needs; part of
// <oas/definition.hpp>, which is what to include.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace oas::detail {

// Every mistake that a definition can have: its name (which compilers print), what is wrong, what to do.
#define OAS_DEFINITION_MISTAKES(X)                                                                                   \
  X(bad_name, "this is not an attribute name", "begin with a-z, go on with a-z, 0-9 and _")                          \
  X(name_not_lower_case, "attribute names have no capital letters", "write the name in lower case")                  \
  X(hidden_name, "names that begin with _ are the library's own", "choose another name")                             \
  X(not_text, "the text is not UTF-8 here, or holds a NUL byte", "save it as UTF-8")                                 \
  X(name_too_long, "the name is longer than 64 characters", "choose a shorter name")                                 \
  X(missing_colon, "a ':' is missing between name and type", "write name : type")                                    \
  X(missing_type, "there is no type after the ':'", "write name : type")                                             \
  X(unknown_type, "there is no such type",                                                                           \
    "use int8 int16 int32 int64 float32 float64 bool decimal(p,s) char(n) varchar(n) enum('a','b') date "            \
    "datetime(n) uuid bytes json, or a codec such as <blob>")                                                        \
  X(type_not_lower_case, "types are written in lower case, without a space before '('",                              \
    "write it as int32 or char(8)")                                                                                  \
  X(bad_type_parameter, "what stands between the parentheses of the type is not allowed",                            \
    "see docs/howto/definitions.md")                                                                                 \
  X(bad_enum, "this is not a list of different values with commas between, at most 1000 of them",                    \
    "write enum('first','second')")                                                                                  \
  X(bad_codec, "this is not the name of a codec or of its store", "write <codec>, <codec@> or <codec@store>")        \
  X(codec_needs_a_store, "this codec keeps its objects in a store", "write it with an @, as in <npy@>")              \
  X(text_after_codec, "after <codec> there may only be a comment", "put a # before the comment")                     \
  X(unclosed_bracket, "a '<' has no '>'", "close it")                                                                \
  X(unclosed_quote, "a quote is opened and not closed", "close it; write an apostrophe as \"it's\" or 'it''s'")      \
  X(bad_default, "the default is not a value of this type", "give a value that the type can hold, or null")          \
  X(default_not_allowed, "attributes of this type have no default but null", "remove the default")                   \
  X(default_null_in_key, "attributes of the primary key cannot be null", "remove =null, or move it below the ---")   \
  X(type_not_in_key, "attributes of this type cannot be in the primary key", "move it below the ---")                \
  X(comment_begins_with_colon, "a comment cannot begin with ':'", "begin it with a word")                            \
  X(attribute_declared_twice, "this name was declared above with another type", "remove one of the two")             \
  X(arrow_not_first, "the line has an arrow that is neither at its beginning nor quoted",                            \
    "begin references with ->, quote defaults")                                                                      \
  X(bad_reference_option, "the options of a reference are nullable and unique", "write -> [nullable, unique] Table") \
  X(nullable_reference_in_key, "a reference in the primary key cannot be nullable", "move it below the ---")         \
  X(bad_reference, "a reference is the name of a table, perhaps projected",                                          \
    "write -> Table or -> Table.proj(new='old'), without restriction")                                               \
  X(bad_index, "an index is a list of attribute names; no database that we know has all others",                     \
    "write index(a, b) or unique index(a, b)")

enum class Mistake : std::uint8_t {
  none,
#define OAS_ENUMERATE(name, why, advice) name,
  OAS_DEFINITION_MISTAKES(OAS_ENUMERATE)
#undef OAS_ENUMERATE
};

/// A mistake and where it is in the text.
struct Flaw {
  Mistake mistake = Mistake::none;
  const char* at = nullptr;
  constexpr explicit operator bool() const { return mistake != Mistake::none; }
};

// The standard's <cctype> depends on the locale and is not constexpr.
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_word(char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; }
constexpr char to_lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr std::string_view skip_space(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}
constexpr std::string_view strip(std::string_view text) {
  text = skip_space(text);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}
/// Bytes of white space at the front of `text`, if what programs for people mean by it: no-break spaces too.
constexpr std::size_t blank_size(std::string_view text) {
  if (is_space(text[0]) || (text[0] >= '\x1c' && text[0] <= '\x1f')) return 1;
  for (const std::string_view blank : {"\xc2\x85", "\xc2\xa0", "\xe2\x80\xaf", "\xe3\x80\x80"})
    if (text.starts_with(blank)) return blank.size();
  if (!text.starts_with("\xe2\x80") || text.size() < 3) return 0;
  const auto last = static_cast<unsigned char>(text[2]);
  return last >= 0x80 && last <= 0x8A ? 3 : 0;
}
constexpr std::string_view strip_line(std::string_view line) {
  while (!line.empty() && blank_size(line) != 0) line.remove_prefix(blank_size(line));
  for (;;) {
    std::size_t size = 0;
    for (std::size_t n = 1; n <= 3 && n <= line.size() && size == 0; ++n)
      if (blank_size(line.substr(line.size() - n)) == n) size = n;
    if (size == 0) return line;
    line.remove_suffix(size);
  }
}

constexpr bool same_letters(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  return true;
}
/// The run of letters, digits and _ at the front, taken away from `text`.
constexpr std::string_view take_word(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && is_word(text[n])) ++n;
  const std::string_view word = text.substr(0, n);
  text.remove_prefix(n);
  return word;
}
constexpr bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}
/// Digits at the front; false if there is none, or more than nine.
constexpr bool take_number(std::string_view& text, unsigned& number) {
  std::size_t n = 0;
  number = 0;
  while (n < text.size() && is_digit(text[n]) && n < 9) number = number * 10 + static_cast<unsigned>(text[n++] - '0');
  text.remove_prefix(n);
  return n > 0 && (text.empty() || !is_digit(text[0]));
}
constexpr bool one_of(std::string_view word, std::string_view list) {  // words of the list between spaces
  while (!list.empty()) {
    const std::size_t end = list.find(' ');
    if (same_letters(word, list.substr(0, end))) return true;
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
  }
  return false;
}

constexpr bool is_attribute_name(std::string_view name) {
  if (name.empty() || !is_lower(name[0])) return false;
  for (const char c : name)
    if (!is_word(c) || is_upper(c)) return false;
  return name.size() <= 64;
}

/// Where the first of `wanted` outside of "…" and '…' is, or the end. A quote without a second one is a character like
/// others.
constexpr std::size_t find_unquoted(std::string_view text, char wanted) {
  std::size_t at = 0;
  for (; at < text.size() && text[at] != wanted; ++at) {
    if (text[at] != '"' && text[at] != '\'') continue;
    const std::size_t close = text.find(text[at], at + 1);
    if (close != std::string_view::npos) at = close;
  }
  return at;
}

/// Bytes of the code point at `at`; 0 if there is none in well-formed UTF-8, or NUL.
constexpr std::size_t code_point_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : static_cast<unsigned char>(0);
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return lead != 0;
  const std::size_t size = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const unsigned char next = byte(1);  // no longer forms, no surrogates, at most U+10FFFF
  const bool bad = (lead == 0xE0 && next < 0xA0) || (lead == 0xED && next > 0x9F) || (lead == 0xF0 && next < 0x90) ||
                   (lead == 0xF4 && next > 0x8F);
  return bad ? 0 : size;
}
/// The first byte that is no text, or nullptr.
constexpr const char* find_not_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = code_point_size(text, at);
    if (size == 0) return text.data() + at;
    at += size;
  }
  return nullptr;
}

}  // namespace oas::detail
