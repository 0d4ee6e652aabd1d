// What the tests of the row path share: a database and two stores of their own, {file, memory}; requests are recorded,
// and the database file is read and damaged behind the library's back, with SQLite itself.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <oas/oas.hpp>
#include <oas/tools.hpp>

#include <algorithm>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/recording_store.hpp"
#include "support/temp_folder.hpp"

namespace oas::test {

/// The database as somebody else sees it.
class RawDatabase {
 public:
  explicit RawDatabase(const std::filesystem::path& file) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) throw std::runtime_error("open " + file.string());
    sqlite3_busy_timeout(db_, 10'000);
    const auto compare = [](void*, int an, const void* a, int bn, const void* b) {
      return std::string_view(static_cast<const char*>(a), static_cast<std::size_t>(an))
          .compare(std::string_view(static_cast<const char*>(b), static_cast<std::size_t>(bn)));
    };
    sqlite3_create_collation(db_, "oas_decimal", SQLITE_UTF8, nullptr, compare);
  }
  ~RawDatabase() { sqlite3_close(db_); }
  RawDatabase(const RawDatabase&) = delete;
  RawDatabase& operator=(const RawDatabase&) = delete;

  using Cells = std::vector<std::string>;
  /// Each {?} is bound as a blob.
  std::vector<Cells> run(const std::string& sql, const std::vector<std::string>& blobs = {}) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail(sql);
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      sqlite3_bind_blob(statement, static_cast<int>(i + 1), blobs[i].data(), static_cast<int>(blobs[i].size()),
                        SQLITE_TRANSIENT);
    }
    std::vector<Cells> out;
    int code = SQLITE_ROW;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      Cells cells;
      for (int c = 0; c < sqlite3_column_count(statement); ++c) {
        const void* data = sqlite3_column_blob(statement, c);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, c));
        cells.emplace_back(sqlite3_column_type(statement, c) == SQLITE_NULL ? "NULL"
                           : size == 0                                      ? std::string()
                                       : std::string(static_cast<const char*>(data), size));
      }
      out.push_back(std::move(cells));
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) fail(sql);
    return out;
  }
  std::string cell(const std::string& sql) { return run(sql).at(0).at(0); }

 private:
  [[noreturn]] void fail(const std::string& sql) { throw std::runtime_error(sql + ": " + sqlite3_errmsg(db_)); }
  sqlite3* db_ = nullptr;
};

class Lab : public ::testing::TestWithParam<const char*> {
 protected:
  Lab() {
    for (const char* name : {"main", "cold"}) std::filesystem::create_directories(path(name));
  }

  std::filesystem::path path(std::string_view name) const { return folder_.path() / name; }
  std::filesystem::path file(std::string_view name, std::string_view content) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  static bool on_files() { return std::string_view(GetParam()) == "file"; }

  /// `main` is the default store; members of both stores, and others, as JSON.
  Settings settings(const std::string& of_main = {}, const std::string& of_cold = {}) const {
    const auto store = [&](const char* name, const std::string& more) {
      const std::string where = on_files() ? R"(, "location": ")" + path(name).string() + R"(", "sync": "false")" : "";
      return '"' + std::string(name) + R"(": {"protocol": ")" + GetParam() + '"' + where + (more.empty() ? "" : ", ") +
             more + "}";
    };
    return Settings::parse(R"({"database": {"backend": "sqlite", "name": ")" + database().string() +
                           R"("}, "stores": {"default": "main", )" + store("main", of_main) + ", " +
                           store("cold", of_cold) + "}}");
  }
  std::filesystem::path database() const { return path("lab.db"); }

  /// Sessions of one test share their stores, those in memory too.
  SessionOptions options() {
    SessionOptions options{.concurrency = 3};
    options.wrap_store = [this](std::shared_ptr<Store> opened) -> std::shared_ptr<Store> {
      const std::lock_guard lock(mutex_);
      auto& kept = stores_[opened->name()];
      if (!kept) kept = std::make_shared<RecordingStore>(std::move(opened));
      return kept;
    };
    return options;
  }
  Session open() { return Session(settings(), options()); }

  Session& session() {
    if (!session_) session_.emplace(open());
    return *session_;
  }
  void close() { session_.reset(); }
  Schema lab() { return session().schema("lab"); }
  Table<> declare(std::string_view name, std::string_view definition, Tier tier = Tier::manual) {
    return lab().declare(name, tier, definition);
  }
  RecordingStore& store(std::string_view name = "main") {
    session().store(name);
    return *stores_.at(std::string(name));
  }
  RawDatabase raw() const { return RawDatabase(database()); }

  /// Keys of all objects of a store.
  std::vector<std::string> objects(std::string_view name = "main") {
    std::vector<std::string> keys;
    for (const ObjectInfo& info : store(name).list("", {}, 100'000).entries) keys.push_back(info.key);
    return keys;
  }
  /// All objects with their bytes, all files of the stores' folders, and all rows but the ledger's.
  std::map<std::string, std::string> everything() {
    std::map<std::string, std::string> found;
    for (const char* name : {"main", "cold"}) {
      for (const std::string& key : objects(name)) {
        found[std::string(name) + ": " + key] = store(name).read(key)->data.text();
      }
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path(name))) {
        found["file " + entry.path().string()] = "";
      }
    }
    RawDatabase database = raw();
    for (const auto& table :
         database.run("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                      "'%~oas_trash' AND name NOT LIKE '%~oas_witnesses' AND name NOT LIKE 'sqlite_%'")) {
      std::string& rows = found["table " + table[0]];
      for (const auto& cells : database.run("SELECT * FROM \"" + table[0] + "\"")) {
        for (const auto& cell : cells) rows += cell + '|';
        rows += '\n';
      }
    }
    return found;
  }

  /// The call ends in this error, whose message has all these words, says what to do, and nothing has changed.
  void refused(Errc code, std::initializer_list<std::string_view> words, const std::function<void()>& call) {
    const auto before = everything();
    fails(code, words, call);
    EXPECT_EQ(before, everything());
  }
  static void fails(Errc code, std::initializer_list<std::string_view> words, const std::function<void()>& call) {
    try {
      call();
      ADD_FAILURE() << "no error came; wanted " << to_string(code);
    } catch (const Error& e) {
      const std::string message = e.what();
      EXPECT_EQ(to_string(code), to_string(e.code())) << message;
      for (const std::string_view word : words) {
        EXPECT_NE(message.find(word), std::string::npos) << '"' << word << "\" is not in: " << message;
      }
    }
  }
  /// The same number of objects, none dangling, none leaked.
  void expect_tidy(std::size_t objects) {
    const Audit audit = session().audit({.deep = true});
    EXPECT_EQ(audit.objects, objects);
    EXPECT_EQ(audit.dangling, 0U);
    EXPECT_EQ(audit.damaged, 0U);
    EXPECT_EQ(audit.leaked, 0U);
    for (const Finding& finding : audit.findings) ADD_FAILURE() << finding.path << ": " << finding.detail;
  }

 private:
  TempFolder folder_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<RecordingStore>> stores_;
  std::optional<Session> session_;
};

/// Tests of suites derived from Lab run over a folder and over memory.
#define OAS_OVER_STORES(suite)                                                 \
  INSTANTIATE_TEST_SUITE_P(Stores, suite, ::testing::Values("file", "memory"), \
                           [](const auto& over) { return std::string(over.param); })

/// Small arrays of whole numbers.
inline Array counting(std::int64_t n, std::int64_t first = 0) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = first + static_cast<std::int64_t>(i);
  return Array::own(std::move(numbers));
}

}  // namespace oas::test
