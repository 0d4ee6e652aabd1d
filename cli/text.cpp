#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <oas/tools.hpp>

#include "program.hpp"

namespace oas::cli {
namespace {

// The library bounds what it reads; this bounds what a program could hand over.
constexpr int deepest = 600;

Seq shape_list(std::span<const std::int64_t> shape) {
  Seq list;
  for (const std::int64_t length : shape) list.items.emplace_back(length);
  return list;
}

Value number(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
  return d;
}
// The shortest decimal that is this float, not the longer one that is its double.
Value number(float f) { return std::isfinite(f) ? Value(std::stod(fmt::format("{}", f))) : number(double{f}); }

double half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1f;
  const double fraction = bits & 0x3ff;
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 0x1f) return fraction == 0 ? sign * INFINITY : NAN;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25));
}

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::string utf8(const std::byte* at, std::size_t bytes) {
  std::string out;
  std::size_t pending = 0;  // NULs are padding unless something follows
  for (std::size_t i = 0; i + 4 <= bytes; i += 4) {
    const auto c = load<std::uint32_t>(at + i);
    if (c == 0) {
      ++pending;
      continue;
    }
    for (; pending > 0; --pending) out += '\0';
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
    } else if (c < 0x10000 && (c < 0xd800 || c > 0xdfff)) {
      put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
    } else if (c < 0x110000 && c > 0xdfff) {
      put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
    } else {
      out += "\xef\xbf\xbd";
    }
  }
  return out;
}

Value element(const ArrayType& type, const std::byte* at) {
  switch (type.kind) {
    case DType::bool_: return *at != std::byte{0};
    case DType::i8: return load<std::int8_t>(at);
    case DType::i16: return load<std::int16_t>(at);
    case DType::i32: return load<std::int32_t>(at);
    case DType::i64: return load<std::int64_t>(at);
    case DType::u8: return load<std::uint8_t>(at);
    case DType::u16: return load<std::uint16_t>(at);
    case DType::u32: return load<std::uint32_t>(at);
    case DType::u64: return load<std::uint64_t>(at);
    case DType::f16: return number(half(load<std::uint16_t>(at)));
    case DType::f32: return number(load<float>(at));
    case DType::f64: return number(load<double>(at));
    case DType::c64: return Seq{Seq::Kind::list, {number(load<float>(at)), number(load<float>(at + 4))}};
    case DType::c128: return Seq{Seq::Kind::list, {number(load<double>(at)), number(load<double>(at + 8))}};
    case DType::datetime64:
    case DType::timedelta64: {
      const auto count = load<std::int64_t>(at);
      return count == INT64_MIN ? Value() : Value(count);  // "not a time"
    }
    case DType::text: return utf8(at, type.item_size);
    case DType::bytes:
    case DType::record:
    case DType::raw: return hex(BytesView(at, type.item_size));
  }
  return {};
}

Value nested_from(const Array& array, std::size_t axis, const std::byte*& at) {
  if (axis == array.ndim()) {
    Value value = element(array.type(), at);
    at += array.type().item_size;
    return value;
  }
  Seq list;
  for (std::int64_t i = 0; i < array.shape()[axis]; ++i) list.items.push_back(nested_from(array, axis + 1, at));
  return list;
}

struct Plain {
  bool data;
  int depth;

  Value operator()(Null) const { return {}; }
  Value operator()(bool b) const { return b; }
  Value operator()(std::int64_t n) const { return n; }
  Value operator()(const BigInt& n) const { return n; }
  Value operator()(double d) const { return number(d); }
  Value operator()(std::complex<double> c) const { return Seq{Seq::Kind::list, {number(c.real()), number(c.imag())}}; }
  Value operator()(const std::string& text) const { return text; }
  Value operator()(const Bytes& bytes) const { return hex(bytes); }
  Value operator()(const Decimal& d) const { return d.digits; }
  Value operator()(Date d) const { return d.iso(); }
  Value operator()(Time t) const { return t.iso(); }
  Value operator()(DateTime t) const { return t.iso(); }
  Value operator()(const Uuid& uuid) const { return uuid.text(); }
  Value operator()(const Array& array) const {
    Map out = map({{"kind", "array"}, {"dtype", array.type().name}, {"shape", shape_list(array.shape())}});
    if (data) out.set("data", nested(array));
    return out;
  }
  Value operator()(const Seq& seq) const { return list(seq.items); }
  Value operator()(const Map& dict) const {
    const bool texts =
        std::ranges::all_of(dict.items, [](const auto& item) { return item.first.template is<std::string>(); });
    if (texts) {
      Map out;
      for (const auto& [key, value] : dict.items) out.items.emplace_back(key, inner(value));
      return out;
    }
    Seq pairs;
    for (const auto& [key, value] : dict.items)
      pairs.items.emplace_back(Seq{Seq::Kind::list, {inner(key), inner(value)}});
    return pairs;
  }
  Value operator()(const Cells& cells) const {
    Map out = map({{"kind", cells.cell ? "cells" : "objects"}, {"shape", shape_list(cells.shape)}});
    if (data) out.set("data", list(cells.items));
    return out;
  }
  Value operator()(const Fields& fields) const {
    Map out = map({{"kind", fields.matlab ? "structs" : "records"}, {"shape", shape_list(fields.shape)}});
    Seq names;
    for (const auto& [name, value] : fields.fields) names.items.emplace_back(name);
    out.set("fields", std::move(names));
    if (data) {
      Map values;
      for (const auto& [name, value] : fields.fields) values.items.emplace_back(name, inner(value));
      out.set("data", std::move(values));
    }
    return out;
  }
  Value operator()(const Attachment& file) const {
    return map({{"kind", "attachment"}, {"name", file.name()}, {"size", file.size()}});
  }
  Value operator()(const NpyRef& ref) const {
    return map({{"kind", "npy"},
                {"dtype", ref.type().name},
                {"shape", shape_list(ref.shape())},
                {"store", ref.store()},
                {"path", ref.path()}});
  }
  Value operator()(const ObjectRef& ref) const {
    return map({{"kind", ref.is_folder() ? "folder" : "file"},
                {"store", ref.store()},
                {"path", ref.path()},
                {"size", ref.size()}});
  }

 private:
  Value inner(const Value& value) const {
    if (depth > deepest) throw Error(Errc::usage, fmt::format("print a value: it has more than {} levels", deepest));
    return std::visit(Plain{data, depth + 1}, value.variant());
  }
  Value list(const std::vector<Value>& items) const {
    Seq out;
    for (const Value& item : items) out.items.push_back(inner(item));
    return out;
  }
};

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

// Characters, as far as a terminal gives each one place.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string shortened(std::string text, std::size_t most) {
  if (width_of(text) <= most) return text;
  std::size_t at = 0, characters = 0;
  while (at < text.size()) {
    if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80 && characters++ == most - 1) break;
    ++at;
  }
  return text.substr(0, at) + "…";
}

constexpr std::size_t widest = 60;
constexpr std::size_t rows_measured = 500;

}  // namespace

Value nested(const Array& array) {
  if (array.size() == 0 && array.ndim() > 1) {
    // Empty axes behind others could make long lists of nothing.
    std::int64_t lists = 1;
    for (const std::int64_t length : array.shape()) {
      if (length == 0) break;
      if (__builtin_mul_overflow(lists, length, &lists) || lists > 1'000'000) return Seq{};
    }
  }
  const Array ready = array.to_native().to_order(Array::Order::row);
  const std::byte* at = ready.data().data();
  return nested_from(ready, 0, at);
}

Value plain(const Value& value) { return std::visit(Plain{false, 0}, value.variant()); }
Value plain_with_data(const Value& value) { return std::visit(Plain{true, 0}, value.variant()); }

std::string brief(const Value& value) {
  if (value.is_null()) return "NULL";
  if (const auto* text = value.get_if<std::string>()) return printable(*text);
  if (const auto* bytes = value.get_if<Bytes>()) return human_size(bytes->size());
  if (const auto* array = value.get_if<Array>())
    return fmt::format("{} {}", printable(array->type().name), shape_text(array->shape()));
  if (const auto* file = value.get_if<Attachment>())
    return fmt::format("{}, {}", printable(file->name()), human_size(file->size()));
  if (const auto* ref = value.get_if<NpyRef>())
    return fmt::format("{} {} in {}", printable(ref->type().name), shape_text(ref->shape()), ref->store());
  if (const auto* ref = value.get_if<ObjectRef>())
    return fmt::format("{}, {} in {}", ref->is_folder() ? "folder" : "file", human_size(ref->size()), ref->store());
  if (value.is<Cells>() || value.is<Fields>()) return value.describe();
  const Value simple = plain(value);
  if (const auto* text = simple.get_if<std::string>()) return printable(*text);
  return printable(to_json(simple));
}

std::string printable(std::string_view text, bool keep_lines) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c == '\n')
      out += keep_lines ? "\n" : "\\n";
    else if (c == '\t')
      out += keep_lines ? "\t" : "\\t";
    else if (c < 0x20 || c == 0x7f)
      out += fmt::format("\\x{:02x}", c);
    else if (c1)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
    else
      out += text[i];
  }
  return out;
}

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  double size = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  constexpr std::string_view units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  for (; size >= 999.95 && unit + 1 < std::size(units); ++unit) size /= 1000;
  return fmt::format("{:.1f} {}", size, units[unit]);
}

Columns::Columns(std::vector<std::string> names, std::vector<bool> right)
    : names_(std::move(names)), right_(std::move(right)) {
  for (const std::string& name : names_) widths_.push_back(width_of(name));
}

void Columns::add(std::vector<std::string> cells) {
  ++rows_;
  for (std::string& cell : cells) cell = shortened(std::move(cell), widest);
  if (begun_) return print(cells);
  waiting_.push_back(std::move(cells));
  if (waiting_.size() == rows_measured) print_waiting();
}

std::size_t Columns::finish() {
  if (!begun_) print_waiting();
  return rows_;
}

void Columns::print_waiting() {
  begun_ = true;
  for (const auto& row : waiting_)
    for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], width_of(row[i]));
  print(names_);
  std::vector<std::string> rule;
  for (const std::size_t width : widths_) rule.emplace_back(width, '-');
  print(rule);
  for (const auto& row : waiting_) print(row);
  waiting_.clear();
}

void Columns::print(const std::vector<std::string>& cells) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t width = width_of(cells[i]);
    const std::string fill(widths_[i] > width ? widths_[i] - width : 0, ' ');
    if (i > 0) line += "  ";
    line += right_[i] ? fill + cells[i] : cells[i] + fill;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  write_out(line + "\n");
}

}  // namespace oas::cli
