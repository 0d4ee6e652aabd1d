// Value: one type for everything that is stored, from a number in a column to a nested dict of arrays in a blob; and
// Row, an ordered set of named values. Values are ordinary values: copying is cheap where the content is shared
// (Bytes, Array, references). A const Value may be read by any number of threads.
#pragma once

#include <array>
#include <chrono>
#include <complex>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <oas/array.hpp>
#include <oas/bytes.hpp>
#include <oas/error.hpp>
#include <oas/ref.hpp>
#include <oas/scalar.hpp>

namespace oas {

class Value;

/// A list, tuple or set. Sets keep the order in which they were written; no element twice is the writer's duty.
struct Seq {
  enum class Kind : std::uint8_t { list, tuple, set };
  Kind kind = Kind::list;
  std::vector<Value> items;
  friend bool operator==(const Seq&, const Seq&);
};
/// A dict: any value as key, order kept.
struct Map {
  std::vector<std::pair<Value, Value>> items;
  /// The value under a text key, or nullptr.
  const Value* find(std::string_view key) const;
  /// Errors: usage if there is no such key.
  const Value& at(std::string_view key) const;
  void set(std::string_view key, Value value);
  friend bool operator==(const Map&, const Map&);
};
/// An array of anything: numpy's object arrays and MATLAB's cells. Items in column order when `cell`, else row order.
struct Cells {
  bool cell = false;  ///< MATLAB cell array
  Shape shape;
  std::vector<Value> items;
  friend bool operator==(const Cells&, const Cells&);
};
/// Named fields over one shape. `matlab` false: numpy's record array, one Value (Array, Fields or Cells) a field.
/// `matlab` true: a MATLAB struct array, for each field a Cells of the shape.
struct Fields {
  bool matlab = false;
  Shape shape;
  std::vector<std::pair<std::string, Value>> fields;
  friend bool operator==(const Fields&, const Fields&);
};

namespace detail {
template <class T, class Variant>
inline constexpr bool is_alternative = false;
template <class T, class... Ts>
inline constexpr bool is_alternative<T, std::variant<Ts...>> = (std::is_same_v<T, Ts> || ...);
}  // namespace detail

class Value {
 public:
  using Variant =
      std::variant<Null, bool, std::int64_t, BigInt, double, std::complex<double>, std::string, Bytes, Decimal, Date,
                   Time, DateTime, Uuid, Array, Seq, Map, Cells, Fields, Attachment, NpyRef, ObjectRef>;

  Value() = default;
  Value(std::nullptr_t) {}                                 // NOLINT(google-explicit-constructor)
  Value(std::nullopt_t) {}                                 // NOLINT(google-explicit-constructor)
  Value(const char* text) : v_(std::string(text)) {}       // NOLINT(google-explicit-constructor)
  Value(std::string_view text) : v_(std::string(text)) {}  // NOLINT(google-explicit-constructor)
  /// The path of a local file or folder, as text: what `<object@>` and `<attach>` take.
  template <std::same_as<std::filesystem::path> T>
  Value(const T& path) : v_(path.string()) {}  // NOLINT(google-explicit-constructor)
  template <std::integral T>
  Value(T number) {  // NOLINT(google-explicit-constructor)
    if constexpr (std::is_same_v<T, bool>)
      v_ = number;
    else if (std::in_range<std::int64_t>(number))
      v_ = static_cast<std::int64_t>(number);
    else
      v_ = BigInt{std::to_string(number)};
  }
  template <std::floating_point T>
  Value(T number) : v_(static_cast<double>(number)) {}  // NOLINT(google-explicit-constructor)
  template <Element T>
  Value(std::span<T> elements) : v_(Array(elements, Shape{static_cast<std::int64_t>(elements.size())})) {}  // NOLINT
  template <Element T>
  requires(!std::is_same_v<T, bool>) Value(const std::vector<T>& elements)
      : v_(Array(elements)) {}  // NOLINT(google-explicit-constructor)
  template <class T>
  Value(std::optional<T> maybe) {
    if (maybe) *this = Value(*std::move(maybe));
  }  // NOLINT
  template <class T>
  requires(!std::integral<T> && !std::floating_point<T> && detail::is_alternative<T, Variant>) Value(T content)
      : v_(std::in_place_type<T>, std::move(content)) {}  // NOLINT(google-explicit-constructor)

  const Variant& variant() const noexcept { return v_; }
  bool is_null() const noexcept { return std::holds_alternative<Null>(v_); }
  template <class T>
  bool is() const noexcept {
    return std::holds_alternative<T>(v_);
  }
  template <class T>
  const T* get_if() const noexcept {
    return std::get_if<T>(&v_);
  }
  template <class T>
  T* get_if() noexcept {
    return std::get_if<T>(&v_);
  }

  /// The content as T: the alternative itself, any number type (exactly, or an error), optional<U>, std::vector<U>
  /// of an array or list. A Decimal of more than 15 digits is no float. Errors: usage, telling what is there instead.
  template <class T>
  T as() const;
  /// `oas::Array data = one.fetch1<"raw_data">()`. Errors: usage if there is something else.
  operator Array() const { return as<Array>(); }  // NOLINT(google-explicit-constructor)

  /// "int", "array of float64, shape (3, 4)", …: for messages.
  std::string describe() const;
  friend bool operator==(const Value& a, const Value& b);

 private:
  std::string_view kind() const noexcept;
  [[noreturn]] void wrong_type(std::string_view wanted) const;
  std::int64_t integer(std::int64_t low, std::uint64_t high) const;
  std::uint64_t natural(std::uint64_t high) const;
  double real() const;
  Variant v_;
};

/// `oas::map({{"channels", 32}, {"rate", 30000}})`, `oas::list({1, "two"})`, `oas::tuple({…})`.
Map map(std::initializer_list<std::pair<Value, Value>> items);
Seq list(std::initializer_list<Value> items);
Seq tuple(std::initializer_list<Value> items);

/// Named values in order: a row of a table, or a key.
class Row {
 public:
  using Item = std::pair<std::string, Value>;
  Row() = default;
  Row(std::initializer_list<Item> items) : items_(items) {}
  explicit Row(std::vector<Item> items) : items_(std::move(items)) {}

  std::size_t size() const noexcept { return items_.size(); }
  bool empty() const noexcept { return items_.empty(); }
  auto begin() const noexcept { return items_.begin(); }
  auto end() const noexcept { return items_.end(); }
  std::vector<Item>& items() noexcept { return items_; }
  const Value* find(std::string_view name) const noexcept;
  /// Errors: unknown_attribute, with the names that are there.
  const Value& operator[](std::string_view name) const;
  /// `row.at<oas::NpyRef>("waveforms")`. Errors: unknown_attribute; usage as Value::as.
  template <class T>
  T at(std::string_view name) const {
    return (*this)[name].template as<T>();
  }
  /// Adds, or replaces in place.
  void set(std::string_view name, Value value);
  friend bool operator==(const Row&, const Row&) = default;

 private:
  std::vector<Item> items_;
};

namespace detail {
template <class T>
struct optional_of {
  using type = void;
};
template <class T>
struct optional_of<std::optional<T>> {
  using type = T;
};
template <class T>
struct vector_of {
  using type = void;
};
template <class T>
struct vector_of<std::vector<T>> {
  using type = T;
};
}  // namespace detail

template <class T>
T Value::as() const {
  using Optional = typename detail::optional_of<T>::type;
  using Vector = typename detail::vector_of<T>::type;
  if constexpr (std::is_same_v<T, Value>)
    return *this;
  else if constexpr (!std::is_void_v<Optional>)
    return is_null() ? T{} : T{as<Optional>()};
  else if constexpr (!std::is_void_v<Vector>) {
    if (const Array* array = get_if<Array>()) {
      if constexpr (Element<Vector>) {
        const auto s = array->template as<Vector>();
        return T(s.begin(), s.end());
      }
    }
    const Seq* seq = get_if<Seq>();
    if (!seq) wrong_type("a list or an array");
    T out;
    for (const Value& item : seq->items) out.push_back(item.as<Vector>());
    return out;
  } else if constexpr (std::is_same_v<T, bool>)
    return integer(0, 1) != 0;
  else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
    return static_cast<T>(integer(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(natural(std::numeric_limits<T>::max()));
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(real());
  else {
    if (const T* content = get_if<T>()) return *content;
    wrong_type(Value(T{}).kind());
  }
}

}  // namespace oas
