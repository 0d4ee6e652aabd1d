#include "store/crc.hpp"

#include <gtest/gtest.h>

#include <string>

namespace oas::store {
namespace {

TEST(Crc, IsAsCataloguesHaveIt) {
  const BytesView nine = as_bytes("123456789");
  EXPECT_EQ(crc32(nine), 0xCBF43926u);
  EXPECT_EQ(crc32c(nine), 0xE3069283u);
  EXPECT_EQ(crc64nvme(nine), 0xAE8B14860A799888u);
  EXPECT_EQ(crc32({}), 0u);
  EXPECT_EQ(crc64nvme({}), 0u);
}

TEST(Crc, TakesAnyLengthAndAlignment) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += static_cast<char>(i * 7);
  const auto bit_by_bit = [](std::string_view bytes) {
    std::uint32_t value = ~0u;
    for (const char c : bytes) {
      value ^= static_cast<unsigned char>(c);
      for (int i = 0; i < 8; ++i) value = (value >> 1) ^ (value & 1 ? 0x82F63B78u : 0u);
    }
    return ~value;
  };
  for (std::size_t first = 0; first < 9; ++first) {
    for (std::size_t size = 0; size < 40; ++size) {
      const std::string_view part = std::string_view(text).substr(first, size);
      EXPECT_EQ(crc32c(as_bytes(part)), bit_by_bit(part)) << first << ", " << size;
    }
  }
}

TEST(Crc, IsWrittenAsServersDo) {
  const BytesView nine = as_bytes("123456789");
  EXPECT_EQ(checksum("crc32", nine), "y/Q5Jg==");
  EXPECT_EQ(checksum("crc32c", nine), "4waSgw==");
  EXPECT_EQ(checksum("crc64nvme", nine), "rosUhgp5mIg=");
  EXPECT_EQ(checksum("sha256", nine), "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=");
  EXPECT_EQ(checksum("sha1", nine), std::nullopt);
}

}  // namespace
}  // namespace oas::store
