// mistake: no_such_attribute
#include "scan.hpp"

void fetch(const oas::Table<Scan>& scans) {
#ifdef OAS_MISTAKE
  static_cast<void>(scans.fetch1<"name">());
#else
  static_cast<void>(scans.fetch1<"subject_id">());
#endif
}
