// Writing blobs. One pass: heads (codes, lengths, small data) go to one growing buffer, large data is only noted with
// the place in the heads where it belongs. The length in front of an element is filled in once the element is written.
#include <fmt/format.h>

#include <cstring>
#include <numeric>
#include <string>

#include "core/bigint.hpp"
#include "core/text.hpp"
#include "core/transpose.hpp"
#include "format/array_data.hpp"
#include "format/blob.hpp"
#include "format/blob_format.hpp"
#include "format/deflate.hpp"
#include "format/dtype.hpp"

namespace oas::format {
namespace {

constexpr std::size_t compress_over = 1000;
constexpr std::size_t share_from = 4096;  // below, a copy costs less than a part of its own

[[noreturn]] void refuse(const std::string& why) { throw Error(Errc::usage, "pack a blob: " + why); }

// The number of a type among array elements, of one component if complex; nullopt if there is none.
std::optional<std::uint32_t> element_number(const ArrayType& type) {
  switch (type.kind) {
    case DType::bool_: return 3;
    case DType::f64:
    case DType::c128: return 6;
    case DType::f32:
    case DType::c64: return 7;
    case DType::i8: return 8;
    case DType::u8: return 9;
    case DType::i16: return 10;
    case DType::u16: return 11;
    case DType::i32: return 12;
    case DType::u32: return 13;
    case DType::i64: return 14;
    case DType::u64: return 15;
    case DType::bytes: return type.item_size == 1 ? std::optional(element_char) : std::nullopt;
    case DType::datetime64: {
      const std::string_view unit = time_unit(type);
      for (std::uint32_t i = 0; i < std::size(time_units); ++i)
        if (unit == time_units[i]) return element_time + i;
      return std::nullopt;
    }
    default: return std::nullopt;
  }
}

class Packer {
 public:
  Packer() { put_text(protocol_mym); }

  void put(const Value& value) {
    if (++depth_ > max_nesting) refuse(fmt::format("values are nested deeper than {}", max_nesting));
    std::visit([this](const auto& content) { put_content(content); }, value.variant());
    --depth_;
  }

  std::vector<Bytes> finish() && {
    if (beyond_mym_) std::memcpy(heads_.data(), protocol_dj0.data(), protocol_dj0.size());
    const Bytes heads{std::move(heads_)};
    std::vector<Bytes> parts;
    std::size_t at = 0;
    for (Shared& shared : shared_) {
      if (shared.at != at) parts.push_back(heads.slice(at, shared.at - at));
      at = shared.at;
      if (shared.turned)
        parts.push_back(shared.turned->to_order(Array::Order::column).data());
      else
        parts.push_back(std::move(shared.data));
    }
    if (at != heads.size()) parts.push_back(heads.slice(at, heads.size() - at));
    return parts;
  }
  /// The same in one piece: arrays are turned into their places.
  Bytes finish_joined() && {
    if (beyond_mym_) std::memcpy(heads_.data(), protocol_dj0.data(), protocol_dj0.size());
    if (shared_.empty()) return Bytes(std::move(heads_));
    Buffer joined(heads_.size() + shared_size_);
    std::byte* to = joined.data();
    std::size_t at = 0;
    const auto put_heads = [&](std::size_t end) {
      std::memcpy(to, heads_.data() + at, end - at);
      to += end - at;
      at = end;
    };
    for (const Shared& shared : shared_) {
      put_heads(shared.at);
      const Bytes& data = shared.turned ? shared.turned->data() : shared.data;
      if (shared.turned)
        reverse_axes(data.data(), to, shared.turned->shape(), shared.turned->type().item_size);
      else
        std::memcpy(to, data.data(), data.size());
      to += data.size();
    }
    put_heads(heads_.size());
    return std::move(joined).finish();
  }

 private:
  struct Shared {
    std::size_t at;  // in the heads
    Bytes data;
    std::optional<Array> turned;  // instead: one in row order, still to be turned
  };

  template <class T>
  void put_number(T number) {
    const std::size_t at = heads_.size();
    heads_.resize(at + sizeof number);
    std::memcpy(heads_.data() + at, &number, sizeof number);
  }
  void put_size(std::size_t size) { put_number(std::uint64_t{size}); }
  void put_text(std::string_view text) { put_raw(as_bytes(text)); }
  void put_raw(BytesView bytes) { heads_.insert(heads_.end(), bytes.begin(), bytes.end()); }
  void put_data(const Bytes& data) {
    if (data.size() < share_from) return put_raw(data);
    shared_size_ += data.size();
    shared_.push_back({heads_.size(), data, {}});
  }
  // A code that the mYm protocol does not have makes the whole blob dj0.
  void put_code(Code code) {
    beyond_mym_ |= code != Code::array && code != Code::cell && code != Code::structure;
    heads_.push_back(static_cast<std::byte>(code));
  }
  void put_shape(std::span<const std::int64_t> shape) {
    if (shape.size() > max_dimensions)
      refuse(fmt::format("an array has {} dimensions, {} is the limit", shape.size(), max_dimensions));
    if (!elements_of_shape(shape))
      refuse("an array has a shape that only an empty one can have, and too large for that");
    put_size(shape.size());
    for (const std::int64_t length : shape) put_number(length);
  }
  // f writes an element; its length goes in front.
  template <class F>
  void put_sized(F&& f) {
    const std::size_t at = heads_.size();
    put_size(0);
    const std::size_t start = heads_.size() + shared_size_;
    f();
    const std::uint64_t size = heads_.size() + shared_size_ - start;
    std::memcpy(heads_.data() + at, &size, sizeof size);
  }
  void put_element(const Value& value) {
    put_sized([&] { put(value); });
  }
  void put_valid_text(std::string_view text) {
    if (!valid_utf8(text)) refuse("a text is not UTF-8. use Bytes for what is not text");
    put_size(text.size());
    put_text(text);
  }

  void put_content(Null) { put_code(Code::none); }
  void put_content(bool value) {
    put_code(Code::boolean);
    put_number(std::uint8_t{value});
  }
  void put_content(std::int64_t value) { put_integer(value); }
  void put_content(const BigInt& value) {
    if (value.digits.size() > max_integer_digits + 1)
      refuse(fmt::format("an integer has more than {} digits", max_integer_digits));
    put_integer(value);
  }
  void put_integer(const Value& value) {
    const std::vector<std::byte> bytes = integer_to_bytes(value);
    if (bytes.size() > max_integer_bytes)
      refuse(fmt::format("an integer takes {} bytes, {} is the limit", bytes.size(), max_integer_bytes));
    put_code(Code::integer);
    put_number(static_cast<std::uint16_t>(bytes.size()));
    put_raw(bytes);
  }
  void put_content(double value) {
    put_code(Code::real);
    put_number(value);
  }
  void put_content(const std::complex<double>& value) {
    put_code(Code::complex);
    put_number(value.real());
    put_number(value.imag());
  }
  void put_content(const std::string& value) {
    put_code(Code::text);
    put_valid_text(value);
  }
  void put_content(const Bytes& value) {
    put_code(Code::bytes);
    put_size(value.size());
    put_data(value);
  }
  void put_content(const Decimal& value) {
    put_code(Code::decimal);
    put_valid_text(value.digits);
  }
  void put_date(std::int32_t days) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
    const int year = static_cast<int>(date.year());
    if (year < 1 || year > 9999) refuse(fmt::format("a date is in the year {}, only 1 to 9999 can be written", year));
    put_number(std::int32_t{year * 10000 + static_cast<int>(static_cast<unsigned>(date.month()) * 100 +
                                                            static_cast<unsigned>(date.day()))});
  }
  void put_time_of_day(std::int64_t microseconds) {
    if (microseconds < 0 || microseconds >= 86'400'000'000) refuse("a time is not within one day");
    const std::int64_t seconds = microseconds / 1'000'000;
    put_number(std::int64_t{(seconds / 3600 * 10000 + seconds / 60 % 60 * 100 + seconds % 60) * 1'000'000 +
                            microseconds % 1'000'000});
  }
  void put_content(const Date& value) {
    put_code(Code::time);
    put_date(value.days);
    put_number(std::int64_t{-1});
  }
  void put_content(const Time& value) {
    put_code(Code::time);
    put_number(std::int32_t{-1});
    put_time_of_day(value.microseconds);
  }
  void put_content(const DateTime& value) {
    constexpr std::int64_t day = 86'400'000'000;
    const std::int64_t time = (value.microseconds % day + day) % day;
    put_code(Code::time);
    put_date(static_cast<std::int32_t>((value.microseconds - time) / day));
    put_time_of_day(time);
  }
  void put_content(const Uuid& value) {
    put_code(Code::uuid);
    put_raw(value.bytes);
  }
  void put_content(const Seq& value) {
    put_code(value.kind == Seq::Kind::list ? Code::list : value.kind == Seq::Kind::tuple ? Code::tuple : Code::set);
    put_size(value.items.size());
    for (const Value& item : value.items) put_element(item);
  }
  void put_content(const Map& value) {
    put_code(Code::dict);
    put_size(value.items.size());
    for (const auto& [key, item] : value.items) {
      put_element(key);
      put_element(item);
    }
  }

  void put_content(const Array& value) {
    if (value.dtype() == DType::record) return put_record(value);
    if (value.dtype() == DType::text) return put_text_array(value);
    const auto number = element_number(value.type());
    if (!number || value.type().big_endian)
      refuse(fmt::format("blobs have no arrays of {}. use {}", value.type().name,
                         number ? "Array::to_native()" : "another type, or an <npy@> attribute"));
    const bool is_complex = value.dtype() == DType::c64 || value.dtype() == DType::c128;
    put_code(Code::array);
    beyond_mym_ |= *number >= element_time || (value.ndim() == 0 && *number != element_char);
    put_shape(value.shape());
    put_number(*number);
    put_number(std::uint32_t{is_complex});
    if (!is_complex && *number != element_char && value.nbytes() >= share_from && value.order() == Array::Order::row &&
        !value.is_both_orders()) {
      shared_size_ += value.nbytes();
      shared_.push_back({heads_.size(), {}, value});
      return;
    }
    const Array turned = value.to_order(Array::Order::column);
    if (is_complex)
      put_data(split_complex(turned));
    else if (*number == element_char)
      for (const std::byte character : turned.data().view()) put_number(std::to_integer<std::uint16_t>(character));
    else
      put_data(turned.data());
  }
  void put_object_head(std::span<const std::int64_t> shape) {
    put_code(Code::array);
    beyond_mym_ = true;
    put_shape(shape);
    put_number(element_object);
    put_number(std::uint32_t{0});
  }
  void put_text_array(const Array& value) {
    const Array native = value.to_native().to_order(Array::Order::column);
    put_object_head(native.shape());
    const std::size_t width = native.type().item_size / sizeof(char32_t);
    std::u32string text(width, U'\0');
    std::string utf8;
    for (std::size_t i = 0; i < native.size(); ++i) {
      if (width != 0)
        std::memcpy(text.data(), native.data().data() + i * width * sizeof(char32_t), width * sizeof(char32_t));
      const std::size_t length = text.find_last_not_of(U'\0') + 1;  // npos + 1 is 0
      utf8.clear();
      for (std::size_t k = 0; k < length; ++k)
        if (!append_utf8(utf8, text[k]))
          refuse(fmt::format("element {} of an array of {} is not text", i, native.type().name));
      put_sized([&] { put_content(utf8); });
    }
  }
  void put_content(const Cells& value) {
    if (bytes_of_shape(value.shape, 1) != value.items.size())
      refuse(fmt::format("an array of values has {} items, which is not what its shape says", value.items.size()));
    if (value.cell) {
      put_code(Code::cell);
      put_shape(value.shape);
      for (const Value& item : value.items) put_element(item);
    } else {
      put_object_head(value.shape);
      for_each_in_column_order(value.shape, [&](std::size_t i) { put_element(value.items[i]); });
    }
  }

  template <class Names>
  void put_names(const Names& fields) {
    // The reference reads a structure without fields as an array of one None.
    if (fields.empty()) refuse("a structure has no fields");
    put_number(static_cast<std::uint32_t>(fields.size()));
    for (const auto& [name, rest] : fields) {
      if (!valid_utf8(name) || name.find('\0') != std::string::npos)
        refuse("the name of a field is not UTF-8, or has a NUL");
      put_text(name);
      heads_.push_back(std::byte{0});
    }
  }
  void put_record(const Array& value) {
    std::vector<std::pair<std::string, Value>> fields;
    const Array rows = value.to_order(Array::Order::row);
    const std::size_t stride = rows.type().item_size;
    for (RecordField& field : record_fields(rows.type())) {
      Shape shape(rows.shape().begin(), rows.shape().end());
      shape.insert(shape.end(), field.shape.begin(), field.shape.end());
      const std::size_t size = static_cast<std::size_t>(*bytes_of_shape(field.shape, field.type.item_size));
      Buffer column(size * rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i)
        std::memcpy(column.data() + i * size, rows.data().data() + i * stride + field.offset, size);
      fields.emplace_back(std::move(field.name), adopt_array(std::move(field.type), std::move(shape),
                                                             std::move(column).finish(), Array::Order::row));
    }
    put_code(Code::record);
    put_names(fields);
    for (const auto& [name, column] : fields) put(column);
  }
  void put_content(const Fields& value) {
    put_code(value.matlab ? Code::structure : Code::record);
    if (value.matlab) put_shape(value.shape);
    put_names(value.fields);
    const auto size = bytes_of_shape(value.shape, 1);
    for (const auto& [name, column] : value.fields) {
      const Array* array = column.get_if<Array>();
      const Cells* cells = column.get_if<Cells>();
      const Fields* fields = column.get_if<Fields>();
      const std::span<const std::int64_t> shape = array    ? array->shape()
                                                  : cells  ? std::span<const std::int64_t>(cells->shape)
                                                  : fields ? std::span<const std::int64_t>(fields->shape)
                                                           : std::span<const std::int64_t>();
      const bool starts_so =
          shape.size() >= value.shape.size() && std::equal(value.shape.begin(), value.shape.end(), shape.begin());
      if (!size || (!array && !cells && !fields) || !starts_so ||
          (value.matlab && (!cells || cells->items.size() != *size)))
        refuse(fmt::format("the field {} does not have the shape of its structure", name));
      if (!value.matlab) put(column);
    }
    if (value.matlab) put_elements(value);
  }
  // Element by element in column order, each with all its fields.
  void put_elements(const Fields& value) {
    std::size_t in_column_order = 0;
    for_each_in_column_order(value.shape, [&](std::size_t in_row_order) {
      for (const auto& [name, column] : value.fields) {
        const Cells& cells = *column.get_if<Cells>();
        put_element(cells.items[cells.cell ? in_column_order : in_row_order]);
      }
      ++in_column_order;
    });
  }

  template <class Reference>
  void put_content(const Reference&) {
    static_assert(std::is_same_v<Reference, Attachment> || std::is_same_v<Reference, NpyRef> ||
                  std::is_same_v<Reference, ObjectRef>);
    refuse("it cannot hold attachments or references. use an attribute of their own type, or load them first");
  }

  std::vector<std::byte> heads_;
  std::vector<Shared> shared_;
  std::size_t shared_size_ = 0;
  bool beyond_mym_ = false;
  int depth_ = 0;
};

std::size_t total_size(const std::vector<Bytes>& parts) {
  return std::accumulate(parts.begin(), parts.end(), std::size_t{0},
                         [](std::size_t sum, const Bytes& part) { return sum + part.size(); });
}

}  // namespace

std::vector<Bytes> pack(const Value& value, PackOptions options) {
  Packer packer;
  packer.put(value);
  std::vector<Bytes> parts = std::move(packer).finish();
  const std::size_t size = total_size(parts);
  if (options.compress == PackOptions::Compress::never || size <= compress_over) return parts;
  const bool sampling = options.compress == PackOptions::Compress::automatic;
  if (auto compressed = compress_envelope(parts, sampling)) return {*std::move(compressed)};
  return parts;
}

Bytes pack_joined(const Value& value, PackOptions options) {
  Packer packer;
  packer.put(value);
  Bytes joined = std::move(packer).finish_joined();
  if (options.compress == PackOptions::Compress::never || joined.size() <= compress_over) return joined;
  const bool sampling = options.compress == PackOptions::Compress::automatic;
  if (auto compressed = compress_envelope({joined}, sampling)) return *std::move(compressed);
  return joined;
}

}  // namespace oas::format
