// Bytes: an immutable, shared piece of memory. Copying shares, slicing shares; nothing is copied unless the name of
// the function says so. Safe to read from any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace oas {

using BytesView = std::span<const std::byte>;

/// The bytes of a text, not copied.
inline BytesView as_bytes(std::string_view text) noexcept { return std::as_bytes(std::span(text.data(), text.size())); }
/// The text that some bytes spell, not copied and not validated.
inline std::string_view as_text(BytesView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Bytes {
 public:
  Bytes() noexcept = default;
  /// Shares the ownership of `owner`, which must keep [data, data + size) alive and unchanged.
  Bytes(std::shared_ptr<const void> owner, const std::byte* data, std::size_t size) noexcept
      : owner_(std::move(owner)), data_(data), size_(size) {}
  explicit Bytes(std::vector<std::byte> owned);

  static Bytes copy(BytesView bytes);
  static Bytes copy(std::string_view text) { return copy(as_bytes(text)); }
  /// Not owned: the caller keeps the memory alive and unchanged for as long as this or a copy of it lives.
  static Bytes borrow(BytesView bytes) noexcept { return Bytes({}, bytes.data(), bytes.size()); }

  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  bool borrowed() const noexcept { return !owner_ && size_ != 0; }
  BytesView view() const noexcept { return {data_, size_}; }
  operator BytesView() const noexcept { return view(); }
  std::string_view text() const noexcept { return as_text(view()); }
  const std::shared_ptr<const void>& owner() const noexcept { return owner_; }
  /// Shares the memory. Errors: usage if [offset, offset + count) is not inside.
  Bytes slice(std::size_t offset, std::size_t count) const;

  /// Equal content.
  friend bool operator==(const Bytes& a, const Bytes& b) noexcept;

 private:
  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Writable memory that becomes Bytes: not zeroed, and in huge pages where that pays (large reads are bound by page
/// faults otherwise). Owned by one thread until `finish`.
class Buffer {
 public:
  explicit Buffer(std::size_t size);
  std::byte* data() noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::span<std::byte> span() noexcept { return {data_, size_}; }
  /// The first `size` bytes, shared without a copy. The buffer is empty afterwards.
  Bytes finish(std::size_t size) &&;
  Bytes finish() && { return std::move(*this).finish(size_); }

 private:
  std::shared_ptr<std::byte> owner_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace oas
