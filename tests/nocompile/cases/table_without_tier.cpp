// mistake: table_without_tier
#include <oas/definition.hpp>

#ifdef OAS_MISTAKE
struct Scan {
#else
struct Scan : oas::Manual {
#endif
  static constexpr oas::Definition definition = "id : int32";
};
constexpr oas::Tier tier = oas::detail::tier_of_class<Scan>();
