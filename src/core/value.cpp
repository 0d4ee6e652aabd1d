#include <oas/value.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace oas {
namespace {

// A scalar of shape () says the same as the number it holds. Nothing if the array is something else.
std::optional<Value> scalar(const Array& array) {
  if (array.ndim() != 0) return std::nullopt;
  const Array native = array.to_native();
  switch (native.dtype()) {
    case DType::bool_: return native.item<bool>();
    case DType::i8: return native.item<std::int8_t>();
    case DType::i16: return native.item<std::int16_t>();
    case DType::i32: return native.item<std::int32_t>();
    case DType::i64: return native.item<std::int64_t>();
    case DType::u8: return native.item<std::uint8_t>();
    case DType::u16: return native.item<std::uint16_t>();
    case DType::u32: return native.item<std::uint32_t>();
    case DType::u64: return native.item<std::uint64_t>();
    case DType::f32: return native.item<float>();
    case DType::f64: return native.item<double>();
    default: return std::nullopt;
  }
}

// A decimal of up to 15 digits comes back from the nearest double unchanged; a longer one may not.
std::optional<double> nearest(const Decimal& decimal) {
  const std::string_view text = decimal.digits;
  const auto mantissa = text.substr(0, text.find_first_of("eE"));
  std::string digits;
  for (const char c : mantissa)
    if (c >= '0' && c <= '9' && (c != '0' || !digits.empty())) digits += c;
  if (digits.size() > 15) return std::nullopt;
  double number = 0;
  const auto start = text.starts_with('+') ? text.substr(1) : text;
  const auto [end, failure] = std::from_chars(start.data(), start.data() + start.size(), number);
  if (failure != std::errc() || end != start.data() + start.size()) return std::nullopt;
  return number;
}

std::string shape_text(const Shape& shape) { return fmt::format("shape ({})", fmt::join(shape, ", ")); }

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

bool operator==(const Seq& a, const Seq& b) { return a.kind == b.kind && a.items == b.items; }
bool operator==(const Map& a, const Map& b) { return a.items == b.items; }
bool operator==(const Cells& a, const Cells& b) { return a.cell == b.cell && a.shape == b.shape && a.items == b.items; }
bool operator==(const Fields& a, const Fields& b) {
  return a.matlab == b.matlab && a.shape == b.shape && a.fields == b.fields;
}
bool operator==(const Value& a, const Value& b) { return a.v_ == b.v_; }

const Value* Map::find(std::string_view key) const {
  for (const auto& [name, value] : items)
    if (const auto* text = name.get_if<std::string>(); text && *text == key) return &value;
  return nullptr;
}

const Value& Map::at(std::string_view key) const {
  if (const Value* value = find(key)) return *value;
  throw Error(Errc::usage, fmt::format("read '{}' of a dict: there is no such key", key), std::string(key));
}

void Map::set(std::string_view key, Value value) {
  if (const Value* there = find(key))
    const_cast<Value&>(*there) = std::move(value);
  else
    items.emplace_back(Value(key), std::move(value));
}

std::string_view Value::kind() const noexcept {
  static constexpr std::string_view names[] = {
      "null",  "bool",    "int",          "int",          "float",      "complex",       "text",
      "bytes", "decimal", "date",         "time",         "datetime",   "uuid",          "array",
      "list",  "dict",    "object array", "record array", "attachment", "npy reference", "object reference"};
  static_assert(std::size(names) == std::variant_size_v<Variant>);
  return names[v_.index()];
}

std::string Value::describe() const {
  const auto kind_alone = [this] { return std::string(kind()); };
  return std::visit(
      Overloaded{
          [&](const Bytes& b) { return fmt::format("{} bytes", b.size()); },
          [&](const Array& a) {
            return fmt::format("array of {}, shape ({})", a.type().name, fmt::join(a.shape(), ", "));
          },
          [&](const Seq& s) {
            static constexpr std::string_view names[] = {"list", "tuple", "set"};
            return fmt::format("{} of {}", names[static_cast<std::size_t>(s.kind)], s.items.size());
          },
          [&](const Map& m) { return fmt::format("dict of {}", m.items.size()); },
          [&](const Cells& c) { return (c.cell ? "cell array, " : "object array, ") + shape_text(c.shape); },
          [&](const Fields& f) { return (f.matlab ? "struct array, " : "record array, ") + shape_text(f.shape); },
          [&](const auto&) { return kind_alone(); }},
      v_);
}

void Value::wrong_type(std::string_view wanted) const {
  throw Error(Errc::usage, fmt::format("read a value as {}: it is {}", wanted, describe()));
}

std::int64_t Value::integer(std::int64_t low, std::uint64_t high) const {
  const auto inside = [&](std::int64_t n) {
    if (n < low || (n > 0 && static_cast<std::uint64_t>(n) > high))
      throw Error(Errc::usage, fmt::format("read {} as an integer of {} to {}: out of range", n, low, high));
    return n;
  };
  if (const auto* n = get_if<std::int64_t>()) return inside(*n);
  if (const auto* b = get_if<bool>()) return inside(*b);
  if (const auto* d = get_if<double>()) {
    if (std::trunc(*d) == *d && *d >= -0x1p63 && *d < 0x1p63) return inside(static_cast<std::int64_t>(*d));
    throw Error(Errc::usage, fmt::format("read {} as an integer: it is not one of 64 bits", *d));
  }
  if (const auto* big = get_if<BigInt>())
    throw Error(Errc::usage, fmt::format("read {} as an integer of {} to {}: out of range", big->digits, low, high));
  if (const auto* array = get_if<Array>())
    if (const auto number = scalar(*array)) return number->integer(low, high);
  wrong_type("an integer");
}

std::uint64_t Value::natural(std::uint64_t high) const {
  const BigInt* big = get_if<BigInt>();
  std::optional<Value> number;
  if (const auto* array = get_if<Array>(); array && (number = scalar(*array))) big = number->get_if<BigInt>();
  if (!big) return static_cast<std::uint64_t>(integer(0, high));
  std::uint64_t n = 0;
  const char* end = big->digits.data() + big->digits.size();
  const auto [stop, failure] = std::from_chars(big->digits.data(), end, n);
  if (failure != std::errc() || stop != end || n > high)
    throw Error(Errc::usage, fmt::format("read {} as an integer of 0 to {}: out of range", big->digits, high));
  return n;
}

double Value::real() const {
  if (const auto* d = get_if<double>()) return *d;
  if (const auto* n = get_if<std::int64_t>()) {
    const auto d = static_cast<double>(*n);
    if (d < 0x1p63 && static_cast<std::int64_t>(d) == *n) return d;
    throw Error(Errc::usage, fmt::format("read {} as a float: it has more digits than a float", *n));
  }
  if (const auto* b = get_if<bool>()) return *b;
  if (const auto* decimal = get_if<Decimal>()) {
    if (const auto d = nearest(*decimal)) return *d;
    throw Error(Errc::usage, fmt::format("read {} as a float: it has more digits than a float", decimal->digits));
  }
  if (const auto* array = get_if<Array>())
    if (const auto number = scalar(*array)) return number->real();
  wrong_type("a float");
}

Map map(std::initializer_list<std::pair<Value, Value>> items) { return Map{{items.begin(), items.end()}}; }
Seq list(std::initializer_list<Value> items) { return Seq{Seq::Kind::list, items}; }
Seq tuple(std::initializer_list<Value> items) { return Seq{Seq::Kind::tuple, items}; }

const Value* Row::find(std::string_view name) const noexcept {
  const auto item = std::ranges::find(items_, name, &Item::first);
  return item == items_.end() ? nullptr : &item->second;
}

const Value& Row::operator[](std::string_view name) const {
  if (const Value* value = find(name)) return *value;
  std::string names;
  for (const Item& item : items_) names += (names.empty() ? "" : ", ") + item.first;
  throw Error(Errc::unknown_attribute, fmt::format("read '{}' of a row: there are only {}", name, names),
              std::string(name));
}

void Row::set(std::string_view name, Value value) {
  const auto item = std::ranges::find(items_, name, &Item::first);
  if (item != items_.end())
    item->second = std::move(value);
  else
    items_.emplace_back(name, std::move(value));
}

}  // namespace oas
