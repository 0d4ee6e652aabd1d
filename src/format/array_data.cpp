#include "format/array_data.hpp"

#include <algorithm>

namespace oas::format {

std::optional<std::uint64_t> bytes_of_shape(std::span<const std::int64_t> shape, std::uint64_t item_size) noexcept {
  for (const std::int64_t length : shape)
    if (length < 0) return std::nullopt;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::uint64_t bytes = item_size;
  for (const std::int64_t length : shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(length), &bytes) || bytes > INT64_MAX)
      return std::nullopt;
  return bytes;
}

namespace {

bool all_bools(BytesView data) {
  std::byte seen{};
  for (const std::byte b : data) seen |= b;
  return seen <= std::byte{1};
}

}  // namespace

Array adopt_array(ArrayType type, Shape shape, Bytes data, Array::Order order) {
  if (std::ranges::count_if(shape, [](std::int64_t n) { return n != 1; }) < 2) order = Array::Order::row;
  if (type.kind == DType::bool_ && !all_bools(data)) {
    Buffer copy(data.size());
    std::ranges::transform(data.view(), copy.data(), [](std::byte b) { return std::byte{b != std::byte{0}}; });
    data = std::move(copy).finish();
  }
  return Array(std::move(type), std::move(shape), std::move(data), order);
}

}  // namespace oas::format
