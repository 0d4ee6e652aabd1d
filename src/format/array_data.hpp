// Arrays from bytes that somebody else laid out, and walks over their elements.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <oas/array.hpp>

namespace oas::format {

/// numpy's own limit.
inline constexpr std::size_t max_dimensions = 64;

/// The product of the lengths and `item_size`; nullopt if a length is negative, or that of those that are not 0 does
/// not fit 63 bits (what has no elements has a shape nevertheless).
std::optional<std::uint64_t> bytes_of_shape(std::span<const std::int64_t> shape, std::uint64_t item_size) noexcept;

/// An array over `data` (whose size must fit), sharing it if that is sound; a bool that is neither 0 nor 1 makes it a
/// copy. What is the same bytes in both orders is in row order.
Array adopt_array(ArrayType type, Shape shape, Bytes data, Array::Order order);

/// Real parts, then imaginary parts, of `kind`, as an array in column order: complex64 of float32, complex128 of all
/// other numbers. nullopt if an integer has more digits than a double.
/// `parts` holds both; `kind` is bool_, an integer, f32 or f64.
std::optional<Array> join_complex(DType kind, Shape shape, BytesView parts);
/// The elements of a complex array, as they lie, split into real parts, then imaginary parts.
Bytes split_complex(const Array& array);

/// Calls f(i) with the row-order index of each element, in column order.
template <class F>
void for_each_in_column_order(std::span<const std::int64_t> shape, F&& f) {
  std::uint64_t size = 1;
  std::vector<std::uint64_t> strides(shape.size());
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides[d] = size;
    size *= static_cast<std::uint64_t>(shape[d]);
  }
  std::vector<std::int64_t> at(shape.size());
  std::uint64_t index = 0;
  for (std::uint64_t n = 0; n < size; ++n) {
    f(static_cast<std::size_t>(index));
    for (std::size_t d = 0; d < shape.size(); ++d) {
      index += strides[d];
      if (++at[d] < shape[d]) break;
      index -= strides[d] * static_cast<std::uint64_t>(shape[d]);
      at[d] = 0;
    }
  }
}

}  // namespace oas::format
