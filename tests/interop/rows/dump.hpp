// The rows in what pg_dump --inserts and mysqldump print.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace oas::interop {

struct DumpedCell {
  std::optional<std::string> text;  ///< the bytes of the literal; nullopt: NULL
  bool is_hex = false;              ///< they were written as 0x… or '\x…', and `text` holds the digits
  /// The bytes as hexadecimal digits, however they were written.
  std::string hex() const;
};
struct DumpedTable {
  std::string name;
  std::vector<std::string> columns;  ///< in the order of the table
  std::vector<std::vector<DumpedCell>> rows;
};
/// Errors: syntax for what is no such dump.
std::vector<DumpedTable> read_dump(const std::filesystem::path& path);

}  // namespace oas::interop
