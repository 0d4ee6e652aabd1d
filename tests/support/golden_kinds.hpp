// The golden cases of one folder, kind by kind: how many there were is printed, and none is a failure, so that a test
// that ran over nothing cannot pass.
#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "unit/format/golden.hpp"

namespace oas::testing {

inline void tell_cases(const std::string& what, std::size_t count) {
  std::cout << "golden " << what << ": " << count << " cases\n";
  EXPECT_GT(count, 0u) << "no golden " << what << ": nothing was tested. is OAS_GOLDEN right?";
}

/// The cases of `folder` whose member "kind" is `kind`.
inline std::vector<GoldenCase> golden_kind(const std::string& folder, const std::string& kind) {
  std::vector<GoldenCase> cases;
  for (GoldenCase& one : golden_cases(folder))
    if (one.text("kind") == kind) cases.push_back(std::move(one));
  tell_cases(folder + ", " + kind, cases.size());
  return cases;
}

inline std::optional<std::string> optional_text(const Map& map, std::string_view key) {
  const Value* value = map.find(key);
  return value && !value->is_null() ? std::optional(value->as<std::string>()) : std::nullopt;
}

}  // namespace oas::testing
