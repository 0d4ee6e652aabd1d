// mistake: definition_error_missing_colon
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    id int32
  )";
#else
  static constexpr oas::Definition definition = R"(
    id : int32
  )";
#endif
};
