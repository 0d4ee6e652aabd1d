#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

#include "conformance/store/store_suite.hpp"
#include "store/registry.hpp"
#include "support/faulty_store.hpp"
#include "support/recording_store.hpp"
#include "support/s3_server.hpp"
#include "support/temp_folder.hpp"

namespace oas::test {
namespace {

std::shared_ptr<Store> open_memory() { return store::open_store({.name = "m", .protocol = "memory"}); }

std::shared_ptr<Store> open_file() {
  auto folder = std::make_shared<TempFolder>();
  auto inner = store::open_store({.name = "f", .protocol = "file", .options = {{"location", folder->path().string()}}});
  Store* store = inner.get();
  return {store, [folder, inner](Store*) mutable { inner.reset(), folder.reset(); }};
}

template <class Decorator>
std::shared_ptr<Store> decorate(const std::shared_ptr<Store>& inner) {
  return std::make_shared<Decorator>(inner);
}

#if defined(OAS_WITH_S3) && !defined(OAS_TEST_LOCAL_STORES)
/// A store in a location of its own on the server that a variable names. Null: there is none, and need not be.
std::shared_ptr<Store> open_s3(const char* variable) {
  const auto server = s3_server(variable);
  if (!server && must_be_there(variable)) throw std::runtime_error(std::string(variable) + ": the server is missing");
  if (!server) return nullptr;
  auto options = server->options(S3Server::fresh_location());
  if (const char* const tls = std::getenv("OAS_TEST_TLS"); tls && server->scheme == "https")
    options["ca_file"] = std::string(tls) + "/ca.pem";
  auto store = store::open_store({.name = "s", .protocol = "s3", .options = options});
  store->probe();
  return store;
}
#endif

}  // namespace

std::vector<StoreCase> store_cases() {
  const StoreTraits all{.atomic_create = true, .conditional_write = true};
  std::vector<StoreCase> cases = {
      {"memory", open_memory, all},
      {"file", open_file, all},
      {"forwarded_file", [] { return decorate<StoreDecorator>(open_file()); }, all},
      {"recorded_memory", [] { return decorate<RecordingStore>(open_memory()); }, all},
      {"faulty_memory", [] { return decorate<FaultyStore>(open_memory()); }, all},
  };
#if defined(OAS_WITH_S3) && !defined(OAS_TEST_LOCAL_STORES)
  const StoreTraits s3{
      .atomic_create = true, .conditional_write = true, .at_once = 64, .whole_objects = true, .content_versions = true};
  const StoreTraits s3_without_conditions{.at_once = 64, .content_versions = true};
  cases.insert(cases.end(),
               {{"versitygw", [] { return open_s3("OAS_TEST_S3_VERSITYGW"); }, s3, "\x01", 1000},
                {"versitygw_tls", [] { return open_s3("OAS_TEST_S3_TLS"); }, s3, "\x01", 1000},
                {"moto", [] { return open_s3("OAS_TEST_S3_MOTO"); }, s3, "\x01", 1000, "\n", true, true, false},
                {"rclone", [] { return open_s3("OAS_TEST_S3_RCLONE"); }, s3_without_conditions, "\x01", 1000, "", false,
                 false}});
#endif
  return cases;
}

}  // namespace oas::test
