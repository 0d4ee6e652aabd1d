// The golden cases: one line of JSON each in index.jsonl.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <oas/value.hpp>

#include "core/json.hpp"
#include "core/typed.hpp"

namespace oas::testing {

inline std::filesystem::path golden_folder() {
  const char* elsewhere = std::getenv("OAS_GOLDEN");
  return elsewhere && *elsewhere ? std::filesystem::path(elsewhere)
                                 : std::filesystem::path(OAS_SOURCE_DIR "/tests/golden");
}

inline Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Errc::usage, "open " + path.string());
  return Bytes::copy(std::string_view(std::string(std::istreambuf_iterator<char>(in), {})));
}

struct GoldenCase {
  std::string name;
  Map fields;

  const Value* find(std::string_view key) const {
    const Value* value = fields.find(key);
    return value && !value->is_null() ? value : nullptr;
  }
  std::string text(std::string_view key) const { return find(key) ? find(key)->as<std::string>() : std::string(); }
};

inline std::vector<GoldenCase> golden_cases(const std::string& kind) {
  std::ifstream in(golden_folder() / kind / "index.jsonl");
  std::vector<GoldenCase> cases;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    Map fields = from_json(line, "a golden case").as<Map>();
    std::string name = fields.at("name").as<std::string>();
    cases.push_back({std::move(name), std::move(fields)});
  }
  return cases;
}

/// The bytes of a case that has a file.
inline Bytes golden_file(const std::string& kind, const GoldenCase& golden) {
  return read_file(golden_folder() / kind / golden.text("file"));
}

}  // namespace oas::testing
