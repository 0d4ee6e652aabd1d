// Any bytes as a .npy file: an array that is written and read again as the same, or a typed error.
#include "format/npy.hpp"
#include "fuzz/memory_bound.hpp"
#include "fuzz/target.hpp"

namespace {

void run(oas::BytesView input) {
  oas::Array array;
  try {
    const oas::fuzz::MemoryBound bound(oas::format::npy_factor * input.size() + 4096);
    array = oas::format::read_npy(oas::Bytes::copy(input));
  } catch (const oas::Error&) {
    return;
  }
  std::vector<oas::Bytes> parts;
  try {
    parts = oas::format::write_npy(array);
  } catch (const oas::Error& error) {
    if (error.code() == oas::Errc::unsupported) return;  // overlapping fields
    throw;
  }
  std::string file;
  for (const oas::Bytes& part : parts) file += part.text();
  if (!(oas::format::read_npy(oas::Bytes::copy(file)) == array)) std::abort();
}

}  // namespace

OAS_FUZZ_TARGET(run)
