#include "schema/definition.hpp"

#include <map>

#include <fmt/format.h>

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
      if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++column;
    }
  }
  return out;
}

std::string unquoted(const detail::DefaultSpec& spec, std::string body) {
  if (spec.quote != '\'') return body;
  std::string out;
  for (std::size_t i = 0; i < body.size(); ++i) {
    out += body[i];
    if (body[i] == '\'') ++i;  // doubled: the parser has seen to it
  }
  return out;
}

struct Builder : detail::DefinitionVisitor {
  std::string_view text;
  ParsedDefinition out;
  std::map<std::string, std::string, std::less<>> types;

  explicit Builder(std::string_view whole) : text(whole) {}

  std::string expanded(std::string_view part) const {
    if (part.empty()) return {};
    const auto at = static_cast<std::size_t>(part.data() - text.data());
    const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    return expand_tabs(detail::strip(text.substr(begin, text.find('\n', at) - begin)), part);
  }
  void table_comment(std::string_view comment) { out.comment = comment; }
  detail::Flaw attribute(const detail::AttributeLine& line) {
    const auto [at, fresh] = types.emplace(line.name, line.type.text);
    if (!fresh && at->second != line.type.text) return {Mistake::attribute_declared_twice, line.name.data()};
    if (!fresh) return {};
    ParsedAttribute a;
    a.name = line.name;
    a.type = expanded(line.type.text);
    a.kind = line.type.kind;
    a.codec = line.type.codec;
    a.store = line.type.store;
    a.in_store = line.type.in_store;
    a.comment = expanded(line.comment);
    a.in_key = line.in_key;
    switch (line.fallback.kind) {
      case detail::DefaultSpec::Kind::none: break;
      case detail::DefaultSpec::Kind::null:
        a.nullable = true;
        a.fallback.kind = db::Default::Kind::null;
        break;
      case detail::DefaultSpec::Kind::now: a.fallback.kind = db::Default::Kind::now; break;
      case detail::DefaultSpec::Kind::literal:
        a.fallback = {db::Default::Kind::literal, unquoted(line.fallback, expanded(line.fallback.body))};
        if (a.kind == detail::TypeKind::bool_)  // every database understands 0 and 1
          a.fallback.literal = detail::one_of(a.fallback.literal, "1 true") ? "1" : "0";
    }
    out.order.emplace_back(false, out.attributes.size());
    out.attributes.push_back(std::move(a));
    return {};
  }
  void reference(const detail::ReferenceLine& line) {
    ParsedReference r{std::string(line.target), {}, line.nullable, line.unique, line.in_key};
    detail::for_each_rename(line.renames,
                            [&](std::string_view fresh, std::string_view old) { r.renames.emplace_back(fresh, old); });
    out.order.emplace_back(true, out.references.size());
    out.references.push_back(std::move(r));
  }
  void index(const detail::IndexLine& line) {
    ParsedIndex index{{}, line.unique};
    detail::for_each_item(line.items, [&](std::string_view name) { index.attributes.emplace_back(name); });
    out.indexes.push_back(std::move(index));
  }
};

}  // namespace

ParsedDefinition parse_definition(std::string_view text) {
  Builder builder(text);
  if (const detail::Flaw flaw = detail::scan_definition(text, builder)) {
    const detail::Position position = detail::position_of(flaw.at, text);
    const auto at = std::min(text.size(), static_cast<std::size_t>(flaw.at - text.data()));
    const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0
    const std::string_view line = detail::strip(text.substr(begin, text.find('\n', at) - begin));
    const Explanation what = explain(flaw.mistake);
    const std::string where = fmt::format("line {}, column {} of the definition", position.line, position.column);
    throw Error(Errc::definition,
                fmt::format("read {}, `{}`: {} ({}). {}", where, line, what.why, what.name, what.advice), where);
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
