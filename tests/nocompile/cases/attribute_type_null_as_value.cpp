// mistake: conver
#include "scan.hpp"

void fetch(const oas::Table<Scan>& scans) {
#ifdef OAS_MISTAKE
  oas::NpyRef waves = scans.fetch1<"waves">();
#else
  std::optional<oas::NpyRef> waves = scans.fetch1<"waves">();
#endif
}
