// A definition becomes a table in the order of its lines:
// 1. an attribute becomes a column, unless a reference has brought its name already;
// 2. a reference brings the columns of its parent's key that are not there yet, under their new names, and a foreign
//    key over all of them;
// 3. without anything in the key the table holds one row: a hidden column of one value is its key;
// 4. then the hidden columns that settings ask for, and one index more for each column that leads to objects.
#include "schema/declare.hpp"

#include <algorithm>
#include <unordered_map>

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
  Builder(const ParsedDefinition& definition, std::string_view schema, std::string_view name, const Context& context)
      : definition_(definition), context_(context) {
    out_.table.schema = schema;
    out_.table.name = name;
    out_.table.comment = definition.comment;
    out_.notes = definition.notes;
  }

  void add(const ParsedAttribute& a) {
    at_ = a.at;
    if (column(a.name)) {
      out_.notes.push_back(
          fmt::format("{}: a reference above brings {}, so this line does nothing", place(a.at), a.name));
      return;
    }
    db::ColumnDef made{a.name, a.type, a.fallback, a.nullable, a.comment};
    if (a.kind == detail::TypeKind::codec) {
      const CodecColumn codec = of_codec(a);
      made.type = codec.type;
      if (codec.object_path) object_paths_.push_back({{a.name}, false, true});
    }
    if (is_marked(a.kind)) made.comment = fmt::format(":{}:{}", a.type, a.comment);
    if (a.in_key) out_.table.primary_key.push_back(a.name);
    push(std::move(made), a.in_key);
  }

  void add(const ParsedReference& r) {
    at_ = r.at;
    const Parent parent = resolve(r);
    db::ForeignKeyDef key{{}, parent.table.schema, parent.table.name, {}, r.unique, out_.table.indexes.size()};
    for (const auto& [fresh, old] : r.names) {
      if (!contains_column(parent.table, old))
        fail(r, fmt::format("{}.{} has no attribute {} to project", key.schema, key.table, old));
    }
    for (const std::string& there : parent.table.primary_key) {
      if (there.starts_with('_')) continue;
      std::string here = there;
      for (const auto& [fresh, old] : r.names) {
        if (old != there) continue;
        if (here != there) fail(r, fmt::format("{} is projected twice", there));
        here = fresh;
      }
      if (contains(key.columns, here)) fail(r, fmt::format("two attributes would be {}", here));
      bring(r, parent, there, here);
      set_lineage(parent, there, here);
      key.columns.push_back(here);
      key.parent_columns.push_back(there);
    }
    if (key.columns.empty()) fail(r, "this table holds one row and has no key to refer to");
    out_.table.foreign_keys.push_back(std::move(key));
  }

  void add(const ParsedIndex& index) { out_.table.indexes.push_back({index.attributes, index.unique, false}); }

  Declaration finish() && {
    db::TableDef& table = out_.table;
    for (const ParsedIndex& index : definition_.indexes) check(index);
    const std::optional<Tier> tier = tier_of(table.name);
    const bool made = tier == Tier::imported || tier == Tier::computed;
    for (const std::string& name : table.primary_key) {
      if (made && !brought(name))
        out_.notes.push_back(
            fmt::format("{}: the key of what is computed comes from references as a rule: only then "
                        "can it be told what is still to be done",
                        name));
    }
    const auto hidden = [&](std::string name, std::string type, db::Default fallback, std::string_view comment) {
      const bool nullable = fallback.kind == db::Default::Kind::null;
      std::string marked = fmt::format(":{}:{}", type, comment);
      push({std::move(name), std::move(type), std::move(fallback), nullable, std::move(marked)}, false);
    };
    const db::Default null{db::Default::Kind::null, {}};
    if (table.primary_key.empty()) {
      hidden("_singleton", "bool", {db::Default::Kind::literal, "1"}, "singleton primary key");
      table.primary_key.push_back("_singleton");
    }
    if (made && context_.job_metadata) {
      hidden("_job_start_time", "datetime(3)", null, "when computation began");
      hidden("_job_duration", "float32", null, "computation duration in seconds");
      hidden("_job_version", "varchar(64)", {db::Default::Kind::literal, ""}, "code version");
    }
    if (tier == Tier::manual && context_.provenance)
      hidden("_prov", "json", null, "extrinsic provenance for a row that entered from outside");
    for (const std::string& name : table.primary_key)
      if (!brought(name)) out_.lineage.emplace_back(name, fmt::format("{}.{}.{}", table.schema, table.name, name));
    table.indexes.insert(table.indexes.end(), object_paths_.begin(), object_paths_.end());
    return std::move(out_);
  }

 private:
  static bool contains_column(const db::TableDef& table, std::string_view name) {
    return std::ranges::find(table.columns, name, &db::ColumnDef::name) != table.columns.end();
  }
  bool column(const std::string& name) const { return columns_.contains(name); }
  bool brought(std::string_view name) const {
    return std::ranges::any_of(out_.lineage, [&](const auto& row) { return row.first == name; });
  }
  std::string target() const { return fmt::format("{}.{}", out_.table.schema, out_.table.name); }
  Error error(std::string_view what) const {
    return Error(Errc::definition, fmt::format("declare {}, {}: {}", target(), place(at_), what), target());
  }
  [[noreturn]] void fail(const ParsedReference& r, std::string_view why) const {
    throw error(fmt::format("reference -> {}: {}. refer to the primary key of an existing table", r.target, why));
  }
  void check(const ParsedIndex& index) {
    at_ = index.at;
    for (auto name = index.attributes.begin(); name != index.attributes.end(); ++name) {
      const bool twice = std::find(index.attributes.begin(), name, *name) != name;
      if (twice || !column(*name))
        throw error(fmt::format("index ({}): {} {}. declare it, or correct the index",
                                fmt::join(index.attributes, ", "), twice ? "it names twice" : "there is no attribute",
                                *name));
    }
  }

  void push(db::ColumnDef made, bool in_key) {
    if (context_.dialect) {
      try {
        context_.dialect->column(made, out_.table.schema, in_key);
      } catch (const Error& e) {
        throw error(fmt::format("attribute {}: {}", made.name, e.what()));
      }
    }
    columns_.emplace(made.name, out_.table.columns.size());
    out_.table.columns.push_back(std::move(made));
  }

  CodecColumn of_codec(const ParsedAttribute& a) const {
    try {
      return context_.codec(a.codec, a.in_store);
    } catch (const Error& e) {
      throw e.within(fmt::format("declare {}, {}, attribute {}", target(), place(at_), a.name));
    }
  }
  Parent resolve(const ParsedReference& r) const {
    try {
      return context_.parent(r.target);
    } catch (const Error& e) {
      throw e.within(fmt::format("declare {}, {}, reference -> {}", target(), place(at_), r.target));
    }
  }

  void bring(const ParsedReference& r, const Parent& parent, const std::string& there, const std::string& here) {
    const auto found = std::ranges::find(parent.table.columns, there, &db::ColumnDef::name);
    if (found == parent.table.columns.end()) fail(r, fmt::format("its key attribute {} has no column", there));
    db::ColumnDef source{here, column_type(*found), {}, r.nullable, found->comment, origin(parent, *found)};
    const auto existing = columns_.find(here);
    if (existing == columns_.end())
      push(std::move(source), r.in_key);
    else if (context_.dialect) {
      db::ColumnDef child = out_.table.columns[existing->second];
      if (child.origin.empty()) child.origin = out_.table.schema;
      if (!context_.dialect->can_refer(child, source))
        throw error(
            fmt::format("reference -> {}: {} is {} above, and there {} is {}. give it the same type, or another "
                        "name with .proj(new='{}')",
                        r.target, here, child.type, there, source.type, there));
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

  /// If two references bring an attribute, it comes from the one that says so last.
  void set_lineage(const Parent& parent, const std::string& there, const std::string& here) {
    const auto known = parent.lineage.find(there);
    std::string from = known != parent.lineage.end()
                           ? known->second
                           : fmt::format("{}.{}.{}", parent.table.schema, parent.table.name, there);
    const auto row = std::ranges::find(out_.lineage, here, [](const auto& r) { return r.first; });
    if (row == out_.lineage.end())
      out_.lineage.emplace_back(here, std::move(from));
    else
      row->second = std::move(from);
  }

  const ParsedDefinition& definition_;
  const Context& context_;
  Declaration out_;
  std::unordered_map<std::string, std::size_t> columns_;  // where in out_.table
  detail::Position at_;                                   // of the line that is looked at
  std::vector<db::IndexDef> object_paths_;
};

}  // namespace

Declaration declare(const ParsedDefinition& definition, std::string_view schema, std::string_view name,
                    const Context& context) {
  Builder builder(definition, schema, name, context);
  for (const auto& [line, which] : definition.order) {
    switch (line) {
      case ParsedDefinition::Line::attribute: builder.add(definition.attributes[which]); break;
      case ParsedDefinition::Line::reference: builder.add(definition.references[which]); break;
      case ParsedDefinition::Line::index: builder.add(definition.indexes[which]); break;
    }
  }
  return std::move(builder).finish();
}

}  // namespace oas::schema
