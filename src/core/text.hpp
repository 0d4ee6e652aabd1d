// UTF-8, and numbers as Python writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace oas {

/// Well-formed as Unicode says: shortest forms, no surrogates, at most U+10FFFF.
bool valid_utf8(std::string_view text) noexcept;
/// Takes one code point off the front of `text`, which is not empty; nullopt if it does not begin with a valid one.
std::optional<char32_t> take_code_point(std::string_view& text) noexcept;
/// False, and nothing appended, if `c` is no code point of text (a surrogate, or beyond U+10FFFF).
bool append_utf8(std::string& text, char32_t c);

/// What Python's repr() says: "1.0", "1e+22", "0.0001", "nan", "-inf".
std::string python_float_repr(double number);

}  // namespace oas
