#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace oas {

std::optional<char32_t> take_code_point(std::string_view& text) noexcept {
  const auto byte = [&text](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  std::size_t length = 1;
  std::uint32_t c = first;
  std::uint32_t least = 0;
  if (first >= 0x80) {
    if (first >= 0xC2 && first < 0xE0)
      length = 2, c = first & 0x1F, least = 0x80;
    else if (first >= 0xE0 && first < 0xF0)
      length = 3, c = first & 0x0F, least = 0x800;
    else if (first >= 0xF0 && first < 0xF5)
      length = 4, c = first & 0x07, least = 0x10000;
    else
      return std::nullopt;
    if (text.size() < length) return std::nullopt;
    for (std::size_t i = 1; i < length; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
      c = c << 6 | (byte(i) & 0x3F);
    }
    if (c < least || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return std::nullopt;
  }
  text.remove_prefix(length);
  return static_cast<char32_t>(c);
}

bool valid_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    // Most text is ASCII: eight at a time.
    std::uint64_t eight = 0;
    while (text.size() >= sizeof eight) {
      std::memcpy(&eight, text.data(), sizeof eight);
      if ((eight & 0x8080808080808080) != 0) break;
      text.remove_prefix(sizeof eight);
    }
    if (!text.empty() && !take_code_point(text)) return false;
  }
  return true;
}

bool append_utf8(std::string& text, char32_t c) {
  const auto put = [&text](std::uint32_t byte) { text += static_cast<char>(static_cast<unsigned char>(byte)); };
  const auto n = static_cast<std::uint32_t>(c);
  if (n < 0x80) {
    put(n);
  } else if (n < 0x800) {
    put(0xC0 | n >> 6);
    put(0x80 | (n & 0x3F));
  } else if (n < 0x10000) {
    if (n >= 0xD800 && n < 0xE000) return false;
    put(0xE0 | n >> 12);
    put(0x80 | (n >> 6 & 0x3F));
    put(0x80 | (n & 0x3F));
  } else if (n <= 0x10FFFF) {
    put(0xF0 | n >> 18);
    put(0x80 | (n >> 12 & 0x3F));
    put(0x80 | (n >> 6 & 0x3F));
    put(0x80 | (n & 0x3F));
  } else {
    return false;
  }
  return true;
}

std::string shown(std::string_view text, std::size_t longest) {
  const bool spell = !valid_utf8(text);
  std::size_t size = std::min(text.size(), longest);
  const auto continues = [&] { return size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80; };
  while (!spell && size > 0 && continues()) --size;  // not in the middle of a character
  std::string out;
  for (const char c : text.substr(0, size)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (spell && byte >= 0x80)) {
      constexpr std::string_view digits = "0123456789abcdef";
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      out += c;
    }
  }
  return text.size() > size ? out + "…" : out;
}

std::string python_float_repr(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  // Both write the shortest digits that read back as the same number; they differ in when an exponent is used.
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
  const std::string_view scientific(buffer, static_cast<std::size_t>(end - buffer));
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  const char* digits_of_exponent = buffer + e + (scientific[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, end, exponent);
  if (exponent < -4 || exponent >= 16) return std::string(scientific);

  const bool negative = scientific.front() == '-';
  std::string digits;
  for (const char c : scientific.substr(0, e))
    if (c != '-' && c != '.') digits += c;
  const auto point = static_cast<std::size_t>(exponent < 0 ? 0 : exponent) + 1;
  if (exponent < 0) digits.insert(0, static_cast<std::size_t>(-exponent), '0');
  if (digits.size() < point + 1) digits.append(point + 1 - digits.size(), '0');
  digits.insert(point, 1, '.');
  return negative ? "-" + digits : digits;
}

std::string python_complex_repr(std::complex<double> number) {
  const auto part = [](double part_of_it) {  // without the ".0" of whole numbers
    std::string text = python_float_repr(part_of_it);
    return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
  };
  std::string imaginary = part(number.imag()) + "j";
  if (number.real() == 0 && !std::signbit(number.real())) return imaginary;
  const bool sign = std::isnan(number.imag()) || !std::signbit(number.imag());
  return "(" + part(number.real()) + (sign ? "+" : "") + imaginary + ")";
}

std::optional<std::string> python_decimal(std::string_view text) {
  constexpr std::string_view blank = " \t\n\v\f\r";
  text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
  text = text.substr(0, text.find_last_not_of(blank) + 1);
  std::string lower;
  for (const char c : text)
    if (c != '_') lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::string_view rest = lower;
  const auto skip = [&rest](std::string_view word) {
    if (!rest.starts_with(word)) return false;
    rest.remove_prefix(word.size());
    return true;
  };
  const auto take_digits = [&rest] {
    const std::string_view digits = rest.substr(0, rest.find_first_not_of("0123456789"));
    rest.remove_prefix(digits.size());
    return digits;
  };
  const auto without_zeros = [](std::string_view digits) {
    return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
  };

  std::string out = skip("-") ? "-" : "";
  if (out.empty()) skip("+");
  if (rest == "inf" || rest == "infinity") return out + "Infinity";
  for (const auto& [word, name] : {std::pair("nan", "NaN"), std::pair("snan", "sNaN")}) {
    if (!skip(word)) continue;
    const std::string_view payload = take_digits();
    return rest.empty() ? std::optional(out + name + std::string(without_zeros(payload))) : std::nullopt;
  }
  std::string digits(take_digits());
  std::int64_t exponent = 0;  // of the last digit
  if (skip(".")) {
    const std::string_view fraction = take_digits();
    digits += fraction;
    exponent = -static_cast<std::int64_t>(fraction.size());
  }
  if (digits.empty()) return std::nullopt;
  if (skip("e")) {
    const bool negative = skip("-");
    if (!negative) skip("+");
    const std::string_view given = take_digits();
    const std::string_view size = without_zeros(given);
    if (given.empty() || size.size() > 18) return std::nullopt;  // Python's limit
    std::int64_t shift = 0;
    for (const char c : size) shift = shift * 10 + (c - '0');
    exponent += negative ? -shift : shift;
  }
  if (!rest.empty()) return std::nullopt;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));

  // Plain, unless there would be zeros behind the last digit, or more than five in front of the first.
  const auto count = static_cast<std::int64_t>(digits.size());
  const std::int64_t before_point = exponent + count;
  const bool plain = exponent <= 0 && before_point > -6;
  const std::int64_t point = plain ? before_point : 1;
  if (point <= 0)
    out += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  else if (point == count)
    out += digits;
  else
    out += digits.substr(0, static_cast<std::size_t>(point)) + "." + digits.substr(static_cast<std::size_t>(point));
  if (!plain) out += (before_point > point ? "E+" : "E") + std::to_string(before_point - point);
  return out;
}

}  // namespace oas
