// Any bytes as settings: a datajoint.json, or variables of the environment (NAME=VALUE, NUL between them). Settings
// that can be asked for all they hold, or a typed error; and never the password, which is always the same.
#include <cstring>
#include <filesystem>
#include <map>

#include "config/load.hpp"
#include "core/text.hpp"
#include "fuzz/memory_bound.hpp"
#include "fuzz/target.hpp"

namespace {

using namespace oas;

constexpr std::string_view password = "hush-hush-hush";
constexpr std::size_t slack = 1 << 20;  // of defaults and messages

void check(const Error& error) {
  const std::string_view what = error.what();
  if (!valid_utf8(what) || what.find(password) != what.npos || what.size() > 20'000) std::abort();
}

void check(const Settings& settings) {
  for (const Settings::Origin& origin : settings.origins()) {
    if (origin.value.find(password) != origin.value.npos) std::abort();
    if (!valid_utf8(origin.key) || !valid_utf8(origin.value)) std::abort();
  }
  for (const auto& [name, store] : settings.stores()) {
    if (store.name != name || store.protocol.empty()) std::abort();
    if (store.token_length < 4 || store.token_length > 16) std::abort();
    if (settings.get("stores." + name + ".protocol") != Value(store.protocol)) std::abort();
  }
  if (!settings.default_store().empty() && !settings.stores().contains(settings.default_store())) std::abort();
}

void as_file(std::string_view text) {
  try {
    check(Settings::parse(text));
  } catch (const Error& error) {
    check(error);
  }
}

void as_environment(std::string_view text) {
  std::map<std::string, std::string> variables{{"DJ_PASS", std::string(password)}};
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    variables.emplace(one.substr(0, equals), one.substr(std::min(equals + 1, one.size())));
  }
  // The root of the file system: no file is found there, so what counts are the variables.
  try {
    check(SettingsAccess::load(
        "/",
        [&](const std::string& name) -> std::optional<std::string> {
          const auto found = variables.find(name);
          if (found == variables.end()) return std::nullopt;
          return found->second;
        },
        "/nonexistent"));
  } catch (const Error& error) {
    check(error);
  }
}

void run(BytesView input) {
  const fuzz::MemoryBound bound(slack + settings_factor * input.size());
  const std::string_view text = as_text(input);
  if (text.find(password) != text.npos) return;  // the fuzzer learns it from the comparisons here
  // What begins as JSON does is a file.
  if (text.starts_with("DJ_"))
    as_environment(text);
  else
    as_file(text);
}

}  // namespace

OAS_FUZZ_TARGET(run)
