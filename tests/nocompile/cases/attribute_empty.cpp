// mistake: empty_attribute_name
#include "scan.hpp"

void fetch(const oas::Table<Scan>& scans) {
#ifdef OAS_MISTAKE
  static_cast<void>(scans.fetch1<"">());
#else
  static_cast<void>(scans.fetch1<"channels">());
#endif
}
