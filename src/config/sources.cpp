// Where settings come from. All sources are gathered key by key, the strongest first: what is there already stays.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "config/keys.hpp"
#include "config/load.hpp"
#include "core/json.hpp"
#include "core/nearest.hpp"
#include "core/text.hpp"

namespace oas {
namespace {

namespace fs = std::filesystem;
using Given = SettingsAccess::Given;
using All = SettingsAccess::AllGiven;

constexpr std::size_t max_file = std::size_t{16} << 20;
constexpr std::size_t max_secret = std::size_t{1} << 20;
const std::string file_name = "datajoint.json";

[[noreturn]] void cannot(std::string_view what, const fs::path& path, std::string_view why, Errc code = Errc::access) {
  const std::string name = shown(path.string(), std::string::npos);
  throw Error(code, fmt::format("{} {}: {}", what, name, why), name);
}

std::string read_file(const fs::path& file, std::size_t most) {
  std::ifstream in(file, std::ios::binary);
  if (!in.is_open()) cannot("read", file, "it cannot be opened. look at its permissions");
  std::string text;
  char piece[1 << 14];
  while (in.read(piece, sizeof piece), in.gcount() > 0) {
    text.append(piece, static_cast<std::size_t>(in.gcount()));
    if (text.size() > most) cannot("read", file, fmt::format("it is larger than {} MiB", most >> 20), Errc::usage);
  }
  if (in.bad()) cannot("read", file, "it cannot be read");
  return text;
}

// False also if something on the way to it is missing. Errors: access.
bool is(fs::file_type wanted, const fs::path& path) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  // A loop of links, or a name that is too long, is nothing that could be read; what is forbidden may be.
  if (failure == std::errc::permission_denied) cannot("look for settings at", path, "permission denied");
  return status.type() == wanted;
}
bool is_there(const fs::path& path) { return is(fs::file_type::directory, path) || is(fs::file_type::regular, path); }

Map read_object(std::string_view json, const std::string& source) {
  Value value;
  try {
    value = from_strict_json(json, source);
  } catch (const Error& error) {
    const std::string_view native = error.native();  // "byte 17"; none if it is well-formed but nested or repeated
    if (native.empty()) throw Error(error.code(), error.what(), source);
    const auto offset = whole_number(native.substr(std::min(native.size(), native.find(' ') + 1)));
    const std::string_view before =
        json.substr(0, static_cast<std::size_t>(std::max<std::int64_t>(offset.value_or(0), 0)));
    const auto line = 1 + std::ranges::count(before, '\n');
    const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
    const std::string place = fmt::format("line {}, column {} of {}", line, column, source);
    // The parser's own words could quote a part of a password.
    throw Error(Errc::syntax, fmt::format("read {}: this is no JSON from {} on", source, place), place);
  }
  if (Map* map = value.get_if<Map>()) return std::move(*map);
  throw Error(Errc::usage, fmt::format("read {}: it must be a JSON object, {{…}}", source), source);
}

// Adds keys to what one source says.
class Gathering {
 public:
  explicit Gathering(const Given& as) : as_(as) {}
  All take() { return std::move(all_); }

  void settings(const Map& map) {
    for (const auto& [name, value] : map.items) {
      const std::string key = name.as<std::string>();
      const Map* group = value.get_if<Map>();
      if (key == "stores") {
        if (!group && !value.is_null()) refuse_setting(key, as_.source, "it must be a JSON object of stores");
        if (group) stores(*group);
      } else if (key.starts_with("stores.")) {
        if (group)
          store(key.substr(7), value);
        else
          add(key, value);
      } else if (group && !find_settings_key(key)) {
        if (!is_settings_group(key)) unknown_setting(first_of(key, *group), as_.source);
        for (const auto& [inner, item] : group->items) add(key + "." + inner.as<std::string>(), item);
      } else {
        add(key, value);
      }
    }
  }

 private:
  // The whole key tells more about what was meant than its first part.
  static std::string first_of(const std::string& key, const Map& group) {
    return group.items.empty() ? key : key + "." + group.items.front().first.as<std::string>();
  }

  void stores(const Map& map) {
    for (const auto& [name, entry] : map.items) {
      if (name == Value("default") || name == Value("filepath_default"))
        add("stores." + name.as<std::string>(), entry);
      else
        store(name.as<std::string>(), entry);
    }
  }

  void store(const std::string& name, const Value& entry) {
    const std::string key = "stores." + name;
    const Map* map = entry.get_if<Map>();
    if (!map) refuse_setting(key, as_.source, "a store is a JSON object, {\"protocol\": …}");
    if (map->items.empty()) refuse_setting(key, as_.source, "a store needs a protocol");
    for (const auto& [attribute, value] : map->items) {
      if (attribute.as<std::string>().find('.') != std::string::npos)
        refuse_setting(key + "." + attribute.as<std::string>(), as_.source, "there is no such setting of a store");
      add(key + "." + attribute.as<std::string>(), value);
    }
  }

  void add(const std::string& key, const Value& value) {
    Given given = as_;
    given.value = value;
    if (!all_.emplace(key, std::move(given)).second)
      refuse_setting(key, as_.source, "it stands there twice, nested and with dots. leave one of them");
  }

  const Given& as_;
  All all_;
};

void gather_environment(All& all, const SettingsAccess::Environment& environment, const fs::path& base) {
  for (const SettingsKey& known : settings_keys()) {
    if (known.variable.empty()) continue;
    const std::string variable(known.variable);
    const auto text = environment(variable);
    if (!text || text->empty()) continue;
    Given given{{}, "environment " + variable, base, false};
    try {
      given.value = settings_value(known, std::string_view(*text));
    } catch (const Error& e) {
      refuse_setting(known.key, given.source, e.what());
    }
    all.emplace(known.key, std::move(given));
  }
}

bool flag(const SettingsAccess::Environment& environment, const std::string& variable) {
  const std::string text = environment(variable).value_or("");
  if (text.empty()) return false;
  const auto b = truth(text);
  if (!b)
    throw Error(Errc::usage, fmt::format("read the environment {}: it must be true or false", variable), variable);
  return *b;
}

fs::path find_file(fs::path folder) {
  for (;; folder = folder.parent_path()) {
    if (is(fs::file_type::regular, folder / file_name)) return folder / file_name;
    if (is_there(folder / ".git") || is_there(folder / ".hg") || folder == folder.parent_path()) return {};
  }
}

void gather_secrets(All& all, const fs::path& folder, const fs::path& base) {
  std::error_code failure;
  fs::directory_iterator entries(folder, failure);
  std::map<std::string, fs::path> files;  // in an order that does not depend on the file system
  for (; !failure && entries != fs::directory_iterator(); entries.increment(failure))
    files.emplace(entries->path().filename().string(), entries->path());
  if (failure) cannot("read the secrets in", folder, failure.message() + ". look at its permissions");
  for (const auto& [key, file] : files) {
    const bool of_store = key.starts_with("stores.") && std::ranges::count(key, '.') == 2;
    if (key != "database.user" && key != "database.password" && !of_store) continue;
    if (!is(fs::file_type::regular, file)) continue;
    std::string text = read_file(file, max_secret);
    const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    while (!text.empty() && blank(text.back())) text.pop_back();
    text.erase(text.begin(), std::ranges::find_if_not(text, blank));
    const std::string source = shown(file.string(), std::string::npos);
    if (!valid_utf8(text) || text.find('\0') != text.npos)
      refuse_setting(key, source, "it must be a text in UTF-8, without NUL");
    Given given{std::move(text), source, base, true};
    const auto [at, fresh] = all.emplace(key, given);
    // Null is what DataJoint for Python itself has for a user and a password that nobody gave.
    if (!fresh && !of_store && at->second.value.is_null()) at->second = std::move(given);
  }
}

}  // namespace

[[noreturn]] void refuse_setting(std::string_view key, std::string_view source, std::string_view why) {
  throw Error(Errc::usage, fmt::format("read the setting {} from {}: {}", shown(key), source, why), shown(key));
}

[[noreturn]] void unknown_setting(std::string_view key, std::string_view source) {
  std::vector<std::string_view> known{"stores"};
  for (const SettingsKey& k : settings_keys()) known.push_back(k.key);
  const std::string nearest = nearest_name(key, known);
  refuse_setting(key, source,
                 nearest.empty() ? "there is no such setting. docs/howto/settings.md lists all"
                                 : fmt::format("there is no such setting. did you mean {}?", nearest));
}

std::string setting_text(const Value& value) {
  if (const auto* text = value.get_if<std::string>()) return *text;
  return to_json(value);
}

std::string path_from(const fs::path& base, const std::string& path) {
  return base.empty() || path.empty() ? path : (base / path).lexically_normal().string();
}

All SettingsAccess::gather(const Map& settings, const Given& as) {
  Gathering gathering(as);
  gathering.settings(settings);
  return gathering.take();
}

Settings Settings::load(const fs::path& folder) {
  return SettingsAccess::load(folder, [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (!value) return std::nullopt;
    return value;
  });
}

Settings SettingsAccess::load(const fs::path& folder, const Environment& environment, const fs::path& system_secrets) {
  std::error_code failure;
  const fs::path here = fs::canonical(folder, failure);
  if (failure) cannot("look for settings in", folder, failure.message(), Errc::usage);
  if (!is(fs::file_type::directory, here)) cannot("look for settings in", here, "it is no folder", Errc::usage);

  AllGiven merged;
  gather_environment(merged, environment, here);
  const auto stores = environment("DJ_STORES");
  const bool stores_from_environment = stores && !stores->empty();
  if (stores_from_environment) {
    const Given as{{}, "environment DJ_STORES", here, false};
    merged.merge(gather(map({{"stores", read_object(*stores, as.source)}}), as));
  }

  const bool alone = flag(environment, "DJ_IGNORE_CONFIG_FILE");
  const fs::path file = alone ? fs::path() : find_file(here);
  const fs::path base = file.empty() ? here : file.parent_path();
  if (!file.empty()) {
    const std::string source = shown(file.string(), std::string::npos);
    const Given as{{}, source, base, false};
    for (auto& [key, one] : gather(read_object(read_file(file, max_file), source), as)) {
      // The variable replaces the stores of the file as a whole: half of one and half of the other would be neither.
      if (stores_from_environment && key.starts_with("stores.")) continue;
      merged.emplace(key, std::move(one));
    }
  }
  if (!alone) {
    const fs::path beside = base / ".secrets";
    if (!file.empty() && is(fs::file_type::directory, beside))
      gather_secrets(merged, beside, base);
    else if (is(fs::file_type::directory, system_secrets))
      gather_secrets(merged, system_secrets, base);
  }
  return make(std::move(merged), base, file);
}

std::vector<std::pair<std::string, std::string>> Settings::unread(std::span<const std::string> variables) {
  // The last two are DataJoint for Python's own.
  std::vector<std::string_view> known{"DJ_STORES", "DJ_IGNORE_CONFIG_FILE", "DJ_THREAD_SAFE", "DJ_LOG_STREAM"};
  for (const SettingsKey& key : settings_keys())
    if (!key.variable.empty()) known.push_back(key.variable);
  std::vector<std::pair<std::string, std::string>> found;
  for (const std::string& variable : variables) {
    if (!variable.starts_with("DJ_") || std::ranges::find(known, variable) != known.end()) continue;
    const std::string nearest = nearest_name(variable, known);
    found.emplace_back(shown(variable), fmt::format("nobody reads this variable.{}",
                                                    nearest.empty() ? "" : fmt::format(" did you mean {}?", nearest)));
  }
  return found;
}

Settings Settings::parse(std::string_view json, const std::string_view name) {
  const SettingsAccess::Given as{{}, std::string(name), {}, false};
  return {SettingsAccess::gather(read_object(json, as.source), as), {}, {}};
}

}  // namespace oas
