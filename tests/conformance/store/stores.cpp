#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <regex>

#include "conformance/store/store_suite.hpp"
#include "store/registry.hpp"
#include "support/faulty_store.hpp"
#include "support/recording_store.hpp"
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

/// A store in a location of its own on the server that a variable of the environment names, as
/// http://ACCESS:SECRET@HOST:PORT/BUCKET (tools/with_servers). Null: there is none.
std::shared_ptr<Store> open_s3(const char* variable) {
  const char* const value = std::getenv(variable);
  if (!value) return nullptr;
  static const std::regex form("(https?://)([^:@/]+):([^@/]+)@([^/]+)/([^/]+)");
  std::cmatch parts;
  if (!std::regex_match(value, parts, form)) throw std::runtime_error(std::string(variable) + " is no URL of a server");
  static std::atomic<int> counter = 0;
  auto store = store::open_store(
      {.name = "s",
       .protocol = "s3",
       .options = {{"endpoint", parts.str(1) + parts.str(4)},
                   {"bucket", parts.str(5)},
                   {"location", "t" + std::to_string(std::random_device{}()) + "-" + std::to_string(++counter)},
                   {"access_key", parts.str(2)},
                   {"secret_key", parts.str(3)}}});
  store->probe();
  return store;
}

}  // namespace

std::vector<StoreCase> store_cases() {
  const StoreTraits all{.atomic_create = true, .conditional_write = true};
  const StoreTraits s3{.atomic_create = true, .conditional_write = true, .distant = true, .content_versions = true};
  const StoreTraits s3_without_conditions{.distant = true, .content_versions = true};
  return {
      {"memory", open_memory, all},
      {"file", open_file, all},
      {"forwarded_file", [] { return decorate<StoreDecorator>(open_file()); }, all},
      {"recorded_memory", [] { return decorate<RecordingStore>(open_memory()); }, all},
      {"versitygw", [] { return open_s3("OAS_TEST_S3_VERSITYGW"); }, s3, "\x01", 1000},
      {"moto", [] { return open_s3("OAS_TEST_S3_MOTO"); }, s3, "\x01", 1000},
      {"rclone", [] { return open_s3("OAS_TEST_S3_RCLONE"); }, s3_without_conditions, "\x01", 1000},
      {"faulty_memory", [] { return decorate<FaultyStore>(open_memory()); }, all},
  };
}

}  // namespace oas::test
