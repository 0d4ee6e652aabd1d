// mistake: definition_error_attribute_declared_twice
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    id : int8
    id : int16
  )";
#else
  static constexpr oas::Definition definition = R"(
    id : int8
    id2 : int16
  )";
#endif
};
