// The types of the table language, read by one constexpr reader at compile time and at run time. Pure functions over
// views; part of <oas/definition.hpp>, which is what to include.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <oas/definition_basics.hpp>

namespace oas::detail {

enum class TypeKind : std::uint8_t {
  int8,
  int16,
  int32,
  int64,
  float32,
  float64,
  bool_,
  uuid,
  date,
  datetime,
  decimal,
  char_,
  varchar,
  enum_,
  bytes,
  json,
  native_integer,
  native_unsigned,
  native_numeric,
  native_float,
  native_temporal,
  native_text,
  native_blob,
  codec
};

struct TypeSpec {
  TypeKind kind = TypeKind::int32;
  std::string_view text;          ///< as written; of a codec with its brackets
  unsigned size = 0, scale = 0;   ///< length, precision; scale of a decimal. Of integers: their bits
  std::string_view codec, store;  ///< of <codec@store>
  bool in_store = false;          ///< it has an @
};

/// Calls `value` with each value between the parentheses of enum(…), until it says false. False: badly written.
template <class F>
constexpr bool for_each_enum_value(std::string_view list, F&& value) {
  for (;;) {
    list = strip(list);
    if (list.empty() || (list[0] != '\'' && list[0] != '"')) return false;
    const std::size_t end = list.find(list[0], 1);
    if (end == std::string_view::npos) return false;
    if (!value(list.substr(1, end - 1))) return false;
    list = strip(list.substr(end + 1));
    if (list.empty()) return true;
    if (!take(list, ',')) return false;
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
  std::size_t n = 0;
  const bool good = for_each_enum_value(list, [&](std::string_view value) {
    if (value.find_first_of("'\",:") != std::string_view::npos || value != strip(value)) return false;
    std::size_t before = 0;
    bool twice = false;
    for_each_enum_value(list, [&](std::string_view other) {
      if (before++ == n) return false;
      twice = twice || other == value;
      return true;
    });
    ++n;
    return !twice;
  });
  return good ? Mistake::none : Mistake::bad_enum;
}

constexpr Mistake read_codec(std::string_view inside, TypeSpec& type) {
  const std::size_t at = inside.find('@');
  type.kind = TypeKind::codec;
  type.in_store = at != std::string_view::npos;
  type.codec = strip(inside.substr(0, at));
  if (type.in_store) type.store = strip(inside.substr(at + 1));
  if (type.codec.empty() || !is_lower(type.codec[0])) return Mistake::bad_codec;
  for (const char c : type.codec)
    if (!is_word(c) || is_upper(c)) return Mistake::bad_codec;
  for (const char c : type.store)  // a ':' ends the type in the column's comment
    if (c == ':' || c == '<' || static_cast<unsigned char>(c) < ' ') return Mistake::bad_codec;
  if (!type.in_store && one_of(type.codec, "hash object npy filepath")) return Mistake::codec_needs_a_store;
  return Mistake::none;
}

constexpr Mistake read_native(std::string_view word, std::string_view rest, TypeSpec& type) {
  const bool integer = one_of(word, "tinyint smallint mediumint int integer bigint serial");
  const bool numeric = one_of(word, "decimal numeric dec fixed");
  const bool real = one_of(word, "float double real");
  if (integer) {
    type.kind = TypeKind::native_integer;
    type.size = one_of(word, "tinyint") ? 8 : one_of(word, "smallint") ? 16 : one_of(word, "bigint serial") ? 64 : 32;
  } else if (numeric)
    type.kind = TypeKind::native_numeric;
  else if (real)
    type.kind = TypeKind::native_float;
  else if (one_of(word, "time timestamp year"))
    type.kind = TypeKind::native_temporal;
  else if (one_of(word, "text tinytext smalltext mediumtext longtext"))
    type.kind = TypeKind::native_text;
  else if (one_of(word, "blob tinyblob smallblob mediumblob longblob"))
    type.kind = TypeKind::native_blob;
  else
    return Mistake::unknown_type;

  const bool sized =
      type.kind != TypeKind::native_text && type.kind != TypeKind::native_blob && !one_of(word, "serial");
  rest = strip(rest);
  unsigned number = 0;
  if (sized && take(rest, '(')) {
    int numbers = numeric || real ? 2 : 1;
    do {
      rest = strip(rest);
      if (!take_number(rest, number)) return Mistake::bad_type_parameter;
      rest = strip(rest);
    } while (--numbers > 0 && take(rest, ','));
    if (!take(rest, ')')) return Mistake::bad_type_parameter;
    rest = strip(rest);
  }
  std::string_view next = take_word(rest);
  if ((integer || numeric || real) && !one_of(word, "serial") && same_letters(next, "unsigned")) {
    if (integer) type.kind = TypeKind::native_unsigned;
    rest = strip(rest);
    next = take_word(rest);
  }
  if ((integer && same_letters(next, "auto_increment")) || (numeric && same_letters(next, "zerofill"))) next = {};
  return next.empty() && rest.empty() ? Mistake::none : Mistake::unknown_type;
}

/// Reads a type without brackets, or the inside of <…> when `codec` is set, into `type`.
constexpr Mistake read_type(std::string_view text, TypeSpec& type) {
  type = TypeSpec{};
  type.text = text;
  if (text.size() >= 2 && text.front() == '<' && text.back() == '>')
    return read_codec(text.substr(1, text.size() - 2), type);
  std::string_view rest = text;
  const std::string_view word = take_word(rest);
  struct Plain {
    std::string_view word;
    TypeKind kind;
    unsigned bits;
  };
  constexpr Plain plain[] = {
      {"int8", TypeKind::int8, 8},    {"int16", TypeKind::int16, 16},    {"int32", TypeKind::int32, 32},
      {"int64", TypeKind::int64, 64}, {"float32", TypeKind::float32, 0}, {"float64", TypeKind::float64, 0},
      {"bool", TypeKind::bool_, 0},   {"uuid", TypeKind::uuid, 0},       {"date", TypeKind::date, 0},
      {"bytes", TypeKind::bytes, 0},  {"json", TypeKind::json, 0}};
  for (const Plain& p : plain) {
    if (!same_letters(word, p.word)) continue;
    if (!strip(rest).empty()) return Mistake::unknown_type;
    type.kind = p.kind;
    type.size = p.bits;
    return word == p.word ? Mistake::none : Mistake::type_not_lower_case;
  }
  if (one_of(word, "datetime char varchar enum") || (same_letters(word, "decimal") && word != "decimal")) {
    if (!(is_lower(word[0]) && is_lower(word[1]) && is_lower(word.back()))) return Mistake::type_not_lower_case;
  }
  if (word == "datetime") {
    type.kind = TypeKind::datetime;
    rest = strip(rest);
    if (rest.empty()) return Mistake::none;
    if (!take(rest, '(') || !take_number(rest, type.size) || rest != ")" || type.size > 6)
      return rest.empty() || rest.back() != ')' ? Mistake::unknown_type : Mistake::bad_type_parameter;
    return Mistake::none;
  }
  if (word == "char" || word == "varchar") {
    type.kind = word == "char" ? TypeKind::char_ : TypeKind::varchar;
    if (!rest.empty() && is_space(rest[0]) && strip(rest).front() == '(') return Mistake::type_not_lower_case;
    if (!take(rest, '(') || !take_number(rest, type.size) || rest != ")") return Mistake::bad_type_parameter;
    const unsigned most = word == "char" ? 255 : 65535;
    return type.size >= 1 && type.size <= most ? Mistake::none : Mistake::bad_type_parameter;
  }
  if (word == "enum") {
    type.kind = TypeKind::enum_;
    if (!rest.empty() && is_space(rest[0])) return Mistake::type_not_lower_case;
    return read_enum(rest);
  }
  if (word == "decimal") {  // decimal(p,s), spaces around the comma only; otherwise it is the database's own
    std::string_view tail = rest;
    if (take(tail, '(') && take_number(tail, type.size) && take(tail = skip_space(tail), ',')) {
      tail = skip_space(tail);
      if (take_number(tail, type.scale) && tail == ")") {
        type.kind = TypeKind::decimal;
        const bool good = type.size >= 1 && type.size <= 65 && type.scale <= 30 && type.scale <= type.size;
        return good ? Mistake::none : Mistake::bad_type_parameter;
      }
    }
    type.size = type.scale = 0;
  }
  return read_native(word, rest, type);
}

}  // namespace oas::detail
