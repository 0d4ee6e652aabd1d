#include "schema/definition.hpp"

#include <fmt/format.h>

#include <unordered_set>

namespace oas::schema {

using detail::Mistake;

namespace {

struct Explanation {
  std::string_view name, why, advice;
};
Explanation explain(Mistake mistake) {
  switch (mistake) {
    case Mistake::none: break;
#define OAS_EXPLAIN(name, why, advice) \
  case Mistake::name: return {#name, why, advice};
      OAS_DEFINITION_MISTAKES(OAS_EXPLAIN)
#undef OAS_EXPLAIN
  }
  return {};
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }  // a code point

/// A part of a line with its tabs as spaces up to the next multiple of eight characters from the line's beginning.
std::string expand_tabs(std::string_view line, std::string_view part) {
  if (part.find('\t') == std::string_view::npos) return std::string(part);
  std::string out;
  std::size_t column = 0;
  for (const char& c : line) {
    const bool inside = &c >= part.data() && &c < part.data() + part.size();
    if (c == '\t') {
      const std::size_t width = 8 - column % 8;
      if (inside) out.append(width, ' ');
      column += width;
    } else {
      if (inside) out += c;
      if (!continues(c)) ++column;
    }
  }
  return out;
}

std::string unquoted(const detail::DefaultSpec& spec, std::string body) {
  if (spec.quote != '\'') return body;
  std::string out;
  detail::Written{body, spec.quote}.for_each_char([&](char c) { out += c; });
  return out;
}

struct Builder : detail::DefinitionVisitor {
  std::string_view text;
  ParsedDefinition out;
  std::unordered_set<std::string_view> names;
  detail::Position line;     // of `counted`
  std::size_t counted = 0;   // where a line begins
  std::string_view current;  // the line of the last position, without white space around it

  explicit Builder(std::string_view whole) : text(whole) {}

  /// Of a place in the text that is in no earlier line than the last one.
  detail::Position position(const char* at) {
    const auto offset = static_cast<std::size_t>(at - text.data());
    for (std::size_t end = text.find('\n', counted); end < offset; end = text.find('\n', counted)) {
      counted = end + 1;
      ++line.line;
    }
    const std::string_view rest = text.substr(counted, text.find('\n', counted) - counted);
    current = detail::strip_line(rest);
    const detail::Position inside = detail::position_of(at, rest);
    return {line.line, inside.column};
  }
  std::string expanded(std::string_view part) const { return expand_tabs(current, part); }

  void table_comment(std::string_view comment) { out.comment = comment; }

  detail::Flaw attribute(const detail::AttributeLine& a_line) {
    const detail::Position at = position(a_line.name.data());
    if (!names.insert(a_line.name).second) {
      out.notes.push_back(fmt::format("{}: {} is declared above, so this line does nothing", place(at), a_line.name));
      return {};
    }
    ParsedAttribute a;
    a.name = a_line.name;
    a.type = expanded(a_line.type.text);
    a.kind = a_line.type.kind;
    a.codec = a_line.type.codec;
    a.store = a_line.type.store;
    a.in_store = a_line.type.in_store;
    a.comment = expanded(a_line.comment);
    a.in_key = a_line.in_key;
    a.at = at;
    switch (a_line.fallback.kind) {
      case detail::DefaultSpec::Kind::none: break;
      case detail::DefaultSpec::Kind::null:
        a.nullable = true;
        a.fallback.kind = db::Default::Kind::null;
        break;
      case detail::DefaultSpec::Kind::now:
        a.fallback = {db::Default::Kind::now, std::string(a_line.fallback.body)};
        break;
      case detail::DefaultSpec::Kind::literal:
        a.fallback = {db::Default::Kind::literal, unquoted(a_line.fallback, expanded(a_line.fallback.body))};
    }
    if (!is_marked(a.kind)) {
      out.notes.push_back(
          fmt::format("{}: {} is a type of some databases only. {}", place(at), a.type,
                      a.kind == detail::TypeKind::native_blob
                          ? "it keeps bytes as they are: use <blob> for arrays and other values, bytes for bytes"
                          : "a core type works on all of them"));
    }
    out.order.emplace_back(ParsedDefinition::Line::attribute, out.attributes.size());
    out.attributes.push_back(std::move(a));
    return {};
  }

  void reference(const detail::ReferenceLine& r_line) {
    ParsedReference r{{}, {}, r_line.nullable, r_line.unique, r_line.in_key, position(r_line.at)};
    for (const char c : r_line.target)
      if (detail::is_word(c) || c == '.') r.target += c;
    detail::for_each_projected(r_line.projection,
                               [&](std::string_view fresh, std::string_view old) { r.names.emplace_back(fresh, old); });
    out.order.emplace_back(ParsedDefinition::Line::reference, out.references.size());
    out.references.push_back(std::move(r));
  }

  void index(const detail::IndexLine& i_line) {
    ParsedIndex index{{}, i_line.unique, position(i_line.at)};
    detail::for_each_item(i_line.items, [&](std::string_view name) { index.attributes.emplace_back(name); });
    out.order.emplace_back(ParsedDefinition::Line::index, out.indexes.size());
    out.indexes.push_back(std::move(index));
  }
};

/// The line, or the part of a long one that is around the place, and below it a mark at the place.
std::string picture(std::string_view text, std::size_t at) {
  constexpr std::size_t before = 60, width = 100;
  const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0
  const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  const std::size_t place = at - begin;
  std::size_t first = place > before ? place - before : 0;
  while (first < place && continues(line[first])) ++first;
  std::string shown, mark;
  for (std::size_t i = first, columns = 0; i < line.size() && (columns < width || continues(line[i])); ++i) {
    const bool plain = static_cast<unsigned char>(line[i]) >= ' ' && line[i] != '\x7f';
    shown += plain ? line[i] : ' ';
    if (!continues(line[i])) ++columns;
    if (i < place && !continues(line[i])) mark += ' ';
  }
  if (mark.size() > width) mark.resize(width);
  const bool text_only = !detail::find_not_text(shown);
  return fmt::format("\n  {}\n  {}^", text_only ? shown : "(not UTF-8)", text_only ? mark : "");
}

}  // namespace

std::string place(detail::Position at) {
  return fmt::format("line {}, column {} of the definition", at.line, at.column);
}

ParsedDefinition parse_definition(std::string_view text) {
  Builder builder(text);
  if (const detail::Flaw flaw = detail::scan_definition(text, builder)) {
    const auto at = std::min(text.size(), static_cast<std::size_t>(flaw.at - text.data()));
    const std::string where = place(detail::position_of(text.data() + at, text));
    const Explanation what = explain(flaw.mistake);
    throw Error(Errc::definition,
                fmt::format("read {}: {} ({}). {}{}", where, what.why, what.name, what.advice, picture(text, at)),
                where);
  }
  return std::move(builder.out);
}

bool parse_type(std::string_view text, ParsedAttribute& into) {
  detail::TypeSpec spec;
  if (detail::read_type(text, spec) != Mistake::none) return false;
  into.type = text;
  into.kind = spec.kind;
  into.codec = spec.codec;
  into.store = spec.store;
  into.in_store = spec.in_store;
  return true;
}

}  // namespace oas::schema
