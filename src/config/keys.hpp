// The keys of settings outside of `stores`: what they take and which environment variable gives them.
#pragma once

#include <span>
#include <string_view>

namespace oas {

struct SettingsKey {
  enum class Type { text, integer, boolean, object } type;
  std::string_view key;
  std::string_view variable;  ///< empty: none
};
std::span<const SettingsKey> settings_keys();
const SettingsKey* find_settings_key(std::string_view key);

}  // namespace oas
