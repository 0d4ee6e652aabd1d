// .npy files (docs/format/npy.md): headers, whole arrays, and plans for reading parts of them. Pure functions over
// bytes; safe to call from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <oas/array.hpp>
#include <oas/bytes.hpp>

namespace oas::format {

struct NpyHeader {
  ArrayType type;
  Shape shape;
  Array::Order order = Array::Order::row;
  std::uint64_t data_offset = 0;  ///< bytes in front of the elements
  std::uint64_t data_size = 0;    ///< bytes of the elements
};

/// Enough for nearly every header, in one read.
inline constexpr std::size_t npy_first_read = 4096;
/// How many bytes of the file parse_npy_header needs to see: 12, or the whole header once 12 are there.
/// Errors: decode if this is not the start of a .npy file, or it announces a header of more than 16 MiB.
std::uint64_t npy_header_size(BytesView first_bytes);
/// `first_bytes`: at least npy_header_size(first_bytes), or the whole file.
/// Errors: decode if it is no header or not all there; unsupported for arrays of objects, and
/// long doubles of other machines.
NpyHeader parse_npy_header(BytesView first_bytes);
/// Parsing a header takes at most `npy_factor` times its bytes of memory, whatever it promises; so does read_npy.
inline constexpr std::size_t npy_factor = 192;
/// The array in a file. Shares its memory where the elements are aligned. Bytes after the elements are not looked at.
/// Errors: as parse_npy_header; decode if elements are missing.
Array read_npy(const Bytes& file);

/// The same of a file that should hold an array of this type and shape: a header that is the usual one of such an array
/// is compared and not parsed. Any other is parsed, whatever it says.
Array read_npy(const Bytes& file, const ArrayType& type, std::span<const std::int64_t> shape);

/// What stands in front of the elements, byte for byte as numpy writes it.
Bytes npy_header(const ArrayType& type, std::span<const std::int64_t> shape, Array::Order order);
/// The file in parts: header, and the array's own memory, shared.
std::vector<Bytes> write_npy(const Array& array);

/// Bytes to read, counted from the first element.
struct Run {
  std::uint64_t offset = 0, length = 0;
  friend bool operator==(const Run&, const Run&) = default;
};

/// How to read a part of an array that lies somewhere as bytes. Runs are ascending and do not overlap; pieces less than
/// `max_gap` apart are read together. The result has the order of the whole.
class SlicePlan {
 public:
  /// One slice a dimension, from the first on; the rest is taken whole.
  /// Errors: usage if there are more slices than dimensions, a step under 1, or bounds outside of the dimension.
  SlicePlan(ArrayType type, std::span<const std::int64_t> shape, Array::Order order, std::span<const Slice> slices,
            std::uint64_t max_gap = 256 * 1024);

  const Shape& shape() const noexcept { return shape_; }           ///< of the result
  const std::vector<Run>& runs() const noexcept { return runs_; }  ///< none if the result is empty
  /// The result from what was read, one Bytes a run. Shares the memory if one contiguous piece is the result (and
  /// aligned); copies otherwise. Errors: usage if the sizes are not those of the runs.
  Array gather(std::span<const Bytes> read) const;

 private:
  struct Axis {
    std::uint64_t count, stride;  // bytes from one index to the next
  };
  template <class F>
  void for_each_piece(F&& piece) const;

  ArrayType type_;
  Shape shape_;
  Array::Order order_;
  std::vector<Axis> axes_;    // those that are not inside a piece, slowest first
  std::uint64_t piece_ = 0;   // bytes that lie together
  std::uint64_t start_ = 0;   // offset of the first piece
  std::uint64_t pieces_ = 1;  // how many
  std::vector<Run> runs_;
};

}  // namespace oas::format
