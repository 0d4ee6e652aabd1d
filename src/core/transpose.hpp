// The one rearrangement that arrays need: between row and column order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace oas {

/// `from` holds elements of `item_size` bytes in row order of `lengths`; writes them to `to` in column order.
/// Both hold the product of `lengths`, which is not 0; they do not overlap.
void reverse_axes(const std::byte* from, std::byte* to, std::span<const std::int64_t> lengths, std::size_t item_size);

}  // namespace oas
