// Which keys of a dict, and elements of a set, came before: for the reader of blobs.
#pragma once

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <oas/value.hpp>

#include "core/text.hpp"

namespace oas::format {

// Finds keys that were there before. Python holds 1, 1.0 and True for the same key; NaN is another one each time.
// (Decimals and tuples are not compared.)
class Keys {
 public:
  /// Of up to `count` keys; nothing is done for one.
  explicit Keys(std::size_t count) : slots_(count > 1 ? std::bit_ceil(2 * count) : 0), texts_(count > 1 ? count : 0) {}

  /// The place of the same key, or, if it is new, `place`, which is its own from now on. `packed`: as it lies in the
  /// blob.
  std::size_t find_or_add(const Value& key, std::string_view packed, std::size_t place) {
    if (slots_.empty()) return place;
    if (key.is<std::string>() || key.is<Bytes>()) return find_or_add(packed, place);
    const std::string plain = plainly(key);
    return plain.empty() ? place : others_.try_emplace(plain, place).first->second;
  }

 private:
  std::size_t find_or_add(std::string_view text, std::size_t place) {
    constexpr std::size_t most_probes = 32;  // who makes texts of the same hash does not make us slow
    const std::size_t first = std::hash<std::string_view>()(text);
    for (std::size_t slot = first; slot < first + most_probes; ++slot) {
      std::uint32_t& found = slots_[slot & (slots_.size() - 1)];
      if (found == 0) {
        found = static_cast<std::uint32_t>(place + 1);
        texts_[place] = text;
        return place;
      }
      if (texts_[found - 1] == text) return found - 1;
    }
    return crowded_.try_emplace(text, place).first->second;
  }
  // The same for the same keys, whatever bytes they were written in.
  static std::string plainly(const Value& key) {
    if (key.is_null()) return "none";
    if (const auto* b = key.get_if<bool>()) return *b ? "1" : "0";
    if (const auto* n = key.get_if<std::int64_t>()) return std::to_string(*n);
    if (const auto* n = key.get_if<BigInt>()) return n->digits;
    if (const auto* d = key.get_if<double>()) {
      if (std::trunc(*d) == *d && std::abs(*d) < 0x1p63) return std::to_string(static_cast<std::int64_t>(*d));
      return std::isnan(*d) ? std::string() : python_float_repr(*d);
    }
    if (const auto* d = key.get_if<Date>()) return fmt::format("date {}", d->days);
    if (const auto* t = key.get_if<Time>()) return fmt::format("time {}", t->microseconds);
    if (const auto* t = key.get_if<DateTime>()) return fmt::format("datetime {}", t->microseconds);
    if (const auto* u = key.get_if<Uuid>()) return u->text();
    return {};
  }

  std::vector<std::uint32_t> slots_;     // places of texts, from 1 on
  std::vector<std::string_view> texts_;  // at their places
  std::map<std::string_view, std::size_t> crowded_;
  std::map<std::string, std::size_t> others_;
};

}  // namespace oas::format
