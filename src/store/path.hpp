// The grammar of keys, and byte ranges. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include <oas/store.hpp>

namespace oas::store {

inline constexpr std::size_t max_key_size = 1024;  // bytes

/// Empty if `key` is a key; otherwise the rule it breaks, as a clause: "it has the part '..'".
std::string broken_rule(std::string_view key);

/// Errors: usage, telling the rule.
void check_key(std::string_view key);

/// A range that lies inside an object.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
/// Errors: usage if the range ends past `object_size`.
Extent inside(const ByteRange& range, std::uint64_t object_size);

}  // namespace oas::store
