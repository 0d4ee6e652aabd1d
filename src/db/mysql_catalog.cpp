#include "db/mysql_catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <list>
#include <map>
#include <set>

#include "db/marker.hpp"
#include "db/mysql_dialect.hpp"
#include "db/type_words.hpp"

namespace oas::db {
namespace {

using Cells = std::vector<Value>;

std::string text(const Value& cell) { return cell.is_null() ? std::string() : cell.as<std::string>(); }

/// 'it\'s' without its quotation marks, as MariaDB shows a literal.
std::string unquoted(std::string_view literal) {
  std::string out;
  for (std::size_t i = 1; i + 1 < literal.size(); ++i) {
    if ((literal[i] == '\\' || literal[i] == '\'') && i + 2 < literal.size()) ++i;
    out += literal[i];
  }
  return out;
}

/// MariaDB shows expressions, in which texts have quotation marks; MySQL shows values, and marks expressions in
/// `extra`.
Default default_of(const Value& shown, std::string_view extra, bool nullable, bool mariadb) {
  using Kind = Default::Kind;
  const std::string said = text(shown);
  if (shown.is_null() || (mariadb && said == "NULL")) return {nullable ? Kind::null : Kind::none, {}};
  const bool expression = mariadb || extra.find("DEFAULT_GENERATED") != extra.npos;
  if (expression && type_words(said).word == "current_timestamp") return {Kind::now, {}};
  return {Kind::literal, mariadb && said.starts_with('\'') ? unquoted(said) : said};
}

struct Table {
  TableDef def;
  std::map<std::string, std::string, std::less<>> paths;  ///< generated columns, and of which column they have the path
  std::map<std::string, std::string, std::less<>> words;  ///< columns' types as the server says them
};
using Tables = std::map<std::string, Table>;

constexpr std::string_view counting = " auto_increment";

/// Whether an index on an expression is the one by which objects are found.
bool is_path_of(std::string_view expression, const std::string& column) {
  return expression.find("sha2(") != expression.npos && expression.find("path") != expression.npos &&
         expression.find("`" + column + "`") != expression.npos;
}

void read_columns(const MysqlAsk& ask, const Cells& schema, Tables& tables) {
  const auto rows =
      ask("SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLUMN_DEFAULT, IS_NULLABLE, COLUMN_COMMENT, EXTRA, "
          "GENERATION_EXPRESSION, INSTR(VERSION(), 'MariaDB') FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? "
          "ORDER BY TABLE_NAME, ORDINAL_POSITION",
          schema);
  for (const Cells& row : rows) {
    const auto at = tables.find(text(row[0]));
    if (at == tables.end()) continue;  // made meanwhile
    Table& table = at->second;
    if (const std::string expression = text(row[7]); !expression.empty()) {
      for (const ColumnDef& c : table.def.columns)
        if (is_path_of(expression, c.name)) table.paths[text(row[1])] = c.name;
      continue;
    }
    ColumnDef column;
    column.name = text(row[1]);
    column.comment = text(row[5]);
    const std::string extra = text(row[6]);
    const bool counts = extra.find("auto_increment") != std::string::npos;
    table.words[column.name] = text(row[2]);
    column.type = mysql_core_type(text(row[2]), column.comment) + (counts ? std::string(counting) : "");
    column.nullable = text(row[4]) == "YES";
    column.fallback = default_of(row[3], extra, column.nullable, row[8].as<std::int64_t>() > 0);
    table.def.columns.push_back(std::move(column));
  }
}

void read_references(const MysqlAsk& ask, const Cells& schema, Tables& tables) {
  // Names of references end in a number.
  const auto rows =
      ask("SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, "
          "REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = ? AND "
          "REFERENCED_TABLE_NAME IS NOT NULL ORDER BY TABLE_NAME, LENGTH(CONSTRAINT_NAME), CONSTRAINT_NAME, "
          "ORDINAL_POSITION",
          schema);
  std::pair<std::string, std::string> last;
  for (const Cells& row : rows) {
    const auto at = tables.find(text(row[0]));
    if (at == tables.end()) continue;
    auto& keys = at->second.def.foreign_keys;
    if (std::pair name(text(row[0]), text(row[1])); name != last) {
      keys.push_back({{}, text(row[3]), text(row[4]), {}, false});
      last = std::move(name);
    }
    keys.back().columns.push_back(text(row[2]));
    keys.back().parent_columns.push_back(text(row[5]));
  }
}

/// A column that a reference brings has no type in its comment: it has that of the attribute at the end of the
/// references, in whatever schema, if the server's words for both are the same.
class ParentTypes {
 public:
  ParentTypes(const MysqlAsk& ask, std::string_view schema, Tables& tables) : ask_(ask) {
    known_[std::string(schema)] = &tables;
  }

  void give_types(Tables& tables) {
    for (auto& [name, table] : tables)
      for (const ForeignKeyDef& key : table.def.foreign_keys)
        for (const std::string& column : key.columns) type_of(table, column);
  }

 private:
  Tables& tables_of(const std::string& schema) {
    Tables*& known = known_[schema];
    if (!known) {
      known = &others_.emplace_back();
      const Cells params{schema};
      for (const Cells& row : ask_("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?", params))
        (*known)[text(row[0])].def.schema = schema;
      read_columns(ask_, params, *known);
      read_references(ask_, params, *known);
    }
    return *known;
  }
  /// Settled types are asked for again at no cost; the first reference that brings the column counts.
  std::string type_of(Table& table, const std::string& name) {
    auto& columns = table.def.columns;
    const auto column = std::ranges::find(columns, name, &ColumnDef::name);
    if (column == columns.end()) return {};
    if (!read_marker(column->comment).type.empty() || !settled_.emplace(&table, name).second) return column->type;
    for (const ForeignKeyDef& key : table.def.foreign_keys) {
      const auto at = std::ranges::find(key.columns, name);
      if (at == key.columns.end()) continue;
      const std::string& origin = key.parent_columns[static_cast<std::size_t>(at - key.columns.begin())];
      Tables& parents = tables_of(key.schema);
      const auto parent = parents.find(key.table);
      if (parent == parents.end() || parent->second.words[origin] != table.words[name]) continue;
      column->type = type_of(parent->second, origin);
      if (const std::size_t end = column->type.find(counting); end != std::string::npos) column->type.resize(end);
      break;
    }
    return column->type;
  }

  const MysqlAsk& ask_;
  std::map<std::string, Tables*> known_;
  std::list<Tables> others_;
  std::set<std::pair<const Table*, std::string>> settled_;
};

void add_index(Table& table, const std::string& name, IndexDef index) {
  TableDef& def = table.def;
  if (name == "PRIMARY") {
    def.primary_key = std::move(index.columns);
    return;
  }
  for (ForeignKeyDef& key : def.foreign_keys) {
    if (key.columns != index.columns) continue;
    key.unique = key.unique || index.unique;
    return;  // it serves the reference
  }
  def.indexes.push_back(std::move(index));
}

void read_indexes(const MysqlAsk& ask, const Cells& schema, Tables& tables, bool expressions) {
  const auto rows = ask(
      fmt::format("SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, {} FROM information_schema.STATISTICS WHERE "
                  "TABLE_SCHEMA = ? ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
                  expressions ? "EXPRESSION" : "NULL"),
      schema);
  for (std::size_t i = 0; i < rows.size();) {
    const std::string table_name = text(rows[i][0]), name = text(rows[i][1]);
    IndexDef index;
    index.unique = rows[i][2].as<std::int64_t>() == 0;
    bool readable = true;  // no parts that definitions cannot have
    const auto at = tables.find(table_name);
    for (; i < rows.size() && text(rows[i][0]) == table_name && text(rows[i][1]) == name; ++i) {
      if (at == tables.end()) continue;
      const std::string column = text(rows[i][3]), expression = text(rows[i][4]);
      if (const auto path = at->second.paths.find(column); path != at->second.paths.end()) {
        index.columns.push_back(path->second);
        index.object_path = true;
      } else if (!column.empty()) {
        index.columns.push_back(column);
      } else {
        const auto& columns = at->second.def.columns;
        const auto of = std::ranges::find_if(columns, [&](const auto& c) { return is_path_of(expression, c.name); });
        readable = readable && of != columns.end();
        if (readable) index.columns.push_back(of->name);
        index.object_path = true;
      }
    }
    if (at != tables.end() && readable) add_index(at->second, name, std::move(index));
  }
  // Those of paths last, in the order of their columns, as they are declared: names of indexes tell nothing.
  for (auto& [name, table] : tables) {
    const auto& columns = table.def.columns;
    std::ranges::stable_sort(table.def.indexes, std::less(), [&](const IndexDef& index) {
      if (!index.object_path) return std::ptrdiff_t{-1};
      return std::ranges::find(columns, index.columns.front(), &ColumnDef::name) - columns.begin();
    });
  }
}

/// Parents first.
std::vector<TableDef> in_order(Tables tables, const std::vector<std::string>& names) {
  std::vector<TableDef> out;
  const std::function<void(const std::string&)> add = [&](const std::string& name) {
    auto node = tables.extract(name);
    if (node.empty()) return;
    TableDef& def = node.mapped().def;
    for (const ForeignKeyDef& key : def.foreign_keys)
      if (key.schema == def.schema) add(key.table);
    if (!def.columns.empty()) out.push_back(std::move(def));  // else it was dropped meanwhile
  };
  for (const std::string& name : names) add(name);
  return out;
}

}  // namespace

std::vector<std::string> mysql_schemas(const MysqlAsk& ask) {
  std::vector<std::string> names;
  for (const Cells& row : ask("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN "
                              "('information_schema', 'mysql', 'performance_schema', 'sys') ORDER BY SCHEMA_NAME",
                              {}))
    names.push_back(text(row[0]));
  return names;
}

std::vector<TableDef> mysql_tables(const MysqlAsk& ask, std::string_view schema) {
  const Cells params{schema};
  Tables tables;
  std::vector<std::string> names;
  bool expressions = false;
  for (const Cells& row : ask("SELECT TABLE_NAME, TABLE_COMMENT, INSTR(VERSION(), 'MariaDB') FROM "
                              "information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE IN ('BASE TABLE', "
                              "'SYSTEM VERSIONED') ORDER BY CREATE_TIME, TABLE_NAME",
                              params)) {
    Table& table = tables[names.emplace_back(text(row[0]))];
    table.def.schema = schema;
    table.def.name = text(row[0]);
    table.def.comment = text(row[1]);
    expressions = row[2].as<std::int64_t>() == 0;
  }
  if (tables.empty()) return {};
  read_columns(ask, params, tables);
  read_references(ask, params, tables);
  ParentTypes(ask, schema, tables).give_types(tables);
  read_indexes(ask, params, tables, expressions);
  return in_order(std::move(tables), names);
}

MysqlFingerprint mysql_fingerprint(const MysqlAsk& ask, const std::set<std::string, std::less<>>& schemas,
                                   std::string_view only_table) {
  if (schemas.empty()) return {0, true};
  Cells params;
  std::string marks;
  for (const std::string& schema : schemas) {
    marks += params.empty() ? "?" : ", ?";
    params.emplace_back(schema);
  }
  if (!only_table.empty()) params.emplace_back(only_table);
  const auto rows = ask(
      fmt::format("SELECT COALESCE(BIT_XOR(CAST(CONV(LEFT(SHA2(CONCAT_WS('|', TABLE_SCHEMA, TABLE_NAME, "
                  "CREATE_TIME), 256), 15), 16, 10) AS UNSIGNED)), 0), COALESCE(MAX(CREATE_TIME) >= NOW() - INTERVAL 2 "
                  "SECOND, 0) FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ({}){}",
                  marks, only_table.empty() ? "" : " AND TABLE_NAME = ?"),
      params);
  return {rows.at(0).at(0).as<std::int64_t>(), rows[0].at(1).as<std::int64_t>() == 0};
}

}  // namespace oas::db
