// Reading a part of an array, in three steps:
// 1. Dimensions are taken slowest first, as they lie in memory. From the fastest on, those that are taken whole, and
//    one contiguous range of the next, lie together: that is a piece.
// 2. The other dimensions say where the pieces begin. Pieces with only small gaps between them become one run.
// 3. The result is the pieces one after the other, copied out of the runs; or the run itself, if it is one piece.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <oas/error.hpp>

#include "format/array_data.hpp"
#include "format/npy.hpp"

namespace oas::format {
namespace {

// Bounds as they are, from the start: [first, first + count * step).
struct Range {
  std::uint64_t first = 0, count = 0, step = 1;
};

Range resolve(const Slice& slice, std::int64_t length, std::size_t dimension) {
  const auto refuse = [&](std::string_view why) {
    throw Error(Errc::usage, fmt::format("take the slice [{}, {}) by {} of dimension {}, which is {} long: {}",
                                         slice.first, slice.last == Slice::end ? "end" : std::to_string(slice.last),
                                         slice.step, dimension, length, why));
  };
  if (slice.step < 1) refuse("steps go forward. give one of at least 1");
  const std::int64_t first = slice.first < 0 ? slice.first + length : slice.first;
  const std::int64_t last = slice.last == Slice::end ? length : slice.last < 0 ? slice.last + length : slice.last;
  if (first < 0 || first > length || last < 0 || last > length) refuse("it is out of bounds");
  if (last < first) refuse("it ends before it begins");
  const auto step = static_cast<std::uint64_t>(slice.step), span = static_cast<std::uint64_t>(last - first);
  return {static_cast<std::uint64_t>(first), span / step + (span % step != 0), step};
}

}  // namespace

SlicePlan::SlicePlan(ArrayType type, std::span<const std::int64_t> shape, Array::Order order,
                     std::span<const Slice> slices, std::uint64_t max_gap)
    : type_(std::move(type)), order_(order), piece_(type_.item_size) {
  if (slices.size() > shape.size())
    throw Error(Errc::usage, fmt::format("take {} slices of an array of {} dimensions: there are too many",
                                         slices.size(), shape.size()));
  if (!bytes_of_shape(shape, std::max<std::uint64_t>(type_.item_size, 1)))
    throw Error(Errc::usage, "take slices of an array: its shape is larger than any file");
  std::vector<Range> ranges;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    ranges.push_back(resolve(d < slices.size() ? slices[d] : all, shape[d], d));
    shape_.push_back(static_cast<std::int64_t>(ranges.back().count));
  }
  if (bytes_of_shape(shape_, type_.item_size) == 0u) return;

  std::uint64_t stride = type_.item_size;
  bool together = true;  // everything faster than this dimension is taken whole
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t d = order == Array::Order::row ? shape.size() - 1 - i : i;
    const Range& range = ranges[d];
    start_ += range.first * stride;
    if (together && (range.step == 1 || range.count == 1)) {
      piece_ = range.count * stride;
      together = range.count == static_cast<std::uint64_t>(shape[d]);
    } else if (range.count > 1) {
      together = false;
      axes_.push_back({range.count, range.step * stride});
      pieces_ *= range.count;
    }
    stride *= static_cast<std::uint64_t>(shape[d]);
  }
  std::ranges::reverse(axes_);

  for_each_piece([&](std::uint64_t offset) {
    if (!runs_.empty() && offset - (runs_.back().offset + runs_.back().length) <= max_gap)
      runs_.back().length = offset + piece_ - runs_.back().offset;
    else
      runs_.push_back({offset, piece_});
  });
}

// Calls f with the offset of each piece, ascending.
template <class F>
void SlicePlan::for_each_piece(F&& f) const {
  std::vector<std::uint64_t> at(axes_.size());
  std::uint64_t offset = start_;
  for (std::uint64_t n = 0; n < pieces_; ++n) {
    f(offset);
    for (std::size_t a = axes_.size(); a-- > 0;) {
      offset += axes_[a].stride;
      if (++at[a] < axes_[a].count) break;
      offset -= axes_[a].stride * axes_[a].count;
      at[a] = 0;
    }
  }
}

Array SlicePlan::gather(std::span<const Bytes> read) const {
  if (!std::ranges::equal(runs_, read, {}, &Run::length, &Bytes::size))
    throw Error(Errc::usage, fmt::format("gather slices: the {} pieces that were read are not the {} of the plan",
                                         read.size(), runs_.size()));
  if (runs_.empty()) return Array(type_, shape_, Bytes(), order_);
  if (pieces_ == 1) return adopt_array(type_, shape_, read[0], order_);
  Buffer gathered(static_cast<std::size_t>(pieces_ * piece_));
  std::byte* to = gathered.data();
  std::size_t run = 0;
  const auto size = static_cast<std::size_t>(piece_);
  for_each_piece([&](std::uint64_t offset) {
    if (offset >= runs_[run].offset + runs_[run].length) ++run;
    std::memcpy(to, read[run].data() + (offset - runs_[run].offset), size);
    to += size;
  });
  return adopt_array(type_, shape_, std::move(gathered).finish(), order_);
}

}  // namespace oas::format
