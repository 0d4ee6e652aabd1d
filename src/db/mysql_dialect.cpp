#include "db/mysql_dialect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/encoding.hpp"
#include "core/hash.hpp"
#include "db/cells.hpp"
#include "db/ddl.hpp"
#include "db/marker.hpp"
#include "db/type_words.hpp"

namespace oas::db {
namespace {

constexpr std::array<std::array<std::string_view, 2>, 9> core_types{{{"int8", "tinyint"},
                                                                     {"int16", "smallint"},
                                                                     {"int32", "int"},
                                                                     {"int64", "bigint"},
                                                                     {"float32", "float"},
                                                                     {"float64", "double"},
                                                                     {"bool", "tinyint"},
                                                                     {"uuid", "binary(16)"},
                                                                     {"bytes", "longblob"}}};

/// What the server would read as an escape is doubled, so that it arrives as it was written.
std::string escaped(std::string_view text, bool double_quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || (c == '"' && double_quotes)) out += '\\';
    out += c;
  }
  return out;
}
/// "text", for comments.
std::string quote_comment(std::string_view text) {
  quote_text(text);  // for its errors
  return "\"" + escaped(text, true) + "\"";
}

bool is_integer(std::string_view word) {
  return one_of(word, {"tinyint", "smallint", "mediumint", "int", "integer", "bigint"});
}
bool is_decimal(std::string_view word) { return one_of(word, {"decimal", "numeric", "dec", "fixed"}); }

/// Texts and blobs, which no whole key can hold.
bool has_no_length(std::string_view type) {
  const std::string word = type_words(type).word;
  return word.ends_with("text") || word.ends_with("blob");
}

[[noreturn]] void refuse(std::string_view type, std::string_view why) {
  throw Error(Errc::definition, fmt::format("use the type {}: {}", type, why));
}

std::string column_type_of(std::string_view text) {
  const TypeWords type = type_words(text);
  for (const auto& [word, here] : core_types)
    if (word == type.word && !type.parenthesis) return std::string(here);
  if (type.word == "char" || type.word == "varchar") {
    const unsigned most = type.word == "char" ? 255 : 65'535;
    if (type.arguments.size() != 1 || !is_at_most(type.arguments[0], most))
      refuse(text, fmt::format("in MySQL it has at most {} characters. use text", most));
    return std::string(text);
  }
  if (type.word == "enum") {
    for (const std::string_view value : type.arguments)
      if (!value.starts_with('\'') && !value.starts_with('"') && !value.ends_with('\'') && !value.ends_with('"'))
        refuse(text, "MySQL wants its values in quotes. write enum('first','second')");
    const std::vector<std::string> labels = parse_type(text).labels;
    for (auto one = labels.begin(); one != labels.end(); ++one)
      if (std::any_of(labels.begin(), one, [&](const std::string& other) { return same_letters(*one, other); }))
        refuse(text, fmt::format("for MySQL {} is there twice, because it compares values without their case", *one));
    return escaped(text, false);
  }
  if (is_decimal(type.word)) {
    unsigned digits = 10;
    const bool fits = (type.arguments.empty() || is_at_most(type.arguments[0], 65, &digits)) &&
                      (type.arguments.size() < 2 || is_at_most(type.arguments[1], std::min(digits, 30U)));
    if (!fits) refuse(text, "MySQL has at most 65 digits, and of these at most 30 after the point");
  }
  if (one_of(type.word, {"smalltext", "smallblob"})) refuse(text, "MySQL has none of this name");
  return std::string(text);
}

/// What a column of the type says of itself, without the widths that integers are shown with: so DataJoint for Python
/// declares columns that references bring.
std::string read_back(std::string_view text) {
  const TypeWords type = type_words(text);
  std::string rest = type.rest;
  if (const std::size_t end = rest.find("auto_increment"); end != rest.npos) rest.resize(end);
  if (!trimmed(rest).empty()) rest = " " + std::string(trimmed(rest));
  const auto with_arguments = [&](std::string_view word) {
    return type.arguments.empty() ? fmt::format("{}{}", word, rest)
                                  : fmt::format("{}({}){}", word, fmt::join(type.arguments, ","), rest);
  };
  if (is_integer(type.word)) return (type.word == "integer" ? "int" : type.word) + rest;
  if (type.word == "serial") return "bigint unsigned";
  if (is_decimal(type.word)) {
    if (type.arguments.size() == 2) return with_arguments("decimal");
    return fmt::format("decimal({},0){}", type.arguments.empty() ? "10" : type.arguments[0], rest);
  }
  if (one_of(type.word, {"float", "double", "real"})) {
    const std::string_view word = type.word == "float" ? "float" : "double";
    return type.arguments.size() == 2 ? with_arguments(word) : fmt::format("{}{}", word, rest);
  }
  if (type.word == "year") return "year(4)";
  if (type.word == "enum") {
    std::vector<std::string> labels;
    for (const std::string& label : parse_type(text).labels) labels.push_back(quote_text(escaped(label, false)));
    return fmt::format("enum({})", fmt::join(labels, ","));
  }
  if (one_of(type.word, {"char", "varchar", "datetime", "time", "timestamp"})) return with_arguments(type.word);
  return column_type_of(text);
}

// A pattern is for the whole call.
constexpr std::array<std::array<std::string_view, 2>, 27> functions{
    {{"!=", "<>"},
     {"bit_xor", "bit_xor"},
     {"ceiling", "ceil"},
     {"char_length", "char_length"},
     {"concat", "concat_ws('', {})"},  // NULL adds nothing
     {"day", "day"},
     {"greatest", "greatest"},
     {"group_concat", "group_concat"},
     {"hour", "hour"},
     {"ifnull", "ifnull"},
     {"least", "least"},
     {"length", "char_length"},
     {"minute", "minute"},
     {"month", "month"},
     {"octet_length", "octet_length"},
     {"pow", "pow"},
     {"power", "pow"},
     {"second", "second"},
     {"std", "stddev_pop"},
     {"stddev", "stddev_pop"},
     {"stddev_pop", "stddev_pop"},
     {"stddev_samp", "stddev_samp"},
     {"substring", "substr"},
     {"var_pop", "var_pop"},
     {"var_samp", "var_samp"},
     {"variance", "var_pop"},
     {"year", "year"}}};

/// By what objects are found: a number made of the path, because paths are longer than what an index takes. Of the
/// functions that make one, this is the one that every MySQL has: MD5 went with version 9.
std::string path_number(std::string_view path) { return fmt::format("sha2({}, 256)", path); }

class MysqlDialect final : public Dialect {
 public:
  explicit MysqlDialect(bool mariadb) : mariadb_(mariadb) {}
  std::string_view name() const noexcept override { return "mysql"; }
  std::size_t max_identifier() const noexcept override { return 64; }
  std::size_t max_parameters() const noexcept override { return 65'535; }
  std::string quote(std::string_view identifier) const override { return quote_name('`', identifier); }
  std::string placeholder(std::size_t) const override { return "?"; }
  std::string table(std::string_view schema, std::string_view name) const override {
    return quote(schema) + "." + quote(name);
  }
  std::string column_type(std::string_view core_type) const override {
    std::string type = column_type_of(core_type);
    cell_type(core_type);  // for its errors
    return type;
  }

  std::string column(const ColumnDef& c, std::string_view, bool in_key) const override {
    check_name(*this, c.name, "column");
    if (in_key && has_no_length(c.type)) refuse(c.type, "MySQL has no keys of texts without a length");
    check_default(*this, c);
    if (c.type == "uuid" && c.fallback.kind == Default::Kind::literal)
      refuse(c.type, "MySQL keeps it as bytes, and a default of bytes cannot be read back. remove the default");
    const std::string rest = null_and_default(c, default_of(c));
    const std::string comment = comment_of(c);
    return quote(c.name) + " " + (c.origin.empty() ? column_type(c.type) : read_back(c.type)) +
           (rest.empty() ? "" : " ") + rest + (comment.empty() ? "" : " COMMENT " + quote_comment(comment));
  }

  bool can_refer(const ColumnDef& column, const ColumnDef& parent) const override {
    const auto family = [](const ColumnDef& c) {  // digits and lengths do not matter
      const TypeWords type = type_words(column_type_of(read_back(c.type)));
      return (type.word == "char" ? "varchar" : type.word) + " " + type.rest;
    };
    return family(column) == family(parent);
  }

  std::vector<std::string> create_schema(std::string_view schema) const override {
    check_name(*this, schema, "schema");
    return {"CREATE DATABASE IF NOT EXISTS " + quote(schema)};
  }
  std::vector<std::string> create_table(const TableDef& def) const override { return {statement(def, false)}; }
  std::vector<std::string> portable_table(const TableDef& def, const Origins& origins) const override {
    std::vector<std::string> out{statement(def, true)};
    if (origins.empty()) return out;
    out.push_back(statement(lineage_table(def.schema), true));
    add_lineage(*this, def, origins,
                "ON DUPLICATE KEY UPDATE table_name = VALUES(table_name), attribute_name = VALUES(attribute_name), "
                "lineage = VALUES(lineage)",
                out);
    return out;
  }
  std::vector<std::string> drop_table(const TableDef& def) const override {
    return {"DROP TABLE " + table(def.schema, def.name)};
  }

  std::string insert(const TableDef& def, std::span<const std::string> columns, OnDuplicate on) const override {
    std::string sql = fmt::format("INSERT INTO {} ({}) VALUES {}", table(def.schema, def.name),
                                  join_quoted(*this, columns), placeholders(*this, columns.size()));
    if (on == OnDuplicate::fail) return sql;
    // Any unique key brings us here. A row that is another one's by its primary key stays, and the statement fails: a
    // key cannot be NULL.
    std::string same;
    for (const std::string& k : def.primary_key)
      same += fmt::format("{0}{1} <=> VALUES({1})", same.empty() ? "" : " AND ", quote(k));
    const std::string first = quote(def.primary_key.front());
    sql += fmt::format(" ON DUPLICATE KEY UPDATE {0} = IF({1}, {0}, NULL)", first, same);
    if (on == OnDuplicate::skip) return sql;
    for (const ColumnDef& c : def.columns) {
      if (std::ranges::find(def.primary_key, c.name) == def.primary_key.end())
        sql += fmt::format(", {0} = VALUES({0})", quote(c.name));
    }
    return sql;
  }

  std::string_view for_update() const noexcept override { return " FOR UPDATE"; }
  std::vector<std::string> grants(std::string_view schema, std::span<const std::string> ledger, Role role,
                                  std::string_view grantee) const override {
    std::string pattern;  // which is what GRANT takes for a schema
    for (const char c : schema) pattern += (c == '_' || c == '%' ? "\\" : "") + std::string(1, c);
    const std::string to = " TO " + quote(grantee);
    const std::string_view privileges =
        role == Role::declarer ? "SELECT, INSERT, UPDATE, DELETE, LOCK TABLES, CREATE, DROP, ALTER, INDEX, REFERENCES"
        : role == Role::writer ? "SELECT, INSERT, UPDATE, DELETE, LOCK TABLES"
        : role == Role::collector ? "SELECT, LOCK TABLES"
                                  : "SELECT";
    std::vector<std::string> out{fmt::format("GRANT {} ON {}.*{}", privileges, quote(pattern), to)};
    if (role != Role::collector) return out;
    for (const std::string& name : ledger) {
      out.push_back(fmt::format("GRANT INSERT, UPDATE, DELETE ON {}{}", table(schema, name), to));
    }
    return out;
  }
  std::string lock_tables(std::string_view schema, std::span<const std::string> names,
                          std::span<const std::string> others) const override {
    std::string list;
    for (const auto& some : {names, others})
      for (const std::string& name : some) list += (list.empty() ? "" : ", ") + table(schema, name) + " WRITE";
    return "LOCK TABLES " + list;
  }
  bool definitions_commit() const noexcept override { return true; }
  std::string json_text(std::string_view quoted_column, std::string_view member) const override {
    if (member.empty() || member.find_first_of("\"\\") != member.npos)
      throw Error(Errc::usage, "name a member of a JSON object: it is empty, or holds a quotation mark or a backslash");
    return fmt::format("json_unquote(json_extract({}, {}))", quoted_column,
                       quote_text(fmt::format("$.\"{}\"", member)));
  }

  std::string path_among(const TableDef& def, std::string_view column, std::size_t count) const override {
    const auto found_by = [&](const IndexDef& index) {
      return index.object_path && index.columns == std::vector{std::string(column)};
    };
    if (std::ranges::none_of(def.indexes, found_by)) return Dialect::path_among(def, column, count);
    std::string numbers;
    for (std::size_t n = 1; n <= count; ++n) {
      const std::string number = path_number(placeholder(n));
      numbers += fmt::format("{}{}", n == 1 ? "" : ", ", mariadb_ ? number : fmt::format("unhex({})", number));
    }
    return fmt::format("{} IN ({})", mariadb_ ? quote(path_column(column)) : path_expression(column), numbers);
  }

  std::optional<std::string> function(std::string_view name) const override { return spelling_of(name, functions); }

  using Dialect::from_cell;
  using Dialect::to_cell;
  CellType cell_type(std::string_view core_type) const override {
    CellType type = parsed(core_type);
    type.spelling = core_type;
    return type;
  }
  Value to_cell(const CellType& type, const Value& value) const override {
    const double* number = value.get_if<double>();
    if (number && !std::isfinite(*number)) {
      throw Error(Errc::usage,
                  fmt::format("store {} as {}: MySQL has no such number. make the attribute nullable, or keep it in a "
                              "blob",
                              std::isnan(*number) ? "NaN" : "infinity", type.spelling));
    }
    if (type.kind != CellType::Kind::uuid || value.is_null()) return to_portable_cell(type, value);
    const Uuid id = Uuid::parse(to_portable_cell(type, value).as<std::string>());
    return Bytes::copy(BytesView(id.bytes));
  }
  Value from_cell(const CellType& type, Value cell) const override {
    if (type.kind == CellType::Kind::decimal) {  // in a query within a query, columns arrive as expressions do
      if (const auto* exact = cell.get_if<Decimal>()) return *exact;
      if (const auto* whole = cell.get_if<std::int64_t>()) return Decimal{std::to_string(*whole)};
    }
    // What is no member of an enum was kept as an empty text, once.
    if (const auto* text = cell.get_if<std::string>(); text && type.kind == CellType::Kind::enumeration &&
                                                       std::ranges::find(type.labels, *text) == type.labels.end()) {
      throw Error(Errc::decode, fmt::format("read a cell as {}: it holds a text that is none of these. somebody else "
                                            "has written it",
                                            type.spelling));
    }
    if (const auto* bytes = cell.get_if<Bytes>(); bytes && type.kind == CellType::Kind::uuid && bytes->size() == 16) {
      Uuid id;
      std::copy_n(bytes->data(), 16, id.bytes.begin());
      return id;
    }
    return from_portable_cell(type, std::move(cell));
  }

 private:
  /// Times without digits have none here, and unsigned numbers beyond 2^63 do not fit a Value.
  static CellType parsed(std::string_view text) {
    TypeWords type = type_words(text);
    const bool is_unsigned = type.rest.starts_with("unsigned") || type.rest.find("zerofill") != std::string::npos;
    if (type.word == "serial" || (type.word == "bigint" && is_unsigned)) {
      CellType out = parse_type("int64");
      out.low = 0;
      return out;
    }
    if (is_integer(type.word)) return parse_type(type.word + (is_unsigned ? " unsigned" : ""));
    if (one_of(type.word, {"float", "double", "real"})) return parse_type(type.word == "float" ? "float32" : "float64");
    if (is_decimal(type.word)) return parse_type(read_back(text).substr(0, read_back(text).find(')') + 1));
    if (type.word == "year") return parse_type("year");
    CellType out = parse_type(text);
    if (one_of(type.word, {"datetime", "time", "timestamp"}) && !type.parenthesis) out.fraction = 0;
    return out;
  }
  /// 'true' is no tinyint.
  static std::string default_of(const ColumnDef& c) {
    const std::string& literal = c.fallback.literal;
    if (c.fallback.kind == Default::Kind::literal && c.type == "bool")
      return parse_default(parse_type(c.type), literal).as<bool>() ? "'1'" : "'0'";
    return quote_text(escaped(literal, false));
  }
  static std::string comment_of(const ColumnDef& c) {
    if (c.origin.empty()) return c.comment;
    return (c.type == "uuid" ? ":uuid:" : "") + std::string(read_marker(c.comment).text);
  }

  std::string path_expression(std::string_view column) const {
    return fmt::format("(unhex({}))", path_number(json_text(quote(column), "path")));
  }
  /// Begins with _, so that other programs take no notice of it.
  static std::string path_column(std::string_view column) {
    std::string name = fmt::format("_oas_path_{}", column);
    if (name.size() <= 64) return name;
    Md5 digest;
    digest.update(as_bytes(column));
    return "_oas_path_" + hex(digest.finish());
  }

  /// CURRENT_TIMESTAMP with as many digits as the column has: MySQL refuses others.
  static TableDef with_digits(TableDef def) {
    for (ColumnDef& c : def.columns) {
      const TypeWords type = type_words(c.type), now = type_words(c.fallback.literal);
      const bool time = one_of(type.word, {"datetime", "timestamp", "time"});
      if (c.fallback.kind == Default::Kind::now && time && now.arguments.empty() && !type.arguments.empty())
        c.fallback.literal = fmt::format("CURRENT_TIMESTAMP({})", type.arguments[0]);
    }
    return def;
  }

  std::string statement(const TableDef& given, bool portable) const {
    const TableDef def = portable ? given : with_digits(given);
    check_names(*this, def);
    std::vector<std::string> lines = column_lines(*this, def), indexes;
    // Texts of the ledger are compared byte by byte, and are longer than what an index on characters takes.
    if (def.name.starts_with("~oas_"))
      for (std::string& line : lines)
        if (const std::size_t at = line.find("` varchar("); at != line.npos) line.replace(at, 9, "` varbinary");
    for (const Index& index : indexes_of(def, false)) {  // references have theirs from the server
      if (index.object_path && portable) continue;
      const std::string& first = index.columns.front();
      if (index.object_path && mariadb_) {  // which has no indexes on expressions
        lines.push_back(fmt::format("{} char(64) CHARACTER SET ascii GENERATED ALWAYS AS ({}) STORED INVISIBLE",
                                    quote(path_column(first)), path_number(json_text(quote(first), "path"))));
        indexes.push_back(fmt::format("INDEX ({})", quote(path_column(first))));
      } else if (index.object_path)
        indexes.push_back(fmt::format("INDEX ({})", path_expression(first)));
      else
        indexes.push_back(index.of_reference ? fmt::format("UNIQUE INDEX ({})", join_quoted(*this, index.columns))
                                             : fmt::format("{}index ({})", index.unique ? "unique " : "",
                                                           join_quoted(*this, index.columns, ",")));
    }
    std::string options = "ENGINE=InnoDB";
    if (!def.comment.empty()) options += ", COMMENT " + quote_comment(def.comment);
    return create_table_text(*this, def, std::move(lines), indexes, options, portable);
  }

  bool mariadb_;
};

}  // namespace

const Dialect& mysql_dialect() {
  static const MysqlDialect dialect(false);
  return dialect;
}

const Dialect& mariadb_dialect() {
  static const MysqlDialect dialect(true);
  return dialect;
}

std::string mysql_core_type(std::string_view server_type, std::string_view comment) {
  const TypeWords server = type_words(server_type);
  std::string marked(read_marker(comment).type);
  const bool text_of_json = one_of(server.word, {"json", "longtext"});  // MariaDB keeps it as text
  if (marked.starts_with('<')) {
    if (text_of_json) return "json";
    if (server.word.ends_with("blob")) return "bytes";
  } else if (!marked.empty()) {
    try {
      const TypeWords stored = type_words(column_type_of(marked));
      if (stored.word == server.word || (stored.word == "json" && text_of_json)) return marked;
    } catch (const Error&) {
      // A type that is not known here.
    }
  }
  if (!is_integer(server.word) && server.word != "year") return std::string(server_type);
  return server.word + (server.rest.empty() ? "" : " " + server.rest);
}

}  // namespace oas::db
