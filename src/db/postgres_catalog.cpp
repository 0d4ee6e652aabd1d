#include "db/postgres_catalog.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_map>

#include "db/cells.hpp"
#include "db/marker.hpp"
#include "db/postgres_dialect.hpp"
#include "db/type_words.hpp"

namespace oas::db {
namespace {

using Cells = std::vector<Value>;

constexpr const char* schemas_sql =
    "SELECT nspname FROM pg_catalog.pg_namespace n WHERE left(nspname, 3) <> 'pg_' AND nspname <> 'information_schema' "
    "AND (nspname <> 'public' OR EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relnamespace = n.oid AND relkind IN "
    "('r', 'p'))) ORDER BY nspname";

// All of these are about the tables of a schema: `tables` has their numbers and names.
#define OAS_TABLES                                                                                           \
  "tables AS (SELECT c.oid, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = " \
  "c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition) "

constexpr const char* tables_sql =
    "WITH " OAS_TABLES "SELECT oid, relname, pg_catalog.obj_description(oid, 'pg_class') FROM tables ORDER BY oid";

// Columns that references bring have no comment: what they are stands with the attribute at the end of the references.
constexpr const char* columns_sql =
    "WITH RECURSIVE " OAS_TABLES
    ", brought(relid, num, parent, parent_num) AS (SELECT k.conrelid, u.num, k.confrelid, u.parent_num FROM "
    "pg_catalog.pg_constraint k CROSS JOIN LATERAL unnest(k.conkey, k.confkey) u(num, parent_num) WHERE k.contype = "
    "'f' "
    "AND k.conrelid IN (SELECT oid FROM tables) UNION SELECT b.relid, b.num, k.confrelid, u.parent_num FROM brought b "
    "JOIN pg_catalog.pg_constraint k ON k.conrelid = b.parent AND k.contype = 'f' CROSS JOIN LATERAL unnest(k.conkey, "
    "k.confkey) u(num, parent_num) WHERE u.num = b.parent_num) "
    "SELECT a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, "
    "pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.col_description(a.attrelid, a.attnum), (SELECT "
    "string_agg('''' || replace(e.enumlabel, '''', '''''') || '''', ',' ORDER BY e.enumsortorder) FROM "
    "pg_catalog.pg_enum e WHERE e.enumtypid = a.atttypid), (SELECT min(pg_catalog.col_description(b.parent, "
    "b.parent_num)) FROM brought b WHERE b.relid = a.attrelid AND b.num = a.attnum) FROM tables JOIN "
    "pg_catalog.pg_attribute a ON a.attrelid = tables.oid LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid "
    "AND d.adnum = a.attnum WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum";

constexpr const char* keys_sql =
    "WITH " OAS_TABLES
    "SELECT k.conrelid, k.oid, k.contype, a.attname, n.nspname, c.relname, p.attname FROM tables JOIN "
    "pg_catalog.pg_constraint k ON k.conrelid = tables.oid CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH "
    "ORDINALITY u(num, parent_num, i) JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num "
    "LEFT JOIN pg_catalog.pg_class c ON c.oid = k.confrelid LEFT JOIN pg_catalog.pg_namespace n ON n.oid = "
    "c.relnamespace LEFT JOIN pg_catalog.pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = u.parent_num WHERE "
    "k.contype IN ('p', 'f') ORDER BY k.conrelid, k.oid, u.i";

constexpr const char* indexes_sql =
    "WITH " OAS_TABLES
    "SELECT x.indrelid, x.indexrelid, x.indisunique, a.attname, pg_catalog.pg_get_indexdef(x.indexrelid, u.i::int, "
    "true) "
    "FROM tables JOIN pg_catalog.pg_index x ON x.indrelid = tables.oid CROSS JOIN LATERAL unnest(x.indkey::int2[]) "
    "WITH "
    "ORDINALITY u(num, i) LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.num WHERE "
    "NOT "
    "x.indisprimary AND x.indpred IS NULL AND u.i <= x.indnkeyatts ORDER BY x.indrelid, x.indexrelid, u.i";

// A row of a system table is never changed: another one takes its place, elsewhere in the table and with the number of
// the transaction that wrote it. What users make is numbered from 16384 on.
#define OAS_ROW(of, seed) \
  "SELECT pg_catalog.hashtextextended(" of "xmin::text, pg_catalog.hashtid(" of "ctid) * 8::bigint + " seed ") "
#define OAS_WRITTEN(table, number, seed) OAS_ROW("", seed) "FROM pg_catalog." table " WHERE " number " >= 16384 "
constexpr const char* version_sql =
    "SELECT (sum(number) % 9223372036854775807)::bigint FROM ("  //
    OAS_WRITTEN("pg_class", "oid", "1") "AND relpersistence <> 't' UNION ALL "
    OAS_WRITTEN("pg_attribute", "attrelid", "2") "AND attnum > 0 UNION ALL "
    OAS_WRITTEN("pg_description", "objoid", "3") "UNION ALL "
    OAS_WRITTEN("pg_constraint", "oid", "4") "UNION ALL "
    OAS_WRITTEN("pg_attrdef", "oid", "5") "UNION ALL "
    OAS_WRITTEN("pg_enum", "oid", "6") "UNION ALL "
    OAS_WRITTEN("pg_namespace", "oid", "7") "UNION ALL SELECT 0) AS written(number)";
// The same of one table, by the indexes of the catalogue.
#define OAS_WRITTEN_OF(table, number, seed) \
  "UNION ALL " OAS_ROW("x.", seed) "FROM here, pg_catalog." table " x WHERE x." number " = here.oid "
constexpr const char* table_version_sql =
    "WITH here AS MATERIALIZED (SELECT c.oid, c.xmin, c.ctid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
    "ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2) "
    "SELECT (sum(number) % 9223372036854775807)::bigint FROM (" OAS_ROW("", "1") "FROM here "  //
    OAS_WRITTEN_OF("pg_attribute", "attrelid", "2") "AND x.attnum > 0 "
    OAS_WRITTEN_OF("pg_description", "objoid", "3")
    OAS_WRITTEN_OF("pg_constraint", "conrelid", "4")
    OAS_WRITTEN_OF("pg_attrdef", "adrelid", "5")
    OAS_WRITTEN_OF("pg_index", "indrelid", "7")
    "UNION ALL " OAS_ROW("x.", "6") "FROM here, pg_catalog.pg_attribute a, pg_catalog.pg_enum x WHERE a.attrelid = "
    "here.oid AND a.attnum > 0 AND a.atttypid >= 16384 AND x.enumtypid = a.atttypid "
    "UNION ALL SELECT 0) AS written(number)";

std::string text(const Value& cell) { return cell.is_null() ? std::string() : cell.as<std::string>(); }

/// What stands between apostrophes at the beginning, and what comes behind; nullopt: nothing does.
std::optional<std::pair<std::string, std::string_view>> quoted(std::string_view expression) {
  if (!expression.starts_with('\'')) return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < expression.size(); ++i) {
    if (expression[i] == '\'') {
      if (expression.substr(i + 1, 1) != "'") return std::pair{std::move(out), expression.substr(i + 1)};
      ++i;
    }
    out += expression[i];
  }
  return std::nullopt;
}

/// The core type that a comment tells; empty if it tells none.
std::string marked_type(std::string_view comment) {
  std::string type(read_marker(comment).type);
  if (type.empty() || type.starts_with('<')) return {};
  try {
    parse_type(type);
  } catch (const Error&) {
    return {};  // of an earlier version, or of nobody's
  }
  return type;
}

ColumnDef column_of(const Cells& cells) {
  ColumnDef c;
  c.name = text(cells[1]);
  c.nullable = !cells[3].as<bool>();
  c.fallback = postgres_default(text(cells[4]), c.nullable);
  c.comment = text(cells[5]);
  const std::string labels = text(cells[6]);
  std::string type = marked_type(c.comment);
  if (type.empty() && c.comment.empty()) type = marked_type(text(cells[7]));
  c.type = !type.empty() ? type : !labels.empty() ? "enum(" + labels + ")" : postgres_core_type(text(cells[2]));
  return c;
}

/// The column of `(movie ->> 'path'::text)`, which finds objects.
std::string object_column(std::string_view item) {
  constexpr std::string_view end = " ->> 'path'::text)";
  if (!item.starts_with('(') || !item.ends_with(end)) return {};
  item = item.substr(1, item.size() - 1 - end.size());
  if (!item.starts_with('"')) return std::string(item);
  std::string out;
  for (std::size_t i = 1; i + 1 < item.size(); ++i) {
    out += item[i];
    if (item[i] == '"') ++i;
  }
  return out;
}

/// An index that a reference has belongs to it; what is on other expressions than paths of objects is not ours.
void add_index(TableDef& table, std::optional<IndexDef> index) {
  if (!index) return;
  for (ForeignKeyDef& key : table.foreign_keys) {
    if (index->object_path || key.columns != index->columns) continue;
    key.unique = key.unique || index->unique;
    return;
  }
  table.indexes.push_back(std::move(*index));
}

}  // namespace

std::vector<std::string> postgres_schemas(Transaction& look) {
  std::vector<std::string> names;
  const auto cursor = look.execute(schemas_sql);
  for (Cells cells; cursor->next(cells);) names.push_back(text(cells[0]));
  return names;
}

std::int64_t postgres_catalog_version(Transaction& look) {
  Cells cells;
  look.execute(version_sql)->next(cells);
  return cells[0].as<std::int64_t>();
}

std::int64_t postgres_table_version(Transaction& look, std::string_view schema, std::string_view table) {
  const std::vector<Value> params{schema, table};
  Cells cells;
  look.execute(table_version_sql, params)->next(cells);
  return cells[0].as<std::int64_t>();
}

std::vector<TableDef> postgres_tables(Transaction& look, std::string_view schema) {
  const std::vector<Value> params{schema};
  std::vector<TableDef> tables;
  std::unordered_map<std::int64_t, std::size_t> by_number;
  Cells cells;
  auto cursor = look.execute(tables_sql, params);
  while (cursor->next(cells)) {
    by_number.emplace(cells[0].as<std::int64_t>(), tables.size());
    TableDef& table = tables.emplace_back();
    table.schema = schema;
    table.name = text(cells[1]);
    table.comment = text(cells[2]);
  }
  if (tables.empty()) return tables;
  // In one snapshot or, inside of a writing transaction, in several: a table of the moment between is left out.
  const auto table_of = [&]() -> TableDef* {
    const auto at = by_number.find(cells[0].as<std::int64_t>());
    return at == by_number.end() ? nullptr : &tables[at->second];
  };
  cursor = look.execute(columns_sql, params);
  while (cursor->next(cells)) {
    if (TableDef* table = table_of()) table->columns.push_back(column_of(cells));
  }
  cursor = look.execute(keys_sql, params);
  for (std::int64_t last = 0; cursor->next(cells);) {
    TableDef* table = table_of();
    if (!table) continue;
    if (text(cells[2]) == "p") {
      table->primary_key.push_back(text(cells[3]));
      continue;
    }
    if (const auto key = cells[1].as<std::int64_t>(); key != last) {
      last = key;
      table->foreign_keys.push_back({{}, text(cells[4]), text(cells[5]), {}, false});
    }
    table->foreign_keys.back().columns.push_back(text(cells[3]));
    table->foreign_keys.back().parent_columns.push_back(text(cells[6]));
  }
  cursor = look.execute(indexes_sql, params);
  TableDef* table = nullptr;
  std::optional<IndexDef> index;
  for (std::int64_t last = 0; cursor->next(cells);) {
    if (const auto number = cells[1].as<std::int64_t>(); number != last) {
      if (table) add_index(*table, std::exchange(index, std::nullopt));
      last = number;
      table = table_of();
      index = IndexDef{{}, cells[2].as<bool>(), false};
    }
    if (!index) continue;
    if (!cells[3].is_null()) {
      index->columns.push_back(text(cells[3]));
      continue;
    }
    index->columns.push_back(object_column(text(cells[4])));
    index->object_path = true;
    if (index->columns.back().empty()) index.reset();
  }
  if (table) add_index(*table, std::move(index));
  return tables;
}

Default postgres_default(std::string_view expression, bool nullable) {
  using Kind = Default::Kind;
  Default none{nullable ? Kind::null : Kind::none, {}};
  while (expression.starts_with('(') && expression.ends_with(')'))
    expression = expression.substr(1, expression.size() - 2);
  if (expression.empty() || expression == "NULL" || expression.starts_with("NULL::")) return none;
  if (expression == "CURRENT_TIMESTAMP" || expression == "now()") return {Kind::now, {}};
  if (expression.starts_with("CURRENT_TIMESTAMP(") && expression.ends_with(')'))
    return {Kind::now, std::string(expression)};
  if (expression == "true" || expression == "false") return {Kind::literal, std::string(expression)};
  if (auto literal = quoted(expression)) {
    const std::string_view cast = literal->second;
    const bool only_cast = cast.empty() || (cast.starts_with("::") && cast.find_first_of("'+-*/|<>=") == cast.npos);
    return only_cast ? Default{Kind::literal, std::move(literal->first)} : none;
  }
  const std::string_view number = expression.substr(0, expression.find("::"));
  const bool digits = !number.empty() && number.find_first_not_of("0123456789.+-eE") == number.npos;
  return digits ? Default{Kind::literal, std::string(number)} : none;
}

}  // namespace oas::db
