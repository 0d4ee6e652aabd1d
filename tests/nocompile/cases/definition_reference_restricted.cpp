// mistake: definition_error_bad_reference
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    -> Subject & 'a=1'
  )";
#else
  static constexpr oas::Definition definition = R"(
    -> Subject
  )";
#endif
};
