// How much memory a piece of code takes: operator new, and malloc as our own objects call it (the linker is told to
// --wrap=malloc --wrap=free), are counted. For one thread. In one source file of a program.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace oas::testing {

struct CountedMemory {
  static inline std::size_t live = 0, peak = 0;

  static void* took(void* memory) {
    live += ::malloc_usable_size(memory);
    peak = std::max(peak, live);
    return memory;
  }
  static void* gave(void* memory) {
    live -= std::min(live, ::malloc_usable_size(memory));
    return memory;
  }
};

/// The most that was in use at once while f ran, above what was before.
template <class F>
std::size_t peak_of(F&& f) {
  const std::size_t before = CountedMemory::peak = CountedMemory::live;
  f();
  return CountedMemory::peak - before;
}

}  // namespace oas::testing

extern "C" {
void* __real_malloc(std::size_t size);
void __real_free(void* memory);
void* __wrap_malloc(std::size_t size) {
  void* const memory = __real_malloc(size);
  return memory ? oas::testing::CountedMemory::took(memory) : nullptr;
}
void __wrap_free(void* memory) { __real_free(memory ? oas::testing::CountedMemory::gave(memory) : nullptr); }
}

void* operator new(std::size_t size) {
  if (void* const memory = __wrap_malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { __wrap_free(memory); }
void operator delete(void* memory, std::size_t) noexcept { __wrap_free(memory); }
