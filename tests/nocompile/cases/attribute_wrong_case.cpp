// mistake: attribute_name_not_lower_case
#include "scan.hpp"

void fetch(const oas::Table<Scan>& scans) {
#ifdef OAS_MISTAKE
  static_cast<void>(scans.fetch1<"Channels">());
#else
  static_cast<void>(scans.fetch1<"channels">());
#endif
}
