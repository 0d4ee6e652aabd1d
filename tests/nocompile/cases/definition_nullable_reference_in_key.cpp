// mistake: definition_error_nullable_reference_in_key
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    -> [nullable] Subject
  )";
#else
  static constexpr oas::Definition definition = R"(
    -> Subject
  )";
#endif
};
