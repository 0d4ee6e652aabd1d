// The compressed envelope of blobs: "ZL123\0", the size of what is inside, a zlib stream.
#pragma once

#include <optional>
#include <vector>

#include <oas/bytes.hpp>

namespace oas::format {

/// The parts together in the envelope; nullopt if that is not smaller. `sampling`: nullopt too if samples of the parts
/// say that compressing does not pay.
std::optional<Bytes> compress_envelope(const std::vector<Bytes>& parts, bool sampling);
bool is_compressed(BytesView blob) noexcept;
/// What is in the envelope, laid out so that its first byte lies `lead` bytes after a multiple of 8.
/// Errors: decode if the stream is damaged, or its size is not the one promised.
Bytes inflate_envelope(BytesView blob, std::size_t lead);

}  // namespace oas::format
