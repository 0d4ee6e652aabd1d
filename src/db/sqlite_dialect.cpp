#include "db/sqlite_dialect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "db/cells.hpp"
#include "db/ddl.hpp"
#include "db/marker.hpp"

namespace oas::db {
namespace {

using Kind = CellType::Kind;
using Json = nlohmann::ordered_json;

std::string storage_type(const CellType& type) {
  switch (type.kind) {
    // INT, not INTEGER: an INTEGER PRIMARY KEY would make up a number for a key that a row does not give.
    case Kind::boolean:
    case Kind::integer: return "INT";
    case Kind::real: return "REAL";
    case Kind::decimal: return "TEXT COLLATE oas_decimal";
    case Kind::bytes: return "BLOB";
    default: return "TEXT";
  }
}

std::string repeat(std::string_view part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

std::string fraction_pattern(int digits) { return digits == 0 ? "" : "." + repeat("[0-9]", digits); }

/// What must hold of a cell `c` (quoted); empty if the storage type says it all. It guards against other writers of
/// the file: to_cell has refused the rest before.
std::string check(const CellType& type, const std::string& c) {
  switch (type.kind) {
    case Kind::boolean: return c + " IN (0, 1)";
    case Kind::integer:
      if (type.low == std::numeric_limits<std::int64_t>::min()) return {};
      return fmt::format("{} BETWEEN {} AND {}", c, type.low, type.high);
    case Kind::real: return {};
    case Kind::decimal:
      return fmt::format(
          "{0} NOT GLOB '*[^-0-9.]*' AND {0} GLOB '*[0-9]{1}' AND "
          "length(replace(replace({0}, '-', ''), '.', '')) <= {2}",
          c, fraction_pattern(type.scale), std::max(type.precision, type.scale + 1));
    case Kind::text: return type.length == 0 ? "" : fmt::format("length({}) <= {}", c, type.length);
    case Kind::enumeration: {
      std::vector<std::string> labels;
      for (const std::string& label : type.labels) labels.push_back(quote_text(label));
      return fmt::format("{} IN ({})", c, fmt::join(labels, ", "));
    }
    case Kind::date: return fmt::format("date({0}, '+0 days') IS {0}", c);
    case Kind::time:
    case Kind::datetime: {
      const bool day = type.kind == Kind::datetime;
      return fmt::format("{0}(substr({1}, 1, {2}), '+0 days') IS substr({1}, 1, {2}) AND substr({1}, {3}) GLOB '{4}'",
                         day ? "datetime" : "time", c, day ? 19 : 8, day ? 20 : 9, fraction_pattern(type.fraction));
    }
    case Kind::uuid:
      return fmt::format("{} GLOB '{}-{}-{}-{}-{}'", c, repeat("[0-9a-f]", 8), repeat("[0-9a-f]", 4),
                         repeat("[0-9a-f]", 4), repeat("[0-9a-f]", 4), repeat("[0-9a-f]", 12));
    case Kind::json: return fmt::format("{0} IS NULL OR json_valid({0})", c);
    case Kind::bytes: return {};
  }
  return {};
}

/// The current time in the form that a column of the type keeps; SQLite knows milliseconds.
std::string now_expression(const CellType& type, const std::string& spelling) {
  if (type.kind == Kind::date) return "(date('now'))";
  if (type.kind != Kind::datetime && type.kind != Kind::time) {
    throw Error(Errc::definition,
                fmt::format("make the current time the default of a column: {} holds no time", spelling));
  }
  const std::string day = type.kind == Kind::datetime ? "%Y-%m-%d " : "";
  if (type.fraction == 0) return fmt::format("(strftime('{}%H:%M:%S', 'now'))", day);
  const std::string text = fmt::format("strftime('{}%H:%M:%f', 'now')", day);
  if (type.fraction == 3) return fmt::format("({})", text);
  if (type.fraction > 3) return fmt::format("({} || '{}')", text, repeat("0", type.fraction - 3));
  return fmt::format("(substr({}, 1, {}))", text, (day.empty() ? 9 : 20) + type.fraction);
}

/// Functions and operators that other databases spell in other ways. Those that begin with oas_ are defined by the
/// connection.
constexpr std::array<std::array<std::string_view, 2>, 19> functions{{{"!=", "<>"},
                                                                     {"ceiling", "ceil"},
                                                                     {"char_length", "length"},
                                                                     {"concat", "oas_concat"},
                                                                     {"day", "oas_day"},
                                                                     {"greatest", "max"},
                                                                     {"hour", "oas_hour"},
                                                                     {"ifnull", "ifnull"},
                                                                     {"least", "min"},
                                                                     {"length", "length"},
                                                                     {"minute", "oas_minute"},
                                                                     {"month", "oas_month"},
                                                                     {"octet_length", "oas_octet_length"},
                                                                     {"pow", "pow"},
                                                                     {"power", "pow"},
                                                                     {"second", "oas_second"},
                                                                     {"substring", "substr"},
                                                                     {"year", "oas_year"},
                                                                     {"||", "||"}}};

class SqliteDialect final : public Dialect {
 public:
  std::string_view name() const noexcept override { return "sqlite"; }
  std::size_t max_identifier() const noexcept override { return 64; }
  std::size_t max_parameters() const noexcept override { return 32'766; }

  std::string quote(std::string_view identifier) const override { return quote_name('"', identifier); }
  std::string placeholder(std::size_t n) const override { return fmt::format("?{}", n); }
  std::string table(std::string_view schema, std::string_view name) const override { return quote(flat(schema, name)); }
  std::string column_type(std::string_view core_type) const override { return storage_type(parse_type(core_type)); }

  std::string column(const ColumnDef& c, std::string_view, bool) const override {
    check_name(*this, c.name, "column");
    const CellType type = parse_type(c.type);
    std::string sql = quote(c.name) + " " + storage_type(type);
    if (!c.nullable) sql += " NOT NULL";
    if (c.fallback.kind != Default::Kind::none) sql += " DEFAULT " + default_expression(c);
    const std::string condition = check(type, quote(c.name));
    // The name of the constraint is what SQLite says when it is broken.
    const std::string rule = quote(fmt::format("{} is no {}", c.name, c.type));
    if (!condition.empty()) sql += fmt::format(" CONSTRAINT {} CHECK ({})", rule, condition);
    return sql;
  }

  bool can_refer(const ColumnDef& column, const ColumnDef& parent) const override {
    return parse_type(column.type).kind == parse_type(parent.type).kind;
  }

  std::vector<std::string> create_schema(std::string_view schema) const override {
    check_name(*this, schema, "schema");
    return {R"(CREATE TABLE IF NOT EXISTS "~oas_schemas" (name TEXT NOT NULL PRIMARY KEY) STRICT)",
            R"(CREATE TABLE IF NOT EXISTS "~oas_tables" (number INTEGER PRIMARY KEY, schema TEXT NOT NULL REFERENCES )"
            R"("~oas_schemas" (name), name TEXT NOT NULL, comment TEXT NOT NULL, keys TEXT NOT NULL CHECK )"
            R"((json_valid(keys)), UNIQUE (schema, name)) STRICT)",
            R"(CREATE TABLE IF NOT EXISTS "~oas_columns" (schema TEXT NOT NULL, table_name TEXT NOT NULL, )"
            R"(position INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, comment TEXT NOT NULL, )"
            R"(default_kind TEXT NOT NULL CHECK (default_kind IN ('none', 'null', 'now', 'literal')), )"
            R"(default_text TEXT NOT NULL, nullable INTEGER NOT NULL CHECK (nullable IN (0, 1)), )"
            R"(PRIMARY KEY (schema, table_name, position), FOREIGN KEY (schema, table_name) REFERENCES "~oas_tables" )"
            R"((schema, name) ON DELETE CASCADE) STRICT, WITHOUT ROWID)",
            fmt::format(R"(INSERT INTO "~oas_schemas" (name) VALUES ({}) ON CONFLICT DO NOTHING)", quote_text(schema))};
  }

  std::vector<std::string> create_table(const TableDef& def) const override {
    check_names(*this, def);
    const std::string full = table(def.schema, def.name);
    std::vector<std::string> parts = column_lines(*this, def);
    std::size_t position = 0;
    std::string catalogue;
    static constexpr std::array kinds{"none", "null", "now", "literal"};
    for (const ColumnDef& c : def.columns) {
      catalogue += fmt::format(
          "{}({}, {}, {}, {}, {}, {}, '{}', {}, {:d})", catalogue.empty() ? "" : ", ", quote_text(def.schema),
          quote_text(def.name), ++position, quote_text(c.name), quote_text(c.type), quote_text(comment_of(c)),
          kinds[static_cast<std::size_t>(c.fallback.kind)], quote_text(c.fallback.literal), c.nullable);
    }
    parts.push_back(fmt::format("PRIMARY KEY ({})", join_quoted(*this, def.primary_key)));
    for (const ForeignKeyDef& key : def.foreign_keys) {
      parts.push_back(fmt::format("FOREIGN KEY ({}) REFERENCES {} ({}) ON UPDATE CASCADE ON DELETE RESTRICT",
                                  join_quoted(*this, key.columns), table(key.schema, key.table),
                                  join_quoted(*this, key.parent_columns)));
    }
    std::vector<std::string> statements{
        fmt::format(R"(INSERT INTO "~oas_tables" (schema, name, comment, keys) VALUES ({}, {}, {}, {}))",
                    quote_text(def.schema), quote_text(def.name), quote_text(def.comment),
                    quote_text(sqlite_table_json(def))),
        fmt::format(R"(INSERT INTO "~oas_columns" VALUES {})", catalogue),
        fmt::format("CREATE TABLE {} ({}) STRICT", full, fmt::join(parts, ", "))};
    add_indexes(def, statements);
    return statements;
  }

  std::vector<std::string> portable_table(const TableDef& def, const Origins& origins) const override {
    TableDef plain = def;
    std::erase_if(plain.indexes, [](const IndexDef& index) { return index.object_path; });
    // Nothing need be there but the tables that it refers to: no other program makes the catalogue.
    std::vector<std::string> statements = create_schema(def.schema);
    for (std::string& sql : create_table(plain)) statements.push_back(std::move(sql));
    if (origins.empty()) return statements;
    for (const std::string& sql : create_table(lineage_table(def.schema)))
      statements.push_back(sql.starts_with("CREATE TABLE") ? "CREATE TABLE IF NOT EXISTS" + sql.substr(12)
                                                           : sql + " ON CONFLICT DO NOTHING");
    add_lineage(*this, def, origins,
                "ON CONFLICT (table_name, attribute_name) DO UPDATE SET lineage = EXCLUDED.lineage", statements);
    return statements;
  }

  std::vector<std::string> drop_table(const TableDef& def) const override {
    return {fmt::format("DROP TABLE {}", table(def.schema, def.name)),
            fmt::format(R"(DELETE FROM "~oas_tables" WHERE schema = {} AND name = {})", quote_text(def.schema),
                        quote_text(def.name))};
  }

  std::string insert(const TableDef& def, std::span<const std::string> columns, OnDuplicate on) const override {
    std::string names = join_quoted(*this, columns), values = placeholders(*this, columns.size());
    if (columns.empty()) {  // DEFAULT VALUES knows no ON CONFLICT
      const ColumnDef& first = def.columns.front();
      names = quote(first.name);
      values = "(" + default_expression(first) + ")";
    }
    const std::string sql = fmt::format("INSERT INTO {} ({}) VALUES {}", table(def.schema, def.name), names, values);
    return sql + on_conflict(*this, def, on);
  }

  std::string_view for_update() const noexcept override { return ""; }
  std::string lock_tables(std::string_view, std::span<const std::string>, std::span<const std::string>) const override {
    return "";
  }
  std::vector<std::string> grants(std::string_view, std::span<const std::string>, Role,
                                  std::string_view) const override {
    return {};
  }
  std::string json_text(std::string_view quoted_column, std::string_view member) const override {
    // One form only: an index on the expression is found by its text.
    const bool plain = !member.empty() && std::ranges::all_of(member, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (!plain && (member.empty() || member.find_first_of("\"\\") != member.npos)) {
      throw Error(Errc::usage, "name a member of a JSON object: it is empty, or holds a quotation mark or a backslash");
    }
    const std::string path = plain ? fmt::format("$.{}", member) : fmt::format("$.\"{}\"", member);
    return fmt::format("json_extract({}, {})", quoted_column, quote_text(path));
  }

  std::optional<std::string> function(std::string_view name) const override { return spelling_of(name, functions); }

  using Dialect::from_cell;
  using Dialect::to_cell;
  CellType cell_type(std::string_view core_type) const override { return parse_type(core_type); }
  Value to_cell(const CellType& type, const Value& value) const override {
    const double* number = value.get_if<double>();
    if (number && std::isnan(*number)) {
      throw Error(Errc::usage,
                  fmt::format("store NaN as {}: SQLite has no NaN. make the attribute nullable, or keep it "
                              "in a blob",
                              type.spelling));
    }
    return to_portable_cell(type, value);
  }
  Value from_cell(const CellType& type, Value cell) const override { return from_portable_cell(type, std::move(cell)); }

 private:
  /// The type is in its own place; a column that a reference brings has only the words.
  static std::string_view comment_of(const ColumnDef& c) {
    return c.origin.empty() ? std::string_view(c.comment) : read_marker(c.comment).text;
  }
  static std::string flat(std::string_view schema, std::string_view name) {
    if (schema.empty() || name.empty() || schema.find('.') != schema.npos || schema.front() == '~') {
      throw Error(Errc::usage, fmt::format("name the table {}.{}: a schema's name may not be empty, begin with '~' or "
                                           "hold a '.', a table's may not be empty",
                                           schema, name));
    }
    return fmt::format("{}.{}", schema, name);
  }
  std::string default_expression(const ColumnDef& c) const {
    const CellType type = parse_type(c.type);
    switch (c.fallback.kind) {
      case Default::Kind::none:
      case Default::Kind::null: return "NULL";
      case Default::Kind::now: return now_expression(type, c.type);
      case Default::Kind::literal: break;
    }
    const Value cell = to_cell(c.type, parse_default(type, c.fallback.literal));
    if (const auto* number = cell.get_if<std::int64_t>()) return fmt::format("{}", *number);
    if (const auto* number = cell.get_if<double>())
      return std::isinf(*number) ? (*number > 0 ? "9e999" : "-9e999") : fmt::format("{:.17g}", *number);
    return quote_text(cell.as<std::string>());
  }

  void add_indexes(const TableDef& def, std::vector<std::string>& statements) const {
    int number = 0;
    for (const Index& index : indexes_of(def, true)) {
      std::string items;
      for (const std::string& c : index.columns)
        items += (items.empty() ? "" : ", ") + (index.object_path ? json_text(quote(c), "path") : quote(c));
      statements.push_back(fmt::format("CREATE {}INDEX {} ON {} ({})", index.unique ? "UNIQUE " : "",
                                       quote(fmt::format("{} index {}", flat(def.schema, def.name), ++number)),
                                       table(def.schema, def.name), items));
    }
  }
};

}  // namespace

const Dialect& sqlite_dialect() {
  static const SqliteDialect dialect;
  return dialect;
}

std::string sqlite_table_json(const TableDef& table) {
  Json references = Json::array(), indexes = Json::array();
  for (const ForeignKeyDef& key : table.foreign_keys) {
    references.push_back({{"columns", key.columns},
                          {"schema", key.schema},
                          {"table", key.table},
                          {"parent_columns", key.parent_columns},
                          {"unique", key.unique}});
  }
  for (const IndexDef& index : table.indexes) {
    indexes.push_back({{"columns", index.columns}, {"unique", index.unique}, {"object_path", index.object_path}});
  }
  return Json{{"primary_key", table.primary_key}, {"references", references}, {"indexes", indexes}}.dump();
}

void read_sqlite_table_json(std::string_view json, TableDef& table) {
  try {
    const Json keys = Json::parse(json);
    keys.at("primary_key").get_to(table.primary_key);
    for (const Json& key : keys.at("references")) {
      table.foreign_keys.push_back({key.at("columns"), key.at("schema"), key.at("table"), key.at("parent_columns"),
                                    key.at("unique").get<bool>()});
    }
    for (const Json& index : keys.at("indexes")) {
      table.indexes.push_back(
          {index.at("columns"), index.at("unique").get<bool>(), index.at("object_path").get<bool>()});
    }
  } catch (const nlohmann::json::exception&) {
    const std::string name = table.schema + "." + table.name;
    throw Error(Errc::decode, fmt::format("read the keys of {}: \"~oas_tables\" holds something else", name), name);
  }
}

}  // namespace oas::db
