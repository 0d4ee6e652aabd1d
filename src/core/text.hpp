// UTF-8, and numbers as Python writes them.
#pragma once

#include <complex>
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

/// For a message: at most `longest` bytes of a text from outside, whole characters; control characters, and all but
/// ASCII of what is not UTF-8, are spelt as \x1f, so that a hostile text cannot confuse whoever reads it.
std::string shown(std::string_view text, std::size_t longest = 80);

/// What Python's repr() says: "1.0", "1e+22", "0.0001", "nan", "-inf".
std::string python_float_repr(double number);
/// "(1-2j)", "7j", "(-0-0j)".
std::string python_complex_repr(std::complex<double> number);
/// What Python's str(Decimal(text)) says: "1E+5" of "1e5", "7" of " +7"; nullopt if Python takes it for no decimal.
std::optional<std::string> python_decimal(std::string_view text);

}  // namespace oas
