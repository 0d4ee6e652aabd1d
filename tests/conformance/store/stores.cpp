#include <gtest/gtest.h>

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

}  // namespace

std::vector<StoreCase> store_cases() {
  const StoreTraits all{.atomic_create = true, .conditional_write = true};
  return {
      {"memory", open_memory, all},
      {"file", open_file, all},
      {"forwarded_file", [] { return decorate<StoreDecorator>(open_file()); }, all},
      {"recorded_memory", [] { return decorate<RecordingStore>(open_memory()); }, all},
      {"faulty_memory", [] { return decorate<FaultyStore>(open_memory()); }, all},
  };
}

}  // namespace oas::test
