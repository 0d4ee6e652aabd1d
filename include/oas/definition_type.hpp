// The types of the table language, read by one constexpr reader at compile time and at run time. Pure functions over
// views; part of <oas/definition.hpp>, which is what to include.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <oas/definition_enum.hpp>

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
  const bool signs = (integer || numeric || real) && !one_of(word, "serial");
  std::string_view tail = skip_space(rest);
  unsigned number = 0;
  if (sized && take(tail, '(')) {
    int numbers = numeric || real ? 2 : 1;
    do {
      tail = strip(tail);
      if (!take_number(tail, number)) return Mistake::bad_type_parameter;
      tail = strip(tail);
    } while (--numbers > 0 && take(tail, ','));
    if (!take(tail, ')')) return Mistake::bad_type_parameter;
    rest = tail;
  }
  const auto take_modifier = [&](std::string_view modifier) {  // behind white space
    std::string_view next = skip_space(rest);
    if (next.size() == rest.size() || !same_letters(take_word(next), modifier)) return false;
    rest = next;
    return true;
  };
  if (signs && take_modifier("unsigned") && integer) type.kind = TypeKind::native_unsigned;
  if (integer && signs) take_modifier("auto_increment");
  if (numeric) take_modifier("zerofill");
  return strip(rest).empty() ? Mistake::none : Mistake::unknown_type;
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
  const std::string_view arguments = skip_space(rest);
  const bool spaced = arguments.size() != rest.size() && !arguments.empty() && arguments[0] == '(';
  if (one_of(word, "datetime")) {
    type.kind = TypeKind::datetime;
    rest = arguments;
    const bool bare = rest.empty();
    if (!bare && (!take(rest, '(') || !take_number(rest, type.size) || rest != ")"))
      return rest.empty() || rest.back() != ')' ? Mistake::unknown_type : Mistake::bad_type_parameter;
    if (word != "datetime") return Mistake::type_not_lower_case;
    return type.size <= 6 ? Mistake::none : Mistake::bad_type_parameter;
  }
  if (one_of(word, "char varchar")) {
    type.kind = one_of(word, "char") ? TypeKind::char_ : TypeKind::varchar;
    rest = arguments;
    if (!take(rest, '(')) return Mistake::bad_type_parameter;
    const std::string_view inside = skip_space(rest);
    const bool core = inside.size() == rest.size();
    rest = inside;
    if (!take_number(rest, type.size)) return Mistake::bad_type_parameter;
    const bool closed = rest == ")";
    if (!closed && strip(rest) != ")") return Mistake::bad_type_parameter;
    if (type.size < 1 || type.size > 10'485'760) return Mistake::bad_type_parameter;
    if (!core || !closed)  // char( 5 ) is the database's own spelling
      type.kind = TypeKind::native_text;
    else if (spaced || !is_lower(word[0]) || (word != "char" && word != "varchar"))
      return Mistake::type_not_lower_case;
    return Mistake::none;
  }
  if (one_of(word, "enum")) {
    type.kind = TypeKind::enum_;
    if (word != "enum" || spaced) return Mistake::type_not_lower_case;
    return read_enum(rest);
  }
  if (one_of(word, "decimal")) {  // decimal(p,s), spaces around the comma only; otherwise it is the database's own
    std::string_view tail = arguments;
    if (take(tail, '(') && take_number(tail, type.size) && take(tail = skip_space(tail), ',')) {
      tail = skip_space(tail);
      if (take_number(tail, type.scale) && tail == ")") {
        type.kind = TypeKind::decimal;
        if (spaced || word != "decimal") return Mistake::type_not_lower_case;
        return type.size >= 1 && type.size <= 1000 && type.scale <= type.size ? Mistake::none
                                                                              : Mistake::bad_type_parameter;
      }
    }
    type.size = type.scale = 0;
  }
  return read_native(word, rest, type);
}

}  // namespace oas::detail
