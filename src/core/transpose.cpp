// Between the two orders one axis lies contiguous in the source, another in the destination; all others are walked
// around these two.
// 1. Both are cut into square tiles, a cache line long and wide. A tile is copied out of the source, turned, and copied
//    into the destination: lines whose distance is a power of two would throw each other out of the cache. At the ends
//    tiles overlap.
// 2. Long runs of the destination: strips of as many source rows side by side as elements fit a line, walked along.
//    Short ones: a few lines of all source rows, then the same of what follows in the destination, so that there
//    everything is written one after the other.
// 3. What no processor guesses, the places of tiles ahead, is fetched by hand.
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

// Element by element, of any size, strip by strip: what is too small for tiles. (Axes by value: bytes may alias them.)
template <class Size>
void copy_strip(const std::byte* from, std::byte* to, Axis along, Axis across, Size item) {
  for (std::size_t j = 0; j < along.length; ++j)
    for (std::size_t i = 0; i < across.length; ++i)
      std::memcpy(to + j * along.to + i * item, from + i * across.from + j * item, item);
}
template <class Size>
void copy_each(const std::byte* from, std::byte* to, const Axis& along, const Axis& across, Size item) {
  const std::size_t side = std::max<std::size_t>(line / item, 1);
  for (std::size_t i = 0; i < across.length; i += side) {
    const Axis part{std::min(side, across.length - i), across.from, across.to};
    copy_strip(from + i * across.from, to + i * item, along, part, item);
  }
}

template <class T>
struct Copier {
  static constexpr std::integral_constant<std::size_t, sizeof(T)> item{};
  static constexpr std::size_t side = line / sizeof(T), step = Square<T>::side;
  static constexpr std::size_t ahead = std::max<std::size_t>(side, 32);  // found by trying

  /// `rows` of the source, a multiple of `step`, of a line each.
  static void tile(const std::byte* from, std::size_t from_stride, std::byte* to, std::size_t to_stride,
                   std::size_t rows) {
    alignas(line) std::byte source[side][line], turned[side][line];
    for (std::size_t i = 0; i < rows; ++i) std::memcpy(source[i], from + i * from_stride, line);
    for (std::size_t i = 0; i < rows; i += step)
      for (std::size_t j = 0; j < side; j += step)
        Square<T>::turn(source[i] + j * item, line, turned[j] + i * item, line);
    if (rows == side) {
      for (std::size_t i = 0; i < side; ++i) std::memcpy(to + i * to_stride, turned[i], line);
    } else {
      constexpr std::size_t part = step * item;
      for (std::size_t i = 0; i < side; ++i)
        for (std::size_t k = 0; k < rows * item; k += part) std::memcpy(to + i * to_stride + k, turned[i] + k, part);
    }
  }
  static bool fits(const Axis& along, const Axis& across) { return along.length >= side && across.length >= step; }
  /// Calls f(first, rows) for strips of at most `most` rows that cover all, if they are `step` at least.
  template <class F>
  static void strips(std::size_t length, std::size_t most, const F& f) {
    for (std::size_t done = 0; done < length;) {
      const std::size_t left = (std::min(length - done, most) + step - 1) / step * step;
      const std::size_t rows = std::min(left, length / step * step);
      const std::size_t first = std::min(done, length - rows);
      f(first, rows);
      done = first + rows;
    }
  }

  static void plane(const std::byte* from, std::byte* to, Axis along, Axis across) {
    if (!fits(along, across)) return copy_each(from, to, along, across, item);
    strips(across.length, side, [&](std::size_t i, std::size_t rows) {
      const std::byte* source = from + i * across.from;
      for (std::size_t next = 0; next < along.length; next += side) {
        const std::size_t j = std::min(next, along.length - side);
        if (j + ahead + side <= along.length) {
          for (std::size_t k = 0; k < side; ++k) __builtin_prefetch(to + (j + ahead + k) * along.to + i * item, 1);
          for (std::size_t k = 0; k < rows; ++k) __builtin_prefetch(source + k * across.from + (j + ahead) * item);
        }
        tile(source + j * item, across.from, to + j * along.to + i * item, along.to, rows);
      }
    });
  }
  /// `then` is the axis that is walked next.
  static void columns(const std::byte* from, std::byte* to, Axis along, Axis across, Axis then) {
    if (!fits(along, across)) return copy_each(from, to, along, across, item);
    constexpr std::size_t most = std::min<std::size_t>(side, 32), rows_ahead = item == 1 ? 32 : 64;  // found by trying
    strips(across.length, most, [&](std::size_t i, std::size_t rows) {
      const bool here = i + rows_ahead < across.length;
      const std::size_t first = here ? i + rows_ahead : (i + rows_ahead - across.length) % across.length;
      const std::byte* coming = from + first * across.from + (here ? 0 : then.from);
      const std::size_t count = std::min(rows, across.length - first);
      for (std::size_t next = 0; next < along.length; next += side) {
        const std::size_t j = std::min(next, along.length - side);
        std::byte* place = to + j * along.to + i * item;
        for (std::size_t k = 0; k < count; ++k) __builtin_prefetch(coming + k * across.from + j * item);
        for (std::size_t k = 0; k < side; ++k) __builtin_prefetch(place + k * along.to + line + rows * item, 1);
        tile(from + i * across.from + j * item, across.from, place, along.to, rows);
      }
    });
  }
};

// `axes`: contiguous in the source first, contiguous in the destination last. Calls f for each place of the others.
template <class F>
void walk(const std::byte* from, std::byte* to, std::span<const Axis> axes, std::size_t axis, const F& f) {
  if (axis + 1 == axes.size()) return f(from, to);
  for (std::size_t i = 0; i < axes[axis].length; ++i)
    walk(from + i * axes[axis].from, to + i * axes[axis].to, axes, axis + 1, f);
}

template <class T>
void turn(const std::byte* from, std::byte* to, std::span<const Axis> axes) {
  using Copy = Copier<T>;
  constexpr std::size_t short_run = 4096, lines = 2;  // found by trying
  const Axis &along = axes.front(), &across = axes.back();
  if (axes.size() == 2 || across.length * sizeof(T) >= short_run)
    return walk(from, to, axes, 1, [&](const auto* f, auto* t) { Copy::plane(f, t, along, across); });
  for (std::size_t first = 0, count = 0; first < along.length; first += count) {
    count = along.length - first;
    if (count >= (lines + 1) * Copy::side) count = lines * Copy::side;
    const Axis part{count, along.from, along.to};
    walk(from + first * sizeof(T), to + first * along.to, axes, 1,
         [&](const auto* f, auto* t) { Copy::columns(f, t, part, across, axes[axes.size() - 2]); });
  }
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
  switch (item_size) {
    case 1: return turn<std::uint8_t>(from, to, axes);
    case 2: return turn<std::uint16_t>(from, to, axes);
    case 4: return turn<std::uint32_t>(from, to, axes);
    case 8: return turn<std::uint64_t>(from, to, axes);
    default:
      return walk(from, to, axes, 1,
                  [&](const auto* f, auto* t) { copy_each(f, t, axes.front(), axes.back(), item_size); });
  }
}

}  // namespace oas
