// What a statement is, as far as a MySQL or MariaDB connection must know before it sends it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oas::db {

enum class MysqlVerb : std::uint8_t {
  none,       ///< the text holds no statement
  several,    ///< more than one
  reads,      ///< SELECT, SHOW, …
  changes,    ///< INSERT, UPDATE, DELETE, …
  defines,    ///< CREATE, DROP, ALTER, …: commits whatever is open
  locks,      ///< LOCK TABLES: commits whatever is open
  forbidden,  ///< transactions, settings, privileges, files: the connection's own business
};

struct MysqlText {
  MysqlVerb verb = MysqlVerb::none;
  /// Schema and name of the table that an INSERT, UPDATE or DELETE names first; empty if it is written otherwise.
  std::string schema, table;
  /// Where in the text the one list of values of an INSERT stands, if it holds only placeholders: "(?, ?)".
  std::size_t values = 0, values_size = 0;
  bool upsert = false;  ///< INSERT … ON DUPLICATE KEY UPDATE
};

MysqlText scan_mysql(std::string_view sql);

/// The same INSERT for `rows` rows at once. `scanned` has a list of values.
std::string with_rows(std::string_view sql, const MysqlText& scanned, std::size_t rows);

}  // namespace oas::db
