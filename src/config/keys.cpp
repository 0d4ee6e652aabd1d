#include "config/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <oas/error.hpp>

#include "core/json.hpp"
#include "core/text.hpp"

namespace oas {
namespace {

using Type = SettingsKey::Type;
// Those that matter to DataJoint for Python alone are known too, so that one file serves both.
constexpr std::array<SettingsKey, 35> table{{
    {Type::text, "database.backend", "DJ_BACKEND", "", "sqlite postgresql mysql"},
    {Type::text, "database.name", "DJ_DATABASE_NAME", "", ""},
    {Type::text, "database.host", "DJ_HOST", "", ""},
    {Type::integer, "database.port", "DJ_PORT", "", "", 1, 65535},
    {Type::text, "database.user", "DJ_USER", "", ""},
    {Type::text, "database.password", "DJ_PASS", "", ""},
    {Type::boolean_or_object, "database.use_tls", "DJ_USE_TLS", "", ""},
    {Type::boolean, "database.reconnect", "DJ_RECONNECT", "true", ""},
    {Type::integer, "database.connect_timeout", "", "15", "", 1, 3600},
    {Type::integer, "database.lock_timeout", "", "60", "", 0, 86'400},
    {Type::integer, "database.statement_timeout", "", "0", "", 0, 86'400 * 24},
    {Type::boolean, "database.create_tables", "DJ_CREATE_TABLES", "true", ""},
    {Type::boolean, "database.legacy", "", "false", ""},
    {Type::text, "database.database_prefix", "DJ_DATABASE_PREFIX", R"("")", ""},
    {Type::boolean, "collector.foreign_writers", "", "", ""},
    {Type::integer, "collector.grace", "", "86400", "", 0, 86'400 * 366},
    {Type::text, "connection.charset", "", R"("")", ""},
    {Type::text, "loglevel", "DJ_LOG_LEVEL", R"("INFO")", "DEBUG INFO WARNING ERROR CRITICAL"},
    {Type::boolean, "safemode", "DJ_SAFEMODE", "true", ""},
    {Type::text, "download_path", "DJ_DOWNLOAD_PATH", R"(".")", ""},
    {Type::text, "query_cache", "DJ_QUERY_CACHE", "", ""},
    {Type::integer, "display.limit", "", "12", ""},
    {Type::integer, "display.width", "", "14", ""},
    {Type::boolean, "display.show_tuple_count", "", "true", ""},
    {Type::text, "display.diagram_direction", "DJ_DIAGRAM_DIRECTION", R"("LR")", "TB LR"},
    {Type::text, "display.diagram_theme", "DJ_DIAGRAM_THEME", R"("auto")", "light dark auto"},
    {Type::boolean, "jobs.auto_refresh", "DJ_JOBS_AUTO_REFRESH", "true", ""},
    {Type::boolean, "jobs.keep_completed", "DJ_JOBS_KEEP_COMPLETED", "false", ""},
    {Type::integer, "jobs.stale_timeout", "DJ_JOBS_STALE_TIMEOUT", "3600", "", 0},
    {Type::integer, "jobs.default_priority", "DJ_JOBS_DEFAULT_PRIORITY", "5", "", 0, 255},
    {Type::text, "jobs.version_method", "DJ_JOBS_VERSION_METHOD", "", "git none"},
    {Type::boolean, "jobs.allow_new_pk_fields_in_computed_tables", "DJ_JOBS_ALLOW_NEW_PK_FIELDS_IN_COMPUTED_TABLES",
     "false", ""},
    {Type::boolean, "jobs.add_job_metadata", "DJ_JOBS_ADD_JOB_METADATA", "false", ""},
    {Type::boolean, "provenance.capture", "DJ_PROVENANCE_CAPTURE", "false", ""},
    {Type::object, "provenance.source", "DJ_PROVENANCE_SOURCE", "{}", ""},
}};

[[noreturn]] void must_be(std::string_view what) { throw Error(Errc::usage, fmt::format("it must be {}", what)); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

std::string_view stripped(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

Value text_value(const SettingsKey& key, const Value& value) {
  const auto* text = value.get_if<std::string>();
  if (!text) must_be("a text");
  if (text->find('\0') != std::string::npos) must_be("a text without NUL");
  if (!valid_utf8(*text)) must_be("a text in UTF-8");
  if (key.words.empty()) return value;
  std::string list;
  for (std::string_view rest = key.words; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, end) == *text) return value;
    list += fmt::format("{}{}", list.empty() ? "" : ", ", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  must_be("one of " + list);
}

Value integer_value(const SettingsKey& key, const Value& value) {
  std::optional<std::int64_t> number;
  if (const auto* n = value.get_if<std::int64_t>()) number = *n;
  if (const auto* text = value.get_if<std::string>()) number = whole_number(stripped(*text));
  if (const auto* real = value.get_if<double>(); real && std::trunc(*real) == *real && std::abs(*real) < 0x1p53)
    number = static_cast<std::int64_t>(*real);
  if (!number) must_be("a whole number");
  if (*number >= key.low && *number <= key.high) return *number;
  if (key.high == std::numeric_limits<std::int64_t>::max()) must_be(fmt::format("a whole number from {} on", key.low));
  must_be(fmt::format("a whole number from {} to {}", key.low, key.high));
}

std::optional<bool> boolean_value(const Value& value) {
  if (const auto* b = value.get_if<bool>()) return *b;
  if (const auto* text = value.get_if<std::string>()) return truth(stripped(*text));
  if (const auto* n = value.get_if<std::int64_t>(); n && (*n == 0 || *n == 1)) return *n == 1;
  if (const auto* real = value.get_if<double>(); real && (*real == 0 || *real == 1)) return *real == 1;
  return std::nullopt;
}

bool all_finite(const Value& value) {
  if (const auto* real = value.get_if<double>()) return std::isfinite(*real);
  if (const auto* list = value.get_if<Seq>()) return std::ranges::all_of(list->items, all_finite);
  if (const auto* map = value.get_if<Map>())
    return std::ranges::all_of(map->items, [](const auto& item) { return all_finite(item.second); });
  return true;
}

Value object_value(const Value& value) {
  if (!value.is<Map>()) must_be("a JSON object, {…}");
  // It goes into a JSON column of every row, and databases take no NaN there.
  if (!all_finite(value)) must_be("a JSON object without NaN and infinities");
  return value;
}

}  // namespace

std::span<const SettingsKey> settings_keys() { return table; }

const SettingsKey* find_settings_key(std::string_view key) {
  const auto found = std::ranges::find(table, key, &SettingsKey::key);
  return found == table.end() ? nullptr : &*found;
}

bool is_settings_group(std::string_view name) {
  return std::ranges::any_of(table, [&](const SettingsKey& known) {
    return known.key.size() > name.size() && known.key.starts_with(name) && known.key[name.size()] == '.';
  });
}

Value settings_value(const SettingsKey& key, const Value& value) {
  if (value.is_null()) return {};
  switch (key.type) {
    case Type::text: return text_value(key, value);
    case Type::integer: return integer_value(key, value);
    case Type::boolean: {
      const auto b = boolean_value(value);
      if (!b) must_be("true or false");
      return *b;
    }
    case Type::boolean_or_object:
      if (const auto b = boolean_value(value)) return *b;
      if (!value.is<Map>()) must_be("true, false or a JSON object, {…}");
      return value;
    case Type::object: return object_value(value);
  }
  return {};  // not reached
}

Value settings_value(const SettingsKey& key, std::string_view text) {
  const bool object = key.type == Type::object || key.type == Type::boolean_or_object;
  if (!object || truth(stripped(text))) return settings_value(key, Value(text));
  Value value;
  try {
    value = from_strict_json(text, "it");
  } catch (const Error&) {  // whose words could quote a part of it
    must_be("a JSON object, {…}");
  }
  return settings_value(key, value);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<bool> truth(std::string_view text) {
  constexpr std::string_view yes[] = {"true", "1", "yes", "on", "t", "y"};
  constexpr std::string_view no[] = {"false", "0", "no", "off", "f", "n"};
  const std::string word = lower(text.substr(0, 8));
  if (word.size() != text.size()) return std::nullopt;
  if (std::ranges::find(yes, word) != std::end(yes)) return true;
  if (std::ranges::find(no, word) != std::end(no)) return false;
  return std::nullopt;
}

bool is_secret_name(std::string_view attribute) {
  if (attribute == "token_length") return false;
  const std::string name = lower(attribute);
  constexpr std::string_view words[] = {"secret",           "passw", "token", "credential", "_key", "apikey",
                                        "connection_string"};
  return std::ranges::any_of(words, [&](std::string_view word) { return name.find(word) != name.npos; });
}

bool has_password(std::string_view text) {
  for (std::size_t at = text.find("://"); at != text.npos; at = text.find("://", at + 3)) {
    const std::string_view authority = text.substr(at + 3, text.find_first_of("/?# \"", at + 3) - (at + 3));
    if (authority.find('@') != authority.npos) return true;
  }
  return false;
}

}  // namespace oas
