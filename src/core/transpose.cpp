#include "core/transpose.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace oas {
namespace {

struct Axis {
  std::size_t length, from, to;  // strides in bytes
};

// Copies box after box, always halving the longest axis, until a box is small: whatever the sizes of the caches, at
// some depth the boxes fit, on both sides.
template <std::size_t Item>
struct Copier {
  std::size_t item;  // used where Item is 0

  void copy_one(const std::byte* from, std::byte* to) const {
    if constexpr (Item != 0)
      std::memcpy(to, from, Item);
    else
      std::memcpy(to, from, item);
  }

  void small(const std::byte* from, std::byte* to, std::span<const Axis> axes) const {
    const Axis& axis = axes.front();
    if (axes.size() == 1)
      for (std::size_t i = 0; i < axis.length; ++i) copy_one(from + i * axis.from, to + i * axis.to);
    else
      for (std::size_t i = 0; i < axis.length; ++i) small(from + i * axis.from, to + i * axis.to, axes.subspan(1));
  }

  // Recursion depth: at most the bits of the number of elements.
  void box(const std::byte* from, std::byte* to, std::span<Axis> axes, std::size_t count) const {
    constexpr std::size_t small_count = Item == 8 ? 64 : Item == 16 ? 16 : Item == 4 ? 256 : 1024;
    if (count <= small_count) return small(from, to, axes);
    Axis& axis = *std::ranges::max_element(axes, {}, &Axis::length);
    const std::size_t whole = axis.length;
    const std::size_t half = whole / 2;
    const std::size_t slab = count / whole;
    axis.length = half;
    box(from, to, axes, half * slab);
    axis.length = whole - half;
    box(from + half * axis.from, to + half * axis.to, axes, (whole - half) * slab);
    axis.length = whole;
  }
};

}  // namespace

void reverse_axes(const std::byte* from, std::byte* to, std::span<const std::int64_t> lengths, std::size_t item_size) {
  std::vector<Axis> axes;
  for (const std::int64_t length : lengths)
    if (length > 1) axes.push_back({static_cast<std::size_t>(length), 0, 0});
  std::size_t count = 1;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    axis->from = count * item_size;
    count *= axis->length;
  }
  std::size_t before = 1;
  for (Axis& axis : axes) {
    axis.to = before * item_size;
    before *= axis.length;
  }
  if (axes.empty()) axes.push_back({1, 0, 0});
  // The innermost loop writes side by side.
  std::ranges::reverse(axes);
  switch (item_size) {
    case 1: return Copier<1>{item_size}.box(from, to, axes, count);
    case 2: return Copier<2>{item_size}.box(from, to, axes, count);
    case 4: return Copier<4>{item_size}.box(from, to, axes, count);
    case 8: return Copier<8>{item_size}.box(from, to, axes, count);
    case 16: return Copier<16>{item_size}.box(from, to, axes, count);
    default: return Copier<0>{item_size}.box(from, to, axes, count);
  }
}

}  // namespace oas
