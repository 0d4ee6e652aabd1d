// mistake: definition_error_default_null_in_key
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    id=null : int32
  )";
#else
  static constexpr oas::Definition definition = R"(
    id : int32
  )";
#endif
};
