// Settings: where the database and the stores are, from `datajoint.json` (found from the working directory upwards),
// the environment (DJ_*), and secrets files; the same that DataJoint for Python reads. docs/howto/settings.md.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <oas/db.hpp>
#include <oas/store.hpp>

namespace oas {

class Settings {
 public:
  /// Where one value came from, for `oas config show`. Secrets have no value here.
  struct Origin {
    std::string key;     ///< "database.host", "stores.raw.location"
    std::string value;   ///< as text; "(secret)" if it is one
    std::string source;  ///< "default", "environment DJ_HOST", "/data/datajoint.json", "/data/.secrets/…", "program"
  };

  /// The embedded default: SQLite in ./oas.db and one file store, `local`, in ./oas-store/. A store is only made up
  /// beside SQLite: a shared database whose objects lie on one machine would be a trap.
  Settings();
  /// From the file, the environment and the secrets as they are now, for a program that runs in `folder`.
  /// Errors: syntax (a broken file, with line and column; a key that comes twice), usage (an unknown key, naming the
  /// nearest known one; a value of the wrong type; an unknown store; an entry of a store that lacks what its protocol
  /// wants, also where there is no driver for it; prefixes that lie in one another; `folder` is none), access (a file
  /// that cannot be read). Of a protocol that nobody here knows, the entry is checked when the store is opened.
  static Settings load(const std::filesystem::path& folder = std::filesystem::current_path());
  /// From the text of a datajoint.json alone.
  static Settings parse(std::string_view json, std::string_view name = "datajoint.json");

  /// "database.name", "stores.raw.location", … Stronger than all other sources. A whole store, `set("stores.raw",
  /// map({…}))`, replaces the one of that name. All or nothing. Errors: usage as load().
  void set(std::string_view key, const Value& value);
  /// What holds now, defaults included; null if there is no value. Errors: usage for an unknown key or store.
  Value get(std::string_view key) const;
  std::vector<Origin> origins() const;
  /// Of these names of environment variables, those that begin with DJ_ and that nobody reads, each with why: they are
  /// probably misspelt.
  static std::vector<std::pair<std::string, std::string>> unread(std::span<const std::string> variables);

  /// True if nothing was configured: the embedded default is used, and a Session says so in its log.
  bool embedded() const noexcept { return embedded_; }
  const db::Config& database() const noexcept { return database_; }
  const std::map<std::string, StoreConfig, std::less<>>& stores() const noexcept { return stores_; }
  /// What `@` alone means. Empty: there is none.
  const std::string& default_store() const noexcept { return default_store_; }
  /// What `<filepath@>` alone means; the default store if not set.
  const std::string& default_filepath_store() const noexcept;
  /// The file that was read; empty if there was none.
  const std::filesystem::path& file() const noexcept { return file_; }

 private:
  friend struct SettingsAccess;  // reads from other surroundings than the process's own
  /// What was said, and where; all below is made from it.
  struct Given {
    Value value;
    std::string source;
    std::filesystem::path base;  ///< what relative paths are relative to
    bool secret = false;
  };
  using AllGiven = std::map<std::string, Given, std::less<>>;
  Settings(AllGiven given, std::filesystem::path base, std::filesystem::path file);
  const Given* said(std::string_view key) const;  ///< null also if null was said
  std::string text(std::string_view key, std::string_view fallback) const;
  bool is_declared_secret(std::string_view key) const;
  void set_database();
  void set_tls();
  void set_stores();

  AllGiven given_;
  std::filesystem::path base_;
  std::filesystem::path file_;
  bool embedded_ = true;
  db::Config database_;
  std::map<std::string, StoreConfig, std::less<>> stores_;
  std::string default_store_;
  std::string default_filepath_store_;
};

}  // namespace oas
