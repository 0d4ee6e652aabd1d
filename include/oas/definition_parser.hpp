// The table language, read by one constexpr parser at compile time and at run time. It allocates nothing: it hands
// views into the text to a visitor, line by line. Part of <oas/definition.hpp>, which is what to include.
// The language itself: docs/howto/definitions.md.
#pragma once

#include <cstddef>
#include <string_view>

#include <oas/definition_default.hpp>
#include <oas/definition_reference.hpp>

namespace oas::detail {

struct AttributeLine {
  std::string_view name;
  DefaultSpec fallback;
  TypeSpec type;
  std::string_view comment;
  bool in_key = false;
};
/// Base of visitors: hide what you want to see. `attribute` may refuse.
struct DefinitionVisitor {
  constexpr void table_comment(std::string_view) {}
  constexpr Flaw attribute(const AttributeLine&) { return {}; }
  constexpr void reference(const ReferenceLine&) {}
  constexpr void index(const IndexLine&) {}
};

/// What follows the type: nothing, or # and a comment.
constexpr Flaw read_comment(std::string_view rest, std::string_view& comment) {
  rest = skip_space(rest);
  if (rest.empty()) return {};
  while (!rest.empty() && rest.back() == '#') rest.remove_suffix(1);
  if (!rest.empty()) rest.remove_prefix(1);
  comment = strip_line(rest);
  if (!comment.empty() && comment[0] == ':') return {Mistake::comment_begins_with_colon, comment.data()};
  return {};
}

/// NAME [= DEFAULT] : TYPE [# COMMENT]
constexpr Flaw read_attribute(std::string_view line, AttributeLine& out) {
  std::string_view rest = line;
  out.name = take_word(rest);
  if (line[0] == '_') return {Mistake::hidden_name, line.data()};
  if (out.name.empty() || is_digit(out.name[0])) return {Mistake::bad_name, line.data()};
  for (const char& c : out.name)
    if (is_upper(c)) return {Mistake::name_not_lower_case, &c};
  if (out.name.size() > 64) return {Mistake::name_too_long, line.data()};
  if (!rest.empty() && !is_space(rest[0]) && rest[0] != '=' && rest[0] != ':' && rest[0] != '#')
    return {Mistake::bad_name, rest.data()};

  rest = skip_space(rest);
  std::string_view fallback;
  if (take(rest, '=')) {
    const std::size_t colon = find_unquoted(rest, ':');
    fallback = strip_line(rest.substr(0, colon));
    rest.remove_prefix(colon);
  }
  if (!take(rest, ':')) return {Mistake::missing_colon, rest.data()};
  rest = skip_space(rest);
  if (rest.empty() || rest[0] == '#') return {Mistake::missing_type, rest.data()};
  if (blank_size(rest) != 0) return {Mistake::unknown_type, rest.data()};  // U+00A0 and the like

  std::size_t end = 0;
  if (rest[0] == '<') {
    end = rest.find('>');
    if (end == std::string_view::npos) return {Mistake::unclosed_bracket, rest.data()};
    ++end;
    const std::string_view after = skip_space(rest.substr(end));
    if (!after.empty() && after[0] != '#') return {Mistake::text_after_codec, after.data()};
  } else
    end = find_unquoted(rest, '#');
  const std::string_view type = strip_line(rest.substr(0, end));
  if (const Mistake m = read_type(type, out.type); m != Mistake::none) return {m, type.data()};
  if (const Flaw flaw = read_comment(rest.substr(end), out.comment)) return flaw;
  if (const Mistake m = read_default(fallback, out.fallback); m != Mistake::none) return {m, fallback.data()};

  const TypeKind kind = out.type.kind;
  const bool binary = kind == TypeKind::bytes || kind == TypeKind::native_blob || kind == TypeKind::codec;
  switch (out.fallback.kind) {
    case DefaultSpec::Kind::none: break;
    case DefaultSpec::Kind::null:
      if (out.in_key) return {Mistake::default_null_in_key, fallback.data()};
      break;
    case DefaultSpec::Kind::now:
      if (kind != TypeKind::datetime && kind != TypeKind::date && kind != TypeKind::varchar &&
          kind != TypeKind::char_ && kind != TypeKind::native_temporal && kind != TypeKind::native_text)
        return {Mistake::bad_default, fallback.data()};
      break;
    case DefaultSpec::Kind::literal:
      if (binary) return {Mistake::default_not_allowed, fallback.data()};
      if (!is_value_of(out.type, out.fallback)) return {Mistake::bad_default, fallback.data()};
  }
  if (out.in_key && (binary || kind == TypeKind::json)) return {Mistake::type_not_in_key, type.data()};
  return {};
}

/// Reads a whole definition. The first mistake ends it.
template <class Visitor>
constexpr Flaw scan_definition(std::string_view text, Visitor& visitor) {
  if (const char* at = find_not_text(text)) return {Mistake::not_text, at};
  bool in_key = true, first = true;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = strip_line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const std::size_t arrow = line.find("->");
    if (line[0] == '#') {
      const std::string_view comment = strip_line(line.substr(1));
      if (first && !comment.empty() && comment[0] == ':') return {Mistake::comment_begins_with_colon, comment.data()};
      if (first) visitor.table_comment(comment);
    } else if (line.starts_with("---"))
      in_key = false;
    else if (arrow != std::string_view::npos && line.find_first_of("\"'#") > arrow) {
      ReferenceLine reference;
      reference.in_key = in_key;
      reference.at = line.data();
      if (arrow != 0) return {Mistake::arrow_not_first, line.data() + arrow};
      if (const Flaw flaw = read_reference(line, reference)) return flaw;
      visitor.reference(reference);
    } else if (IndexLine index; read_index(line, index)) {
      index.at = line.data();
      if (!for_each_item(index.items, [](std::string_view) {})) return {Mistake::bad_index, line.data()};
      visitor.index(index);
    } else {
      AttributeLine attribute;
      attribute.in_key = in_key;
      if (const Flaw flaw = read_attribute(line, attribute)) return flaw;
      if (const Flaw flaw = visitor.attribute(attribute)) return flaw;
    }
    first = false;
  }
  return {};
}
}  // namespace oas::detail
