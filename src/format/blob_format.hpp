// What the writer and the reader of blobs both know: docs/format/blob.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "format/array_data.hpp"

namespace oas::format {

inline constexpr std::string_view protocol_mym{"mYm\0", 4}, protocol_dj0{"dj0\0", 4};

/// The byte in front of every value.
enum class Code : std::uint8_t {
  array = 'A',
  record = 'F',
  structure = 'S',
  cell = 'C',
  sparse = 'P',
  none = 0xFF,
  tuple = 0x01,
  list = 0x02,
  set = 0x03,
  dict = 0x04,
  text = 0x05,
  bytes = 0x06,
  integer = 0x0A,
  boolean = 0x0B,
  complex = 0x0C,
  real = 0x0D,
  decimal = 'd',
  time = 't',
  uuid = 'u'
};

/// Element types of arrays that are not in the table of numbers.
inline constexpr std::uint32_t element_char = 4, element_object = 5, element_time = 65536;
/// The units of datetime64, in the order of their numbers from element_time on.
inline constexpr std::string_view time_units[] = {"Y",  "M",  "W",  "D",  "h",  "m", "s",
                                                  "ms", "us", "ns", "ps", "fs", "as"};

/// The product of the lengths; nullopt for shapes that the reader takes for no array's.
inline std::optional<std::uint64_t> elements_of_shape(std::span<const std::int64_t> shape) noexcept {
  constexpr std::uint64_t beyond_any_element = 64;
  return bytes_of_shape(shape, beyond_any_element) ? bytes_of_shape(shape, 1) : std::nullopt;
}

}  // namespace oas::format
