#include "format/array_data.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace oas::format {

std::optional<std::uint64_t> bytes_of_shape(std::span<const std::int64_t> shape, std::uint64_t item_size) noexcept {
  std::uint64_t bytes = std::max<std::uint64_t>(item_size, 1);
  bool empty = item_size == 0;
  for (const std::int64_t length : shape) {
    if (length < 0) return std::nullopt;
    empty |= length == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::uint64_t>(static_cast<std::uint64_t>(length), 1), &bytes) ||
        bytes > INT64_MAX)
      return std::nullopt;
  }
  return empty ? 0 : bytes;
}

namespace {

bool all_bools(BytesView data) {
  std::byte seen{};
  for (const std::byte b : data) seen |= b;
  return seen <= std::byte{1};
}

template <class T>
T load(const std::byte* from) {
  T number;
  std::memcpy(&number, from, sizeof number);
  return number;
}

// False if a number does not fit.
template <class From, class To>
bool join_parts(BytesView parts, std::byte* to) {
  const std::size_t count = parts.size() / 2 / sizeof(From);
  const auto convert = [&](const std::byte* from, std::byte* place) {
    const From number = load<From>(from);
    const To converted = static_cast<To>(number);
    std::memcpy(place, &converted, sizeof converted);
    if constexpr (sizeof(From) < 8 || std::is_floating_point_v<From>)
      return true;
    else  // what rounds up to the next power of two would not convert back
      return converted < (std::is_signed_v<From> ? 0x1p63 : 0x1p64) && static_cast<From>(converted) == number;
  };
  bool fits = true;
  for (std::size_t i = 0; i < count; ++i) {
    fits &= convert(parts.data() + i * sizeof(From), to + 2 * i * sizeof(To));
    fits &= convert(parts.data() + (count + i) * sizeof(From), to + (2 * i + 1) * sizeof(To));
  }
  return fits;
}

template <class T>
void split_parts(BytesView from, std::byte* to) {
  const std::size_t count = from.size() / (2 * sizeof(T));
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(to + i * sizeof(T), from.data() + 2 * i * sizeof(T), sizeof(T));
    std::memcpy(to + (count + i) * sizeof(T), from.data() + (2 * i + 1) * sizeof(T), sizeof(T));
  }
}

}  // namespace

std::optional<Array> join_complex(DType kind, Shape shape, BytesView parts) {
  const bool single = kind == DType::f32;
  const std::size_t count = parts.size() / 2 / ArrayType::of(kind).item_size;
  Buffer joined(count * (single ? sizeof(std::complex<float>) : sizeof(std::complex<double>)));
  bool fits = true;
  switch (kind) {
    case DType::f32: fits = join_parts<float, float>(parts, joined.data()); break;
    case DType::f64: fits = join_parts<double, double>(parts, joined.data()); break;
    case DType::i8: fits = join_parts<std::int8_t, double>(parts, joined.data()); break;
    case DType::i16: fits = join_parts<std::int16_t, double>(parts, joined.data()); break;
    case DType::i32: fits = join_parts<std::int32_t, double>(parts, joined.data()); break;
    case DType::i64: fits = join_parts<std::int64_t, double>(parts, joined.data()); break;
    case DType::u16: fits = join_parts<std::uint16_t, double>(parts, joined.data()); break;
    case DType::u32: fits = join_parts<std::uint32_t, double>(parts, joined.data()); break;
    case DType::u64: fits = join_parts<std::uint64_t, double>(parts, joined.data()); break;
    default: fits = join_parts<std::uint8_t, double>(parts, joined.data()); break;  // bool_, u8
  }
  if (!fits) return std::nullopt;
  return adopt_array(ArrayType::of(single ? DType::c64 : DType::c128), std::move(shape), std::move(joined).finish(),
                     Array::Order::column);
}

Bytes split_complex(const Array& array) {
  Buffer parts(array.nbytes());
  if (array.dtype() == DType::c64)
    split_parts<float>(array.data(), parts.data());
  else
    split_parts<double>(array.data(), parts.data());
  return std::move(parts).finish();
}

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
