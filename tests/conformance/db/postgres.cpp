#include "support/postgres.hpp"

#include "conformance/db/db_suite.hpp"
#include "support/faulty_connection.hpp"

namespace oas::test {
namespace {

db::Config config(const std::filesystem::path&) { return postgres_config(empty_postgres_database()); }

std::unique_ptr<db::Connection> numbered(std::unique_ptr<db::Connection> inner) {
  return std::make_unique<FaultyConnection>(std::move(inner), std::make_shared<FaultPlan>());
}

DbProduct product(std::string name, decltype(DbProduct::decorate) decorate) {
  DbProduct p{std::move(name), config, std::move(decorate)};
  p.server = postgres_variable;
  p.keeps_nan = true;
  p.knows_not = {"int8"};
  p.endless = "SELECT pg_sleep(100000)";
  return p;
}

INSTANTIATE_TEST_SUITE_P(postgres, DbSuite, testing::Values(product("plain", {}), product("decorated", numbered)),
                         [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace oas::test
