// mistake: no_such_attribute
#include <oas/attribute.hpp>

struct Subject : oas::Manual {
  static constexpr oas::Definition definition = "subject_id : int32\n---\nname : varchar(20)";
};
struct Scan : oas::Imported {
  using references = oas::References<Subject>;
  static constexpr oas::Definition definition = R"(
    -> Subject
    ---
    channels : int32
    waves=null : <npy@>
    index(channels)
  )";
};

#ifdef OAS_MISTAKE
using Type = oas::detail::attribute_t<Scan, "chanels">;
#else
using Type = oas::detail::attribute_t<Scan, "channels">;
#endif
