// Reading and writing Content, wherever it is: memory, a local file, or an object in a store. What sinks are made of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <oas/codec.hpp>

namespace oas::codec {

/// Pieces are at most this large, so is what is held in memory of content that is not there already.
inline constexpr std::size_t piece_size = 8 << 20;  // bytes

/// Tasks that hold so many bytes of memory each, `at_once` together, or fewer where that would be more than may be
/// held: calls round(which, how many at once) for the small ones, and then for the others, that many small ones do not
/// wait for a few large.
template <class Round>
void in_rounds(std::span<const std::uint64_t> bytes, std::size_t at_once, const Round& round) {
  constexpr std::uint64_t most_held = std::uint64_t{8} * piece_size;
  std::vector<std::size_t> small, large;
  std::uint64_t largest = 1;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] <= most_held / at_once) {
      small.push_back(i);
    } else {
      large.push_back(i);
      largest = std::max(largest, bytes[i]);
    }
  }
  round(small, at_once);
  round(large, static_cast<std::size_t>(std::clamp<std::uint64_t>(most_held / largest, 1, at_once)));
}

/// All of it, in order and in pieces. Errors: usage if the local file is gone or not as long as it was; those of
/// reading an object.
void read_content(const Content& content, const std::function<void(BytesView)>& take);
/// content_hash() of it all: what names it in hash-addressed storage.
std::string hash_content(const Content& content);
/// True if it is all in memory, so that Content::parts is everything.
bool in_memory(const Content& content) noexcept;
enum class Expect {
  anything,
  absent,       ///< there is no object of this key yet
  unknown_key,  ///< and nobody else can ask for it, as Store::create wants it
};
/// Writes it under `key`: in one request if it is in memory and small enough, else by an upload. nullopt if there is an
/// object already that should not be there (asked for before an upload begins).
std::optional<Version> write_content(Store& store, std::string_view key, const Content& content, Expect expect);

}  // namespace oas::codec
