// Between the two orders one axis lies contiguous in the source, another in the destination; all others are walked
// around these two.
// 1. Strips: as many source rows side by side as elements fit a cache line, walked along, so that each line of the
//    destination is written once and whole.
// 2. A strip is cut into square tiles. A tile is copied out of the source, turned, and copied into the destination:
//    lines whose distance is a power of two would throw each other out of the cache.
// 3. What no processor guesses, the places a few tiles ahead, is fetched by hand.
#include "core/transpose.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace oas {
namespace {

constexpr std::size_t line = 64;  // bytes of a cache line

struct Axis {
  std::size_t length, from, to;  // strides in bytes
};

// A square of elements in registers, turned by rounds of interleaving its upper with its lower half.
template <class T>
struct Square {
  static constexpr std::size_t side = 16 / sizeof(T);
  using Vector [[gnu::vector_size(16)]] = T;

  template <std::size_t... I>
  static Vector interleave_first(Vector a, Vector b, std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, (I % 2 * side + I / 2)...);
  }
  template <std::size_t... I>
  static Vector interleave_second(Vector a, Vector b, std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, (I % 2 * side + I / 2 + side / 2)...);
  }
  static void turn(const std::byte* from, std::size_t from_stride, std::byte* to, std::size_t to_stride) {
    constexpr auto all = std::make_index_sequence<side>();
    Vector rows[side], next[side];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < side; ++i) std::memcpy(&rows[i], from + i * from_stride, sizeof(Vector));
#pragma GCC unroll 4
    for (std::size_t round = 1; round < side; round *= 2) {
#pragma GCC unroll 16
      for (std::size_t i = 0; i < side / 2; ++i) {
        next[2 * i] = interleave_first(rows[i], rows[i + side / 2], all);
        next[2 * i + 1] = interleave_second(rows[i], rows[i + side / 2], all);
      }
#pragma GCC unroll 16
      for (std::size_t i = 0; i < side; ++i) rows[i] = next[i];
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < side; ++i) std::memcpy(to + i * to_stride, &rows[i], sizeof(Vector));
  }
};

// Element by element, of any size: what is left at the edges.
template <class Size>
void copy_each(const std::byte* from, std::byte* to, const Axis& along, const Axis& across, Size item) {
  for (std::size_t j = 0; j < along.length; ++j)
    for (std::size_t i = 0; i < across.length; ++i)
      std::memcpy(to + j * along.to + i * item, from + i * across.from + j * item, item);
}

template <class T>
struct Copier {
  static constexpr std::integral_constant<std::size_t, sizeof(T)> item{};
  static constexpr std::size_t side = line / sizeof(T);
  static constexpr std::size_t ahead = std::max<std::size_t>(side, 32);  // found by trying

  static void tile(const std::byte* from, std::size_t from_stride, std::byte* to, std::size_t to_stride) {
    alignas(line) std::byte source[side][line], turned[side][line];
    for (std::size_t i = 0; i < side; ++i) std::memcpy(source[i], from + i * from_stride, line);
    constexpr std::size_t step = Square<T>::side;
    for (std::size_t i = 0; i < side; i += step)
      for (std::size_t j = 0; j < side; j += step)
        Square<T>::turn(source[i] + j * item, line, turned[j] + i * item, line);
    for (std::size_t i = 0; i < side; ++i) std::memcpy(to + i * to_stride, turned[i], line);
  }

  static void strip(const std::byte* from, std::byte* to, Axis along, const Axis& across) {
    std::size_t j = 0;
    if (across.length == side) {
      for (; j + side <= along.length; j += side) {
        if (j + ahead + side <= along.length) {
          for (std::size_t k = 0; k < side; ++k) {
            __builtin_prefetch(to + (j + ahead + k) * along.to, 1);
            __builtin_prefetch(from + k * across.from + (j + ahead) * item);
          }
        }
        tile(from + j * item, across.from, to + j * along.to, along.to);
      }
    }
    along.length -= j;
    copy_each(from + j * item, to + j * along.to, along, across, item);
  }
};

// Strips of `side` rows, each by `strip`.
template <class Strip>
void plane(const std::byte* from, std::byte* to, const Axis& along, const Axis& across, std::size_t side,
           std::size_t item, const Strip& strip) {
  for (std::size_t i = 0; i < across.length; i += side) {
    const Axis part{std::min(side, across.length - i), across.from, across.to};
    strip(from + i * across.from, to + i * item, along, part);
  }
}

// `axes`: contiguous in the source first, contiguous in the destination last. Depth: the number of axes.
template <class Strip>
void walk(const std::byte* from, std::byte* to, std::span<const Axis> axes, std::size_t axis, std::size_t item,
          const Strip& strip) {
  if (axis + 1 == axes.size())
    return plane(from, to, axes.front(), axes.back(), std::max<std::size_t>(line / item, 1), item, strip);
  for (std::size_t i = 0; i < axes[axis].length; ++i)
    walk(from + i * axes[axis].from, to + i * axes[axis].to, axes, axis + 1, item, strip);
}

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
  if (axes.size() < 2) return void(std::memcpy(to, from, count * item_size));
  std::size_t before = 1;
  for (Axis& axis : axes) {
    axis.to = before * item_size;
    before *= axis.length;
  }
  std::ranges::reverse(axes);
  const auto turn = [&](const auto& strip) { walk(from, to, axes, 1, item_size, strip); };
  switch (item_size) {
    case 1: return turn(Copier<std::uint8_t>::strip);
    case 2: return turn(Copier<std::uint16_t>::strip);
    case 4: return turn(Copier<std::uint32_t>::strip);
    case 8: return turn(Copier<std::uint64_t>::strip);
    default:
      return turn([item_size](const auto* source, auto* destination, const Axis& along, const Axis& across) {
        copy_each(source, destination, along, across, item_size);
      });
  }
}

}  // namespace oas
