#include <oas/array.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include <oas/error.hpp>

#include "core/transpose.hpp"

namespace oas {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are kept little-endian");

struct Kind {
  std::string_view name;
  std::uint32_t item_size;
  std::uint32_t unit;   ///< bytes that are swapped together between byte orders; 0: not a number
  std::uint32_t align;  ///< that as<T>() needs
};

const Kind& kind_of(DType kind) {
  static constexpr Kind kinds[] = {
      {"bool", 1, 1, 1},      {"int8", 1, 1, 1},        {"int16", 2, 2, 2},      {"int32", 4, 4, 4},
      {"int64", 8, 8, 8},     {"uint8", 1, 1, 1},       {"uint16", 2, 2, 2},     {"uint32", 4, 4, 4},
      {"uint64", 8, 8, 8},    {"float16", 2, 2, 2},     {"float32", 4, 4, 4},    {"float64", 8, 8, 8},
      {"complex64", 8, 4, 4}, {"complex128", 16, 8, 8}, {"datetime64", 8, 8, 8}, {"timedelta64", 8, 8, 8},
      {"bytes", 0, 0, 1},     {"text", 0, 4, 1},        {"record", 0, 0, 1},     {"raw", 0, 0, 1}};
  return kinds[static_cast<std::size_t>(kind)];
}

std::string describe(std::span<const std::int64_t> shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

// The number of elements. Errors: usage if a length is negative or the bytes do not fit std::size_t.
std::size_t count(const ArrayType& type, const Shape& shape) {
  std::size_t n = 1;
  bool overflow = false;
  for (const std::int64_t length : shape) {
    if (length < 0) throw Error(Errc::usage, "make an array of shape " + describe(shape) + ": a length is negative");
    // An empty dimension makes the whole empty however long the others are.
    if (length == 0) return 0;
    overflow |= __builtin_mul_overflow(n, static_cast<std::size_t>(length), &n);
  }
  std::size_t bytes = 0;
  if (overflow || __builtin_mul_overflow(n, std::size_t{type.item_size}, &bytes))
    throw Error(Errc::usage, "make an array of shape " + describe(shape) + ": more bytes than memory has addresses");
  return n;
}

void swap_units(std::byte* bytes, std::size_t size, std::size_t unit) {
  for (std::size_t i = 0; i < size; i += unit) std::reverse(bytes + i, bytes + i + unit);
}

}  // namespace

ArrayType ArrayType::of(DType kind) {
  const Kind& known = kind_of(kind);
  if (known.item_size == 0 || kind == DType::datetime64 || kind == DType::timedelta64)
    throw Error(Errc::usage, fmt::format("make an array type: {} needs a name with its size or unit", known.name));
  return {kind, known.item_size, false, std::string(known.name)};
}

Array::Array() : type_(ArrayType::of(DType::f64)), shape_{0} {}

Array::Array(ArrayType type, Shape shape, Bytes data, Order order)
    : type_(std::move(type)),
      shape_(std::move(shape)),
      size_(count(type_, shape_)),
      data_(std::move(data)),
      order_(order) {
  if (data_.size() != size_ * type_.item_size)
    throw Error(Errc::usage, fmt::format("make an array of {}, shape {}: {} bytes were given, {} are needed",
                                         type_.name, describe(shape_), data_.size(), size_ * type_.item_size));
  if (reinterpret_cast<std::uintptr_t>(data_.data()) % kind_of(type_.kind).align != 0) data_ = Bytes::copy(data_);
}

Array Array::zeros(const ArrayType& type, Shape shape) {
  Buffer buffer(count(type, shape) * type.item_size);
  std::memset(buffer.data(), 0, buffer.size());
  return Array(type, std::move(shape), std::move(buffer).finish());
}

bool Array::is_both_orders() const noexcept {
  return size_ <= 1 || std::ranges::count_if(shape_, [](std::int64_t length) { return length > 1; }) < 2;
}

Array Array::to_order(Order order) const {
  if (order == order_) return *this;
  if (is_both_orders() || data_.empty()) return Array(type_, shape_, data_, order);
  // Column order of a shape is row order of the reversed shape.
  Shape lengths = shape_;
  if (order_ == Order::column) std::ranges::reverse(lengths);
  Buffer buffer(data_.size());
  reverse_axes(data_.data(), buffer.data(), lengths, type_.item_size);
  return Array(type_, shape_, std::move(buffer).finish(), order);
}

Array Array::to_native() const {
  if (!type_.big_endian) return *this;
  const std::uint32_t unit = kind_of(type_.kind).unit;
  if (unit == 0)
    throw Error(Errc::unsupported, "change the byte order of an array of " + type_.name + ": not a number");
  ArrayType type = type_;
  type.big_endian = false;
  switch (type.kind) {
    // numpy's names: ">M8[us]" is "datetime64[us]" with another byte order, ">U2" is "<U2".
    case DType::datetime64:
    case DType::timedelta64: {
      const std::size_t unit_at = std::min(type.name.find('['), type.name.size());
      type.name = std::string(kind_of(type.kind).name) + type.name.substr(unit_at);
      break;
    }
    case DType::text:
      if (type.name.starts_with('>')) type.name.front() = '<';
      break;
    default: type = ArrayType::of(type.kind);
  }
  Buffer buffer(data_.size());
  if (!data_.empty()) std::memcpy(buffer.data(), data_.data(), data_.size());
  swap_units(buffer.data(), buffer.size(), unit);
  return Array(std::move(type), shape_, std::move(buffer).finish(), order_);
}

bool operator==(const Array& a, const Array& b) {
  return a.type_ == b.type_ && a.shape_ == b.shape_ &&
         (a.order_ == b.order_ ? a.data_ == b.data_
                               : a.to_order(Array::Order::row).data_ == b.to_order(Array::Order::row).data_);
}

void Array::require(DType kind) const {
  if (type_.kind != kind)
    throw Error(Errc::usage, fmt::format("read an array as {}: it is of {}", kind_of(kind).name, type_.name));
  if (type_.big_endian)
    throw Error(Errc::usage, fmt::format("read an array as {}: it is big-endian ({}). use to_native() first",
                                         kind_of(kind).name, type_.name));
}

void Array::require_one() const {
  if (size_ != 1)
    throw Error(Errc::usage,
                fmt::format("take the one element of an array of shape {}: it has {}", describe(shape_), size_));
}

}  // namespace oas
