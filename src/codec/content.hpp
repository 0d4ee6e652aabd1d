// Reading and writing Content, wherever it is: memory, a local file, or an object in a store. What sinks are made of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include <oas/codec.hpp>

namespace oas::codec {

/// Pieces are at most this large, so is what is held in memory of content that is not there already.
inline constexpr std::size_t piece_size = 8 << 20;  // bytes

/// Of so many at once, those whose pieces fit the memory that may be held.
inline std::size_t that_fit(std::size_t at_once, std::uint64_t largest) noexcept {
  constexpr std::uint64_t held = std::uint64_t{8} * piece_size;
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(held / std::max<std::uint64_t>(largest, 1), 1, at_once));
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
