#include "db/ddl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "db/cells.hpp"
#include "db/type_words.hpp"

namespace oas::db {

// Ordered, lower case.
constexpr std::array<std::string_view, 51> common_functions{
    "%",        "*",    "+",   "-",    "/",     "<",       "<=",     "<>",   "=",        ">",     ">=",
    "abs",      "and",  "as",  "asc",  "avg",   "between", "case",   "ceil", "coalesce", "count", "desc",
    "distinct", "else", "end", "exp",  "false", "floor",   "in",     "is",   "like",     "ln",    "lower",
    "ltrim",    "max",  "min", "mod",  "not",   "null",    "nullif", "or",   "replace",  "round", "rtrim",
    "sign",     "sqrt", "sum", "then", "trim",  "true",    "upper"};
static_assert(std::ranges::is_sorted(common_functions));

std::string quote_name(char mark, std::string_view identifier) {
  const std::string_view why = identifier.empty()                         ? "is empty"
                               : identifier.find('\0') != identifier.npos ? "holds a NUL byte"
                               : !valid_utf8(identifier)                  ? "is not UTF-8"
                                                                          : "";
  if (!why.empty()) throw Error(Errc::usage, fmt::format("quote a name: it {}. give another one", why));
  std::string out(1, mark);
  for (const char c : identifier) {
    out += c;
    if (c == mark) out += c;
  }
  return out + mark;
}

std::string quote_text(std::string_view text) {
  const bool nul = text.find('\0') != text.npos;
  if (nul || !valid_utf8(text)) {
    throw Error(Errc::definition,
                fmt::format("write a text into a statement: it {}", nul ? "holds a NUL byte" : "is not UTF-8"));
  }
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + '\'';
}

std::string join_quoted(const Dialect& dialect, std::span<const std::string> names, std::string_view separator) {
  std::string out;
  for (const std::string& name : names) out += std::string(out.empty() ? "" : separator) + dialect.quote(name);
  return out;
}

std::string placeholders(const Dialect& dialect, std::size_t count) {
  std::string out;
  for (std::size_t n = 1; n <= count; ++n) out += (n == 1 ? "" : ", ") + dialect.placeholder(n);
  return "(" + out + ")";
}

Value Dialect::to_cell(std::string_view core_type, const Value& value) const {
  return to_cell(cell_type(core_type), value);
}
Value Dialect::from_cell(std::string_view core_type, Value cell) const {
  return from_cell(cell_type(core_type), std::move(cell));
}

std::string Dialect::path_among(const TableDef&, std::string_view column, std::size_t count) const {
  return json_text(quote(column), "path") + " IN " + placeholders(*this, count);
}

void check_name(const Dialect& dialect, std::string_view name, std::string_view of) {
  dialect.quote(name);
  if (name.size() <= dialect.max_identifier()) return;
  throw Error(Errc::definition,
              fmt::format("name the {} {}: it is {} bytes long. {} takes {}", of, shown(name), name.size(),
                          dialect.name(), dialect.max_identifier()),
              shown(name));
}

void check_names(const Dialect& dialect, const TableDef& table) {
  check_name(dialect, table.schema, "schema");
  check_name(dialect, table.name, "table");
  for (const ColumnDef& column : table.columns) check_name(dialect, column.name, "column");
  if (!table.columns.empty() && !table.primary_key.empty()) return;
  throw Error(Errc::definition,
              fmt::format("create {}.{}: it has no {}", table.schema, table.name,
                          table.columns.empty() ? "columns" : "primary key"),
              table.schema + "." + table.name);
}

std::vector<std::string> column_lines(const Dialect& dialect, const TableDef& table) {
  std::vector<std::string> lines;
  for (const ColumnDef& c : table.columns) {
    const bool in_key = std::ranges::find(table.primary_key, c.name) != table.primary_key.end();
    try {
      lines.push_back(dialect.column(c, table.schema, in_key));
    } catch (const Error& e) {
      const std::string name = table.schema + "." + table.name;
      throw Error(Errc::definition, fmt::format("create {}: column {}: {}", name, c.name, e.what()), name);
    }
  }
  return lines;
}

std::string null_and_default(const ColumnDef& column, std::string_view literal) {
  const std::string_view begin = column.nullable ? "DEFAULT " : "NOT NULL DEFAULT ";
  switch (column.fallback.kind) {
    case Default::Kind::none: return column.nullable ? "" : "NOT NULL";
    case Default::Kind::null: return "DEFAULT NULL";
    case Default::Kind::now:
      return fmt::format("{}{}", begin,
                         column.fallback.literal.empty() ? "CURRENT_TIMESTAMP" : column.fallback.literal);
    case Default::Kind::literal: break;
  }
  return fmt::format("{}{}", begin, literal);
}

std::string create_table_text(const Dialect& dialect, const TableDef& table, std::vector<std::string> lines,
                              const std::vector<std::string>& more, std::string_view options, bool if_absent) {
  lines.push_back(fmt::format("PRIMARY KEY ({})", join_quoted(dialect, table.primary_key)));
  for (const ForeignKeyDef& key : table.foreign_keys) {
    lines.push_back(fmt::format("FOREIGN KEY ({}) REFERENCES {} ({}) ON UPDATE CASCADE ON DELETE RESTRICT",
                                join_quoted(dialect, key.columns), dialect.table(key.schema, key.table),
                                join_quoted(dialect, key.parent_columns)));
  }
  lines.insert(lines.end(), more.begin(), more.end());
  return fmt::format("CREATE TABLE {}{} (\n{}\n){}{}", if_absent ? "IF NOT EXISTS " : "",
                     dialect.table(table.schema, table.name), fmt::join(lines, ",\n"), options.empty() ? "" : " ",
                     options);
}

std::vector<Index> indexes_of(const TableDef& table, bool references_too) {
  std::vector<Index> out;
  std::vector<const ForeignKeyDef*> others;
  const auto unique_references = [&](std::size_t before, std::size_t count) {
    for (const ForeignKeyDef& key : table.foreign_keys)
      if (key.unique && key.indexes_before >= before && key.indexes_before - before < count)
        out.push_back({key.columns, true, false, true});
  };
  for (std::size_t i = 0; i < table.indexes.size(); ++i) {
    unique_references(i, 1);
    const IndexDef& index = table.indexes[i];
    if (!index.columns.empty()) out.push_back({index.columns, index.unique, index.object_path, false});
  }
  unique_references(table.indexes.size(), SIZE_MAX);
  if (!references_too) return out;

  for (const ForeignKeyDef& key : table.foreign_keys)
    if (!key.unique) others.push_back(&key);
  std::ranges::stable_sort(others, std::ranges::greater{}, [](const auto* key) { return key->columns.size(); });
  std::vector<std::vector<std::string>> serving{table.primary_key};
  for (const Index& index : out)
    if (!index.object_path) serving.push_back(index.columns);
  for (const ForeignKeyDef* key : others) {
    const bool served = std::ranges::any_of(serving, [&](const auto& columns) {
      return columns.size() >= key->columns.size() &&
             std::equal(key->columns.begin(), key->columns.end(), columns.begin());
    });
    if (served) continue;
    out.push_back({key->columns, false, false, true});
    serving.push_back(key->columns);
  }
  return out;
}

TableDef lineage_table(std::string_view schema) {
  TableDef table;
  table.schema = schema;
  table.name = "~lineage";
  table.columns = {{"table_name", "VARCHAR(64)", {}, false, "table name within the schema"},
                   {"attribute_name", "VARCHAR(64)", {}, false, "attribute name"},
                   {"lineage", "VARCHAR(255)", {}, false, "origin: schema.table.attribute"}};
  table.primary_key = {"table_name", "attribute_name"};
  return table;
}

void add_lineage(const Dialect& dialect, const TableDef& table, const Origins& origins, std::string_view update,
                 std::vector<std::string>& statements) {
  const std::string lineage = dialect.table(table.schema, "~lineage"), name = quote_text(table.name);
  statements.push_back(fmt::format("DELETE FROM {} WHERE table_name = {}", lineage, name));
  if (origins.empty()) return;
  std::string rows;
  for (const auto& [attribute, origin] : origins)
    rows += fmt::format("{}({}, {}, {})", rows.empty() ? "" : ", ", name, quote_text(attribute), quote_text(origin));
  statements.push_back(
      fmt::format("INSERT INTO {} (table_name, attribute_name, lineage) VALUES {} {}", lineage, rows, update));
}

void check_default(const Dialect& dialect, const ColumnDef& column) {
  const TypeWords type = type_words(column.type);
  const bool core = is_core_decimal(column.type) ||
                    one_of(type.word, {"int8", "int16", "int32", "int64", "float32", "float64", "bool", "uuid", "date",
                                       "datetime", "json", "char", "varchar", "enum"});
  if (column.fallback.kind != Default::Kind::literal || !core) return;
  try {
    dialect.to_cell(column.type, parse_default(parse_type(column.type), column.fallback.literal));
  } catch (const Error& e) {
    throw Error(Errc::definition, fmt::format("give it the default '{}': {}", column.fallback.literal, e.what()));
  }
}

std::string on_conflict(const Dialect& dialect, const TableDef& table, Dialect::OnDuplicate on) {
  if (on == Dialect::OnDuplicate::fail) return {};
  std::string changes;
  if (on == Dialect::OnDuplicate::replace) {  // `excluded` is the row as it would be inserted, with its defaults
    for (const ColumnDef& c : table.columns) {
      if (std::ranges::find(table.primary_key, c.name) != table.primary_key.end()) continue;
      changes += fmt::format("{0}{1} = excluded.{1}", changes.empty() ? "" : ", ", dialect.quote(c.name));
    }
  }
  return fmt::format(" ON CONFLICT ({}) DO {}{}", join_quoted(dialect, table.primary_key),
                     changes.empty() ? "NOTHING" : "UPDATE SET ", changes);
}

std::optional<std::string> spelling_of(std::string_view name, std::span<const std::array<std::string_view, 2>> own) {
  const auto found = std::ranges::find(own, name, [](const auto& entry) { return entry[0]; });
  if (found != own.end()) return std::string((*found)[1]);
  if (!std::ranges::binary_search(common_functions, name)) return std::nullopt;  // databases differ in it
  return std::string(name);
}

}  // namespace oas::db
