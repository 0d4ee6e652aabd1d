// mistake: no_such_attribute
#include "scan.hpp"

void fetch(const oas::Table<Scan>& scans) {
#ifdef OAS_MISTAKE
  auto [n, waves] = scans.fetch1<"channels", "wave">();
#else
  auto [n, waves] = scans.fetch1<"channels", "waves">();
#endif
}
