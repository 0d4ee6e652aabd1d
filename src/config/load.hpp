// How settings are read, with the surroundings as arguments so that tests need no real environment.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <oas/config.hpp>

namespace oas {

struct SettingsAccess {
  using Given = Settings::Given;
  using AllGiven = Settings::AllGiven;
  /// The value of a variable; nullopt if it is not set.
  using Environment = std::function<std::optional<std::string>(const std::string&)>;

  static Settings load(const std::filesystem::path& folder, const Environment& environment,
                       const std::filesystem::path& system_secrets = "/run/secrets/datajoint");
  static Settings make(AllGiven given, std::filesystem::path base, std::filesystem::path file) {
    return {std::move(given), std::move(base), std::move(file)};
  }
};

}  // namespace oas
