#include "store/crc.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "core/encoding.hpp"
#include "core/hash.hpp"

namespace oas::store {
namespace {

/// Table k holds what a byte is worth that k more bytes follow, so that eight are taken in one step.
template <class Word>
using Tables = std::array<std::array<Word, 256>, 8>;

template <class Word>
constexpr Tables<Word> make_tables(Word polynomial) {
  Tables<Word> tables{};
  for (std::size_t i = 0; i < 256; ++i) {
    auto crc = static_cast<Word>(i);
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<Word>((crc >> 1) ^ (crc & 1 ? polynomial : 0));
    tables[0][i] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t i = 0; i < 256; ++i)
      tables[k][i] = static_cast<Word>((tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xff]);
  return tables;
}

std::uint64_t little_endian(const std::byte* from) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

/// Reflected, begun and ended with all bits turned over, as all three are.
template <class Word>
Word crc(const Tables<Word>& tables, BytesView bytes) noexcept {
  auto value = static_cast<Word>(~Word{0});
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    const std::uint64_t word = little_endian(at) ^ value;
    value = static_cast<Word>(tables[7][word & 0xff] ^ tables[6][(word >> 8) & 0xff] ^ tables[5][(word >> 16) & 0xff] ^
                              tables[4][(word >> 24) & 0xff] ^ tables[3][(word >> 32) & 0xff] ^
                              tables[2][(word >> 40) & 0xff] ^ tables[1][(word >> 48) & 0xff] ^ tables[0][word >> 56]);
  }
  for (; left > 0; ++at, --left)
    value = static_cast<Word>((value >> 8) ^ tables[0][(value ^ static_cast<Word>(*at)) & 0xff]);
  return static_cast<Word>(~value);
}

template <class Word>
std::string written(Word value) {
  std::array<std::byte, sizeof(Word)> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>((value >> (8 * (bytes.size() - 1 - i))) & 0xff);
  return base64(bytes);
}

}  // namespace

std::uint32_t crc32(BytesView bytes) noexcept {
  static constexpr auto tables = make_tables<std::uint32_t>(0xEDB88320);
  return crc(tables, bytes);
}
std::uint32_t crc32c(BytesView bytes) noexcept {
  static constexpr auto tables = make_tables<std::uint32_t>(0x82F63B78);
  return crc(tables, bytes);
}
std::uint64_t crc64nvme(BytesView bytes) noexcept {
  static constexpr auto tables = make_tables<std::uint64_t>(0x9A6C9329AC4BC9B5);
  return crc(tables, bytes);
}

std::optional<std::string> checksum(std::string_view name, BytesView bytes) {
  if (name == "crc32") return written(crc32(bytes));
  if (name == "crc32c") return written(crc32c(bytes));
  if (name == "crc64nvme") return written(crc64nvme(bytes));
  if (name == "sha256") return base64(sha256({&bytes, 1}));
  return std::nullopt;
}

}  // namespace oas::store
