// Integers beyond 64 bits, between the forms that they are stored in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <oas/value.hpp>

namespace oas {

/// More digits than this are refused (as Python refuses to print them): reading them takes quadratic time.
inline constexpr std::size_t max_integer_digits = 4300;

/// [+-]digits → int64 if it fits, else BigInt, without leading zeros. Errors: decode; unsupported if it is too long.
Value integer_from_text(std::string_view text);
/// Two's complement, little-endian, any length (none: 0). Errors: unsupported if it is too long.
Value integer_from_bytes(BytesView little_endian);
/// The shortest two's complement, little-endian, that has its sign bit: what Python's bit_length() // 8 + 1 gives.
/// `integer`: an int or BigInt. Errors: usage.
std::vector<std::byte> integer_to_bytes(const Value& integer);

}  // namespace oas
