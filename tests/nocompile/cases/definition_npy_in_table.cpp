// mistake: definition_error_codec_needs_a_store
#include <oas/definition.hpp>

struct Scan : oas::Manual {
#ifdef OAS_MISTAKE
  static constexpr oas::Definition definition = R"(
    id : int32
    ---
    raw : <npy>
  )";
#else
  static constexpr oas::Definition definition = R"(
    id : int32
    ---
    raw : <npy@>
  )";
#endif
};
