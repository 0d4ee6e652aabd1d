#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "db/cells.hpp"
#include "schema/column.hpp"
#include "schema/declare.hpp"

namespace oas::schema {

namespace {

std::string joined(const std::vector<std::string>& names) { return fmt::format("({})", fmt::join(names, ", ")); }

/// Types are the same if they differ in spaces only.
std::string without_spaces(std::string_view type) {
  std::string out;
  for (const char c : type)
    if (!detail::is_space(c)) out += c;
  return out;
}

/// What the user wrote: the type in the comment, or else the column's.
std::string written_type(const db::ColumnDef& column) {
  const std::string marked = read_comment(column.comment).type;
  return marked.empty() ? column.type : marked;
}

/// Columns that a reference brought in other programs do not know their type's name any more (an int8 is a smallint,
/// a bool a tinyint, an enum a type with a name of its own), and what the database makes of a native type is its
/// business: such columns are not compared.
bool comparable(const db::ColumnDef& declared, const db::ColumnDef& existing) {
  ParsedAttribute d, e;
  return parse_type(written_type(declared), d) && parse_type(written_type(existing), e) &&
         (d.kind <= detail::TypeKind::json || d.kind == detail::TypeKind::codec) &&
         !read_comment(existing.comment).type.empty();
}

std::string default_of(const db::ColumnDef& column) {
  switch (column.fallback.kind) {
    case db::Default::Kind::none:
    case db::Default::Kind::null: return "no default";
    case db::Default::Kind::now: return "the time of the insert";
    case db::Default::Kind::literal: break;
  }
  return fmt::format("default '{}'", column.fallback.literal);
}

/// Databases read values back in their own spelling: 1.50 as 1.5000, true as 1.
bool same_default(const db::ColumnDef& declared, const db::ColumnDef& existing) {
  if (default_of(declared) == default_of(existing)) return true;
  if (declared.fallback.kind != db::Default::Kind::literal || existing.fallback.kind != db::Default::Kind::literal)
    return false;
  try {
    const db::CellType type = db::parse_type(column_type(declared));
    const auto cell = [&](const db::ColumnDef& column) {
      return db::to_portable_cell(type, db::parse_default(type, column.fallback.literal));
    };
    const Value a = cell(declared), b = cell(existing);
    const auto is_nan = [](const Value& v) { return v.is<double>() && std::isnan(*v.get_if<double>()); };
    return a == b || (is_nan(a) && is_nan(b));
  } catch (const Error&) {  // no value that can be compared
    return false;
  }
}

std::string described(const db::ForeignKeyDef& key) {
  return fmt::format("{}reference {} to {}.{} {}", key.unique ? "unique " : "", joined(key.columns), key.schema,
                     key.table, joined(key.parent_columns));
}

bool refers(const db::TableDef& table, const std::vector<std::string>& columns) {
  return std::ranges::find(table.foreign_keys, columns, &db::ForeignKeyDef::columns) != table.foreign_keys.end();
}
bool is_unique(const db::TableDef& table, const std::vector<std::string>& columns) {
  return std::ranges::any_of(table.foreign_keys,
                             [&](const auto& key) { return key.unique && key.columns == columns; }) ||
         std::ranges::any_of(table.indexes, [&](const auto& i) { return i.unique && i.columns == columns; });
}

}  // namespace

std::vector<std::string> differences(const db::TableDef& declared, const db::TableDef& existing) {
  std::vector<std::string> out;
  const auto find = [](const db::TableDef& table, const std::string& name) -> const db::ColumnDef* {
    const auto at = std::ranges::find(table.columns, name, &db::ColumnDef::name);
    return at == table.columns.end() ? nullptr : &*at;
  };
  for (const db::ColumnDef& column : declared.columns) {
    const db::ColumnDef* there = find(existing, column.name);
    if (!there) {
      out.push_back(fmt::format("attribute {} is not in the existing table", column.name));
      continue;
    }
    if (comparable(column, *there) && without_spaces(written_type(column)) != without_spaces(written_type(*there)))
      out.push_back(fmt::format("attribute {} is declared as {}, in the existing table it is {}", column.name,
                                written_type(column), written_type(*there)));
    if (column.nullable != there->nullable)
      out.push_back(fmt::format("attribute {} is declared {}, in the existing table it {}", column.name,
                                column.nullable ? "nullable" : "not nullable", there->nullable ? "is" : "is not"));
    if (!same_default(column, *there))
      out.push_back(fmt::format("attribute {} is declared with {}, the existing table has {}", column.name,
                                default_of(column), default_of(*there)));
  }
  for (const db::ColumnDef& column : existing.columns)
    if (!column.name.starts_with('_') && !find(declared, column.name))
      out.push_back(fmt::format("attribute {} of the existing table is not declared", column.name));
  if (declared.primary_key != existing.primary_key)
    out.push_back(fmt::format("the primary key is declared as {}, in the existing table it is {}",
                              joined(declared.primary_key), joined(existing.primary_key)));
  // Servers do not tell what makes a reference unique from an index that was declared beside it, nor an index of their
  // own on a reference from one that was declared.
  const auto missing = [&](const db::TableDef& from, const db::TableDef& in, std::string_view why) {
    for (const db::ForeignKeyDef& key : from.foreign_keys) {
      const auto same = [&](const db::ForeignKeyDef& other) {
        return other.columns == key.columns && other.schema == key.schema && other.table == key.table &&
               other.parent_columns == key.parent_columns;
      };
      if (std::ranges::none_of(in.foreign_keys, same) || (key.unique && !is_unique(in, key.columns)))
        out.push_back(fmt::format("the {} {}", described(key), why));
    }
  };
  missing(declared, existing, "is not in the existing table");
  missing(existing, declared, "of the existing table is not declared");
  for (const db::IndexDef& index : declared.indexes) {
    if (index.object_path) continue;
    const bool there = index.unique ? is_unique(existing, index.columns)
                                    : std::ranges::find(existing.indexes, index) != existing.indexes.end() ||
                                          refers(existing, index.columns);
    if (there) continue;
    out.push_back(fmt::format("the {}index {} is not in the existing table", index.unique ? "unique " : "",
                              joined(index.columns)));
  }
  return out;
}

}  // namespace oas::schema
