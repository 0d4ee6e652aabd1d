# oas_driver_table(OUT kind type header [NAME…]): writes a table of all drivers/*.cpp of the calling room but those named.
# A file NAME.cpp there defines `const TYPE& KIND_NAME()`; adding the file is all that is needed to add a driver.
include_guard(GLOBAL)
function(oas_driver_table out kind type header)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/drivers/*.cpp)
  list(SORT files)
  foreach(left_out ${ARGN})
    list(FILTER files EXCLUDE REGEX "/${left_out}\\.cpp$")
  endforeach()
  set(declarations "")
  set(entries "")
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    string(APPEND declarations "const ${type}& ${kind}_${name}();\n")
    string(APPEND entries "      &${kind}_${name}(),\n")
  endforeach()
  set(table ${CMAKE_CURRENT_BINARY_DIR}/${kind}_table.cpp)
  file(CONFIGURE OUTPUT ${table} CONTENT
"// Written by cmake/driver_table.cmake: every file in drivers/.
#include <${header}>
#include <vector>
namespace oas {
${declarations}
const std::vector<const ${type}*>& ${kind}_drivers();
const std::vector<const ${type}*>& ${kind}_drivers() {
  static const std::vector<const ${type}*> table{
${entries}  };
  return table;
}
}  // namespace oas
" @ONLY)
  set(${out} ${files} ${table} PARENT_SCOPE)
endfunction()
