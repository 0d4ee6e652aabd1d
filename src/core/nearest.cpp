#include "core/nearest.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace oas {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string_view>& known) {
  name = name.substr(0, 100);  // a name comes from outside, and the cost is its length times theirs
  std::string_view best;
  std::size_t least = 1 + name.size() / 3;
  for (const std::string_view candidate : known) {
    const std::size_t d = distance(name, candidate);
    if (d < least || (d == least && best.empty())) {
      least = d;
      best = candidate;
    }
  }
  return std::string(best);
}

std::string suggest_name(std::string_view name, const std::vector<std::string_view>& known) {
  if (known.empty()) return "there is none";
  if (const std::string best = nearest_name(name, known); !best.empty()) return fmt::format("did you mean {}?", best);
  return fmt::format("known are {}", fmt::join(known, ", "));
}

}  // namespace oas
