// The checksums that S3 servers keep beside objects, as they write them: base64 of the big-endian number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <oas/bytes.hpp>

namespace oas::store {

std::uint32_t crc32(BytesView bytes) noexcept;
std::uint32_t crc32c(BytesView bytes) noexcept;
std::uint64_t crc64nvme(BytesView bytes) noexcept;

/// `name`: "crc32", "crc32c", "crc64nvme" or "sha256", as in the header x-amz-checksum-NAME; nullopt for others.
std::optional<std::string> checksum(std::string_view name, BytesView bytes);

}  // namespace oas::store
