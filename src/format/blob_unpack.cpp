// Reading blobs. Nothing that the bytes promise is believed: counts are compared with what can still be there before
// memory is taken for them, nesting is limited, and lengths must agree with what lies inside.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "core/bigint.hpp"
#include "core/text.hpp"
#include "format/array_data.hpp"
#include "format/blob.hpp"
#include "format/blob_format.hpp"
#include "format/deflate.hpp"

namespace oas::format {
namespace {

// An element is its length and at least a code.
constexpr std::size_t smallest_element = 9;

// A field takes far more memory than the two bytes that its name may be.
constexpr std::uint32_t max_fields = 65'535;

class Unpacker {
 public:
  explicit Unpacker(const Bytes& blob) : blob_(blob), end_(blob.size()) {}

  Value whole() {
    const std::string_view start = blob_.text().substr(0, 4);
    if (start != protocol_mym && start != protocol_dj0) fail("it does not begin as one does, with mYm or dj0");
    at_ = 4;
    Value value = take_value();
    if (at_ != end_) fail("bytes follow the value");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& why, Errc code = Errc::decode) const {
    throw Error(code,
                fmt::format("unpack a blob of {} bytes: at byte {}: {}. {}", blob_.size(), at_, why,
                            code == Errc::decode ? "it is damaged or no blob" : "convert it where it was written"));
  }
  std::size_t left() const { return end_ - at_; }
  void need(std::uint64_t size, std::string_view what) const {
    if (size > left()) fail(fmt::format("{} needs {} bytes, {} are left", what, size, left()));
  }

  template <class T>
  T take_number(std::string_view what) {
    need(sizeof(T), what);
    T number;
    std::memcpy(&number, blob_.data() + at_, sizeof number);
    at_ += sizeof number;
    return number;
  }
  Bytes take_bytes(std::uint64_t size, std::string_view what) {
    need(size, what);
    const Bytes taken = blob_.slice(at_, static_cast<std::size_t>(size));
    at_ += taken.size();
    return taken;
  }
  std::string take_text(std::string_view what) {
    const auto size = take_number<std::uint64_t>(what);
    need(size, what);
    const std::string_view text = blob_.text().substr(at_, static_cast<std::size_t>(size));
    if (!valid_utf8(text)) fail(fmt::format("{} is not UTF-8", what));
    at_ += text.size();
    return std::string(text);
  }
  // How many elements follow, each of at least `smallest` bytes.
  std::size_t take_count(std::size_t smallest, std::string_view what) {
    const auto count = take_number<std::uint64_t>(what);
    if (count > left() / smallest) fail(fmt::format("{} of {} elements, {} bytes are left", what, count, left()));
    return static_cast<std::size_t>(count);
  }
  Shape take_shape() {
    const auto dimensions = take_number<std::uint64_t>("a shape");
    if (dimensions > max_dimensions)
      fail(fmt::format("an array of {} dimensions, {} is the limit", dimensions, max_dimensions));
    Shape shape(static_cast<std::size_t>(dimensions));
    for (std::int64_t& length : shape) length = take_number<std::int64_t>("a shape");
    return shape;
  }
  // The number of elements of a shape, each of at least `smallest` bytes.
  std::size_t elements(std::span<const std::int64_t> shape, std::size_t smallest) const {
    const auto bytes = bytes_of_shape(shape, smallest);
    if (!bytes) fail("a shape that no array has");
    need(*bytes, "an array");
    return static_cast<std::size_t>(*bytes / smallest);
  }

  Value take_value() {
    if (++depth_ > max_nesting) fail(fmt::format("values are nested deeper than {}", max_nesting));
    Value value = take_content(take_number<Code>("a value"));
    --depth_;
    return value;
  }
  Value take_element() {
    const auto size = take_number<std::uint64_t>("the length of an element");
    need(size, "an element");
    const std::size_t outer = std::exchange(end_, at_ + static_cast<std::size_t>(size));
    Value value = take_value();
    if (at_ != end_) fail("an element is shorter than its length says");
    end_ = outer;
    return value;
  }

  Value take_content(Code code) {
    switch (code) {
      case Code::none: return Null{};
      case Code::boolean: return take_number<std::uint8_t>("a bool") != 0;
      case Code::integer: return take_integer();
      case Code::real: return take_number<double>("a float");
      case Code::complex: {
        const auto real = take_number<double>("a complex number");
        return std::complex<double>(real, take_number<double>("a complex number"));
      }
      case Code::text: return take_text("a text");
      case Code::bytes: return take_bytes(take_number<std::uint64_t>("bytes"), "bytes");
      case Code::decimal: return take_decimal();
      case Code::time: return take_time();
      case Code::uuid: return take_number<Uuid>("a UUID");
      case Code::list: return take_seq(Seq::Kind::list);
      case Code::tuple: return take_seq(Seq::Kind::tuple);
      case Code::set: return take_seq(Seq::Kind::set);
      case Code::dict: return take_map();
      case Code::array: return take_array();
      case Code::cell: return take_cells(true, take_shape());
      case Code::record: return take_record();
      case Code::structure: return take_structure();
      case Code::sparse: fail("sparse arrays are not supported", Errc::unsupported);
    }
    --at_;
    fail(fmt::format("no value begins with {:#04x}", static_cast<unsigned>(code)));
  }

  Value take_integer() {
    const Bytes bytes = take_bytes(take_number<std::uint16_t>("an integer"), "an integer");
    try {
      return integer_from_bytes(bytes);
    } catch (const Error& error) {
      throw error.within(fmt::format("unpack a blob of {} bytes, at byte {}", blob_.size(), at_));
    }
  }
  Value take_decimal() {
    std::string text = take_text("a decimal");
    try {
      Decimal::parse(text);
    } catch (const Error&) {
      fail("a decimal is not a number");
    }
    return Decimal{std::move(text)};  // as it was written, trailing zeros and all
  }
  Value take_time() {
    const auto date = take_number<std::int32_t>("a date");
    const auto time = take_number<std::int64_t>("a time");
    std::chrono::year_month_day day{};
    std::int64_t microseconds = 0;
    if (date != -1) {
      day = std::chrono::year(date / 10000) / (date / 100 % 100) / (date % 100);
      if (date < 0 || !day.ok()) fail(fmt::format("{} is no date", date));
    }
    if (time != -1) {
      const std::int64_t clock = time / 1'000'000, hours = clock / 10000, minutes = clock / 100 % 100;
      if (time < 0 || hours > 23 || minutes > 59 || clock % 100 > 59) fail(fmt::format("{} is no time of day", time));
      microseconds = ((hours * 60 + minutes) * 60 + clock % 100) * 1'000'000 + time % 1'000'000;
    }
    const auto days = static_cast<std::int32_t>(std::chrono::sys_days(day).time_since_epoch().count());
    if (date != -1 && time != -1) return DateTime(Date::from_days(days), microseconds);
    if (date != -1) return Date::from_days(days);
    if (time != -1) return Time{microseconds};
    return Null{};
  }
  Value take_seq(Seq::Kind kind) {
    Seq seq{kind, {}};
    const std::size_t count = take_count(smallest_element, "a sequence");
    seq.items.reserve(count);
    for (std::size_t i = 0; i < count; ++i) seq.items.push_back(take_element());
    return seq;
  }
  Value take_map() {
    Map map;
    const std::size_t count = take_count(2 * smallest_element, "a dict");
    map.items.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      Value key = take_element();
      map.items.emplace_back(std::move(key), take_element());
    }
    return map;
  }

  Value take_array() {
    Shape shape = take_shape();
    const auto element = take_number<std::uint32_t>("an element type");
    const auto is_complex = take_number<std::uint32_t>("an element type");
    if (is_complex > 1) fail("an array is neither real nor complex");
    if (element == element_object) return take_cells(false, std::move(shape));
    if (element == element_char) return take_chars(std::move(shape));
    const ArrayType type = element_type(element);
    const std::size_t size = elements(shape, type.item_size * (1 + is_complex)) * type.item_size;
    if (is_complex == 1) {
      const Bytes real = take_bytes(size, "an array");
      return join(type.kind, std::move(shape), real, take_bytes(size, "an array"));
    }
    return adopt_array(type, std::move(shape), take_bytes(size, "an array"), Array::Order::column);
  }
  ArrayType element_type(std::uint32_t element) const {
    static constexpr DType numbers[] = {DType::bool_, DType::f64, DType::f32, DType::i8,  DType::u8, DType::i16,
                                        DType::u16,   DType::i32, DType::u32, DType::i64, DType::u64};
    if (element == 3) return ArrayType::of(numbers[0]);
    if (element >= 6 && element <= 15) return ArrayType::of(numbers[element - 5]);
    if (element >= element_time && element < element_time + std::size(time_units))
      return {DType::datetime64, 8, false, fmt::format("datetime64[{}]", time_units[element - element_time])};
    fail(fmt::format("no arrays have elements of type {}", element));
  }
  Value join(DType kind, Shape shape, BytesView real, BytesView imaginary) const {
    switch (kind) {
      case DType::f32: return join<float, float>(std::move(shape), real, imaginary);
      case DType::f64: return join<double, double>(std::move(shape), real, imaginary);
      case DType::i8: return join<std::int8_t, double>(std::move(shape), real, imaginary);
      case DType::u8: return join<std::uint8_t, double>(std::move(shape), real, imaginary);
      case DType::i16: return join<std::int16_t, double>(std::move(shape), real, imaginary);
      case DType::u16: return join<std::uint16_t, double>(std::move(shape), real, imaginary);
      case DType::i32: return join<std::int32_t, double>(std::move(shape), real, imaginary);
      case DType::u32: return join<std::uint32_t, double>(std::move(shape), real, imaginary);
      default: fail("a complex array of a type that has no complex numbers");
    }
  }
  template <class From, class To>
  static Value join(Shape shape, BytesView real, BytesView imaginary) {
    const std::size_t count = real.size() / sizeof(From);
    Buffer joined(count * 2 * sizeof(To));
    const auto convert = [](const std::byte* from, std::byte* to) {
      From number;
      std::memcpy(&number, from, sizeof number);
      const To converted = static_cast<To>(number);
      std::memcpy(to, &converted, sizeof converted);
    };
    for (std::size_t i = 0; i < count; ++i) {
      convert(real.data() + i * sizeof(From), joined.data() + 2 * i * sizeof(To));
      convert(imaginary.data() + i * sizeof(From), joined.data() + (2 * i + 1) * sizeof(To));
    }
    return adopt_array(ArrayType::of(sizeof(To) == 4 ? DType::c64 : DType::c128), std::move(shape),
                       std::move(joined).finish(), Array::Order::column);
  }
  // MATLAB text, 16 bits a character: a row is one string.
  Value take_chars(Shape shape) {
    const std::size_t count = elements(shape, 2);
    Buffer wide(count * sizeof(char32_t));
    for (std::size_t i = 0; i < count; ++i) {
      const char32_t code = take_number<std::uint16_t>("a character");
      if (code >= 0xD800 && code < 0xE000) fail("characters outside of 16 bits", Errc::unsupported);
      std::memcpy(wide.data() + i * sizeof code, &code, sizeof code);
    }
    Bytes data = std::move(wide).finish();
    std::size_t width = 1;
    if (shape.size() == 1 || (shape.size() == 2 && shape[0] == 1)) {
      shape = {1};
      width = std::max<std::size_t>(count, 1);
      if (count == 0) data = Bytes(std::vector<std::byte>(sizeof(char32_t)));
    }
    if (width > UINT32_MAX / sizeof(char32_t)) fail("a text that is longer than an element can be");
    const ArrayType type{DType::text, static_cast<std::uint32_t>(width * sizeof(char32_t)), false,
                         fmt::format("<U{}", width)};
    return adopt_array(type, std::move(shape), std::move(data), Array::Order::column);
  }
  Value take_cells(bool cell, Shape shape) {
    const std::size_t count = elements(shape, smallest_element);
    Cells cells{cell, std::move(shape), {}};
    cells.items.resize(count);
    if (cell)
      for (Value& item : cells.items) item = take_element();
    else
      for_each_in_column_order(cells.shape, [&](std::size_t i) { cells.items[i] = take_element(); });
    return cells;
  }

  std::vector<std::string> take_names() {
    const auto count = take_number<std::uint32_t>("the fields of a structure");
    need(count, "the fields of a structure");
    if (count > max_fields) fail(fmt::format("a structure of {} fields, {} is the limit", count, max_fields));
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string_view rest = blob_.text().substr(at_, left());
      const std::size_t size = rest.find('\0');
      if (size == std::string_view::npos) fail("the name of a field does not end");
      if (!valid_utf8(rest.substr(0, size))) fail("the name of a field is not UTF-8");
      names.emplace_back(rest.substr(0, size));
      at_ += size + 1;
    }
    return names;
  }
  // What numpy makes of a structure without fields, and so every other reader.
  static Value no_fields() { return Cells{false, {}, {Null{}}}; }

  Value take_record() {
    std::vector<std::string> names = take_names();
    if (names.empty()) return no_fields();
    Fields fields;
    std::vector<std::span<const std::int64_t>> shapes;
    for (std::string& name : names) {
      const std::size_t start = at_;
      Value column = take_value();
      if (!column.is<Array>() && !column.is<Cells>() && !column.is<Fields>()) {
        at_ = start;
        fail("the field of a structure is no array");
      }
      fields.fields.emplace_back(std::move(name), std::move(column));
    }
    for (const auto& [name, column] : fields.fields) shapes.push_back(shape_of(column));
    // Fields that are arrays themselves have more dimensions than the structure.
    const auto fewest = *std::ranges::min_element(shapes, {}, [](auto shape) { return shape.size(); });
    for (const auto shape : shapes)
      if (!std::ranges::equal(shape.first(fewest.size()), fewest)) fail("the fields of a structure differ in shape");
    fields.shape.assign(fewest.begin(), fewest.end());
    return fields;
  }
  static std::span<const std::int64_t> shape_of(const Value& column) {
    if (const auto* array = column.get_if<Array>()) return array->shape();
    if (const auto* cells = column.get_if<Cells>()) return cells->shape;
    return column.get_if<Fields>()->shape;
  }
  Value take_structure() {
    Fields fields{true, take_shape(), {}};
    std::vector<std::string> names = take_names();
    if (names.empty()) return no_fields();
    const std::size_t count = elements(fields.shape, smallest_element * names.size());
    std::vector<Cells> columns(names.size(), Cells{true, fields.shape, std::vector<Value>(count)});
    for (std::size_t i = 0; i < count; ++i)
      for (Cells& column : columns) column.items[i] = take_element();
    for (std::size_t i = 0; i < names.size(); ++i)
      fields.fields.emplace_back(std::move(names[i]), std::move(columns[i]));
    return fields;
  }

  const Bytes& blob_;
  std::size_t at_ = 0;
  std::size_t end_;  // of the element being read
  int depth_ = 0;
};

}  // namespace

Value unpack(const Bytes& blob) {
  if (is_compressed(blob)) return Unpacker(inflate_envelope(blob, blob_lead)).whole();
  return Unpacker(blob).whole();
}

}  // namespace oas::format
