#include "format/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <oas/error.hpp>

#include "core/text.hpp"
#include "format/array_data.hpp"
#include "format/dtype.hpp"
#include "format/dtype_literal.hpp"

namespace oas::format {
namespace {

constexpr std::string_view magic{"\x93NUMPY", 6};
constexpr std::size_t alignment = 64;
constexpr std::uint64_t largest_header = 16 * 1024 * 1024;
// numpy leaves room for the growing dimension to become this long, so that data can be appended in place.
constexpr std::size_t growth_digits = 21;

[[noreturn]] void fail(const std::string& why) { throw Error(Errc::decode, "read a .npy file: " + why); }

// How many bytes the length of the header takes: 2 in version 1, 4 later.
std::size_t length_bytes(BytesView first_bytes) {
  const std::string_view text = as_text(first_bytes.first(std::min(first_bytes.size(), magic.size())));
  if (!magic.starts_with(text)) fail("at byte 0: it does not begin as one does");
  if (first_bytes.size() <= magic.size()) return 4;
  const auto version = std::to_integer<unsigned>(first_bytes[magic.size()]);
  if (version < 1 || version > 3)
    fail(fmt::format("at byte {}: its version is {}, only 1 to 3 are known", magic.size(), version));
  return version == 1 ? 2 : 4;
}

std::string to_utf8(BytesView header, bool latin1) {
  std::string text(as_text(header));
  if (latin1) {
    const auto beyond_ascii = [](std::byte b) { return b >= std::byte{0x80}; };
    if (std::ranges::none_of(header, beyond_ascii)) return text;
    text.clear();
    for (const std::byte b : header) append_utf8(text, std::to_integer<char32_t>(b));
  } else if (!valid_utf8(text)) {
    throw Error(Errc::decode, "it is not UTF-8");
  }
  return text;
}

NpyHeader parse_text(std::string_view utf8) {
  const auto refuse = [](const std::string& why) { throw Error(Errc::decode, why); };
  const Literal header = parse_literal(utf8);
  const Literal* descr = header.find("descr");
  const Literal* fortran_order = header.find("fortran_order");
  const Literal* shape = header.find("shape");
  if (header.kind != Literal::Kind::dict || header.items.size() != 6 || !descr || !fortran_order || !shape)
    refuse("it is not a dict of descr, fortran_order and shape");
  if (fortran_order->kind != Literal::Kind::boolean) refuse("fortran_order is neither True nor False");
  NpyHeader parsed{dtype_of_literal(*descr), shape_of_literal(*shape),
                   fortran_order->number != 0 ? Array::Order::column : Array::Order::row, 0, 0};
  if (parsed.shape.size() > max_dimensions)
    refuse(fmt::format("it has {} dimensions, {} is the limit", parsed.shape.size(), max_dimensions));
  const auto data_size = bytes_of_shape(parsed.shape, parsed.type.item_size);
  if (!data_size) refuse("its shape is larger than any file");
  parsed.data_size = *data_size;
  return parsed;
}

// nullopt if there is a character that is not in it.
std::optional<std::string> to_latin1(std::string_view utf8) {
  std::string text;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      text.push_back(utf8[i]);
    } else if (byte == 0xC2 || byte == 0xC3) {
      text.push_back(static_cast<char>((byte & 0x03) << 6 | (static_cast<unsigned char>(utf8[++i]) & 0x3F)));
    } else {
      return std::nullopt;
    }
  }
  return text;
}

// The header behind magic and version, padded so that the elements are aligned; nullopt if it is too long.
std::optional<Bytes> wrap(std::string_view header, unsigned version) {
  const std::size_t in_front = magic.size() + 2 + (version == 1 ? 2 : 4);
  const std::size_t unpadded = in_front + header.size() + 1;
  const std::size_t total = unpadded + alignment - unpadded % alignment;  // always pads, as numpy does
  const std::size_t length = total - in_front;
  if (version == 1 && length > UINT16_MAX) return std::nullopt;
  std::string text;
  text.reserve(total);
  text += magic;
  text += static_cast<char>(version);
  text += '\0';
  for (std::size_t i = magic.size() + 2, shift = 0; i < in_front; ++i, shift += 8)
    text += static_cast<char>(length >> shift);
  text += header;
  text.append(total - text.size() - 1, ' ');
  text += '\n';
  return Bytes::copy(text);
}

}  // namespace

std::uint64_t npy_header_size(BytesView first_bytes) {
  const std::size_t in_length = length_bytes(first_bytes);
  const std::size_t in_front = magic.size() + 2 + in_length;
  if (first_bytes.size() < in_front) return magic.size() + 2 + 4;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < in_length; ++i)
    length |= std::to_integer<std::uint64_t>(first_bytes[magic.size() + 2 + i]) << (8 * i);
  if (length > largest_header)
    fail(fmt::format("at byte {}: it announces a header of {} bytes, {} is the limit", magic.size() + 2, length,
                     largest_header));
  return in_front + length;
}

NpyHeader parse_npy_header(BytesView first_bytes) {
  const std::uint64_t size = npy_header_size(first_bytes);
  const std::size_t in_front = magic.size() + 2 + length_bytes(first_bytes);
  if (first_bytes.size() < std::max<std::uint64_t>(in_front, size))
    fail(fmt::format("at byte {}: it ends in its header", first_bytes.size()));
  const bool latin1 = first_bytes[magic.size()] != std::byte{3};
  try {
    NpyHeader parsed =
        parse_text(to_utf8(first_bytes.subspan(in_front, static_cast<std::size_t>(size) - in_front), latin1));
    parsed.data_offset = size;
    return parsed;
  } catch (const Error& error) {
    throw error.within(fmt::format("read a .npy file, its header from byte {} on", in_front));
  }
}

Array read_npy(const Bytes& file) {
  NpyHeader header = parse_npy_header(file);
  const std::uint64_t there = file.size() - header.data_offset;
  if (header.data_size > there)
    fail(fmt::format("at byte {}: its elements take {} bytes, {} are there. it is not complete", header.data_offset,
                     header.data_size, there));
  Bytes data = file.slice(static_cast<std::size_t>(header.data_offset), static_cast<std::size_t>(header.data_size));
  return adopt_array(std::move(header.type), std::move(header.shape), std::move(data), header.order);
}

Array read_npy(const Bytes& file, const ArrayType& type, std::span<const std::int64_t> shape) {
  const auto data_size = bytes_of_shape(shape, type.item_size);
  if (type.kind != DType::record && data_size && *data_size < file.size()) {
    const Bytes usual = npy_header(type, shape, Array::Order::row);
    if (file.size() - *data_size >= usual.size() && file.slice(0, usual.size()) == usual) {
      return adopt_array(type, Shape(shape.begin(), shape.end()),
                         file.slice(usual.size(), static_cast<std::size_t>(*data_size)), Array::Order::row);
    }
  }
  return read_npy(file);
}

Bytes npy_header(const ArrayType& type, std::span<const std::int64_t> shape, Array::Order order) {
  const bool fortran = order == Array::Order::column;
  std::string header;  // put together by hand: there is one for each small array
  header.append("{'descr': ").append(dtype_descr(type)).append(", 'fortran_order': ");
  header.append(fortran ? "True" : "False").append(", 'shape': ").append(shape_literal(shape)).append(", }");
  if (!shape.empty()) {
    const std::size_t digits = fmt::format_int(fortran ? shape.back() : shape.front()).size();
    header.append(growth_digits - std::min(digits, growth_digits), ' ');
  }
  const bool ascii = std::ranges::all_of(header, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (const auto latin1 = ascii ? std::optional(header) : to_latin1(header)) {
    if (auto first = wrap(*latin1, 1)) return *std::move(first);
    return *wrap(*latin1, 2);
  }
  return *wrap(header, 3);
}

std::vector<Bytes> write_npy(const Array& array) {
  const auto order = array.is_both_orders() ? Array::Order::row : array.order();
  return {npy_header(array.type(), array.shape(), order), array.data()};
}

}  // namespace oas::format
