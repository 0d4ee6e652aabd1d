// From what a MySQL or MariaDB server says to an Error. What it says itself is quoted only where it holds names and no
// values. Pure; numbers of errors are the same in both, but for the ranges that only one of them uses.
#pragma once

#include <string>

#include <oas/error.hpp>

namespace oas::db {

struct MysqlFailure {
  unsigned number = 0;  ///< 2000 to 2999 and 5000 to 5999: of the client library
  std::string sqlstate, message;
};

/// What was going on.
struct MysqlContext {
  std::string tried;     ///< "execute a statement on mysql oas@localhost:3306"
  std::string location;  ///< the rest of it
  std::string table;     ///< "lab.scan", empty if it is not known
  std::string key;       ///< columns of the key that a duplicate hit: "animal, scan"
  bool primary = false;  ///< it is the primary key
  bool reading = false;  ///< the transaction may not write
};

Error mysql_error(const MysqlFailure& failure, const MysqlContext& context);
/// Of a connection that could not be opened.
Error mysql_connect_error(const MysqlFailure& failure, const std::string& location, const std::string& user);
/// The connection is gone, whatever else the message says.
bool ends_mysql_connection(unsigned number) noexcept;
/// A row or table that is there already.
bool is_mysql_duplicate(unsigned number) noexcept;
/// "PRIMARY", of "Duplicate entry 'x' for key 'scan.PRIMARY'".
std::string mysql_key_name(const MysqlFailure& failure);

}  // namespace oas::db
