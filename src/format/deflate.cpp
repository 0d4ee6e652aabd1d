#include "format/deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <oas/error.hpp>

namespace oas::format {
namespace {

constexpr std::string_view magic{"ZL123\0", 6};
constexpr std::size_t prefix_size = magic.size() + 8;
constexpr std::size_t small_under = 2 * 1024, sample_over = 8 * 1024;
constexpr std::size_t pieces = 4, smallest_piece = 512, largest_piece = 16 * 1024;

uInt chunk(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}
// zlib does not write through next_in; its C interface just lacks the const.
Bytef* input(const std::byte* data) { return reinterpret_cast<Bytef*>(const_cast<std::byte*>(data)); }
Bytef* output(std::byte* data) { return reinterpret_cast<Bytef*>(data); }

[[noreturn]] void damaged(const std::string& why) {
  throw Error(Errc::decode, "inflate a compressed blob: " + why + ". the object is damaged, restore it from a copy");
}

struct Deflater {
  z_stream stream{};
  Deflater() {
    if (deflateInit(&stream, Z_DEFAULT_COMPRESSION) != Z_OK) throw std::bad_alloc();
  }
  ~Deflater() { deflateEnd(&stream); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
};
/// A stream at its beginning. Each thread keeps its own: the memory of a new one costs more than a small blob's work.
z_stream& fresh_deflater() {
  thread_local Deflater kept;
  deflateReset(&kept.stream);
  return kept.stream;
}
struct Inflater {
  z_stream stream{};
  Inflater() {
    if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

z_stream& fresh_inflater() {
  thread_local Inflater kept;
  inflateReset(&kept.stream);
  return kept.stream;
}

// The two bytes in front of a zlib stream: method 8, and a check.
bool begins_stream(BytesView bytes) {
  return bytes.size() >= 2 && (bytes[0] & std::byte{0x0F}) == std::byte{8} &&
         (std::to_integer<unsigned>(bytes[0]) << 8 | std::to_integer<unsigned>(bytes[1])) % 31 == 0;
}

std::size_t total_size(const std::vector<Bytes>& parts) {
  std::size_t size = 0;
  for (const Bytes& part : parts) size += part.size();
  return size;
}

// What zlib would make of bytes, in a tenth of its time: repetitions of four bytes and more as it would find them, and
// the entropy of the bytes between them. Within a tenth of the truth for what programs store.
class Estimate {
 public:
  /// 64 KiB at most.
  void add(BytesView bytes) {
    std::array<std::uint16_t, 2048> last_seen{};  // by hash; 0: never, else the place + 1
    const auto word = [&](std::size_t i) {
      std::uint32_t four;
      std::memcpy(&four, bytes.data() + i, 4);
      return four;
    };
    for (std::size_t at = 0; at < bytes.size();) {
      if (at + 4 <= bytes.size()) {
        std::uint16_t& seen = last_seen[(word(at) * 2654435761u) >> 21];
        const std::size_t before = std::exchange(seen, static_cast<std::uint16_t>(at + 1));
        if (before != 0 && word(before - 1) == word(at)) {
          std::size_t length = 4;
          while (at + length < bytes.size() && bytes[before - 1 + length] == bytes[at + length]) ++length;
          at += length;
          ++repetitions_;
          continue;
        }
      }
      ++count_[std::to_integer<std::uint8_t>(bytes[at++])];
      ++single_;
    }
    size_ += bytes.size();
  }
  /// Of its size, how much is left.
  double ratio() const {
    constexpr double bytes_of_tables = 50, bytes_of_repetition = 2.5;
    double bits = 0;
    const double all = std::log2(static_cast<double>(single_ + repetitions_));
    for (const std::uint32_t n : count_)
      if (n != 0) bits += n * (all - std::log2(static_cast<double>(n)));
    return (bits / 8 + bytes_of_repetition * static_cast<double>(repetitions_) + bytes_of_tables) /
           static_cast<double>(size_);
  }

 private:
  std::array<std::uint32_t, 256> count_{};
  std::size_t single_ = 0, repetitions_ = 0, size_ = 0;
};

// `size` bytes from `at` on, of parts that follow one another.
Bytes piece_of(const std::vector<Bytes>& parts, std::size_t at, std::size_t size) {
  Buffer piece(size);
  std::size_t filled = 0;
  for (const Bytes& part : parts) {
    const std::size_t count = at < part.size() ? std::min(part.size() - at, size - filled) : 0;
    if (count != 0) std::memcpy(piece.data() + filled, part.data() + at, count);
    filled += count;
    at -= std::min(at, part.size());
  }
  return std::move(piece).finish();
}

// Under 2 KiB, less than a third saved is a few hundred bytes for some 35 microseconds, which does not pay. Over 8 KiB,
// a few pieces spread over all of it tell whether a tenth is saved. How it is cut into parts says nothing.
bool pays(const std::vector<Bytes>& parts, std::size_t total) {
  Estimate estimate;
  if (total < small_under) {
    estimate.add(piece_of(parts, 0, total));
    return estimate.ratio() < 2.0 / 3;
  }
  if (total <= sample_over) return true;
  const std::size_t size = std::clamp(total / 32, smallest_piece, largest_piece);
  for (std::size_t i = 0; i < pieces; ++i) estimate.add(piece_of(parts, (total - size) / (pieces - 1) * i, size));
  return estimate.ratio() < 0.9;
}

}  // namespace

std::optional<Bytes> compress_envelope(const std::vector<Bytes>& parts, bool sampling) {
  const std::uint64_t size = total_size(parts);
  if (size <= prefix_size || (sampling && !pays(parts, size))) return std::nullopt;
  Buffer packed(size - 1);  // more is not smaller
  std::memcpy(packed.data(), magic.data(), magic.size());
  for (std::size_t i = 0; i < 8; ++i) packed.data()[magic.size() + i] = static_cast<std::byte>(size >> (8 * i));

  z_stream& z = fresh_deflater();
  std::size_t written = prefix_size;
  const auto run = [&](int flush) {  // false: no room left
    while (true) {
      const uInt room = chunk(packed.size() - written);
      z.next_out = output(packed.data() + written);
      z.avail_out = room;
      const int result = deflate(&z, flush);
      written += room - z.avail_out;
      if (result == Z_STREAM_END || (flush == Z_NO_FLUSH && z.avail_in == 0)) return true;
      if (written == packed.size()) return false;
    }
  };
  for (const Bytes& part : parts) {
    for (std::size_t at = 0; at < part.size();) {
      const uInt now = chunk(part.size() - at);
      z.next_in = input(part.data() + at);
      z.avail_in = now;
      if (!run(Z_NO_FLUSH)) return std::nullopt;
      at += now;
    }
  }
  if (!run(Z_FINISH)) return std::nullopt;
  return std::move(packed).finish(written);
}

bool is_compressed(BytesView blob) noexcept { return as_text(blob).starts_with(magic); }

Bytes inflate_envelope(BytesView blob, std::size_t lead) {
  std::size_t prefix = prefix_size;
  if (blob.size() < prefix) damaged("at byte " + std::to_string(blob.size()) + ": it ends in its prefix");
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < 8; ++i) size |= std::uint64_t{std::to_integer<std::uint8_t>(blob[6 + i])} << (8 * i);
  // zlib cannot expand more than 1032 times.
  const auto impossible = [&] { return size / 1032 > blob.size() - prefix; };
  // MATLAB of 32 bits wrote a size of 4 bytes: a stream begins where the upper half of a larger one would be.
  if (impossible() && begins_stream(blob.subspan(magic.size() + 4))) {
    prefix = magic.size() + 4;
    size &= UINT32_MAX;
  }
  const BytesView stream = blob.subspan(prefix);
  if (impossible())
    damaged("at byte 6: it promises " + std::to_string(size) + " bytes, more than " + std::to_string(stream.size()) +
            " compressed ones can hold");

  // Grown as bytes really come, so that a promise alone does not take memory.
  Buffer buffer(lead + static_cast<std::size_t>(std::min<std::uint64_t>(size, 64 * 1024 + 8 * stream.size())));
  std::size_t written = 0, read = 0;
  z_stream& z = fresh_inflater();
  while (true) {
    if (written == buffer.size() - lead && written < size) {
      Buffer larger(lead + static_cast<std::size_t>(std::min<std::uint64_t>(size, 4 * std::uint64_t{written})));
      std::memcpy(larger.data() + lead, buffer.data() + lead, written);
      buffer = std::move(larger);
    }
    const uInt in = chunk(stream.size() - read);
    // One byte more than promised shows a stream that is too long.
    std::byte beyond;
    const bool full = written == size;
    const uInt room = full ? 1 : chunk(buffer.size() - lead - written);
    z.next_in = input(stream.data() + read);
    z.avail_in = in;
    z.next_out = output(full ? &beyond : buffer.data() + lead + written);
    z.avail_out = room;
    const int result = inflate(&z, Z_NO_FLUSH);
    read += in - z.avail_in;
    if (full && z.avail_out == 0)
      damaged("at byte " + std::to_string(prefix + read) + ": it holds more than the " + std::to_string(size) +
              " bytes that it promises");
    if (!full) written += room - z.avail_out;
    if (result == Z_STREAM_END) break;
    const bool stuck = read == stream.size() && z.avail_out != 0;
    if (result == Z_BUF_ERROR || (result == Z_OK && stuck))
      damaged("at byte " + std::to_string(prefix + read) + ": its stream ends early");
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK) damaged("at byte " + std::to_string(prefix + read) + ": " + (z.msg ? z.msg : "no zlib stream"));
  }
  if (written != size)
    damaged("at byte 6: it promises " + std::to_string(size) + " bytes and holds " + std::to_string(written));
  if (read != stream.size()) damaged("at byte " + std::to_string(prefix + read) + ": bytes follow its stream");
  return std::move(buffer).finish(lead + written).slice(lead, written);
}

}  // namespace oas::format
