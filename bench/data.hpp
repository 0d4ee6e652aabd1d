// The data of the benchmarks. All of it comes from SplitMix64 started at a seed, so that a program in any language
// makes the same bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <oas/oas.hpp>

namespace bench {

inline std::uint64_t splitmix(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t z = seed + (n + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

/// In [0, 1): the upper 53 bits.
inline std::vector<double> uniform(std::uint64_t seed, std::size_t count) {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>(splitmix(seed, i) >> 11) * 0x1p-53;
  return out;
}

/// Compressible.
inline std::vector<double> steps(std::uint64_t seed, std::size_t count) {
  std::vector<double> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<double>((i / 64 + seed) % 1000);
  return out;
}

inline std::string octets(std::uint64_t seed, std::size_t size) {
  std::string out((size + 7) / 8 * 8, '\0');
  for (std::size_t i = 0; i < out.size() / 8; ++i) {
    const std::uint64_t word = splitmix(seed, i);
    std::memcpy(out.data() + 8 * i, &word, 8);
  }
  out.resize(size);
  return out;
}

/// A dict as programs make them, about 1 KB when packed.
inline oas::Value record(std::int64_t i) {
  const auto u = uniform(static_cast<std::uint64_t>(i), 64);
  oas::Seq licks;
  for (std::size_t n = 4; n < 12; ++n) licks.items.emplace_back(u[n]);
  const std::string number = std::to_string(10000 + i % 100).substr(1);
  return oas::map(
      {{"subject", "mouse-" + number},
       {"trial", i},
       {"correct", i % 3 != 0},
       {"stimulus", oas::map({{"contrast", u[0]}, {"orientation", 360 * u[1]}, {"position", oas::list({u[2], u[3]})}})},
       {"licks", licks},
       {"tags", oas::list({"training", i % 2 != 0 ? "left" : "right"})},
       {"trace", oas::Array::own(std::vector<double>(u.begin() + 12, u.begin() + 60))}});
}

/// Files d00/f0000.bin …, 100 a subfolder.
inline void make_folder(const std::filesystem::path& folder, int files, std::size_t size) {
  for (int i = 0; i < files; ++i) {
    const auto sub = folder / ("d" + std::to_string(100 + i / 100).substr(1));
    if (i % 100 == 0) std::filesystem::create_directories(sub);
    std::ofstream(sub / ("f" + std::to_string(10000 + i).substr(1) + ".bin"), std::ios::binary)
        << octets(static_cast<std::uint64_t>(i), size);
  }
}

}  // namespace bench
