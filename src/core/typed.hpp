// The lossless notation of values, {"t": TYPE, …}: what `--typed` prints and reads. docs/format/typed.md lists the
// types. Its own form is plain JSON.
#pragma once

#include <string>
#include <string_view>

#include <oas/value.hpp>

namespace oas {

/// The notation as a Value that to_json can write. A big-endian array of numbers is written little-endian.
/// Errors: usage if the value is nested too deep, or a text in it is not UTF-8.
Value typed(const Value& value);
/// The value that a notation tells. `ref` gives a reference that knows its metadata and has no store.
/// Errors: decode.
Value untyped(const Value& notation);

std::string to_typed(const Value& value);
/// Errors: syntax, decode.
Value from_typed(std::string_view json);

}  // namespace oas
