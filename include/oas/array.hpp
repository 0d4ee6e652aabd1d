// Array: an immutable n-dimensional array that shares its memory. Contiguous in row order (C) or column order
// (Fortran); little-endian unless its type says otherwise. Safe to read from any number of threads.
// xtensor users: <oas/xtensor.hpp> has views both ways.
#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <initializer_list>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <oas/bytes.hpp>

namespace oas {

enum class DType : std::uint8_t {
  bool_,
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
  f16,
  f32,
  f64,
  c64,
  c128,
  datetime64,   ///< int64 counts of a unit since 1970-01-01; the unit is in ArrayType::name
  timedelta64,  ///< int64 counts of a unit
  bytes,        ///< fixed-width bytes, numpy's S
  text,         ///< fixed-width UTF-32, numpy's U
  record,       ///< fields side by side, numpy's structured types; the fields are in ArrayType::name
  raw           ///< numpy's V; its long doubles too, which differ between machines: "float128", "complex256"
};

/// The type of one element. `name` is what numpy's str(dtype) says: "float64", ">i2", "<U2", "datetime64[us]",
/// "[('a', '<f8'), ('b', '<i4')]" (interop: codec metadata of <npy@>).
struct ArrayType {
  DType kind = DType::f64;
  std::uint32_t item_size = 8;  ///< bytes
  bool big_endian = false;
  std::string name = "float64";
  /// A type whose name says everything: all but datetime64, timedelta64, bytes, text, record, raw.
  static ArrayType of(DType kind);
  friend bool operator==(const ArrayType&, const ArrayType&) = default;
};

namespace detail {
template <class T>
struct dtype_of;
template <DType D>
struct dtype_is {
  static constexpr DType value = D;
};
template <>
struct dtype_of<bool> : dtype_is<DType::bool_> {};
template <>
struct dtype_of<float> : dtype_is<DType::f32> {};
template <>
struct dtype_of<double> : dtype_is<DType::f64> {};
template <>
struct dtype_of<std::complex<float>> : dtype_is<DType::c64> {};
template <>
struct dtype_of<std::complex<double>> : dtype_is<DType::c128> {};
template <class T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) struct dtype_of<T> {
  static constexpr DType value = std::is_signed_v<T> ? (sizeof(T) == 1   ? DType::i8
                                                        : sizeof(T) == 2 ? DType::i16
                                                        : sizeof(T) == 4 ? DType::i32
                                                                         : DType::i64)
                                                     : (sizeof(T) == 1   ? DType::u8
                                                        : sizeof(T) == 2 ? DType::u16
                                                        : sizeof(T) == 4 ? DType::u32
                                                                         : DType::u64);
};
}  // namespace detail

/// A C++ type that is an element of arrays: bool, the integers, float, double and their complex numbers.
template <class T>
concept Element = requires {
  detail::dtype_of<std::remove_cv_t<T>>::value;
};

using Shape = std::vector<std::int64_t>;

class Array {
 public:
  enum class Order : std::uint8_t { row, column };

  /// An empty one-dimensional array of float64.
  Array();
  /// Shares `data`; only if it lies askew for its element type it is copied.
  /// Errors: usage if the shape has a negative length or its product times the item size is not data.size().
  Array(ArrayType type, Shape shape, Bytes data, Order order = Order::row);
  Array(DType kind, Shape shape, Bytes data, Order order = Order::row)
      : Array(ArrayType::of(kind), std::move(shape), std::move(data), order) {}

  /// Shares nothing and copies nothing: the caller keeps `elements` alive and unchanged while the array is used.
  template <Element T>
  Array(std::span<const T> elements, Shape shape, Order order = Order::row)
      : Array(detail::dtype_of<T>::value, std::move(shape), Bytes::borrow(std::as_bytes(elements)), order) {}
  template <Element T>
  Array(std::span<T> elements, Shape shape, Order order = Order::row)
      : Array(std::span<const T>(elements), std::move(shape), order) {}
  /// One dimension, not copied: the vector stays alive and unchanged while the array is used.
  template <Element T>
  requires(!std::is_same_v<T, bool>)
      Array(const std::vector<T>& elements)  // NOLINT(google-explicit-constructor): a vector is an array
      : Array(std::span<const T>(elements), Shape{static_cast<std::int64_t>(elements.size())}) {}
  /// Takes the vector over, without a copy. An empty shape: one dimension.
  template <Element T>
  requires(!std::is_same_v<T, bool>) static Array own(std::vector<T>&& elements, Shape shape = {}) {
    auto kept = std::make_shared<const std::vector<T>>(std::move(elements));
    const auto view = std::as_bytes(std::span(*kept));
    if (shape.empty()) shape.push_back(static_cast<std::int64_t>(kept->size()));
    return Array(detail::dtype_of<T>::value, std::move(shape), Bytes(kept, view.data(), view.size()));
  }
  template <Element T>
  static Array zeros(Shape shape) {
    return zeros(ArrayType::of(detail::dtype_of<T>::value), std::move(shape));
  }
  static Array zeros(const ArrayType& type, Shape shape);

  DType dtype() const noexcept { return type_.kind; }
  const ArrayType& type() const noexcept { return type_; }
  std::span<const std::int64_t> shape() const noexcept { return shape_; }
  std::size_t ndim() const noexcept { return shape_.size(); }
  /// Number of elements: the product of the shape, 1 for a scalar (shape {}).
  std::size_t size() const noexcept { return size_; }
  std::size_t nbytes() const noexcept { return data_.size(); }
  Order order() const noexcept { return order_; }
  const Bytes& data() const noexcept { return data_; }

  /// The elements in memory order, not copied. Errors: usage if T is not dtype(), or the bytes are big-endian.
  template <Element T>
  std::span<const T> as() const {
    require(detail::dtype_of<std::remove_cv_t<T>>::value);
    return {reinterpret_cast<const T*>(data_.data()), size_};
  }
  /// The one element. Errors: usage if there is not exactly one, or T is not dtype().
  template <Element T>
  T item() const {
    require_one();
    return as<T>()[0];
  }
  /// The same elements in the given order; this array itself if it already is (one dimension is both).
  Array to_order(Order order) const;
  /// The same elements, little-endian.
  Array to_native() const;
  /// True where both orders are the same bytes: fewer than two dimensions longer than one.
  bool is_both_orders() const noexcept;

  /// Same type, same shape and same bytes in row order (so NaN equals the same NaN).
  friend bool operator==(const Array& a, const Array& b);

 private:
  void require(DType kind) const;
  void require_one() const;

  ArrayType type_;
  Shape shape_;
  std::size_t size_ = 0;
  Bytes data_;
  Order order_ = Order::row;
};

/// A part of one dimension, for partial loads: [first, last) by step. Negative bounds count from the end; `last`
/// left out means the end.
struct Slice {
  static constexpr std::int64_t end = INT64_MAX;
  std::int64_t first = 0;
  std::int64_t last = end;
  std::int64_t step = 1;
};
inline constexpr Slice all{};
constexpr Slice slice(std::int64_t first, std::int64_t last = Slice::end, std::int64_t step = 1) {
  return {first, last, step};
}
/// `count` rows of the first dimension from row `first`: `ref.load(oas::rows(1000, 250))`.
constexpr Slice rows(std::int64_t first, std::int64_t count) { return {first, first + count, 1}; }

}  // namespace oas
