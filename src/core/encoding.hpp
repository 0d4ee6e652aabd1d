// Bytes as text: hex, base32, base64.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <oas/bytes.hpp>

namespace oas {

/// Lower case.
std::string hex(BytesView bytes);
/// Either case; nullopt if it is not hex.
std::optional<Bytes> from_hex(std::string_view text);
/// RFC 4648 base32, lower case, without padding.
std::string base32_lower_nopad(BytesView bytes);
/// RFC 4648 base64 with padding.
std::string base64(BytesView bytes);
/// nullopt if it is not base64 with padding, or has bits that mean nothing.
std::optional<Bytes> from_base64(std::string_view text);

}  // namespace oas
