// Types from parsed descriptions, for those who find them inside of another one.
#pragma once

#include <oas/array.hpp>

#include "format/literal.hpp"

namespace oas::format {

/// As parse_dtype, from the literal: a text, a list of fields, or a dict of them.
ArrayType dtype_of_literal(const Literal& literal);
/// A tuple of lengths. Errors: decode if it is none, or a length is negative.
Shape shape_of_literal(const Literal& literal);
/// "()", "(3,)", "(3, 4)".
std::string shape_literal(std::span<const std::int64_t> shape);

}  // namespace oas::format
