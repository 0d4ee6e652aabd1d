// Reading blobs: what each code means (docs/format/blob.md), over the reader that minds the bytes (blob_reader.hpp).
#include <algorithm>
#include <cstring>
#include <string>

#include "core/bigint.hpp"
#include "core/text.hpp"
#include "format/array_data.hpp"
#include "format/blob.hpp"
#include "format/blob_format.hpp"
#include "format/blob_keys.hpp"
#include "format/blob_reader.hpp"
#include "format/deflate.hpp"

namespace oas::format {
namespace {

constexpr std::uint32_t max_fields = 65'535;

class Unpacker {
 public:
  explicit Unpacker(const Bytes& blob) : blob_(blob), in_(blob) {}

  Value whole(BlobForm* form) {
    const std::string_view protocol = blob_.text().substr(0, 4);
    if (protocol != protocol_mym && protocol != protocol_dj0)
      in_.fail("it does not begin as one does, with mYm or dj0");
    if (protocol == protocol_mym && written_by_32_bits()) in_.use_short_lengths();
    in_.go_to(4);
    Value value = take_value();
    if (in_.left() != 0) in_.fail("bytes follow the value");
    if (form) {
      form->short_lengths = in_.has_short_lengths();
      form->protocol = protocol.substr(0, 3);
    }
    return value;
  }

 private:
  // MATLAB of 32 bits wrote lengths of 4 bytes. After the code comes the number of dimensions, at least 2, and what
  // would be its upper half is the first dimension; if that is 0, what would be the upper half of the first dimension
  // is an element type or a number of fields, unless the blob can have so long a dimension.
  bool written_by_32_bits() const {
    constexpr std::size_t start = 5;
    const auto number_of = [this]<class T>(std::size_t at, T n) {
      if (at + sizeof n <= blob_.size()) std::memcpy(&n, blob_.data() + at, sizeof n);
      return n;
    };
    const auto number = [&](std::size_t at) { return number_of(at, std::uint32_t{0}); };
    const auto code = blob_.size() < start ? Code::none : static_cast<Code>(blob_.data()[start - 1]);
    if (code != Code::array && code != Code::cell && code != Code::structure) return false;
    const std::uint32_t dimensions = number(start);
    if (dimensions < 2 || dimensions > max_dimensions) return false;
    if (number(start + 4) != 0) return true;
    if (dimensions != 2 || number(start + 12) == 0) return false;
    const auto first = number_of(start + 8, std::uint64_t{0}), second = number_of(start + 16, std::uint64_t{1});
    return second != 0 && first > blob_.size();
  }

  Value take_value() {
    if (++depth_ > max_nesting) in_.fail(fmt::format("values are nested deeper than {}", max_nesting));
    Value value = take_content(in_.take_number<Code>("a value"));
    --depth_;
    return value;
  }
  // An element, after which `more` more must come.
  Value take_element(std::size_t more) {
    const std::uint64_t size = in_.take_length("the length of an element");
    const std::size_t rest = more * in_.smallest_element();
    if (size > in_.left() - std::min(rest, in_.left()))
      in_.fail(fmt::format("an element needs {} bytes and {} more follow, {} are left", size, more, in_.left()));
    return in_.within(static_cast<std::size_t>(size), [this] { return take_value(); });
  }

  Value take_content(Code code) {
    switch (code) {
      case Code::none: return Null{};
      case Code::boolean: return in_.take_number<std::uint8_t>("a bool") != 0;
      case Code::integer: return take_integer();
      case Code::real: return in_.take_number<double>("a float");
      case Code::complex: {
        const auto real = in_.take_number<double>("a complex number");
        return std::complex<double>(real, in_.take_number<double>("a complex number"));
      }
      case Code::text: return in_.take_text("a text");
      case Code::bytes: return in_.take_bytes(in_.take_length("bytes"), "bytes");
      case Code::decimal: return take_decimal();
      case Code::time: return take_time();
      case Code::uuid: return in_.take_number<Uuid>("a UUID");
      case Code::list: return take_seq(Seq::Kind::list);
      case Code::tuple: return take_seq(Seq::Kind::tuple);
      case Code::set: return take_seq(Seq::Kind::set);
      case Code::dict: return take_map();
      case Code::array: return take_array(false);
      case Code::cell: return take_cell();
      case Code::record: return take_record();
      case Code::structure: return take_structure();
      case Code::sparse: in_.fail("sparse arrays are not supported", Errc::unsupported);
    }
    in_.go_to(in_.at() - 1);
    in_.fail(fmt::format("no value begins with {:#04x}", static_cast<unsigned>(code)));
  }

  Value take_integer() {
    return integer_from_bytes(in_.take_bytes(in_.take_number<std::uint16_t>("an integer"), "an integer"));
  }
  Value take_decimal() {
    const std::size_t start = in_.at();
    auto text = python_decimal(in_.take_text("a decimal"));
    if (!text) {
      in_.go_to(start);
      in_.fail("a decimal is not a number");
    }
    return Decimal{*std::move(text)};
  }
  // Negative numbers stand for no date and no time.
  Value take_time() {
    const auto date = in_.take_number<std::int32_t>("a date");
    const auto time = in_.take_number<std::int64_t>("a time");
    std::chrono::year_month_day day{};
    std::int64_t microseconds = 0;
    if (date >= 0) {
      day = std::chrono::year(date / 10000) / (date / 100 % 100) / (date % 100);
      if (!day.ok() || day.year() < std::chrono::year(1) || day.year() > std::chrono::year(9999))
        in_.fail(fmt::format("{} is no date", date));
    }
    if (time >= 0) {
      const std::int64_t clock = time / 1'000'000, hours = clock / 10000, minutes = clock / 100 % 100;
      if (hours > 23 || minutes > 59 || clock % 100 > 59) in_.fail(fmt::format("{} is no time of day", time));
      microseconds = ((hours * 60 + minutes) * 60 + clock % 100) * 1'000'000 + time % 1'000'000;
    }
    const auto days = static_cast<std::int32_t>(std::chrono::sys_days(day).time_since_epoch().count());
    if (date >= 0 && time >= 0) return DateTime(Date::from_days(days), microseconds);
    if (date >= 0) return Date::from_days(days);
    if (time >= 0) return Time{microseconds};
    return Null{};
  }

  // What is in a set twice is there once; of a key that comes twice the last value counts, in the place of the first.
  Value take_seq(Seq::Kind kind) {
    Seq seq{kind, {}};
    const std::size_t count = in_.take_count(in_.smallest_element(), "a sequence");
    seq.items.reserve(count);
    Keys keys(kind == Seq::Kind::set ? count : 0);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t start = in_.at(), place = seq.items.size();
      Value item = take_element(count - i - 1);
      if (kind == Seq::Kind::set && keys.find_or_add(item, in_.text_from(start), place) != place) continue;
      seq.items.push_back(std::move(item));
    }
    return seq;
  }
  Value take_map() {
    Map map;
    const std::size_t count = in_.take_count(2 * in_.smallest_element(), "a dict");
    map.items.reserve(count);
    Keys keys(count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t start = in_.at(), more = 2 * (count - i - 1), next = map.items.size();
      Value key = take_element(more + 1);
      const std::size_t place = keys.find_or_add(key, in_.text_from(start), next);
      Value value = take_element(more);
      if (place == next)
        map.items.emplace_back(std::move(key), std::move(value));
      else
        map.items[place].second = std::move(value);
    }
    return map;
  }

  // `field` of a structure: characters are one an element, whatever the shape.
  Value take_array(bool field) {
    Shape shape = in_.take_shape();
    const auto element = in_.take_number<std::uint32_t>("an element type");
    const bool is_complex = in_.take_number<std::uint32_t>("an element type") != 0;
    if (element == element_object) return take_objects(std::move(shape));
    if (element == element_char) return take_chars(std::move(shape), field);
    ArrayType type = element_type(element);
    const std::size_t item_size = type.item_size * (is_complex ? 2 : 1);
    const std::size_t start = in_.at();
    Bytes data = in_.take_bytes(in_.elements(shape, item_size) * item_size, "an array");
    if (!is_complex) return adopt_array(std::move(type), std::move(shape), std::move(data), Array::Order::column);
    std::optional<Array> joined;
    if (type.kind != DType::datetime64) joined = join_complex(type.kind, std::move(shape), data);
    if (joined) return *std::move(joined);
    in_.go_to(start);
    in_.fail(type.kind == DType::datetime64 ? "a complex array of times" : "complex integers that no float can hold",
             type.kind == DType::datetime64 ? Errc::decode : Errc::unsupported);
  }
  ArrayType element_type(std::uint32_t element) const {
    static constexpr DType numbers[] = {DType::bool_, DType::f64, DType::f32, DType::i8,  DType::u8, DType::i16,
                                        DType::u16,   DType::i32, DType::u32, DType::i64, DType::u64};
    if (element == 3) return ArrayType::of(numbers[0]);
    if (element >= 6 && element <= 15) return ArrayType::of(numbers[element - 5]);
    if (element >= element_time && element < element_time + std::size(time_units))
      return {DType::datetime64, 8, false, fmt::format("datetime64[{}]", time_units[element - element_time])};
    // MATLAB's unknown, cell, struct and function: there are no arrays of these.
    const bool only_a_name = element <= 2 || element == 16;
    in_.fail(fmt::format("no arrays have elements of type {}", element),
             only_a_name ? Errc::unsupported : Errc::decode);
  }
  // MATLAB text, units of 16 bits: a row is one string.
  Value take_chars(Shape shape, bool field) {
    const std::size_t start = in_.at();
    const std::size_t count = in_.elements(shape, 2);
    std::u32string wide(count, U'\0');
    for (char32_t& c : wide) c = in_.take_number<std::uint16_t>("a character");
    std::size_t width = 1;
    if (!field && (shape.size() == 1 || (shape.size() == 2 && shape[0] == 1))) {
      join_surrogates(wide);
      shape = {1};
      width = std::max<std::size_t>(wide.find_last_not_of(U'\0') + 1, 1);  // npos + 1 is 0
      wide.resize(width);
    }
    if (std::ranges::any_of(wide, [](char32_t c) { return c >= 0xD800 && c < 0xE000; })) {
      in_.go_to(start);
      in_.fail("half a character of more than 16 bits", Errc::unsupported);
    }
    if (width > UINT32_MAX / sizeof(char32_t)) in_.fail("a text that is longer than an element can be");
    ArrayType type{DType::text, static_cast<std::uint32_t>(width * sizeof(char32_t)), false,
                   fmt::format("<U{}", width)};
    return adopt_array(std::move(type), std::move(shape), Bytes::copy(std::as_bytes(std::span(wide))),
                       Array::Order::column);
  }
  static void join_surrogates(std::u32string& text) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < text.size(); ++i, ++size) {
      const char32_t c = text[i], next = i + 1 < text.size() ? text[i + 1] : U'\0';
      const bool pair = c >= 0xD800 && c < 0xDC00 && next >= 0xDC00 && next < 0xE000;
      text[size] = pair ? 0x10000 + ((c - 0xD800) << 10) + (next - 0xDC00) : c;
      i += pair;
    }
    text.resize(size);
  }
  Value take_objects(Shape shape) {
    const std::size_t count = in_.elements(shape, in_.smallest_element());
    Cells cells{false, std::move(shape), std::vector<Value>(count)};
    std::size_t more = count;
    for_each_in_column_order(cells.shape, [&](std::size_t i) { cells.items[i] = take_element(--more); });
    return cells;
  }
  Value take_cell() {
    Shape shape = in_.take_shape();
    const std::size_t count = in_.elements(shape, in_.smallest_element());
    if (count == 0) shape = {0};  // as the reference reads it
    Cells cells{true, std::move(shape), {}};
    cells.items.reserve(count);
    for (std::size_t more = count; more-- > 0;) cells.items.push_back(take_element(more));
    return cells;
  }

  std::vector<std::string> take_names() {
    const auto count = in_.take_number<std::uint32_t>("the fields of a structure");
    in_.need(count, "the fields of a structure");
    if (count > max_fields) in_.fail(fmt::format("a structure of {} fields, {} is the limit", count, max_fields));
    std::vector<std::string> names;
    names.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) names.emplace_back(in_.take_name());
    std::vector<std::string_view> sorted(names.begin(), names.end());
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) in_.fail("two fields of a structure have the same name");
    return names;
  }
  // What numpy makes of a structure without fields, and so every other reader.
  static Value no_fields() { return Cells{false, {}, {Null{}}}; }

  Value take_record() {
    constexpr std::size_t smallest_field = 5;  // a record without fields
    std::vector<std::string> names = take_names();
    if (names.empty()) return no_fields();
    Fields fields;
    fields.fields.reserve(names.size());
    for (std::string& name : names) {
      const std::size_t more = names.size() - fields.fields.size() - 1;
      Value column = in_.leaving(more * smallest_field, [this] { return take_field(); });
      fields.fields.emplace_back(std::move(name), std::move(column));
    }
    // Fields that are arrays themselves have more dimensions than the structure.
    std::span<const std::int64_t> fewest = shape_of(fields.fields[0].second);
    for (const auto& [name, column] : fields.fields)
      if (shape_of(column).size() < fewest.size()) fewest = shape_of(column);
    for (const auto& [name, column] : fields.fields)
      if (!std::ranges::equal(shape_of(column).first(fewest.size()), fewest))
        in_.fail("the fields of a structure differ in shape");
    fields.shape.assign(fewest.begin(), fewest.end());
    return fields;
  }
  Value take_field() {
    const std::size_t start = in_.at();
    const auto code = in_.take_number<Code>("the field of a structure");
    if (code == Code::array) return take_array(true);
    in_.go_to(start);
    if (code != Code::record) in_.fail("the field of a structure is no array");
    return take_value();
  }
  static std::span<const std::int64_t> shape_of(const Value& column) {
    if (const auto* array = column.get_if<Array>()) return array->shape();
    if (const auto* cells = column.get_if<Cells>()) return cells->shape;
    return column.get_if<Fields>()->shape;
  }
  Value take_structure() {
    Fields fields{true, in_.take_shape(), {}};
    std::vector<std::string> names = take_names();
    if (names.empty()) return no_fields();
    const std::size_t count = in_.elements(fields.shape, in_.smallest_element() * names.size());
    fields.fields.reserve(names.size());
    std::vector<std::vector<Value>*> columns;
    columns.reserve(names.size());
    for (std::string& name : names) {
      Value& column = fields.fields.emplace_back(std::move(name), Cells{true, fields.shape, {}}).second;
      columns.push_back(&column.get_if<Cells>()->items);
      columns.back()->reserve(count);
    }
    std::size_t more = count * columns.size();
    for (std::size_t i = 0; i < count; ++i)
      for (std::vector<Value>* column : columns) column->push_back(take_element(--more));
    return fields;
  }

  const Bytes& blob_;
  BlobReader in_;
  int depth_ = 0;
};

}  // namespace

Value unpack(const Bytes& blob, BlobForm* form) {
  const bool compressed = is_compressed(blob);
  if (form) form->compressed = compressed;
  if (compressed) return Unpacker(inflate_envelope(blob, blob_lead)).whole(form);
  return Unpacker(blob).whole(form);
}

}  // namespace oas::format
