// mistake: conver
#include "scan.hpp"

void fetch(const oas::Table<Scan>& scans) {
#ifdef OAS_MISTAKE
  std::string text = scans.fetch1<"channels">();
#else
  std::int32_t number = scans.fetch1<"channels">();
#endif
}
