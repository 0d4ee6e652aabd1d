#include "support/mysql.hpp"

#include "conformance/db/db_suite.hpp"
#include "support/faulty_connection.hpp"

namespace oas::test {
namespace {

std::unique_ptr<db::Connection> numbered(std::unique_ptr<db::Connection> inner) {
  return std::make_unique<FaultyConnection>(std::move(inner), std::make_shared<FaultPlan>());
}

DbProduct product(std::string name, const char* server, decltype(DbProduct::decorate) decorate) {
  const auto config = [server](const std::filesystem::path&) {
    empty_mysql_server(server);
    return mysql_config(server);
  };
  DbProduct p{std::move(name), config, std::move(decorate)};
  p.server = server;
  p.knows_not = {"bool", "uuid"};
  p.keeps_infinity = false;
  p.datetime_has_fraction = false;
  // SLEEP and BENCHMARK that are stopped are no errors.
  const std::string columns = "information_schema.COLUMNS";
  p.endless = "SELECT COUNT(*) FROM " + columns + " a, " + columns + " b, " + columns + " c, " + columns + " d";
  return p;
}

INSTANTIATE_TEST_SUITE_P(mysql, DbSuite,
                         testing::Values(product("mariadb", mariadb_variable, {}),
                                         product("mariadb_decorated", mariadb_variable, numbered),
                                         product("mysql", mysql_variable, {})),
                         [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace oas::test
