// The keys of settings outside of `stores`: what they take, what holds without them, and which environment variable
// gives them.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include <oas/value.hpp>

namespace oas {

struct SettingsKey {
  enum class Type { text, integer, boolean, object, boolean_or_object } type;
  std::string_view key;
  std::string_view variable;  ///< empty: none
  std::string_view fallback;  ///< as JSON; empty: there is none, or it depends on other keys
  std::string_view words;     ///< the texts it takes, with blanks between them; empty: any
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
};
std::span<const SettingsKey> settings_keys();
const SettingsKey* find_settings_key(std::string_view key);
/// True for "database", "jobs", …: what comes before the dot of a key.
bool is_settings_group(std::string_view name);

/// The value as its key takes it; what DataJoint for Python converts is converted: "5432", 1 for true, 5.0 for 5.
/// Null stays null. Errors: usage, a clause that says what it must be and does not hold the value.
Value settings_value(const SettingsKey& key, const Value& value);
/// The same from the text of an environment variable.
Value settings_value(const SettingsKey& key, std::string_view text);

std::optional<std::int64_t> whole_number(std::string_view text);
/// true, false, and the other words that Python's settings take for them; capitals do not matter.
std::optional<bool> truth(std::string_view text);

/// True for names such as secret_key, password, token.
bool is_secret_name(std::string_view attribute);
/// True for a text with a password in a URL: "https://me:hush@proxy".
bool has_password(std::string_view text);

}  // namespace oas
