// Aborts when one input makes the library hold more memory than a bound: a parser must not allocate on the word of the
// bytes it reads. Counts only under the address sanitizer, which is how fuzzers are built; elsewhere it does nothing.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#define OAS_COUNTS_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OAS_COUNTS_MEMORY 1
#endif
#endif

#ifdef OAS_COUNTS_MEMORY
// Of the sanitizer's own header, which not every compiler package brings.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, std::size_t),
                                                         void (*free_hook)(const volatile void*));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void* block);
#endif

namespace oas::fuzz {

class MemoryBound {
 public:
  /// From now on, until it is destroyed, at most so many bytes more than there are. One at a time.
  explicit MemoryBound(std::size_t bytes) {
#ifdef OAS_COUNTS_MEMORY
    static const int installed = __sanitizer_install_malloc_and_free_hooks(
        [](const volatile void*, std::size_t size) { count(static_cast<long long>(size)); },
        [](const volatile void* block) {
          if (block) count(-static_cast<long long>(__sanitizer_get_allocated_size(block)));
        });
    static_cast<void>(installed);
    held() = 0;
    most() = static_cast<long long>(bytes);
#else
    static_cast<void>(bytes);
#endif
  }
  ~MemoryBound() { most() = 0; }
  MemoryBound(const MemoryBound&) = delete;
  MemoryBound& operator=(const MemoryBound&) = delete;

 private:
  static long long& held() {
    static thread_local long long bytes = 0;
    return bytes;
  }
  static long long& most() {
    static thread_local long long bytes = 0;  // 0: not counting
    return bytes;
  }
  static void count(long long bytes) {
    if (most() == 0) return;
    held() += bytes;
    if (held() <= most()) return;
    const long long bound = most();
    most() = 0;
    std::fprintf(stderr, "more than %lld bytes are held\n", bound);
    std::abort();
  }
};

}  // namespace oas::fuzz
