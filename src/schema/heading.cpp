#include <oas/heading.hpp>

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/nearest.hpp"
#include "schema/column.hpp"

namespace oas {

Heading::Heading() = default;

Heading::Heading(std::vector<Attribute> attributes)
    : attributes_(std::make_shared<const std::vector<Attribute>>(std::move(attributes))) {
  std::set<std::string_view> seen;
  for (const Attribute& a : *attributes_)
    if (!seen.insert(a.name).second)
      throw Error(Errc::definition,
                  fmt::format("make a heading: there are two attributes {}. rename one of them", a.name), a.name);
}

const Attribute* Heading::find(std::string_view name) const noexcept {
  const auto at = std::find_if(begin(), end(), [&](const Attribute& a) { return a.name == name; });
  return at == end() ? nullptr : &*at;
}

const Attribute& Heading::at(std::string_view name) const {
  if (const Attribute* found = find(name)) return *found;
  std::vector<std::string_view> known;
  for (const Attribute& a : attributes())
    if (!a.hidden) known.push_back(a.name);
  throw Error(Errc::unknown_attribute,
              fmt::format("look up attribute {}: there is none of this name. {}", name, suggest_name(name, known)),
              std::string(name));
}

std::vector<std::string> Heading::primary_key() const {
  std::vector<std::string> names;
  for (const Attribute& a : attributes())
    if (a.in_key && !a.hidden) names.push_back(a.name);
  return names;
}

std::vector<std::string> Heading::names() const {
  std::vector<std::string> names;
  for (const Attribute& a : attributes())
    if (!a.hidden) names.push_back(a.name);
  return names;
}

bool operator==(const Heading& a, const Heading& b) { return std::ranges::equal(a.attributes(), b.attributes()); }

namespace {

/// True for what only DataJoint before 2.0 made: `attach`, and `blob@s`, `attach@s`, `filepath@s` over a hash of 16
/// bytes that a line of ~external_s explains.
bool read_old_type(Attribute& a, const db::ColumnDef& column, const std::string& type, bool legacy) {
  std::string marked = type;  // any case was taken
  std::ranges::transform(marked, marked.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool blob = column.type.ends_with("blob");
  if (marked.empty() && blob && legacy) {
    a.codec = "blob";
  } else if (marked == "attach" && blob) {
    a.codec = "attach";
  } else {
    const std::size_t at = marked.find('@');
    if (at == marked.npos || !detail::one_of(std::string_view(marked).substr(0, at), "blob attach filepath"))
      return false;
    if (column.type != "binary(16)" || at + 1 == marked.size()) return false;
    a.codec = "~external";
    a.column = "json";
    a.in_store = true;
    a.store = type.substr(at + 1);
    a.type = marked.substr(0, at + 1) + a.store;
  }
  return a.old = true;
}

}  // namespace

Heading heading_of(const db::TableDef& table, const Lineage& lineage, bool legacy) {
  std::vector<Attribute> attributes;
  for (const db::ColumnDef& column : table.columns) {
    const schema::ColumnComment comment = schema::read_comment(column.comment);
    Attribute a;
    a.name = column.name;
    a.type = comment.type.empty() ? column.type : comment.type;
    a.column = schema::column_type(column);
    a.comment = comment.text;
    a.fallback = column.fallback;
    a.nullable = column.nullable;
    a.in_key = std::ranges::find(table.primary_key, column.name) != table.primary_key.end();
    a.hidden = column.name.starts_with('_');
    if (const auto origin = lineage.find(column.name); origin != lineage.end()) a.lineage = origin->second;
    if (read_old_type(a, column, comment.type, legacy)) {
      // its comment is not one of today's
    } else if (a.type.starts_with('<')) {
      schema::ParsedAttribute parsed;
      if (schema::parse_type(a.type, parsed)) {
        a.codec = parsed.codec;
        a.store = parsed.store;
        a.in_store = parsed.in_store;
      } else {
        a.codec = a.type;  // a codec that nobody knows: the other attributes, and other tables, can be read
      }
    }
    attributes.push_back(std::move(a));
  }
  return Heading(std::move(attributes));
}

}  // namespace oas
