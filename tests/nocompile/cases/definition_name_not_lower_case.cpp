// mistake: definition_error_name_not_lower_case
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    Id : int32
  )";
#else
  static constexpr oas::Definition definition = R"(
    id : int32
  )";
#endif
};
