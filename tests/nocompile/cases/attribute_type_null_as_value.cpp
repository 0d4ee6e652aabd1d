// mistake: conver
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

template <oas::fixed_string Name>
oas::detail::attribute_t<Scan, Name> fetch1();

#ifdef OAS_MISTAKE
oas::NpyRef waves = fetch1<"waves">();
#else
std::optional<oas::NpyRef> waves = fetch1<"waves">();
#endif
