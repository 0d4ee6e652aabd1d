// Integers beyond 64 bits, between the forms that they are stored in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <oas/value.hpp>

namespace oas {

/// What a blob can hold, two's complement; and the digits of that. Longer ones are refused: time is quadratic, 0.1 s
/// for the longest.
inline constexpr std::size_t max_integer_bytes = 65'535, max_integer_digits = 157'824;

/// [+-]digits → int64 if it fits, else BigInt, without leading zeros. Errors: decode; unsupported if it is too long.
Value integer_from_text(std::string_view text);
/// Two's complement, little-endian, any length (none: 0). Errors: unsupported if it is too long.
Value integer_from_bytes(BytesView little_endian);
/// The shortest two's complement, little-endian, that has its sign bit: what Python's bit_length() // 8 + 1 gives.
/// `integer`: an int or BigInt. Errors: usage.
std::vector<std::byte> integer_to_bytes(const Value& integer);

}  // namespace oas
