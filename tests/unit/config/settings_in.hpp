// A folder with settings, and an environment of its own: settings as a program there would read them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "support/temp_folder.hpp"

namespace oas {

class SettingsIn : public ::testing::Test {
 protected:
  SettingsIn() { std::filesystem::create_directories(root_ / ".git"); }  // the search ends here

  void write(const std::filesystem::path& file, std::string_view text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream out(root_ / file, std::ios::binary);
    out << text;
    ASSERT_TRUE(out.flush());
  }
  Settings load(const std::filesystem::path& folder = {}) const {
    return SettingsAccess::load(
        root_ / folder,
        [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          if (found == environment_.end()) return std::nullopt;
          return found->second;
        },
        root_ / "system-secrets");
  }
  /// "CODE: MESSAGE" of the error that loading must end in.
  std::string refusal() const {
    try {
      load();
    } catch (const Error& error) {
      EXPECT_NE(error.target(), "") << error.what();
      return std::string(to_string(error.code())) + ": " + error.what();
    }
    ADD_FAILURE() << "these settings were taken";
    return {};
  }
  std::string refused(std::string_view json) const {
    write("datajoint.json", json);
    return refusal();
  }
  void refused(std::string_view json, std::initializer_list<std::string_view> parts) const {
    const std::string message = refused(json);
    for (const std::string_view part : parts)
      EXPECT_NE(message.find(part), std::string::npos) << json.substr(0, 200) << "\n" << message;
  }
  static std::optional<Settings::Origin> origin(const Settings& settings, std::string_view key) {
    const auto origins = settings.origins();
    const auto found = std::ranges::find(origins, key, &Settings::Origin::key);
    return found == origins.end() ? std::nullopt : std::optional(*found);
  }

  test::TempFolder folder_;
  std::filesystem::path root_ = std::filesystem::canonical(folder_.path());
  std::map<std::string, std::string> environment_;
};

}  // namespace oas
