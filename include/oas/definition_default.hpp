// The defaults of the table language: how they are written, and whether they are values of their type; part of
// <oas/definition.hpp>, which is what to include.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <oas/definition_type.hpp>

namespace oas::detail {

/// The default of an attribute as written. `body` is without its quotes; in '…' an apostrophe is doubled, in "…" a
/// quote is not. Of `now` it is CURRENT_TIMESTAMP, perhaps with digits.
struct DefaultSpec {
  enum class Kind : std::uint8_t { none, null, now, literal } kind = Kind::none;
  std::string_view body;
  char quote = 0;
  constexpr Written written() const { return {body, quote == '\'' ? quote : '\0'}; }
};
constexpr bool is_integer(std::string_view text, unsigned bits) {
  const bool minus = take(text, '-');
  if (!minus) take(text, '+');
  if (text.empty()) return false;
  const std::uint64_t most = (std::uint64_t{1} << (bits - 1)) - (minus ? 0 : 1);
  std::uint64_t number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (most - digit) / 10) return false;
    number = number * 10 + digit;
  }
  return true;
}
constexpr bool is_real(std::string_view text, bool infinite) {
  if (!take(text, '-')) take(text, '+');
  if (infinite && one_of(text, "inf infinity nan")) return true;
  std::size_t digits = 0;
  while (!text.empty() && is_digit(text[0])) {
    text.remove_prefix(1);
    ++digits;
  }
  if (take(text, '.'))
    while (!text.empty() && is_digit(text[0])) {
      text.remove_prefix(1);
      ++digits;
    }
  if (digits == 0) return false;
  if (take(text, 'e') || take(text, 'E')) return is_integer(text, 16);
  return text.empty();
}
/// A number of at most two digits.
constexpr bool take_field(std::string_view& text, unsigned low, unsigned high, unsigned& number) {
  const std::size_t before = text.size();
  return take_number(text, number) && before - text.size() <= 2 && number >= low && number <= high;
}
/// 2026-01-31, or 2026-1-31.
constexpr bool take_date(std::string_view& text) {
  unsigned year = 0, month = 0, day = 0;
  const std::size_t before = text.size();
  if (!take_number(text, year) || before - text.size() != 4 || year == 0) return false;
  if (!take(text, '-') || !take_field(text, 1, 12, month) || !take(text, '-') || !take_field(text, 1, 31, day))
    return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  const unsigned last = month == 2 ? (leap ? 29 : 28) : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  return day <= last;
}
/// A date, perhaps with hours and minutes, seconds, and digits of a second.
constexpr bool is_datetime(std::string_view text) {
  if (!take_date(text)) return false;
  if (text.empty()) return true;
  unsigned number = 0;
  if (!take(text, ' ') && !take(text, 'T')) return false;
  if (!take_field(text, 0, 23, number) || !take(text, ':') || !take_field(text, 0, 59, number)) return false;
  if (text.empty()) return true;
  if (!take(text, ':') || !take_field(text, 0, 59, number)) return false;
  return text.empty() || (take(text, '.') && take_number(text, number) && text.empty());
}
constexpr bool is_uuid(std::string_view text) {
  std::size_t digits = 0;
  for (const char c : text) {
    const char lower = to_lower(c);
    if (is_digit(c) || (lower >= 'a' && lower <= 'f'))
      ++digits;
    else if (c != '-')
      return false;
  }
  return digits == 32;
}

constexpr bool is_value_of(const TypeSpec& type, const DefaultSpec& value) {
  const std::string_view text = value.body;
  switch (type.kind) {
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::int64: return is_integer(text, type.size);
    case TypeKind::float32:
    case TypeKind::float64: return is_real(text, true);
    case TypeKind::decimal: return is_real(text, false);
    case TypeKind::bool_: return one_of(text, "0 1 true false t f yes no y n on off");
    case TypeKind::uuid: return is_uuid(text);
    case TypeKind::date: {
      std::string_view rest = text;
      return take_date(rest) && rest.empty();
    }
    case TypeKind::datetime: return is_datetime(text);
    case TypeKind::enum_: {
      bool found = false;
      for_each_enum_value(in_parentheses(type.text),
                          [&](const Written& one) { return !(found = one.same_text(value.written())); });
      return found;
    }
    case TypeKind::char_:
    case TypeKind::varchar: {
      std::size_t length = 0;  // in characters
      value.written().for_each_char([&](char c) { length += (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
      return length <= type.size;
    }
    default: return true;
  }
}

/// CURRENT_TIMESTAMP, CURRENT_TIMESTAMP() or CURRENT_TIMESTAMP(3).
constexpr bool is_now(std::string_view text) {
  if (!same_letters(take_word(text), "current_timestamp")) return false;
  if (text.empty()) return true;
  unsigned digits = 0;
  if (!take(text, '(')) return false;
  return text == ")" || (take_number(text, digits) && digits <= 6 && text == ")");
}

/// Errors: what is wrong with the text between = and :.
constexpr Mistake read_default(std::string_view text, DefaultSpec& out) {
  using Kind = DefaultSpec::Kind;
  out = DefaultSpec{};
  if (text.empty()) return Mistake::none;
  out.kind = Kind::literal;
  out.body = text;
  if (same_letters(text, "null")) {
    out.kind = Kind::null;
    return Mistake::none;
  }
  if (is_now(text)) {
    out.kind = Kind::now;
    return Mistake::none;
  }
  std::string_view rest = text;  // other programs would hand it to the database as it is
  if (one_of(take_word(rest), "null current_timestamp") && !rest.empty() && rest[0] == '(') return Mistake::bad_default;

  const bool quoted = text[0] == '"' || text[0] == '\'';
  if (quoted) {
    if (text.size() < 2 || text.back() != text[0]) return Mistake::unclosed_quote;
    out.quote = text[0];
    out.body = text.substr(1, text.size() - 2);
  }
  if (out.quote != '"')  // an apostrophe outside "…" must be doubled, inside '…'
    for (std::size_t i = 0; i < out.body.size(); ++i)
      if (out.body[i] == '\'' && (!quoted || i + 1 == out.body.size() || out.body[++i] != '\''))
        return Mistake::unclosed_quote;
  return Mistake::none;
}

}  // namespace oas::detail
