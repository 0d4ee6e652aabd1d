#include "db/sqlite_dialect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "db/cells.hpp"

namespace oas::db {
namespace {

using Kind = CellType::Kind;
using Json = nlohmann::ordered_json;

std::string quote_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\0') throw Error(Errc::definition, "write a text into a statement: it holds a NUL byte");
    out += c;
    if (c == '\'') out += c;
  }
  return out + '\'';
}

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

std::string join_quoted(const Dialect& dialect, std::span<const std::string> names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + dialect.quote(name);
  return out;
}

/// Function and operator names of conditions and how they are spelt here, ordered. Those not of SQLite itself are
/// defined by the connection.
constexpr std::array<std::array<std::string_view, 2>, 72> functions{{{"!=", "<>"},
                                                                     {"%", "%"},
                                                                     {"*", "*"},
                                                                     {"+", "+"},
                                                                     {"-", "-"},
                                                                     {"/", "/"},
                                                                     {"<", "<"},
                                                                     {"<=", "<="},
                                                                     {"<>", "<>"},
                                                                     {"=", "="},
                                                                     {">", ">"},
                                                                     {">=", ">="},
                                                                     {"abs", "abs"},
                                                                     {"and", "AND"},
                                                                     {"as", "AS"},
                                                                     {"asc", "ASC"},
                                                                     {"avg", "avg"},
                                                                     {"between", "BETWEEN"},
                                                                     {"case", "CASE"},
                                                                     {"ceil", "ceil"},
                                                                     {"ceiling", "ceil"},
                                                                     {"char_length", "length"},
                                                                     {"coalesce", "coalesce"},
                                                                     {"concat", "oas_concat"},
                                                                     {"count", "count"},
                                                                     {"day", "oas_day"},
                                                                     {"desc", "DESC"},
                                                                     {"distinct", "DISTINCT"},
                                                                     {"else", "ELSE"},
                                                                     {"end", "END"},
                                                                     {"exp", "exp"},
                                                                     {"false", "FALSE"},
                                                                     {"floor", "floor"},
                                                                     {"greatest", "max"},
                                                                     {"hour", "oas_hour"},
                                                                     {"ifnull", "ifnull"},
                                                                     {"in", "IN"},
                                                                     {"is", "IS"},
                                                                     {"least", "min"},
                                                                     {"length", "length"},
                                                                     {"like", "LIKE"},
                                                                     {"ln", "ln"},
                                                                     {"lower", "lower"},
                                                                     {"ltrim", "ltrim"},
                                                                     {"max", "max"},
                                                                     {"min", "min"},
                                                                     {"minute", "oas_minute"},
                                                                     {"mod", "mod"},
                                                                     {"month", "oas_month"},
                                                                     {"not", "NOT"},
                                                                     {"null", "NULL"},
                                                                     {"nullif", "nullif"},
                                                                     {"octet_length", "oas_octet_length"},
                                                                     {"or", "OR"},
                                                                     {"pow", "pow"},
                                                                     {"power", "pow"},
                                                                     {"replace", "replace"},
                                                                     {"round", "round"},
                                                                     {"rtrim", "rtrim"},
                                                                     {"second", "oas_second"},
                                                                     {"sign", "sign"},
                                                                     {"sqrt", "sqrt"},
                                                                     {"substr", "substr"},
                                                                     {"substring", "substr"},
                                                                     {"sum", "sum"},
                                                                     {"then", "THEN"},
                                                                     {"trim", "trim"},
                                                                     {"true", "TRUE"},
                                                                     {"upper", "upper"},
                                                                     {"when", "WHEN"},
                                                                     {"year", "oas_year"},
                                                                     {"||", "||"}}};
static_assert(std::ranges::is_sorted(functions));

class SqliteDialect final : public Dialect {
 public:
  std::string_view name() const noexcept override { return "sqlite"; }
  std::size_t max_identifier() const noexcept override { return 64; }
  std::size_t max_parameters() const noexcept override { return 32'766; }

  std::string quote(std::string_view identifier) const override {
    if (identifier.empty() || identifier.find('\0') != identifier.npos) {
      throw Error(Errc::usage, fmt::format("quote a name: it {}. give another one",
                                           identifier.empty() ? "is empty" : "holds a NUL byte"));
    }
    std::string out = "\"";
    for (const char c : identifier) {
      out += c;
      if (c == '"') out += c;
    }
    return out + '"';
  }
  std::string placeholder(std::size_t n) const override { return fmt::format("?{}", n); }
  std::string table(std::string_view schema, std::string_view name) const override { return quote(flat(schema, name)); }
  std::string column_type(std::string_view core_type) const override { return storage_type(parse_type(core_type)); }

  std::vector<std::string> create_schema(std::string_view schema) const override {
    require_name(schema, "schema");
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
    require_name(def.name, "table");
    if (def.columns.empty() || def.primary_key.empty()) {
      throw Error(Errc::definition,
                  fmt::format("create {}.{}: it has no {}", def.schema, def.name,
                              def.columns.empty() ? "columns" : "primary key"),
                  def.schema + "." + def.name);
    }
    const std::string full = table(def.schema, def.name);
    std::vector<std::string> parts;
    std::string catalogue;
    static constexpr std::array kinds{"none", "null", "now", "literal"};
    for (const ColumnDef& c : def.columns) {
      parts.push_back(column(def, c));
      catalogue += fmt::format(
          "{}({}, {}, {}, {}, {}, {}, '{}', {}, {:d})", catalogue.empty() ? "" : ", ", quote_text(def.schema),
          quote_text(def.name), parts.size(), quote_text(c.name), quote_text(c.type), quote_text(c.comment),
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

  std::vector<std::string> drop_table(const TableDef& def) const override {
    return {fmt::format("DROP TABLE {}", table(def.schema, def.name)),
            fmt::format(R"(DELETE FROM "~oas_tables" WHERE schema = {} AND name = {})", quote_text(def.schema),
                        quote_text(def.name))};
  }

  std::string insert(const TableDef& def, std::span<const std::string> columns, OnDuplicate on) const override {
    std::string names = join_quoted(*this, columns), values;
    for (std::size_t n = 1; n <= columns.size(); ++n) values += (n == 1 ? "" : ", ") + placeholder(n);
    if (columns.empty()) {  // DEFAULT VALUES knows no ON CONFLICT
      const ColumnDef& first = def.columns.front();
      names = quote(first.name);
      values = default_expression(first);
    }
    std::string sql = fmt::format("INSERT INTO {} ({}) VALUES ({})", table(def.schema, def.name), names, values);
    if (on == OnDuplicate::fail) return sql;
    sql += fmt::format(" ON CONFLICT ({}) DO ", join_quoted(*this, def.primary_key));
    std::string changes;
    if (on == OnDuplicate::replace) {  // `excluded` is the row as it would be inserted, with its defaults
      for (const ColumnDef& c : def.columns) {
        if (std::ranges::find(def.primary_key, c.name) != def.primary_key.end()) continue;
        changes += fmt::format("{0}{1} = excluded.{1}", changes.empty() ? "" : ", ", quote(c.name));
      }
    }
    return sql + (changes.empty() ? "NOTHING" : "UPDATE SET " + changes);
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

  std::optional<std::string> function(std::string_view name) const override {
    const auto found = std::ranges::lower_bound(functions, name, {}, [](const auto& entry) { return entry[0]; });
    if (found == functions.end() || (*found)[0] != name) return std::nullopt;
    return std::string((*found)[1]);
  }

  Value to_cell(std::string_view core_type, const Value& value) const override {
    const double* number = value.get_if<double>();
    if (number && std::isnan(*number)) {
      throw Error(Errc::usage,
                  fmt::format("store NaN as {}: SQLite has no NaN. make the attribute nullable, or keep it "
                              "in a blob",
                              core_type));
    }
    return to_portable_cell(parse_type(core_type), core_type, value);
  }
  Value from_cell(std::string_view core_type, Value cell) const override {
    return from_portable_cell(parse_type(core_type), core_type, std::move(cell));
  }

 private:
  static std::string flat(std::string_view schema, std::string_view name) {
    if (schema.empty() || name.empty() || schema.find('.') != schema.npos || schema.front() == '~') {
      throw Error(Errc::usage, fmt::format("name the table {}.{}: a schema's name may not be empty, begin with '~' or "
                                           "hold a '.', a table's may not be empty",
                                           schema, name));
    }
    return fmt::format("{}.{}", schema, name);
  }
  void require_name(std::string_view name, std::string_view of) const {
    quote(name);
    if (name.size() <= max_identifier()) return;
    throw Error(
        Errc::definition,
        fmt::format("name the {} {}: it is {} bytes long. {} are allowed", of, name, name.size(), max_identifier()),
        std::string(name));
  }

  std::string default_expression(const ColumnDef& c) const {
    const CellType type = parse_type(c.type);
    switch (c.fallback.kind) {
      case Default::Kind::none:
      case Default::Kind::null: return "NULL";
      case Default::Kind::now: return now_expression(type, c.type);
      case Default::Kind::literal: break;
    }
    const Value cell = to_portable_cell(type, c.type, parse_default(type, c.type, c.fallback.literal));
    if (const auto* number = cell.get_if<std::int64_t>()) return fmt::format("{}", *number);
    if (const auto* number = cell.get_if<double>())
      return std::isinf(*number) ? (*number > 0 ? "9e999" : "-9e999") : fmt::format("{:.17g}", *number);
    return quote_text(cell.as<std::string>());
  }

  std::string column(const TableDef& def, const ColumnDef& c) const {
    try {
      require_name(c.name, "column");
      const CellType type = parse_type(c.type);
      std::string sql = quote(c.name) + " " + storage_type(type);
      if (!c.nullable) sql += " NOT NULL";
      if (c.fallback.kind != Default::Kind::none) sql += " DEFAULT " + default_expression(c);
      const std::string condition = check(type, quote(c.name));
      // The name of the constraint is what SQLite says when it is broken.
      const std::string rule = quote(fmt::format("{} is no {}", c.name, c.type));
      if (!condition.empty()) sql += fmt::format(" CONSTRAINT {} CHECK ({})", rule, condition);
      return sql;
    } catch (const Error& e) {
      throw Error(Errc::definition, fmt::format("create {}.{}: column {}: {}", def.schema, def.name, c.name, e.what()),
                  def.schema + "." + def.name);
    }
  }

  /// The declared ones; then one for each reference that is unique, or that no key or index serves yet.
  void add_indexes(const TableDef& def, std::vector<std::string>& statements) const {
    std::vector<std::vector<std::string>> serving{def.primary_key};
    int number = 0;
    const auto add = [&](bool unique, const std::string& what) {
      statements.push_back(fmt::format("CREATE {}INDEX {} ON {} ({})", unique ? "UNIQUE " : "",
                                       quote(fmt::format("{} index {}", flat(def.schema, def.name), ++number)),
                                       table(def.schema, def.name), what));
    };
    for (const IndexDef& index : def.indexes) {
      if (index.columns.empty()) continue;
      if (!index.object_path) {
        serving.push_back(index.columns);
        add(index.unique, join_quoted(*this, index.columns));
        continue;
      }
      std::string members;
      for (const std::string& c : index.columns) members += (members.empty() ? "" : ", ") + json_text(quote(c), "path");
      add(index.unique, members);
    }
    for (const ForeignKeyDef& key : def.foreign_keys) {
      const bool served = std::ranges::any_of(serving, [&](const auto& columns) {
        return columns.size() >= key.columns.size() &&
               std::equal(key.columns.begin(), key.columns.end(), columns.begin());
      });
      if (!key.unique && served) continue;
      add(key.unique, join_quoted(*this, key.columns));
      serving.push_back(key.columns);
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
