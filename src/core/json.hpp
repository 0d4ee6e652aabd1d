// JSON as Python's json module reads and writes it, as Values: null, bool, int (of any size), float, text, list, and
// dict with text keys.
#pragma once

#include <string>
#include <string_view>

#include <oas/value.hpp>

namespace oas {

/// Containers may be nested so deep; more is refused both ways.
inline constexpr std::size_t max_json_depth = 1600;

/// Reading takes at most so many bytes of memory for each byte of the text.
inline constexpr std::size_t json_factor = 256;

/// Of a key that comes twice the last value counts. Errors: syntax, with the offset of the byte in native()
/// ("byte 17"); `what` names the text in the message: "the settings", "the metadata of Scan.movie".
Value from_json(std::string_view text, std::string_view what = "JSON");
/// The same where a key that comes twice is a mistake (syntax), because readers would differ in what it means.
Value from_strict_json(std::string_view text, std::string_view what = "JSON");

/// As json.dumps writes it: ", " and ": ", all but ASCII escaped, NaN and Infinity by these names. Tuples become
/// lists. Errors: usage for what JSON has no form for (bytes, arrays, dates, …) and for text that is not UTF-8.
std::string to_json(const Value& value);

}  // namespace oas
