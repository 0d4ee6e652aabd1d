// Any bytes as a blob: a value that packs and reads again as the same, or a typed error.
#include "format/blob.hpp"
#include "fuzz/target.hpp"

namespace {

void run(oas::BytesView input) {
  oas::Value value;
  try {
    value = oas::format::unpack(oas::Bytes::copy(input));
  } catch (const oas::Error&) {
    return;
  }
  using Compress = oas::format::PackOptions::Compress;
  oas::Bytes packed;
  try {
    packed = oas::format::pack_joined(value, {Compress::never});
  } catch (const oas::Error&) {
    return;  // what can be read and not written: fields that share no shape, dates before year 1
  }
  // What we write we read, and it stays the same from then on.
  if (oas::format::pack_joined(oas::format::unpack(packed), {Compress::never}) != packed) std::abort();
}

}  // namespace

OAS_FUZZ_TARGET(run)
