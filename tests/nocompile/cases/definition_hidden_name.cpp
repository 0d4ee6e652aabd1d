// mistake: definition_error_hidden_name
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    _id : int32
  )";
#else
  static constexpr oas::Definition definition = R"(
    id : int32
  )";
#endif
};
