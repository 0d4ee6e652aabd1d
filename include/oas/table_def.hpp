// A table as a database has it: what is created, and what is found again. Plain values; two are equal if the tables
// are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace oas::db {

/// What a column gets when a row does not say: nothing (it must), NULL, CURRENT_TIMESTAMP, or a literal.
struct Default {
  enum class Kind : std::uint8_t { none, null, now, literal } kind = Kind::none;
  std::string literal;  ///< as text, unquoted; of `now` as it was written, "CURRENT_TIMESTAMP(3)", or empty
  friend bool operator==(const Default&, const Default&) = default;
};

struct ColumnDef {
  std::string name;
  /// A core type as definitions spell it (int32, varchar(20), enum('a','b'), json, bytes, …) or a native type.
  std::string type;
  Default fallback;
  bool nullable = false;
  /// `:type:comment`, so that codecs and core types are found again; the comment alone if the type is a native one.
  std::string comment;
  /// To create it, not part of what it is: of a column that a reference brings, the schema in which its attribute was
  /// declared. Type and comment are those of the attribute.
  std::string origin = {};
  friend bool operator==(const ColumnDef& a, const ColumnDef& b) {
    return a.name == b.name && a.type == b.type && a.fallback == b.fallback && a.nullable == b.nullable &&
           a.comment == b.comment;
  }
};
struct ForeignKeyDef {
  std::vector<std::string> columns;
  std::string schema, table;  ///< the parent
  std::vector<std::string> parent_columns;
  bool unique = false;
  /// To create it, not part of what it is: how many of the table's indexes are created before the one that makes it
  /// unique.
  std::size_t indexes_before = 0;
  friend bool operator==(const ForeignKeyDef& a, const ForeignKeyDef& b) {
    return a.columns == b.columns && a.schema == b.schema && a.table == b.table &&
           a.parent_columns == b.parent_columns && a.unique == b.unique;
  }
};
struct IndexDef {
  std::vector<std::string> columns;
  bool unique = false;
  /// Not on the column but on the member "path" of the JSON in it: how references to objects are found.
  bool object_path = false;
  friend bool operator==(const IndexDef&, const IndexDef&) = default;
};
/// A table as it is to be created, and as `introspect` found it.
struct TableDef {
  std::string schema, name;  ///< name with its tier prefix
  std::string comment;
  std::vector<ColumnDef> columns;
  std::vector<std::string> primary_key;
  std::vector<ForeignKeyDef> foreign_keys;
  std::vector<IndexDef> indexes;
  friend bool operator==(const TableDef&, const TableDef&) = default;
};

}  // namespace oas::db
