// mistake: number_of_parameters_differs_from_number_of_braces
#include "scan.hpp"

oas::Query restrict(const oas::Table<Scan>& scans) {
#ifdef OAS_MISTAKE
  return scans & oas::where("channels between {} and {}", 1);
#else
  return scans & oas::where("channels between {} and {}", 1, 5);
#endif
}
