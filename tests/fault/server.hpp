// Servers for the tests of faults: emptied, and named in the file from which settings_in() reads.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/test_server.hpp"
#ifdef OAS_WITH_MYSQL
#include "support/mysql.hpp"
#endif
#ifdef OAS_WITH_POSTGRES
#include "support/postgres.hpp"
#endif

namespace oas::test {

inline bool is_postgres(std::string_view variable) { return variable == "OAS_TEST_POSTGRES"; }

/// An empty server, as settings_in() reads it from the file `server`: its variable and, of PostgreSQL, the database.
inline std::string empty_server(const char* variable) {
#ifdef OAS_WITH_POSTGRES
  if (is_postgres(variable)) return std::string(variable) + " " + empty_postgres_database();
#endif
#ifdef OAS_WITH_MYSQL
  if (!is_postgres(variable)) {
    empty_mysql_server(variable);
    return variable;
  }
#endif
  throw std::runtime_error(std::string("built without the driver for ") + variable);
}

/// The variables of the servers for which there are drivers.
inline std::vector<const char*> servers() {
  return {
#ifdef OAS_WITH_POSTGRES
      "OAS_TEST_POSTGRES",
#endif
#ifdef OAS_WITH_MYSQL
      "OAS_TEST_MARIADB",
      "OAS_TEST_MYSQL",
#endif
  };
}

/// As part of a test's name.
inline std::string name_of_server(std::string_view variable) {
  return variable.empty()                 ? "sqlite"
         : is_postgres(variable)          ? "postgres"
         : variable == "OAS_TEST_MARIADB" ? "mariadb"
                                          : "mysql";
}

}  // namespace oas::test
