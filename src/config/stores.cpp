// The entries of `stores`: from single settings to what a store is opened with.
#include <fmt/format.h>

#include <algorithm>

#include "config/keys.hpp"
#include "config/load.hpp"
#include "core/text.hpp"
#include "store/registry.hpp"

namespace oas {
namespace {

using Given = SettingsAccess::Given;
constexpr std::string_view section = "stores.";

// What `<blob@NAME>` takes: the type ends at '>', and its marker in a column's comment at ':'.
void check_name(const std::string& name, const std::string& key, const std::string& source) {
  constexpr std::size_t longest = 255;  // bytes
  const bool plain = std::ranges::none_of(name, [](char c) {
    return c == ':' || c == '<' || c == '>' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (name.empty() || name.size() > longest || !plain || !valid_utf8(name) || name.front() == ' ' || name.back() == ' ')
    refuse_setting(key, source,
                   "it names no store. settings of a store are stores.NAME.ATTRIBUTE, and a name has no ':', '<', "
                   "'>', no control characters, no blanks around it, and at most 255 bytes");
}

std::string text(const std::string& key, const Given& given) {
  const auto* text = given.value.get_if<std::string>();
  if (!text) refuse_setting(key, given.source, "it must be a text");
  if (text->find('\0') != std::string::npos) refuse_setting(key, given.source, "it must be a text without NUL");
  return *text;
}

std::optional<std::string> optional_text(const std::string& key, const Given& given) {
  if (given.value.is_null()) return std::nullopt;
  return text(key, given);
}

int token_length(const std::string& key, const Given& given) {
  const auto* number = given.value.get_if<std::int64_t>();
  const auto* digits = given.secret ? given.value.get_if<std::string>() : nullptr;  // a file has only texts
  const auto length = number ? std::optional(*number) : digits ? whole_number(*digits) : std::nullopt;
  if (!length) refuse_setting(key, given.source, "it must be a whole number");
  return static_cast<int>(std::clamp<std::int64_t>(*length, 4, 16));
}

std::vector<int> subfolding(const std::string& key, const Given& given) {
  constexpr std::int64_t whole_hash = 26;
  std::vector<int> folds;
  if (given.value.is_null()) return folds;
  const Seq* list = given.value.get_if<Seq>();
  if (!list) refuse_setting(key, given.source, "it must be a list of whole numbers, or null");
  for (const Value& item : list->items) {
    const auto* n = item.get_if<std::int64_t>();
    if (!n || *n < 1) refuse_setting(key, given.source, "it must be a list of whole numbers from 1 on");
    folds.push_back(static_cast<int>(std::min(*n, whole_hash)));
  }
  return folds;
}

void apply(StoreConfig& store, const std::string& attribute, const std::string& key, const Given& given) {
  if (attribute == "protocol") {
    store.protocol = text(key, given);
    for (char& c : store.protocol)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  } else if (attribute == "hash_prefix") {
    store.hash_prefix = optional_text(key, given).value_or("");
  } else if (attribute == "schema_prefix") {
    store.schema_prefix = optional_text(key, given).value_or("");
  } else if (attribute == "filepath_prefix") {
    store.filepath_prefix = optional_text(key, given);
  } else if (attribute == "partition_pattern") {
    store.partition_pattern = optional_text(key, given);
  } else if (attribute == "token_length") {
    store.token_length = token_length(key, given);
  } else if (attribute == "subfolding") {
    store.subfolding = subfolding(key, given);
  } else if (attribute == "stage") {
    // DataJoint for Python names it and does not use it.
  } else if (given.value.is<std::string>()) {
    store.options[attribute] = text(key, given);
  } else if (!given.value.is_null()) {
    if (given.value.is<Seq>() || given.value.is<Map>())
      refuse_setting(key, given.source, "it must be a text, a number, true or false");
    store.options[attribute] = setting_text(given.value);
  }
}

}  // namespace

bool is_store_key(std::string_view key) noexcept {
  return key.starts_with(section) && key != "stores.default" && key != "stores.filepath_default";
}

std::pair<std::string, std::string> split_store_key(std::string_view key) {
  key.remove_prefix(section.size());
  const std::size_t dot = key.rfind('.');
  if (dot == key.npos) return {std::string(key), {}};
  return {std::string(key.substr(0, dot)), std::string(key.substr(dot + 1))};
}

SettingsAccess::Stores SettingsAccess::stores(const AllGiven& given) {
  Stores stores;
  std::map<std::string, std::string> spoken_of;  // stores that more than secrets tell of, and where
  for (const auto& [key, one] : given) {
    if (!is_store_key(key)) continue;
    const auto [name, attribute] = split_store_key(key);
    check_name(name, key, one.source);
    if (attribute.empty()) refuse_setting(key, one.source, "a store is a JSON object, {\"protocol\": …}");
    StoreConfig& store = stores[name];
    store.name = name;
    if (!one.secret || attribute == "protocol") spoken_of[name] = one.source;
    apply(store, attribute, key, one);
  }
  // Secrets are shared by programs: those of a store that nothing else tells of are somebody else's.
  std::erase_if(stores, [&](const auto& entry) { return !spoken_of.contains(entry.first); });

  for (auto& [name, store] : stores) {
    const std::string key = std::string(section) + name;
    const std::string& source = spoken_of.at(name);
    if (store.protocol.empty())
      refuse_setting(key, source, "a store needs a protocol: file, s3, … as in docs/howto/settings.md");
    // Relative to where it was said, not to where the program happens to run.
    if (const auto at = store.options.find("location"); at != store.options.end() && store.protocol == "file")
      at->second = path_from(given.find(key + ".location")->second.base, at->second);
    if (const auto at = store.options.find("ca_file"); at != store.options.end() && store.protocol == "s3")
      at->second = path_from(given.find(key + ".ca_file")->second.base, at->second);
    try {
      if (const StoreDriver* driver = store::find_protocol(store.protocol))
        store::check_entry(store, *driver);
      else
        store::check_sections(store);  // the rest is for the driver that a program may have
    } catch (const Error& e) {
      throw Error(e.code(), fmt::format("read the store {} from {}: {}", name, source, e.what()), key);
    }
  }
  return stores;
}

}  // namespace oas
