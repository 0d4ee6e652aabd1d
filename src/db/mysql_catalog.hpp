// The catalogue of a MySQL or MariaDB server: which schemas there are, and their tables as they were declared.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/db.hpp>

namespace oas::db {

/// All rows of a statement.
using MysqlAsk = std::function<std::vector<std::vector<Value>>(std::string_view sql, std::span<const Value> params)>;

std::vector<std::string> mysql_schemas(const MysqlAsk& ask);
/// Parents before the tables that refer to them; else in the order of their last change, which the servers know to the
/// second.
std::vector<TableDef> mysql_tables(const MysqlAsk& ask, std::string_view schema);

/// What the catalogue says of the tables of some schemas, in a number: another one after every change. The servers say
/// when a table was changed last, to the second; so of a change that is younger than two seconds nothing is known for
/// sure, and `settled` is false.
struct MysqlFingerprint {
  std::int64_t number = 0;  ///< never below 0
  bool settled = false;
  friend bool operator==(const MysqlFingerprint&, const MysqlFingerprint&) = default;
};
MysqlFingerprint mysql_fingerprint(const MysqlAsk& ask, const std::set<std::string, std::less<>>& schemas,
                                   std::string_view only_table = {});

}  // namespace oas::db
