#include "conformance/db/db_suite.hpp"
#include "support/faulty_connection.hpp"

namespace oas::test {
namespace {

db::Config config(const std::filesystem::path& folder) {
  db::Config c;
  c.backend = "sqlite";
  c.name = (folder / "oas.db").string();
  return c;
}

std::unique_ptr<db::Connection> numbered(std::unique_ptr<db::Connection> inner) {
  return std::make_unique<FaultyConnection>(std::move(inner), std::make_shared<FaultPlan>());
}

INSTANTIATE_TEST_SUITE_P(sqlite, DbSuite,
                         testing::Values(DbProduct{"plain", config, {}}, DbProduct{"decorated", config, numbered}),
                         [](const auto& product) { return product.param.name; });

}  // namespace
}  // namespace oas::test
