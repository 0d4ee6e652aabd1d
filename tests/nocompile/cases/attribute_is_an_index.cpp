// mistake: no_such_attribute
#include "scan.hpp"

void fetch(const oas::Table<Scan>& scans) {
#ifdef OAS_MISTAKE
  static_cast<void>(scans.fetch1<"index">());
#else
  static_cast<void>(scans.fetch1<"channels">());
#endif
}
