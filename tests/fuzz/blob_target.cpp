// Any bytes as a blob: a value that packs and reads again as the same, in a blob and in notation, or a typed error.
#include "core/typed.hpp"
#include "format/blob.hpp"
#include "fuzz/memory_bound.hpp"
#include "fuzz/target.hpp"

namespace {

using Compress = oas::format::PackOptions::Compress;

constexpr std::size_t slack = 1 << 20;  // of zlib, whose state a thread keeps, and of messages

void run(oas::BytesView input) {
  oas::Value value;
  try {
    const std::size_t most = oas::as_text(input).starts_with("ZL123") ? 1032 * input.size() : input.size();
    const oas::fuzz::MemoryBound bound(oas::format::unpack_factor * most + slack);
    value = oas::format::unpack(oas::Bytes::copy(input));
  } catch (const oas::Error&) {
    return;
  }
  const std::string notation = oas::to_typed(value);
  if (oas::to_typed(oas::from_typed(notation)) != notation) std::abort();
  // What was read can be written, what we write we read, and it stays the same from then on. (Texts of MATLAB become
  // arrays of texts.)
  const oas::Bytes packed = oas::format::pack_joined(value, {Compress::never});
  const oas::Value again = oas::format::unpack(packed);
  if (oas::format::pack_joined(again, {Compress::never}) != packed) std::abort();
  const std::string second = oas::to_typed(again);
  if (second != notation && notation.find("\"unicode\"") == std::string::npos) std::abort();
  if (oas::to_typed(oas::format::unpack(oas::format::pack_joined(value, {Compress::always}))) != second) std::abort();
}

}  // namespace

OAS_FUZZ_TARGET(run)
