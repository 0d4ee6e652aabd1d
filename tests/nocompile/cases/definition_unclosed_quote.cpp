// mistake: definition_error_unclosed_quote
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    id='a : varchar(8)
  )";
#else
  static constexpr oas::Definition definition = R"(
    id='a' : varchar(8)
  )";
#endif
};
