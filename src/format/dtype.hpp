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
  std::string title;  ///< a second name, in the rare case that it has one
  ArrayType type;
  Shape shape;               ///< of a sub-array; empty if the field is one element
  std::uint32_t offset = 0;  ///< bytes from the start of the record
};

/// The type that a name or a descr says, with `name` as numpy's str(dtype) would say it.
/// Long doubles are raw bytes by the name "float128" or "complex256".
/// Errors: decode if it is no type; unsupported for types of objects, and for long doubles of other machines.
ArrayType parse_dtype(std::string_view text);
/// What a .npy header says of the type, as text: "'<f8'", "[('a', '<f8'), ('b', '|u1')]".
std::string dtype_descr(const ArrayType& type);
/// The fields of a structured type in the order of their names. Errors: usage if it is not structured.
std::vector<RecordField> record_fields(const ArrayType& type);
/// The same elements, though perhaps not in the same places of a structure: numpy's name of an aligned structure does
/// not tell of the padding inside of structures in it.
bool same_elements(const ArrayType& a, const ArrayType& b);
/// The unit of datetime64 and timedelta64 as it stands in the name: "us", "25s", or empty.
std::string_view time_unit(const ArrayType& type);

}  // namespace oas::format
