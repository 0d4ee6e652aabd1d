// How settings are read, with the surroundings as arguments so that tests need no real environment.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <oas/config.hpp>

namespace oas {

/// Reading settings takes at most so many bytes of memory for each byte of their texts, besides the defaults.
inline constexpr std::size_t settings_factor = 1024;

struct SettingsAccess {
  using Given = Settings::Given;
  using AllGiven = Settings::AllGiven;
  using Stores = std::map<std::string, StoreConfig, std::less<>>;
  /// The value of a variable; nullopt if it is not set.
  using Environment = std::function<std::optional<std::string>(const std::string&)>;

  static Settings load(const std::filesystem::path& folder, const Environment& environment,
                       const std::filesystem::path& system_secrets = "/run/secrets/datajoint");
  /// All keys below `settings`, as a file has them: nested or dotted. Errors: usage.
  static AllGiven gather(const Map& settings, const Given& as);
  /// The stores that the keys below "stores." tell of, each checked. `given` values are not changed.
  static Stores stores(const AllGiven& given);
  static Settings make(AllGiven given, std::filesystem::path base, std::filesystem::path file) {
    return {std::move(given), std::move(base), std::move(file)};
  }
};

/// Errors of settings: "read the setting KEY from SOURCE: WHY". The value may be a secret, and is never told.
[[noreturn]] void refuse_setting(std::string_view key, std::string_view source, std::string_view why);
/// The same, naming the key that was probably meant.
[[noreturn]] void unknown_setting(std::string_view key, std::string_view source);
/// A value of the settings as text; JSON if it is none.
std::string setting_text(const Value& value);
/// True for "stores.raw.location" and the like; false for the names of the default stores.
bool is_store_key(std::string_view key) noexcept;
/// "stores.my.store.location" → "my.store", "location": names may have dots, attributes have none.
std::pair<std::string, std::string> split_store_key(std::string_view key);
/// `path` as it is seen from `base`; empty stays empty.
std::string path_from(const std::filesystem::path& base, const std::string& path);

}  // namespace oas
