#include "core/encoding.hpp"

#include <array>

namespace oas {
namespace {

constexpr std::string_view hex_letters = "0123456789abcdef";
constexpr std::string_view base32_letters = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view base64_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int16_t, 256> digits_of(std::string_view letters) {
  std::array<std::int16_t, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < letters.size(); ++i)
    digits[static_cast<unsigned char>(letters[i])] = static_cast<std::int16_t>(i);
  return digits;
}

constexpr auto base64_digits = digits_of(base64_letters);
constexpr auto hex_digits = [] {
  auto digits = digits_of(hex_letters);
  for (const char c : {'a', 'b', 'c', 'd', 'e', 'f'})
    digits[static_cast<unsigned char>(c - 'a' + 'A')] = digits[static_cast<unsigned char>(c)];
  return digits;
}();

// The bytes cut into letters of `bits` bits each, the last one filled up with zeros.
std::string spell(BytesView bytes, std::string_view letters, unsigned bits) {
  std::string text;
  text.reserve((bytes.size() * 8 + bits - 1) / bits + 3);
  std::uint32_t pending = 0;
  unsigned count = 0;
  for (const std::byte byte : bytes) {
    pending = pending << 8 | std::to_integer<std::uint32_t>(byte);
    for (count += 8; count >= bits; count -= bits) text += letters[pending >> (count - bits) & (letters.size() - 1)];
  }
  if (count > 0) text += letters[pending << (bits - count) & (letters.size() - 1)];
  return text;
}

}  // namespace

std::string hex(BytesView bytes) { return spell(bytes, hex_letters, 4); }

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Buffer buffer(text.size() / 2);
  for (std::size_t i = 0; i < buffer.size(); ++i) {
    const int high = hex_digits[static_cast<unsigned char>(text[2 * i])];
    const int low = hex_digits[static_cast<unsigned char>(text[2 * i + 1])];
    if (high < 0 || low < 0) return std::nullopt;
    buffer.data()[i] = static_cast<std::byte>(high << 4 | low);
  }
  return std::move(buffer).finish();
}

std::string base32_lower_nopad(BytesView bytes) { return spell(bytes, base32_letters, 5); }

std::string base64(BytesView bytes) {
  std::string text = spell(bytes, base64_letters, 6);
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  Buffer buffer(text.size() * 6 / 8);
  std::size_t written = 0;
  std::uint32_t pending = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int digit = base64_digits[static_cast<unsigned char>(c)];
    if (digit < 0) return std::nullopt;
    pending = pending << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      buffer.data()[written++] = static_cast<std::byte>(pending >> count);
    }
  }
  if ((pending & ((1u << count) - 1)) != 0) return std::nullopt;
  return std::move(buffer).finish();
}

}  // namespace oas
