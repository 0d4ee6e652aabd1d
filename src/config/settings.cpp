// What the gathered keys mean together: backend, port, stores, and which of them are the default ones.
#include <fmt/format.h>

#include <algorithm>

#include "config/keys.hpp"
#include "config/load.hpp"
#include "core/json.hpp"
#include "core/nearest.hpp"
#include "core/text.hpp"
#include "store/registry.hpp"

namespace oas {
namespace {

namespace fs = std::filesystem;

/// "host:port" and "[::1]:port"; a bare IPv6 address has no port.
std::optional<int> split_port(std::string& host, const std::string& source) {
  const std::size_t colon = host.rfind(':');
  if (colon == host.npos || colon == 0) return std::nullopt;
  if (host.find(':') != colon && host[colon - 1] != ']') return std::nullopt;
  const auto n = whole_number(std::string_view(host).substr(colon + 1));
  if (!n || *n < 1 || *n > 65535) refuse_setting("database.host", source, "what follows the ':' is no port");
  host.resize(colon);
  return static_cast<int>(*n);
}

// What holds of an attribute that nobody gave.
Value store_default(const StoreConfig& store, std::string_view attribute) {
  if (attribute == "hash_prefix") return "_hash";
  if (attribute == "schema_prefix") return "_schema";
  if (attribute == "token_length") return store.token_length;
  if (attribute == "secure" && store.protocol == "s3") return true;
  return {};
}

}  // namespace

Settings::Settings() : Settings(AllGiven{}, {}, {}) {}

Settings::Settings(AllGiven given, fs::path base, fs::path file)
    : given_(std::move(given)), base_(std::move(base)), file_(std::move(file)) {
  for (auto& [key, one] : given_) {
    if (is_store_key(key)) continue;
    const bool names_store = key.starts_with("stores.");
    if (names_store && !one.value.is<std::string>() && !one.value.is_null())
      refuse_setting(key, one.source, "it must be the name of a store");
    if (names_store) continue;
    const SettingsKey* known = find_settings_key(key);
    if (!known) unknown_setting(key, one.source);
    try {
      one.value = settings_value(*known, one.value);
    } catch (const Error& e) {
      refuse_setting(key, one.source, e.what());
    }
  }
  set_database();
  set_stores();
}

const Settings::Given* Settings::said(std::string_view key) const {
  const auto found = given_.find(key);
  return found == given_.end() || found->second.value.is_null() ? nullptr : &found->second;
}

std::string Settings::text(std::string_view key, std::string_view fallback) const {
  const Given* given = said(key);
  return given ? given->value.as<std::string>() : std::string(fallback);
}

/// What database.use_tls asks for: a yes or no, or files as PyMySQL takes them.
void Settings::set_tls() {
  using Tls = db::Config::Tls;
  const Given* given = said("database.use_tls");
  if (!given) return;
  if (const auto* yes = given->value.get_if<bool>()) {
    database_.tls = *yes ? Tls::required : Tls::off;
    return;
  }
  const auto refuse = [&](std::string_view why) { refuse_setting("database.use_tls", given->source, why); };
  bool verify = true, check_host = true, wants_ca = false;
  for (const auto& [name, value] : given->value.get_if<Map>()->items) {
    const auto key = name.as<std::string>();
    const auto* text = value.get_if<std::string>();
    const auto* flag = value.get_if<bool>();
    std::string* file = key == "ca"     ? &database_.tls_ca
                        : key == "cert" ? &database_.tls_certificate
                        : key == "key"  ? &database_.tls_key
                                        : nullptr;
    if (value.is_null()) continue;
    if (flag ? *flag : text && *text == "required") wants_ca = true;
    if (file && text)
      *file = path_from(given->base, *text);
    else if (key == "check_hostname" && flag)
      check_host = *flag;
    else if (key == "verify_mode" && (flag || (text && (*text == "required" || *text == "none"))))
      verify = flag ? *flag : *text == "required";
    else if (file)
      refuse(key + " must be the path of a file");
    else
      refuse(
          "it takes ca, cert and key (files), check_hostname (true, false) and verify_mode (\"required\", \"none\")");
  }
  if (database_.tls_certificate.empty() != database_.tls_key.empty()) refuse("cert and key belong together");
  if (wants_ca && database_.tls_ca.empty()) refuse("to verify the server, it needs ca: the file of who signs for it");
  if (database_.tls_ca.empty() || !verify)
    database_.tls = Tls::required;
  else
    database_.tls = check_host ? Tls::verified_host : Tls::verified;
}

void Settings::set_database() {
  const bool server =
      said("database.host") || said("database.user") || said("database.password") || said("database.port");
  embedded_ = !server && !said("database.backend") && !said("database.name");
  database_.backend = text("database.backend", server ? "mysql" : "sqlite");
  const auto seconds = [&](std::string_view key) { return std::chrono::seconds(get(key).as<std::int64_t>()); };
  database_.patience = seconds("database.lock_timeout");
  if (database_.backend == "sqlite") {
    const Given* name = said("database.name");
    const std::string path = text("database.name", "oas.db");
    database_.name = path.starts_with(':') ? path : path_from(name ? name->base : base_, path);
    return;
  }
  const bool mysql = database_.backend == "mysql";
  database_.name = text("database.name", mysql ? "" : "postgres");
  database_.host = text("database.host", "localhost");
  database_.user = text("database.user", "");
  database_.password = text("database.password", "");
  database_.connect_timeout = seconds("database.connect_timeout");
  database_.statement_timeout = seconds("database.statement_timeout");
  database_.reconnect = get("database.reconnect").as<bool>();
  set_tls();
  const Given* port = said("database.port");
  database_.port = port ? port->value.as<int>() : mysql ? 3306 : 5432;
  // The port that stands with the host belongs to it.
  if (const Given* host = said("database.host"))
    database_.port = split_port(database_.host, host->source).value_or(database_.port);
}

void Settings::set_stores() {
  stores_ = SettingsAccess::stores(given_);
  default_store_ = text("stores.default", "");
  default_filepath_store_ = text("stores.filepath_default", "");
  if (stores_.empty() && database_.backend == "sqlite" && default_store_.empty()) {
    StoreConfig local;
    local.name = default_store_ = "local";
    local.protocol = "file";
    local.options["location"] = path_from(base_, "oas-store");
    stores_.emplace(local.name, std::move(local));
  }
  for (const auto& [key, name] :
       {std::pair<std::string, std::string_view>{"stores.default", default_store_},
        std::pair<std::string, std::string_view>{"stores.filepath_default", default_filepath_store_}}) {
    if (name.empty() || stores_.contains(name)) continue;
    std::vector<std::string_view> known;
    for (const auto& [other, store] : stores_) known.push_back(other);
    refuse_setting(key, said(key)->source,
                   fmt::format("there is no store '{}'. {}", shown(name), suggest_name(name, known)));
  }
}

const std::string& Settings::default_filepath_store() const noexcept {
  return default_filepath_store_.empty() ? default_store_ : default_filepath_store_;
}

void Settings::set(std::string_view key, const Value& value) {
  AllGiven merged = given_;
  const Map one = oas::map({{key, value}});
  AllGiven fresh = SettingsAccess::gather(one, {{}, "program", {}, false});
  // A store that is given as a whole replaces what was known of it; so do all stores together.
  if (value.is<Map>() && key.starts_with("stores"))
    std::erase_if(merged, [&](const auto& item) { return item.first.starts_with(std::string(key) + "."); });
  for (auto& [name, given] : fresh) merged[name] = std::move(given);
  *this = Settings(std::move(merged), base_, file_);
}

Value Settings::get(std::string_view key) const {
  if (is_store_key(key)) {
    const auto [name, attribute] = split_store_key(key);
    const auto store = stores_.find(name);
    if (store == stores_.end() || attribute.empty()) {
      std::vector<std::string_view> known;
      for (const auto& [other, config] : stores_) known.push_back(other);
      refuse_setting(key, "program", fmt::format("there is no store '{}'. {}", shown(name), suggest_name(name, known)));
    }
    if (attribute == "protocol") return store->second.protocol;
    if (const auto at = store->second.options.find("location");
        attribute == "location" && at != store->second.options.end())
      return at->second;
    const auto found = given_.find(key);
    return found != given_.end() ? found->second.value : store_default(store->second, attribute);
  }
  const auto unless_empty = [](const std::string& text) { return text.empty() ? Value() : Value(text); };
  if (key == "stores.default") return unless_empty(default_store_);
  if (key == "stores.filepath_default") return unless_empty(default_filepath_store_);
  if (key == "database.backend") return database_.backend;
  if (key == "database.name") return unless_empty(database_.name);
  if (key == "database.host") return unless_empty(database_.host);
  if (key == "database.port") return database_.port == 0 ? Value() : Value(database_.port);
  const SettingsKey* known = find_settings_key(key);
  if (!known) unknown_setting(key, "program");
  if (const Given* given = said(key)) return given->value;
  return known->fallback.empty() ? Value() : from_json(known->fallback);
}

std::vector<Settings::Origin> Settings::origins() const {
  std::map<std::string, Origin, std::less<>> found;
  const auto by_default = [&](const std::string& key) {
    if (const Value value = get(key); !value.is_null()) found[key] = {key, setting_text(value), "default"};
  };
  for (const char* key : {"database.backend", "database.name", "database.host", "database.port", "stores.default"})
    by_default(key);
  for (const auto& [name, store] : stores_)
    for (const char* attribute : {"protocol", "location", "hash_prefix", "schema_prefix", "token_length", "secure"})
      by_default("stores." + name + "." + attribute);
  for (const auto& [key, one] : given_) {
    if (one.value.is_null() && found.contains(key)) continue;  // so the default holds
    const std::string value = setting_text(one.value);
    const bool secret =
        one.secret || is_secret_name(key.substr(key.rfind('.') + 1)) || is_declared_secret(key) || has_password(value);
    found[key] = {key, secret ? "(secret)" : value, one.source};
  }
  std::vector<Origin> out;
  for (auto& [key, origin] : found) {
    for (std::string* text : {&origin.key, &origin.value, &origin.source})
      if (!valid_utf8(*text)) *text = shown(*text, std::string::npos);
    out.push_back(std::move(origin));
  }
  return out;
}

bool Settings::is_declared_secret(std::string_view key) const {
  if (!is_store_key(key)) return false;
  const auto [name, attribute] = split_store_key(key);
  const auto store = stores_.find(name);
  const StoreDriver* driver = store == stores_.end() ? nullptr : store::find_protocol(store->second.protocol);
  return driver && std::ranges::find(driver->secret, std::string_view(attribute)) != driver->secret.end();
}

}  // namespace oas
