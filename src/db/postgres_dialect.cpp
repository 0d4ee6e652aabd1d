#include "db/postgres_dialect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/hash.hpp"
#include "db/cells.hpp"
#include "db/ddl.hpp"
#include "db/marker.hpp"
#include "db/type_words.hpp"

namespace oas::db {
namespace {

struct Spelling {
  std::string_view word, here, read_back;
};
// Core types and what a column of one is called when it is read back.
constexpr std::array<Spelling, 11> core_types{{{"int8", "smallint", "smallint"},
                                               {"int16", "smallint", "smallint"},
                                               {"int32", "integer", "integer"},
                                               {"int64", "bigint", "bigint"},
                                               {"float32", "real", "real"},
                                               {"float64", "double precision", "double precision"},
                                               {"bool", "boolean", "boolean"},
                                               {"uuid", "uuid", "uuid"},
                                               {"date", "date", "date"},
                                               {"bytes", "bytea", "bytea"},
                                               {"json", "jsonb", "jsonb"}}};
// Words of the database itself that a definition may use.
constexpr std::array<Spelling, 13> native_types{{{"smallint", "", "smallint"},
                                                 {"int", "", "integer"},
                                                 {"integer", "", "integer"},
                                                 {"bigint", "", "bigint"},
                                                 {"serial", "", "integer"},
                                                 {"decimal", "", "numeric"},
                                                 {"numeric", "", "numeric"},
                                                 {"dec", "", "numeric"},
                                                 {"real", "", "real"},
                                                 {"float", "", "double precision"},
                                                 {"time", "", "time without time zone"},
                                                 {"timestamp", "", "timestamp without time zone"},
                                                 {"text", "", "text"}}};

template <std::size_t N>
const Spelling* find(const std::array<Spelling, N>& types, std::string_view word) {
  const auto at = std::ranges::find(types, word, &Spelling::word);
  return at == types.end() ? nullptr : &*at;
}

[[noreturn]] void no_such_type(std::string_view type) {
  throw Error(
      Errc::definition,
      fmt::format("use the type {}: PostgreSQL has none of this name. use a core type, which every database has",
                  type));
}

/// A native type with the parameters that PostgreSQL takes.
bool is_native(const TypeWords& type) {
  if (!find(native_types, type.word) || !type.rest.empty()) return false;
  if (type.arguments.empty()) return !type.parenthesis;
  if (one_of(type.word, {"decimal", "numeric", "dec"})) return type.arguments.size() <= 2;
  return type.arguments.size() == 1 && one_of(type.word, {"float", "time", "timestamp"});
}

std::string column_type_of(std::string_view text) {
  const TypeWords type = type_words(text);
  const Spelling* core = find(core_types, type.word);
  // The numbers of a core type are ours to check; what the database makes of its own types is its business.
  if (core || one_of(type.word, {"datetime", "char", "varchar"}) || is_core_decimal(text)) parse_type(text);
  if (core) return std::string(core->here);
  if (type.word == "datetime")
    return type.arguments.empty() ? "timestamp" : fmt::format("timestamp({})", type.arguments[0]);
  if (type.word == "char" || type.word == "varchar") return std::string(text);
  if (type.word == "enum") return quote_name('"', postgres_enum(text).name);
  if (is_core_decimal(text)) return fmt::format("numeric{}", text.substr(type.word.size()));
  if (is_native(type) || postgres_core_type(text) != text) return std::string(text);
  no_such_type(text);
}

/// What a column of the type says of itself, without digits of seconds: so DataJoint for Python declares columns that
/// references bring.
std::string read_back(std::string_view text) {
  const TypeWords type = type_words(text);
  if (const Spelling* core = find(core_types, type.word); core && !type.parenthesis)
    return std::string(core->read_back);
  if (type.word == "datetime") return "timestamp without time zone";
  if (one_of(type.word, {"decimal", "numeric", "dec"}) && !type.arguments.empty()) {
    const bool whole = type.arguments.size() < 2 || type.arguments[1] == "0";
    return whole ? fmt::format("decimal({})", type.arguments[0])
                 : fmt::format("decimal({},{})", type.arguments[0], type.arguments[1]);
  }
  if ((type.word == "char" || type.word == "varchar") && type.arguments.size() == 1)
    return fmt::format("{}({})", type.word, type.arguments[0]);
  if (type.word == "float" && !type.arguments.empty() && is_at_most(type.arguments[0], 24)) return "real";
  if (const Spelling* native = find(native_types, type.word)) return std::string(native->read_back);
  return column_type_of(text);
}

std::string short_hash(std::string_view text) {
  const BytesView bytes = as_bytes(text);
  return hex(md5(std::span<const BytesView>(&bytes, 1))).substr(0, 8);
}

/// Creates the type unless it is there; another type of this name is an error.
std::string create_enum_unless_there(std::string_view schema, const PostgresEnum& type, const std::string& create) {
  std::vector<std::string> labels;
  for (const std::string& label : type.labels) labels.push_back(quote_text(label));
  const std::string others = fmt::format(
      "SELECT 1 FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid JOIN "
      "pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = {0} AND t.typname = {1} HAVING count(*) "
      "FILTER (WHERE e.enumlabel IN ({2})) = {3} AND count(*) = {3}",
      quote_text(schema), quote_text(type.name), fmt::join(labels, ", "), labels.size());
  const std::string message = quote_text(fmt::format("the type {}.{} exists and has other values than {}", schema,
                                                     type.name, fmt::join(type.labels, ", ")));
  return "DO " + quote_text(fmt::format("BEGIN {}; EXCEPTION WHEN duplicate_object OR unique_violation THEN IF NOT "
                                        "EXISTS ({}) THEN RAISE EXCEPTION USING ERRCODE = 'duplicate_object', MESSAGE "
                                        "= {}; END IF; END",
                                        create, others, message));
}

constexpr std::array<std::array<std::string_view, 2>, 27> functions{{{"!=", "<>"},
                                                                     {"ceiling", "ceil"},
                                                                     {"char_length", "char_length"},
                                                                     {"concat", "concat"},
                                                                     {"day", "date_part('day', {})::int"},
                                                                     {"greatest", "greatest"},
                                                                     {"hour", "date_part('hour', {})::int"},
                                                                     {"ifnull", "coalesce"},
                                                                     {"least", "least"},
                                                                     {"length", "length"},
                                                                     {"minute", "date_part('minute', {})::int"},
                                                                     {"month", "date_part('month', {})::int"},
                                                                     {"octet_length", "octet_length"},
                                                                     {"pow", "power"},
                                                                     {"power", "power"},
                                                                     {"second", "floor(date_part('second', {}))::int"},
                                                                     {"std", "stddev_pop"},
                                                                     {"stddev", "stddev_pop"},
                                                                     {"stddev_pop", "stddev_pop"},
                                                                     {"stddev_samp", "stddev_samp"},
                                                                     {"string_agg", "string_agg"},
                                                                     {"substring", "substr"},
                                                                     {"var_pop", "var_pop"},
                                                                     {"var_samp", "var_samp"},
                                                                     {"variance", "var_pop"},
                                                                     {"year", "date_part('year', {})::int"},
                                                                     {"||", "||"}}};

class PostgresDialect final : public Dialect {
 public:
  std::string_view name() const noexcept override { return "postgresql"; }
  std::size_t max_identifier() const noexcept override { return 63; }
  std::size_t max_parameters() const noexcept override { return 65'535; }
  std::string quote(std::string_view identifier) const override { return quote_name('"', identifier); }
  std::string placeholder(std::size_t n) const override { return fmt::format("${}", n); }
  std::string table(std::string_view schema, std::string_view name) const override {
    return quote(schema) + "." + quote(name);
  }
  std::string column_type(std::string_view core_type) const override {
    std::string type = column_type_of(core_type);
    cell_type(core_type);  // for its errors
    return type;
  }

  std::string column(const ColumnDef& c, std::string_view schema, bool) const override {
    check_name(*this, c.name, "column");
    check_default(*this, c);
    std::string type = c.origin.empty() ? column_type(c.type) : read_back(c.type);
    if (type.starts_with('"')) type = quote(c.origin.empty() ? schema : std::string_view(c.origin)) + "." + type;
    const std::string rest = null_and_default(now_in_parentheses(c), quote_text(c.fallback.literal));
    return quote(c.name) + " " + type + (rest.empty() ? "" : " ") + rest;
  }

  bool can_refer(const ColumnDef& column, const ColumnDef& parent) const override {
    const auto family = [](const ColumnDef& c) {
      const std::string type = type_words(read_back(c.type)).word;
      if (type_words(c.type).word == "enum") return c.origin + "." + postgres_enum(c.type).name;
      if (one_of(type, {"smallint", "integer", "bigint"})) return std::string("integer");
      if (one_of(type, {"real", "double"})) return std::string("real");
      if (one_of(type, {"char", "varchar", "text"})) return std::string("text");
      if (one_of(type, {"date", "timestamp"})) return std::string("date");
      return type == "numeric" ? "decimal" : type;
    };
    const std::string child = family(column), there = family(parent);
    const bool wider =
        (child == "integer" && (there == "decimal" || there == "real")) || (child == "decimal" && there == "real");
    return child == there || wider;
  }

  std::vector<std::string> create_schema(std::string_view schema) const override {
    check_name(*this, schema, "schema");
    return {"CREATE SCHEMA IF NOT EXISTS " + quote(schema)};
  }
  std::vector<std::string> create_table(const TableDef& def) const override { return statements(def, false); }
  std::vector<std::string> portable_table(const TableDef& def, const Origins& origins) const override {
    std::vector<std::string> out = statements(def, true);
    if (origins.empty()) return out;
    out.push_back(statements(lineage_table(def.schema), true).front());
    add_lineage(*this, def, origins,
                "ON CONFLICT (table_name, attribute_name) DO UPDATE SET lineage = EXCLUDED.lineage", out);
    return out;
  }

  std::vector<std::string> drop_table(const TableDef& def) const override {
    std::vector<std::string> out{"DROP TABLE " + table(def.schema, def.name)};
    for (const PostgresEnum& type : enums_of(def)) {  // that no other column has
      out.push_back("DO " + quote_text(fmt::format("BEGIN DROP TYPE IF EXISTS {}; EXCEPTION WHEN "
                                                   "dependent_objects_still_exist THEN NULL; END",
                                                   table(def.schema, type.name))));
    }
    return out;
  }

  std::string insert(const TableDef& def, std::span<const std::string> columns, OnDuplicate on) const override {
    std::string sql = "INSERT INTO " + table(def.schema, def.name);
    sql += columns.empty()
               ? " DEFAULT VALUES"
               : fmt::format(" ({}) VALUES {}", join_quoted(*this, columns), placeholders(*this, columns.size()));
    return sql + on_conflict(*this, def, on);
  }

  std::string_view for_update() const noexcept override { return " FOR UPDATE"; }
  std::vector<std::string> grants(std::string_view schema, std::span<const std::string> ledger, Role role,
                                  std::string_view grantee) const override {
    const std::string to = " TO " + quote(grantee), in = "SCHEMA " + quote(schema);
    const bool creates = role == Role::declarer;
    const std::string_view privileges = creates                ? "SELECT, INSERT, UPDATE, DELETE, REFERENCES"
                                        : role == Role::writer ? "SELECT, INSERT, UPDATE, DELETE"
                                                               : "SELECT";
    std::vector<std::string> out{fmt::format("GRANT USAGE{} ON {}{}", creates ? ", CREATE" : "", in, to),
                                 fmt::format("GRANT {} ON ALL TABLES IN {}{}", privileges, in, to)};
    if (role != Role::collector) return out;
    for (const std::string& name : ledger) {
      out.push_back(fmt::format("GRANT INSERT, UPDATE, DELETE ON {}{}", table(schema, name), to));
    }
    return out;
  }
  std::string lock_tables(std::string_view schema, std::span<const std::string> names,
                          std::span<const std::string>) const override {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + table(schema, name);
    return "LOCK TABLE " + list + " IN SHARE ROW EXCLUSIVE MODE";
  }
  std::string json_text(std::string_view quoted_column, std::string_view member) const override {
    if (member.empty()) throw Error(Errc::usage, "name a member of a JSON object: it is empty");
    return fmt::format("({} ->> {})", quoted_column, quote_text(member));
  }

  std::optional<std::string> function(std::string_view name) const override { return spelling_of(name, functions); }

  using Dialect::from_cell;
  using Dialect::to_cell;
  CellType cell_type(std::string_view core_type) const override {
    CellType type = parsed(core_type);
    type.spelling = core_type;
    type.padded = type_words(core_type).word == "char";
    return type;
  }
  Value to_cell(const CellType& type, const Value& value) const override {
    Value cell = to_portable_cell(type, value);
    if (type.kind == CellType::Kind::boolean && !cell.is_null()) return cell.as<std::int64_t>() == 1;
    return cell;
  }
  Value from_cell(const CellType& type, Value cell) const override {
    if (auto* text = cell.get_if<std::string>(); text && type.padded) text->erase(text->find_last_not_of(' ') + 1);
    // An int8 is a smallint here, and other programs fill it.
    static const CellType smallint = [] {
      CellType wider = parse_type("int16");
      wider.spelling = "int8";
      return wider;
    }();
    const bool small = type.kind == CellType::Kind::integer && type.low == std::numeric_limits<std::int8_t>::min();
    return from_portable_cell(small ? smallint : type, std::move(cell));
  }

 private:
  static CellType parsed(std::string_view text) {
    const TypeWords type = type_words(text);
    if (type.word == "serial") return parse_type("int32");
    if (type.word == "float")
      return parse_type(!type.arguments.empty() && is_at_most(type.arguments[0], 24) ? "float32" : "float64");
    return parse_type(postgres_core_type(text));
  }
  static ColumnDef now_in_parentheses(ColumnDef c) {  // CURRENT_TIMESTAMP() is MySQL's
    if (c.fallback.kind == Default::Kind::now && c.fallback.literal.ends_with("()"))
      c.fallback.literal.resize(c.fallback.literal.size() - 2);
    return c;
  }
  static std::vector<PostgresEnum> enums_of(const TableDef& def) {
    std::vector<PostgresEnum> out;
    for (const ColumnDef& c : def.columns) {
      if (!c.origin.empty() || type_words(c.type).word != "enum") continue;
      PostgresEnum type = postgres_enum(c.type);
      const auto same = std::ranges::find(out, type.name, &PostgresEnum::name);
      if (same == out.end())
        out.push_back(std::move(type));
      else
        same->labels = std::move(type.labels);
    }
    return out;
  }

  std::vector<std::string> statements(const TableDef& def, bool portable) const {
    check_names(*this, def);
    const std::string full = table(def.schema, def.name);
    std::vector<std::string> out, lines = column_lines(*this, def);
    for (const PostgresEnum& type : enums_of(def)) {
      std::vector<std::string> labels;
      for (const std::string& label : type.labels) labels.push_back(quote_text(label));
      std::string sql =
          fmt::format("CREATE TYPE {} AS ENUM ({})", table(def.schema, type.name), fmt::join(labels, ", "));
      out.push_back(portable ? std::move(sql) : create_enum_unless_there(def.schema, type, sql));
    }
    out.push_back(create_table_text(*this, def, std::move(lines), {}, "", portable));
    add_indexes(def, portable, out);
    if (def.name.starts_with('~') && !def.name.starts_with("~~")) return out;  // nobody has declared it
    out.push_back(fmt::format("COMMENT ON TABLE {} IS {}", full, quote_text(def.comment)));
    for (const ColumnDef& c : def.columns) {
      if (c.comment.empty() || !c.origin.empty()) continue;
      out.push_back(fmt::format("COMMENT ON COLUMN {}.{} IS {}", full, quote(c.name), quote_text(c.comment)));
    }
    return out;
  }

  /// Names of indexes belong to the schema, and the server cuts them to 63 bytes without a word: those that would be
  /// cut alike get others, and so do all that we create ourselves.
  void add_indexes(const TableDef& def, bool portable, std::vector<std::string>& out) const {
    std::vector<std::string> taken;
    for (const Index& index : indexes_of(def, true)) {
      if (index.object_path && portable) continue;
      std::string columns = fmt::format("{}", fmt::join(index.columns, "_")), items = join_quoted(*this, index.columns);
      columns.resize(std::min<std::size_t>(columns.size(), 30));
      std::string name = fmt::format("idx_{}_{}", def.name, columns);
      if (index.object_path) {
        items.clear();
        for (const std::string& c : index.columns)
          items += (items.empty() ? "(" : ", (") + json_text(quote(c), "path") + ")";
        name += "_path";
      }
      const bool again = std::ranges::find(taken, name.substr(0, max_identifier())) != taken.end();
      if (again || (!portable && name.size() > max_identifier())) {
        const std::string all = fmt::format("{} {} {}", def.name, items, taken.size());
        name = fmt::format("{}_{}", name.substr(0, 54), short_hash(all));
      }
      taken.push_back(name.substr(0, max_identifier()));
      out.push_back(fmt::format("CREATE {}INDEX {} ON {} ({})", index.unique ? "UNIQUE " : "", quote(name),
                                table(def.schema, def.name), items));
    }
  }
};

}  // namespace

const Dialect& postgres_dialect() {
  static const PostgresDialect dialect;
  return dialect;
}

PostgresEnum postgres_enum(std::string_view type) {
  // 1. The labels as they are meant.
  PostgresEnum out{{}, parse_type(type).labels};
  // 2. The name: of the words between the commas without quotes at either end, in order.
  std::vector<std::string> words;
  for (std::string_view word : type_words(type).arguments) {
    constexpr std::string_view quotes = "'\"";
    const std::size_t first = word.find_first_not_of(quotes);
    words.emplace_back(first == word.npos ? "" : word.substr(first, word.find_last_not_of(quotes) - first + 1));
  }
  // 3. Doubled apostrophes aside they must be the same, or tables would share a type that only looks alike.
  const bool alike = std::ranges::equal(words, out.labels, [](const std::string& word, const std::string& label) {
    return "'" + word + "'" == quote_text(label) || word == label;
  });
  if (!alike) {
    throw Error(Errc::definition,
                fmt::format("make a PostgreSQL type of {}: a value holds a comma, or a quotation mark "
                            "at its end. use other values",
                            type));
  }
  std::ranges::sort(words);
  out.name = "enum_" + short_hash(fmt::format("{}", fmt::join(words, "_")));
  return out;
}

std::string postgres_core_type(std::string_view server_type) {
  constexpr std::array<std::array<std::string_view, 2>, 9> plain{{{"smallint", "int16"},
                                                                  {"integer", "int32"},
                                                                  {"bigint", "int64"},
                                                                  {"real", "float32"},
                                                                  {"boolean", "bool"},
                                                                  {"bytea", "bytes"},
                                                                  {"jsonb", "json"},
                                                                  {"double precision", "float64"},
                                                                  {"character varying", "text"}}};
  for (const auto& [theirs, ours] : plain)
    if (server_type == theirs) return std::string(ours);
  const std::size_t open = server_type.find('('), close = server_type.find(')', open);
  const std::string_view arguments = open == server_type.npos || close == server_type.npos
                                         ? std::string_view()
                                         : server_type.substr(open, close - open + 1);
  const auto is = [&](std::string_view word, std::string_view zone = {}) {
    return server_type.starts_with(word) && server_type.ends_with(zone) &&
           server_type.size() == word.size() + arguments.size() + zone.size();
  };
  if (is("timestamp", " without time zone")) return fmt::format("datetime{}", arguments);
  if (is("time", " without time zone")) return fmt::format("time{}", arguments);
  if (arguments.empty()) return std::string(server_type);
  if (is("character varying")) return fmt::format("varchar{}", arguments);
  if (is("character")) return fmt::format("char{}", arguments);
  if (is("numeric")) return fmt::format("decimal{}", arguments);
  return std::string(server_type);
}

}  // namespace oas::db
