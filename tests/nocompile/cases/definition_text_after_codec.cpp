// mistake: definition_error_text_after_codec
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    id : int32
    ---
    raw : <blob> big
  )";
#else
  static constexpr oas::Definition definition = R"(
    id : int32
    ---
    raw : <blob>  # big
  )";
#endif
};
