// Walks over the bytes of a blob: numbers, lengths, texts, shapes. Nothing that they promise is believed: every length
// is held against what can still be there, so that memory is only taken for bytes that exist (blob.hpp says how much).
#pragma once

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <oas/array.hpp>
#include <oas/bytes.hpp>
#include <oas/error.hpp>

#include "core/text.hpp"
#include "format/array_data.hpp"
#include "format/blob_format.hpp"

namespace oas::format {

class BlobReader {
 public:
  /// `blob` stays while it is read.
  explicit BlobReader(const Bytes& blob) : blob_(blob), end_(blob.size()) {}

  [[noreturn]] void fail(const std::string& why, Errc code = Errc::decode) const {
    throw Error(code,
                fmt::format("unpack a blob of {} bytes: at byte {}: {}. {}", blob_.size(), at_, why,
                            code == Errc::decode ? "it is damaged or no blob" : "convert it where it was written"));
  }
  std::size_t at() const noexcept { return at_; }
  void go_to(std::size_t at) noexcept { at_ = at; }
  std::size_t left() const noexcept { return end_ - at_; }
  std::string_view text_from(std::size_t start) const { return blob_.text().substr(start, at_ - start); }
  void need(std::uint64_t size, std::string_view what) const {
    if (size > left()) fail(fmt::format("{} needs {} bytes, {} are left", what, size, left()));
  }

  /// Lengths and counts are of 4 bytes instead of 8: old MATLAB.
  void use_short_lengths() noexcept { length_size_ = sizeof(std::uint32_t); }
  bool has_short_lengths() const noexcept { return length_size_ != sizeof(std::uint64_t); }
  /// An element is its length and at least a code.
  std::size_t smallest_element() const noexcept { return length_size_ + 1; }

  template <class T>
  T take_number(std::string_view what) {
    need(sizeof(T), what);
    T number;
    std::memcpy(&number, blob_.data() + at_, sizeof number);
    at_ += sizeof number;
    return number;
  }
  std::uint64_t take_length(std::string_view what) {
    return has_short_lengths() ? take_number<std::uint32_t>(what) : take_number<std::uint64_t>(what);
  }
  Bytes take_bytes(std::uint64_t size, std::string_view what) {
    need(size, what);
    Bytes taken = blob_.slice(at_, static_cast<std::size_t>(size));
    at_ += taken.size();
    return taken;
  }
  std::string take_text(std::string_view what) {
    const std::uint64_t size = take_length(what);
    need(size, what);
    const std::string_view text = blob_.text().substr(at_, static_cast<std::size_t>(size));
    if (!valid_utf8(text)) fail(fmt::format("{} is not UTF-8", what));
    at_ += text.size();
    return std::string(text);
  }
  /// The name of a field, up to its NUL.
  std::string_view take_name() {
    constexpr std::size_t longest = 65'535;
    const std::string_view rest = blob_.text().substr(at_, std::min(left(), longest + 1));
    const std::size_t size = rest.find('\0');
    if (size == std::string_view::npos)
      fail(rest.size() > longest ? fmt::format("the name of a field is longer than {} bytes", longest)
                                 : std::string("the name of a field does not end"));
    if (!valid_utf8(rest.substr(0, size))) fail("the name of a field is not UTF-8");
    at_ += size + 1;
    return rest.substr(0, size);
  }
  /// How many elements follow, each of at least `smallest` bytes.
  std::size_t take_count(std::size_t smallest, std::string_view what) {
    const std::uint64_t count = take_length(what);
    if (count > left() / smallest) fail(fmt::format("{} of {} elements, {} bytes are left", what, count, left()));
    return static_cast<std::size_t>(count);
  }
  Shape take_shape() {
    const std::uint64_t dimensions = take_length("a shape");
    if (dimensions > max_dimensions)
      fail(fmt::format("an array of {} dimensions, {} is the limit", dimensions, max_dimensions));
    Shape shape(static_cast<std::size_t>(dimensions));
    for (std::int64_t& length : shape) length = static_cast<std::int64_t>(take_length("a shape"));
    return shape;
  }
  /// The number of elements of a shape, each of at least `smallest` bytes.
  std::size_t elements(std::span<const std::int64_t> shape, std::size_t smallest) const {
    const auto count = elements_of_shape(shape);
    if (!count) fail("a shape that no array has");
    if (*count > left() / smallest) fail(fmt::format("an array of {} elements, {} bytes are left", *count, left()));
    return static_cast<std::size_t>(*count);
  }

  /// What f takes, which leaves `rest` bytes for what must follow it. Counts are so held against the bytes of their
  /// own: containers in containers together promise no more elements than there are bytes for.
  template <class F>
  auto leaving(std::size_t rest, F&& f) {
    need(rest, "what follows");
    end_ -= rest;
    auto taken = f();
    end_ += rest;
    return taken;
  }
  /// The same for exactly the next `size` bytes.
  template <class F>
  auto within(std::size_t size, F&& f) {
    const std::size_t outer = std::exchange(end_, at_ + size);
    auto taken = f();
    if (at_ != end_) fail("an element is shorter than its length says");
    end_ = outer;
    return taken;
  }

 private:
  const Bytes& blob_;
  std::size_t at_ = 0;
  std::size_t end_;  // of the element being read
  std::size_t length_size_ = sizeof(std::uint64_t);
};

}  // namespace oas::format
