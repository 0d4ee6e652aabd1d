#include <oas/bytes.hpp>

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include <oas/error.hpp>

namespace oas {
namespace {

constexpr std::uintptr_t huge_page = std::uintptr_t{2} << 20;
// From here on the page faults of fresh memory cost more than filling it.
constexpr std::size_t huge_from = 2 * huge_page;

std::shared_ptr<std::byte> allocate(std::size_t size) {
  if (size < huge_from) {
    auto block = std::make_shared_for_overwrite<std::byte[]>(size);
    return {block, block.get()};
  }
  if (size > PTRDIFF_MAX) throw std::bad_alloc();  // no object is larger, and sanitizers end programs that ask
  // Aligned for any element only: memory aligned for huge pages malloc would not use again, and page faults would
  // return.
  std::shared_ptr<std::byte> owner(static_cast<std::byte*>(std::malloc(size)), [](std::byte* p) { std::free(p); });
  if (!owner) throw std::bad_alloc();
  const auto begin = reinterpret_cast<std::uintptr_t>(owner.get());
  const std::uintptr_t first = (begin + huge_page - 1) / huge_page * huge_page;
  const std::uintptr_t last = (begin + size) / huge_page * huge_page;
  // A hint: where it is refused, memory is only slower.
  ::madvise(owner.get() + (first - begin), last - first, MADV_HUGEPAGE);
  return owner;
}

}  // namespace

Bytes::Bytes(std::vector<std::byte> owned) {
  auto kept = std::make_shared<const std::vector<std::byte>>(std::move(owned));
  data_ = kept->data();
  size_ = kept->size();
  owner_ = std::move(kept);
}

Bytes Bytes::copy(BytesView bytes) {
  if (bytes.empty()) return {};
  Buffer buffer(bytes.size());
  std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return std::move(buffer).finish();
}

Bytes Bytes::slice(std::size_t offset, std::size_t count) const {
  if (offset > size_ || count > size_ - offset)
    throw Error(Errc::usage, fmt::format("take {} bytes from {} on, of {}: outside", count, offset, size_));
  return Bytes(owner_, data_ + offset, count);
}

bool operator==(const Bytes& a, const Bytes& b) noexcept {
  return a.size_ == b.size_ && (a.size_ == 0 || a.data_ == b.data_ || std::memcmp(a.data_, b.data_, a.size_) == 0);
}

Buffer::Buffer(std::size_t size) : size_(size) {
  try {
    owner_ = allocate(size);
  } catch (const std::bad_alloc&) {
    throw Error(Errc::unavailable, fmt::format("allocate {} bytes: out of memory", size), {}, "ENOMEM");
  }
  data_ = owner_.get();
}

Bytes Buffer::finish(std::size_t size) && {
  if (size > size_) throw Error(Errc::usage, fmt::format("finish a buffer of {} bytes with {}: too many", size_, size));
  Bytes done(std::move(owner_), data_, size);
  owner_ = nullptr;
  data_ = nullptr;
  size_ = 0;
  return done;
}

}  // namespace oas
