// What the tests of the row path share: a database, {sqlite, postgres, mariadb, mysql}, and two stores of their own,
// {file, memory, versitygw}; requests are recorded, and the database is read and damaged behind the library's back.
#pragma once

#include <gtest/gtest.h>
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

#include "support/raw_database.hpp"
#include "support/recording_store.hpp"
#include "support/s3_server.hpp"
#include "support/temp_folder.hpp"
#include "support/test_server.hpp"

namespace oas::test {

/// "sqlite_file": the database and where the objects are. Without the server it needs, a test is skipped by name.
class Lab : public ::testing::TestWithParam<const char*> {
 protected:
  Lab() {
    for (const char* name : {"main", "cold"}) std::filesystem::create_directories(path(name));
#ifdef OAS_WITH_POSTGRES
    if (on_postgres()) name_ = empty_postgres_database();
#endif
#ifdef OAS_WITH_MYSQL
    if (on_mysql()) empty_mysql_server(server());
#endif
  }
  void SetUp() override {
    if (*server()) OAS_NEED_SERVER(server())
    if (std::string_view(GetParam()).ends_with("versitygw")) OAS_NEED_S3(s3)
  }

 public:
  static std::vector<const char*> on_servers_with_files() {
    return {
#ifdef OAS_WITH_POSTGRES
        "postgres_file",
#endif
#ifdef OAS_WITH_MYSQL
        "mariadb_file",
        "mysql_file",
#endif
    };
  }

 protected:
  std::filesystem::path path(std::string_view name) const { return folder_.path() / name; }
  std::filesystem::path file(std::string_view name, std::string_view content) const {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  static bool on_files() { return std::string_view(GetParam()).ends_with("file"); }
  // Without the server, suites are made with SQLite or a store in memory, and then their tests are skipped.
  static bool on_s3() { return std::string_view(GetParam()).ends_with("versitygw") && s3_server(s3); }
  static bool on_postgres() { return server() == std::string_view("OAS_TEST_POSTGRES") && test_server(server()); }
  /// Or MariaDB.
  static bool on_mysql() { return *server() && !on_postgres() && test_server(server()); }
  static bool on_a_server() { return on_postgres() || on_mysql(); }
  /// The variable that names it.
  static const char* server() {
    const std::string_view where = GetParam();
    return where.starts_with("postgres")  ? "OAS_TEST_POSTGRES"
           : where.starts_with("mariadb") ? "OAS_TEST_MARIADB"
           : where.starts_with("mysql")   ? "OAS_TEST_MYSQL"
                                          : "";
  }

  /// `main` is the default store; members of both stores, and others, as JSON.
  Settings settings(const std::string& of_main = {}, const std::string& of_cold = {}) const {
    const auto store = [&](const char* name, const std::string& more) {
      std::string entry = R"("protocol": "memory")";
      if (on_files()) entry = R"("protocol": "file", "location": ")" + path(name).string() + R"(", "sync": "false")";
      if (on_s3()) {
        entry = R"("protocol": "s3")";
        for (const auto& [key, value] : s3_server(s3).value().options(location_ + "/" + name))
          entry += ", \"" + key + "\": \"" + value + '"';
      }
      return '"' + std::string(name) + "\": {" + entry + (more.empty() ? "" : ", ") + more + "}";
    };
    return with_stores(R"({"default": "main", )" + store("main", of_main) + ", " + store("cold", of_cold) + "}");
  }
  Settings with_stores(const std::string& stores) const {
    const auto text = [](const auto& value) { return '"' + std::string(value) + '"'; };
    std::string where = R"({"backend": "sqlite", "name": )" + text(database_file().string());
    if (on_a_server()) {
      const TestServer at = test_server(server()).value();
      where = R"({"backend": )" + text(on_postgres() ? "postgresql" : "mysql") + R"(, "host": )" + text(at.host) +
              R"(, "port": )" + std::to_string(at.port) + R"(, "user": )" + text(at.user) + R"(, "password": )" +
              text(at.password) + (on_postgres() ? R"(, "name": )" + text(name_) : "");
    }
    Settings settings = Settings::parse(R"({"database": )" + where + R"(}, "stores": )" + stores + "}");
    // Objects go at once everywhere, so that they can be counted; quarantine_test.cpp has them kept.
    settings.set("collector.foreign_writers", false);
    return settings;
  }
  std::filesystem::path database_file() const { return path("lab.db"); }

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
  /// With a connection of its own.
  RawDatabase* raw() {
#ifdef OAS_WITH_POSTGRES
    if (on_postgres() && !raw_) raw_ = std::make_unique<RawPostgres>(name_);
#endif
#ifdef OAS_WITH_MYSQL
    if (on_mysql() && !raw_) raw_ = std::make_unique<RawMysql>(server());
#endif
    if (!raw_) raw_ = std::make_unique<RawSqlite>(database_file());
    return raw_.get();
  }

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
    RawDatabase* const database = raw();
    for (const std::string& table : database->tables()) {
      std::vector<std::string> lines;
      for (const auto& cells : database->run("SELECT * FROM " + table)) {
        std::string& line = lines.emplace_back();
        for (const auto& cell : cells) line += cell + '|';
      }
      std::ranges::sort(lines);
      std::string& rows = found["table " + table];
      for (const auto& line : lines) rows += line + '\n';
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
  static constexpr const char* s3 = "OAS_TEST_S3_VERSITYGW";
  TempFolder folder_;
  const std::string location_ = S3Server::fresh_location();
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<RecordingStore>> stores_;
  std::optional<Session> session_;
  std::string name_;  // of the PostgreSQL database
  std::unique_ptr<RawDatabase> raw_;
};

#ifdef OAS_WITH_S3
#define OAS_ON_S3 , "sqlite_versitygw"
#else
#define OAS_ON_S3
#endif
#ifdef OAS_WITH_POSTGRES
#define OAS_ON_POSTGRES , "postgres_file", "postgres_memory"
#else
#define OAS_ON_POSTGRES
#endif
#ifdef OAS_WITH_MYSQL
#define OAS_ON_MYSQL , "mariadb_file", "mariadb_memory", "mysql_file"
#else
#define OAS_ON_MYSQL
#endif
/// Tests of suites derived from Lab run over every database, with objects in a folder, in memory and in S3.
#define OAS_EVERYWHERE(suite)                                                                                        \
  INSTANTIATE_TEST_SUITE_P(On, suite,                                                                                \
                           ::testing::Values("sqlite_file", "sqlite_memory" OAS_ON_S3 OAS_ON_POSTGRES OAS_ON_MYSQL), \
                           [](const auto& over) { return std::string(over.param); })

/// Over every server, with objects in a folder.
#define OAS_ON_SERVERS(suite)                                                                         \
  INSTANTIATE_TEST_SUITE_P(On, suite, ::testing::ValuesIn(::oas::test::Lab::on_servers_with_files()), \
                           [](const auto& over) { return std::string(over.param); })

/// Small arrays of whole numbers.
inline Array counting(std::int64_t n, std::int64_t first = 0) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = first + static_cast<std::int64_t>(i);
  return Array::own(std::move(numbers));
}

}  // namespace oas::test
