// A definition becomes a table in the order of its lines:
// 1. an attribute becomes a column, unless a reference has brought its name already;
// 2. a reference brings the columns of its parent's key that are not there yet, under their new names, and a foreign
//    key over all of them;
// 3. without anything in the key the table holds one row: a hidden column of one value is its key;
// 4. indexes, then one more for each column that leads to objects.
#include "schema/declare.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "schema/column.hpp"

namespace oas::schema {

namespace {

template <class Range, class Name>
bool contains(const Range& names, const Name& name) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

class Builder {
 public:
  Builder(std::string_view schema, std::string_view name, const Context& context) : context_(context) {
    out_.table.schema = schema;
    out_.table.name = name;
  }

  void add(const ParsedAttribute& a) {
    if (db::ColumnDef* there = column(a.name)) return agree(a, *there);
    db::ColumnDef column{a.name, a.type, a.fallback, a.nullable, a.comment};
    if (a.kind == detail::TypeKind::codec) {
      const CodecColumn codec = of_codec(a);
      column.type = codec.type;
      if (codec.object_path) object_paths_.push_back({{a.name}, false, true});
    }
    if (a.kind <= detail::TypeKind::json || a.kind == detail::TypeKind::codec)
      column.comment = fmt::format(":{}:{}", a.type, a.comment);
    if (a.in_key) out_.table.primary_key.push_back(a.name);
    out_.table.columns.push_back(std::move(column));
  }

  void add(const ParsedReference& r) {
    const Parent parent = resolve(r);
    db::ForeignKeyDef key{{}, parent.table.schema, parent.table.name, {}, r.unique, out_.table.indexes.size()};
    for (const std::string& there : parent.table.primary_key) {
      if (there.starts_with('_')) continue;
      std::string here = there;
      for (const auto& [fresh, old] : r.renames)
        if (old == there) here = fresh;
      bring(r, parent, there, here);
      set_lineage(parent, there, here);
      key.columns.push_back(here);
      key.parent_columns.push_back(there);
    }
    if (key.columns.empty()) fail(r, "this table holds one row and has no key to refer to");
    for (const auto& [fresh, old] : r.renames)
      if (!contains(key.parent_columns, old))
        fail(r, fmt::format("{} is not in the primary key of {}.{}", old, key.schema, key.table));
    out_.table.foreign_keys.push_back(std::move(key));
  }

  void add(const ParsedIndex& index) {
    for (const std::string& name : index.attributes)
      if (!column(name))
        throw error(fmt::format("index ({}): there is no attribute {}. declare it, or correct the index",
                                fmt::join(index.attributes, ", "), name));
    db::IndexDef def{index.attributes, index.unique, false};
    if (!contains(out_.table.indexes, def)) out_.table.indexes.push_back(std::move(def));
  }

  Declaration finish() && {
    db::TableDef& table = out_.table;
    const std::optional<Tier> tier = tier_of(table.name);
    if (tier == Tier::imported || tier == Tier::computed)
      for (const std::string& name : table.primary_key)
        if (!brought(name))
          throw error(
              fmt::format("attribute {}: what is computed takes its whole primary key from references. move "
                          "{} below the ---, or into a part",
                          name, name));
    if (table.primary_key.empty()) {
      table.columns.push_back(
          {"_singleton", "bool", {db::Default::Kind::literal, "1"}, false, ":bool:singleton primary key"});
      table.primary_key.push_back("_singleton");
    }
    for (const std::string& name : table.primary_key)
      if (!brought(name)) out_.lineage.emplace_back(name, fmt::format("{}.{}.{}", table.schema, table.name, name));
    table.indexes.insert(table.indexes.end(), object_paths_.begin(), object_paths_.end());
    return std::move(out_);
  }

 private:
  db::ColumnDef* column(std::string_view name) {
    const auto at = std::ranges::find(out_.table.columns, name, &db::ColumnDef::name);
    return at == out_.table.columns.end() ? nullptr : &*at;
  }
  bool brought(std::string_view name) const {
    return std::ranges::any_of(out_.lineage, [&](const auto& row) { return row.first == name; });
  }
  Error error(std::string_view what) const {
    const std::string target = fmt::format("{}.{}", out_.table.schema, out_.table.name);
    return Error(Errc::definition, fmt::format("declare {}: {}", target, what), target);
  }
  [[noreturn]] void fail(const ParsedReference& r, std::string_view why) const {
    throw error(fmt::format("reference -> {}: {}. refer to the primary key of an existing table", r.target, why));
  }

  /// The name was brought by a reference: dropped if it says the same, an error otherwise.
  void agree(const ParsedAttribute& a, const db::ColumnDef& there) const {
    if (column_type(there) != a.type)
      throw error(
          fmt::format("attribute {}: a reference above brings it with type {}, here it has {}. remove the line, "
                      "or rename one with .proj(new='{}')",
                      a.name, column_type(there), a.type, a.name));
  }

  CodecColumn of_codec(const ParsedAttribute& a) const {
    try {
      return context_.codec(a.codec, a.in_store);
    } catch (const Error& e) {
      throw e.within(fmt::format("declare {}.{}, attribute {}", out_.table.schema, out_.table.name, a.name));
    }
  }
  Parent resolve(const ParsedReference& r) const {
    try {
      return context_.parent(r.target);
    } catch (const Error& e) {
      throw e.within(fmt::format("declare {}.{}, reference -> {}", out_.table.schema, out_.table.name, r.target));
    }
  }

  void bring(const ParsedReference& r, const Parent& parent, const std::string& there, const std::string& here) {
    if (!column(here)) {
      const auto source = std::ranges::find(parent.table.columns, there, &db::ColumnDef::name);
      if (source == parent.table.columns.end()) fail(r, fmt::format("its key attribute {} has no column", there));
      out_.table.columns.push_back(
          {here, column_type(*source), {}, r.nullable, source->comment, origin(parent, *source)});
    }
    if (r.in_key && !contains(out_.table.primary_key, here)) out_.table.primary_key.push_back(here);
  }

  /// The schema of the table that declares the attribute, which its lineage names.
  static std::string origin(const Parent& parent, const db::ColumnDef& source) {
    if (!source.origin.empty()) return source.origin;
    const auto known = parent.lineage.find(source.name);
    if (known == parent.lineage.end()) return parent.table.schema;
    const std::size_t attribute = known->second.rfind('.');  // only names of schemas can hold one
    return known->second.substr(0, known->second.rfind('.', attribute - 1));
  }

  void set_lineage(const Parent& parent, const std::string& there, const std::string& here) {
    if (brought(here)) return;
    const auto known = parent.lineage.find(there);
    out_.lineage.emplace_back(here, known != parent.lineage.end()
                                        ? known->second
                                        : fmt::format("{}.{}.{}", parent.table.schema, parent.table.name, there));
  }

  const Context& context_;
  Declaration out_;
  std::vector<db::IndexDef> object_paths_;
};

}  // namespace

Declaration declare(const ParsedDefinition& definition, std::string_view schema, std::string_view name,
                    const Context& context) {
  Builder builder(schema, name, context);
  for (const auto& [is_reference, which] : definition.order)
    if (is_reference)
      builder.add(definition.references[which]);
    else
      builder.add(definition.attributes[which]);
  for (const ParsedIndex& index : definition.indexes) builder.add(index);
  Declaration out = std::move(builder).finish();
  out.table.comment = definition.comment;
  return out;
}

db::TableDef lineage_table(std::string_view schema) {
  db::TableDef table;
  table.schema = schema;
  table.name = "~lineage";
  table.columns = {{"table_name", "varchar(64)", {}, false, "table name within the schema"},
                   {"attribute_name", "varchar(64)", {}, false, "attribute name"},
                   {"lineage", "varchar(255)", {}, false, "origin: schema.table.attribute"}};
  table.primary_key = {"table_name", "attribute_name"};
  return table;
}

}  // namespace oas::schema
