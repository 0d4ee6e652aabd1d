// The blob: how `<blob>` stores any value, byte for byte as DataJoint for Python 2.3 writes and reads it
// (docs/format/blob.md). Pure functions over bytes and values; safe to call from any thread.
#pragma once

#include <string>
#include <vector>

#include <oas/bytes.hpp>
#include <oas/value.hpp>

namespace oas::format {

struct PackOptions {
  enum class Compress : std::uint8_t {
    automatic,  ///< from 2 to 8 KiB as `always`; less or more than that only if a look at the bytes says that it pays
    always,     ///< whenever there are more than 1000 bytes and the result is smaller
    never
  };
  Compress compress = Compress::automatic;
};

/// How deep values may be nested: lists in lists, dicts in dicts, …
inline constexpr int max_nesting = 500;

/// The blob in parts, one after the other: large arrays that are in column order (or have one dimension) and large
/// Bytes are shared, not copied, so what they borrow must live as long as the parts.
/// Errors: usage, if there is something in `value` that a blob cannot hold.
std::vector<Bytes> pack(const Value& value, PackOptions options = {});
/// The blob in one piece, which borrows nothing.
Bytes pack_joined(const Value& value, PackOptions options = {});

/// How a blob is written.
struct BlobForm {
  bool compressed = false;
  std::string protocol;        ///< "mYm", "dj0"
  bool short_lengths = false;  ///< of 4 bytes: MATLAB of 32 bits
};
/// The value in a blob, and its form if that is asked for. Arrays and bytes share the memory of `blob` (or of the
/// inflated blob) where their elements are aligned for their type, and are copied where not. A blob whose first byte
/// lies `blob_lead` bytes after a multiple of 8 gives an array that is the whole blob without a copy. Memory: what
/// bytes promise is held against the bytes that are there before any is taken, so that it is never more than
/// `unpack_factor` times the blob; and of a compressed one the same of what really comes out of it, which can be 1032
/// times the blob, as zlib has it. Time: linear, but up to 2 microseconds a byte for integers of thousands of digits.
/// Errors: decode, with the offset of the byte, if it is not a blob or is damaged; unsupported for sparse arrays,
/// characters of more than 16 bits outside of a row, and complex integers that no float can hold.
Value unpack(const Bytes& blob, BlobForm* form = nullptr);
inline constexpr std::size_t unpack_factor = 256;
inline constexpr std::size_t blob_lead = 3;

}  // namespace oas::format
