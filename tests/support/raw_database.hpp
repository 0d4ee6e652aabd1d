// A database as somebody else than the library sees it: read, and damaged, through the database's own client.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace oas::test {

class RawDatabase {
 public:
  using Cells = std::vector<std::string>;
  virtual ~RawDatabase() = default;
  /// Rows of the statement: text, or bytes as they are; NULL as "NULL". Each `?` is one of the byte strings.
  virtual std::vector<Cells> run(const std::string& sql, const std::vector<std::string>& bytes = {}) = 0;
  std::string cell(const std::string& sql) { return run(sql).at(0).at(0); }

  // How this database spells things.
  virtual std::string table(const std::string& name) const = 0;  ///< of the schema lab
  /// A member of a JSON column as text, and the column with another member (JSON).
  virtual std::string member(const std::string& column, const std::string& name) const = 0;
  virtual std::string with_member(const std::string& column, const std::string& name,
                                  const std::string& json) const = 0;
  /// All tables but the ledger's, in the spelling of statements.
  virtual std::vector<std::string> tables() = 0;
};

std::unique_ptr<RawDatabase> raw_sqlite(const std::filesystem::path& file);
/// A database of the server of OAS_TEST_POSTGRES.
std::unique_ptr<RawDatabase> raw_postgres(const std::string& database);
/// The server of OAS_TEST_MARIADB or OAS_TEST_MYSQL.
std::unique_ptr<RawDatabase> raw_mysql(const char* variable);

}  // namespace oas::test
