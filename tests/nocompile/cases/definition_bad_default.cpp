// mistake: definition_error_bad_default
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    id=300 : int8
  )";
#else
  static constexpr oas::Definition definition = R"(
    id=100 : int8
  )";
#endif
};
