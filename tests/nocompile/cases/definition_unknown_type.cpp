// mistake: definition_error_unknown_type
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    id : int33
  )";
#else
  static constexpr oas::Definition definition = R"(
    id : int32
  )";
#endif
};
