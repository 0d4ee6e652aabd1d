// 1. All sources are gathered key by key, the strongest first: what is there already stays.
// 2. The gathered keys are applied to the defaults, each with its type checked.
// 3. What depends on several keys is settled: backend, port, default stores, prefixes.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>

#include "config/keys.hpp"
#include "config/load.hpp"
#include "core/json.hpp"
#include "core/nearest.hpp"

namespace oas {
namespace {

namespace fs = std::filesystem;
using Given = SettingsAccess::Given;
using All = SettingsAccess::AllGiven;

constexpr std::size_t max_file = std::size_t{16} << 20;
const std::string file_name = "datajoint.json";

[[noreturn]] void refuse(const std::string& key, const std::string& source, std::string_view why) {
  throw Error(Errc::usage, fmt::format("read the setting {} from {}: {}", key, source, why), key);
}
[[noreturn]] void wrong_type(const std::string& key, const Given& given, std::string_view wanted) {
  // The value itself may be a secret in the wrong place.
  refuse(key, given.source, fmt::format("it must be {}", wanted));
}

[[noreturn]] void unknown_key(const std::string& key, const std::string& source) {
  std::vector<std::string_view> known{"stores"};
  for (const SettingsKey& k : settings_keys()) known.push_back(k.key);
  const std::string nearest = nearest_name(key, known);
  refuse(key, source,
         nearest.empty() ? "there is no such setting. docs/howto/settings.md lists all"
                         : fmt::format("there is no such setting. did you mean {}?", nearest));
}

std::string stripped(std::string_view text, std::string_view what = " \t\r\n") {
  const std::size_t first = text.find_first_not_of(what);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(what) - first + 1));
}
std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}
std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}
std::optional<bool> boolean(const std::string& text) {
  const std::string word = lower(text);
  if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "0" || word == "no" || word == "off") return false;
  return std::nullopt;
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(max_file + 1, '\0');
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) {
    throw Error(Errc::access, fmt::format("read {}: it cannot be opened. look at its permissions", file.string()),
                file.string());
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > max_file)
    throw Error(Errc::usage, fmt::format("read {}: it is larger than 16 MiB", file.string()), file.string());
  return text;
}

Map read_object(std::string_view json, const std::string& source) {
  Value value;
  try {
    value = from_json(json, source);
  } catch (const Error& error) {
    if (error.code() != Errc::syntax) throw;
    const std::string_view native = error.native();  // "byte 17"
    const auto offset = integer(native.substr(std::min(native.size(), native.find(' ') + 1)));
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

bool is_store_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}
bool is_secret(std::string_view attribute) {
  return attribute.ends_with("_key") || attribute.ends_with("password") || attribute == "token" ||
         attribute == "connection_string";
}

/// Adds what is below `key` of a file, unless it is there already.
void gather(All& all, const std::string& key, const Value& value, const Given& as) {
  const Map* map = value.get_if<Map>();
  const bool whole =
      find_settings_key(key) != nullptr || (key.starts_with("stores.") && std::ranges::count(key, '.') >= 2);
  if (!map || whole) {
    Given given = as;
    given.value = value;
    all.emplace(key, std::move(given));
    return;
  }
  for (const auto& [name, item] : map->items)
    gather(all, key.empty() ? name.as<std::string>() : key + "." + name.as<std::string>(), item, as);
  if (map->items.empty() && key.starts_with("stores.")) refuse(key, as.source, "a store needs a protocol");
}

void gather_environment(All& all, const SettingsAccess::Environment& environment, const fs::path& base) {
  for (const SettingsKey& known : settings_keys()) {
    if (known.variable.empty()) continue;
    const std::string variable(known.variable);
    const auto text = environment(variable);
    if (!text || text->empty()) continue;
    Given given{*text, "environment " + variable, base, false};
    const std::string key(known.key);
    if (known.type == SettingsKey::Type::integer) {
      const auto n = integer(*text);
      if (!n) wrong_type(key, given, "a whole number");
      given.value = *n;
    } else if (known.type == SettingsKey::Type::boolean) {
      const auto b = boolean(*text);
      if (!b) wrong_type(key, given, "true or false");
      given.value = *b;
    } else if (known.type == SettingsKey::Type::object) {
      const auto b = boolean(*text);
      if (b)
        given.value = *b;
      else
        given.value = read_object(*text, given.source);
    }
    all.emplace(key, std::move(given));
  }
}

fs::path find_file(fs::path folder) {
  for (folder = fs::absolute(folder).lexically_normal();; folder = folder.parent_path()) {
    if (fs::is_regular_file(folder / file_name)) return folder / file_name;
    if (fs::exists(folder / ".git") || fs::exists(folder / ".hg") || folder == folder.parent_path()) return {};
  }
}

void gather_secrets(All& all, const fs::path& folder, const fs::path& base) {
  std::error_code failure;
  fs::directory_iterator entries(folder, failure);
  if (failure) {
    throw Error(Errc::access,
                fmt::format("read the secrets in {}: {}. look at its permissions", folder.string(), failure.message()),
                folder.string());
  }
  for (const fs::directory_entry& entry : entries) {
    const fs::path& file = entry.path();
    const std::string key = file.filename().string();
    const bool of_store = key.starts_with("stores.") && std::ranges::count(key, '.') == 2;
    if (key != "database.user" && key != "database.password" && !of_store) continue;
    all.emplace(key, Given{stripped(read_file(file)), file.string(), base, true});
  }
}

std::string text_of(const Value& value) {
  if (const auto* text = value.get_if<std::string>()) return *text;
  return to_json(value);
}

void check_prefixes(const StoreConfig& store) {
  const std::pair<std::string_view, std::optional<std::string>> prefixes[] = {
      {"hash_prefix", store.hash_prefix.value_or("_hash")},
      {"schema_prefix", store.schema_prefix.value_or("_schema")},
      {"filepath_prefix", store.filepath_prefix}};
  for (const auto& [a, left] : prefixes) {
    for (const auto& [b, right] : prefixes) {
      if (a == b || !left || !right) continue;
      const std::string outer = stripped(*left, "/"), inner = stripped(*right, "/");
      if (outer.empty() || inner.empty() || !(inner + "/").starts_with(outer + "/")) continue;
      throw Error(Errc::usage,
                  fmt::format("read the store {}: {} '{}' lies in {} '{}', so their objects would mix. give them "
                              "separate folders",
                              store.name, b, inner, a, outer),
                  "stores." + store.name);
    }
  }
}

void apply_store(std::map<std::string, StoreConfig, std::less<>>& stores, const std::string& key, const Given& given) {
  const std::string rest = key.substr(7);
  const std::size_t dot = rest.find('.');
  const std::string name = rest.substr(0, dot), attribute = dot == rest.npos ? "" : rest.substr(dot + 1);
  if (!is_store_name(name) || attribute.empty() || attribute.find('.') != attribute.npos) {
    refuse(key, given.source,
           "settings of a store are stores.NAME.ATTRIBUTE, and names have letters, digits, _ and - only");
  }
  StoreConfig& store = stores[name];
  store.name = name;
  const Value& value = given.value;
  const auto text = [&]() -> std::string {
    const auto* t = value.get_if<std::string>();
    if (!t) wrong_type(key, given, "a text");
    return *t;
  };
  const auto maybe_text = [&]() -> std::optional<std::string> {
    if (value.is_null()) return std::nullopt;
    return text();
  };
  if (attribute == "protocol") {
    store.protocol = lower(text());
  } else if (attribute == "hash_prefix") {
    store.hash_prefix = maybe_text().value_or("");
  } else if (attribute == "schema_prefix") {
    store.schema_prefix = maybe_text().value_or("");
  } else if (attribute == "filepath_prefix") {
    store.filepath_prefix = maybe_text();
  } else if (attribute == "partition_pattern") {
    store.partition_pattern = maybe_text();
  } else if (attribute == "token_length") {
    const auto* n = value.get_if<std::int64_t>();
    const auto* t = value.get_if<std::string>();  // from a secrets file
    const auto length = n ? std::optional(*n) : t ? integer(*t) : std::nullopt;
    if (!length) wrong_type(key, given, "a whole number");
    store.token_length = static_cast<int>(std::clamp<std::int64_t>(*length, 4, 16));
  } else if (attribute == "subfolding") {
    store.subfolding.clear();
    if (value.is_null()) return;
    const Seq* list = value.get_if<Seq>();
    if (!list) wrong_type(key, given, "a list of whole numbers, or null");
    for (const Value& item : list->items) {
      const auto* n = item.get_if<std::int64_t>();
      if (!n || *n < 1 || *n > 26) wrong_type(key, given, "a list of whole numbers from 1 to 26");
      store.subfolding.push_back(static_cast<int>(*n));
    }
  } else if (attribute == "stage") {
    // DataJoint for Python names it and does not use it.
  } else if (!value.is_null()) {
    store.options[attribute] = text_of(value);
  }
}

void check_type(const SettingsKey& known, const Given& given) {
  const Value& value = given.value;
  const std::string key(known.key);
  if (value.is_null()) return;
  if (known.type == SettingsKey::Type::text && !value.is<std::string>()) wrong_type(key, given, "a text");
  if (known.type == SettingsKey::Type::integer && !value.is<std::int64_t>()) wrong_type(key, given, "a whole number");
  if (known.type == SettingsKey::Type::boolean && !value.is<bool>()) wrong_type(key, given, "true or false");
}

std::string path_text(const fs::path& base, const std::string& path) {
  return base.empty() ? path : (base / path).lexically_normal().string();
}

/// "host:port" and "[::1]:port"; a bare IPv6 address has no port.
void split_port(std::string& host, int& port, const std::string& source) {
  const std::size_t colon = host.rfind(':');
  if (colon == host.npos || (host.find(':') != colon && host[colon - 1] != ']')) return;
  const auto n = integer(std::string_view(host).substr(colon + 1));
  if (!n || *n < 1 || *n > 65535) refuse("database.host", source, "what follows the ':' is no port");
  host.resize(colon);
  if (port == 0) port = static_cast<int>(*n);
}

}  // namespace

Settings::Settings() : Settings(AllGiven{}, {}, {}) {}

Settings::Settings(AllGiven given, fs::path base, fs::path file)
    : given_(std::move(given)), base_(std::move(base)), file_(std::move(file)) {
  const auto said = [&](std::string_view key) -> const Given* {
    const auto found = given_.find(key);
    return found == given_.end() || found->second.value.is_null() ? nullptr : &found->second;
  };
  const auto text = [&](std::string_view key) {
    return said(key) ? said(key)->value.as<std::string>() : std::string();
  };

  for (const auto& [key, one] : given_) {
    if (key == "stores.default" || key == "stores.filepath_default") {
      if (!one.value.is<std::string>() && !one.value.is_null()) wrong_type(key, one, "the name of a store");
    } else if (key.starts_with("stores.")) {
      apply_store(stores_, key, one);
    } else if (const SettingsKey* known = find_settings_key(key)) {
      check_type(*known, one);
    } else {
      unknown_key(key, one.source);
    }
  }

  const bool server =
      said("database.host") || said("database.user") || said("database.password") || said("database.port");
  embedded_ = !server && !said("database.backend") && !said("database.name");
  database_.backend = said("database.backend") ? lower(text("database.backend")) : server ? "mysql" : "sqlite";
  if (database_.backend == "sqlite") {
    const Given* name = said("database.name");
    const std::string path = name ? text("database.name") : "oas.db";
    database_.name = path.starts_with(':') ? path : path_text(name ? name->base : base_, path);
  } else if (database_.backend == "mysql" || database_.backend == "postgresql") {
    database_.name = text("database.name");
    database_.host = said("database.host") ? text("database.host") : "localhost";
    database_.user = text("database.user");
    database_.password = text("database.password");
    if (const Given* port = said("database.port")) {
      const auto n = port->value.as<std::int64_t>();
      if (n < 1 || n > 65535) wrong_type("database.port", *port, "from 1 to 65535");
      database_.port = static_cast<int>(n);
    }
    split_port(database_.host, database_.port, said("database.host") ? said("database.host")->source : "default");
    if (database_.port == 0) database_.port = database_.backend == "mysql" ? 3306 : 5432;
  } else {
    refuse("database.backend", said("database.backend")->source, "it must be sqlite, postgresql or mysql");
  }

  default_store_ = text("stores.default");
  default_filepath_store_ = text("stores.filepath_default");
  if (stores_.empty() && database_.backend == "sqlite" && default_store_.empty()) {
    StoreConfig local;
    local.name = default_store_ = "local";
    local.protocol = "file";
    local.options["location"] = path_text(base_, "oas-store");
    stores_.emplace(local.name, std::move(local));
  }
  for (auto& [name, store] : stores_) {
    if (store.protocol.empty())
      refuse("stores." + name, "all sources", "a store needs a protocol: file, s3, … as in docs/howto/settings.md");
    const auto location = store.options.find("location");
    // Relative to where it was said, not to where the program happens to run.
    if (const Given* at = said("stores." + name + ".location");
        at && store.protocol == "file" && location != store.options.end() && !location->second.empty())
      location->second = path_text(at->base, location->second);
    check_prefixes(store);
  }
  for (const auto& [key, name] :
       {std::pair<std::string, std::string>{"stores.default", default_store_},
        std::pair<std::string, std::string>{"stores.filepath_default", default_filepath_store_}}) {
    if (name.empty() || stores_.contains(name)) continue;
    std::vector<std::string_view> known;
    for (const auto& [other, store] : stores_) known.push_back(other);
    refuse(key, said(key)->source, fmt::format("there is no store '{}'. {}", name, suggest_name(name, known)));
  }
}

const std::string& Settings::default_filepath_store() const noexcept {
  return default_filepath_store_.empty() ? default_store_ : default_filepath_store_;
}

Settings Settings::load(const fs::path& folder) {
  return SettingsAccess::load(folder, [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (!value) return std::nullopt;
    return value;
  });
}

Settings SettingsAccess::load(const fs::path& folder, const Environment& environment, const fs::path& system_secrets) {
  const fs::path here = fs::absolute(folder).lexically_normal();
  AllGiven merged;
  gather_environment(merged, environment, here);
  const auto stores = environment("DJ_STORES");
  const bool stores_from_environment = stores && !stores->empty();
  if (stores_from_environment)
    gather(merged, "stores", read_object(*stores, "environment DJ_STORES"), {{}, "environment DJ_STORES", here, false});

  const bool alone = boolean(environment("DJ_IGNORE_CONFIG_FILE").value_or("")).value_or(false);
  const fs::path file = alone ? fs::path() : find_file(here);
  const fs::path base = file.empty() ? here : file.parent_path();
  if (!file.empty()) {
    AllGiven said;
    gather(said, "", read_object(read_file(file), file.string()), {{}, file.string(), base, false});
    for (auto& [key, one] : said) {
      // The variable replaces the stores of the file as a whole: half of one and half of the other would be neither.
      if (stores_from_environment && key.starts_with("stores.")) continue;
      merged.emplace(key, std::move(one));
    }
  }
  if (!alone) {
    const fs::path beside = base / ".secrets";
    if (!file.empty() && fs::is_directory(beside))
      gather_secrets(merged, beside, base);
    else if (fs::is_directory(system_secrets))
      gather_secrets(merged, system_secrets, base);
  }
  return make(std::move(merged), base, file);
}

Settings Settings::parse(std::string_view json, const std::string_view name) {
  AllGiven merged;
  gather(merged, "", read_object(json, std::string(name)), {{}, std::string(name), {}, false});
  return {std::move(merged), {}, {}};
}

void Settings::set(std::string_view key, const Value& value) {
  AllGiven merged = given_;
  AllGiven fresh;
  gather(fresh, std::string(key), value, {{}, "program", {}, false});
  for (auto& [name, one] : fresh) merged[name] = std::move(one);
  *this = Settings(std::move(merged), base_, file_);
}

Value Settings::get(std::string_view key) const {
  if (key == "database.backend") return database_.backend;
  if (key == "database.name" && !database_.name.empty()) return database_.name;
  if (key == "database.host" && !database_.host.empty()) return database_.host;
  if (key == "database.port" && database_.port != 0) return database_.port;
  if (key == "stores.default" && !default_store_.empty()) return default_store_;
  if (key.starts_with("stores.") && key.ends_with(".location")) {
    const auto store = stores_.find(key.substr(7, key.size() - 16));
    if (store != stores_.end() && store->second.options.contains("location"))
      return store->second.options.find("location")->second;
  }
  if (const auto found = given_.find(key); found != given_.end()) return found->second.value;
  if (!find_settings_key(key) && !key.starts_with("stores.")) unknown_key(std::string(key), "program");
  return {};
}

std::vector<Settings::Origin> Settings::origins() const {
  std::map<std::string, Origin, std::less<>> found;
  std::vector<std::string> made_up{"database.backend", "database.name", "database.host", "database.port",
                                   "stores.default"};
  for (const auto& [name, store] : stores_) {
    if (given_.contains("stores." + name + ".protocol")) continue;
    found["stores." + name + ".protocol"] = {"stores." + name + ".protocol", store.protocol, "default"};
    made_up.push_back("stores." + name + ".location");
  }
  for (const std::string& key : made_up)
    if (const Value value = get(key); !value.is_null()) found[key] = {key, text_of(value), "default"};
  for (const auto& [key, one] : given_) {
    const std::string shown = text_of(one.value);
    // A proxy's address may hold a password.
    const bool secret =
        one.secret || is_secret(key) || (key.ends_with("proxy_server") && shown.find('@') != shown.npos);
    found[key] = {key, secret ? "(secret)" : shown, one.source};
  }
  std::vector<Origin> out;
  for (auto& [key, origin] : found) out.push_back(std::move(origin));
  return out;
}

}  // namespace oas
