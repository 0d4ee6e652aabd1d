// numpy's element types as text: the names in the metadata of `<npy@>` ("float64", ">i2", "[('a', '<f8')]") and the
// descr of .npy headers ("<f8"). Pure; safe to call from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <oas/array.hpp>

namespace oas::format {

/// One field of a structured type.
struct RecordField {
  std::string name;
  ArrayType type;
  Shape shape;               ///< of a sub-array; empty if the field is one element
  std::uint32_t offset = 0;  ///< bytes from the start of the record
};

/// The type that a name or a descr says, with `name` as numpy's str(dtype) would say it.
/// Errors: decode if it is no type; unsupported for object and long double types.
ArrayType parse_dtype(std::string_view text);
/// What a .npy header says of the type, as text: "'<f8'", "[('a', '<f8'), ('b', '|u1')]".
std::string dtype_descr(const ArrayType& type);
/// The fields of a structured type in the order of their names. Errors: usage if it is not structured.
std::vector<RecordField> record_fields(const ArrayType& type);
/// The unit of datetime64 and timedelta64 as it stands in the name: "us", "25s", or empty.
std::string_view time_unit(const ArrayType& type);

}  // namespace oas::format
