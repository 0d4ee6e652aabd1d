// Core types, and the conversion between values of them and portable cells: whole numbers (also bool), doubles, bytes,
// and text for all the rest. A dialect whose database is content with these cells needs no more. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <oas/value.hpp>

namespace oas::db {

/// A parsed core or native type; native types arrive as the core type nearest to them.
struct CellType {
  enum class Kind : std::uint8_t {
    boolean,
    integer,
    real,
    decimal,
    text,
    enumeration,
    date,
    time,
    datetime,
    uuid,
    json,
    bytes
  };
  Kind kind{};
  std::int64_t low = 0, high = 0;   ///< integer
  bool single = false;              ///< real: 32 bits
  int precision = 0, scale = 0;     ///< decimal: digits in all, and after the point
  std::size_t length = 0;           ///< text: characters at most; 0: any
  int fraction = 6;                 ///< time, datetime: digits of the second
  std::vector<std::string> labels;  ///< enumeration
  std::string spelling = {};        ///< as the definition has it, for messages
  bool padded = false;              ///< text: the database fills it up with spaces, which mean nothing
};

/// "int32", "varchar(20)", "enum('a','b')", "datetime(3)", "decimal(5,2)", "tinyint unsigned", "longblob", …
/// Errors: definition, saying which types there are.
CellType parse_type(std::string_view type);

/// Null stays Null. Errors: usage, telling what was given and what fits, without the name of the attribute.
Value to_portable_cell(const CellType& type, const Value& value);
/// Errors: decode for a cell that is no value of the type.
Value from_portable_cell(const CellType& type, Value cell);
/// What a definition's default says, as a value for to_portable_cell. Errors: definition.
Value parse_default(const CellType& type, std::string_view literal);

/// -1, 0, 1 as numbers; a text that is no number comes after all that are, in byte order. Never throws.
int compare_decimals(std::string_view a, std::string_view b) noexcept;

}  // namespace oas::db
