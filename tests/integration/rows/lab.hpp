// What the tests of the row path share: a database, {sqlite, postgres, mariadb, mysql}, and two stores of their own,
// {file, memory, versitygw}; requests are recorded, and the database is read and damaged behind the library's back.
#pragma once

#include <gtest/gtest.h>
#include <oas/oas.hpp>
#include <oas/tools.hpp>

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/raw_database.hpp"
#include "support/recording_store.hpp"
#include "support/s3_server.hpp"
#include "support/temp_folder.hpp"

namespace oas::test {

/// "sqlite_file": the database and where the objects are. Without the server it needs, a test is skipped by name.
class Lab : public ::testing::TestWithParam<const char*> {
 protected:
  Lab();
  ~Lab() override;
  void SetUp() override;

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
  std::filesystem::path file(std::string_view name, std::string_view content) const;
  static bool on_files() { return std::string_view(GetParam()).ends_with("file"); }
  // Without the server, suites are made with SQLite or a store in memory, and then their tests are skipped.
  static bool on_s3();
  static bool on_postgres();
  /// Or MariaDB.
  static bool on_mysql();
  static bool on_a_server() { return on_postgres() || on_mysql(); }
  /// The variable that names it.
  static const char* server();

  /// `main` is the default store; members of both stores, and others, as JSON.
  Settings settings(const std::string& of_main = {}, const std::string& of_cold = {}) const;
  Settings with_stores(const std::string& stores) const;
  std::filesystem::path database_file() const { return path("lab.db"); }

  /// Sessions of one test share their stores, those in memory too.
  SessionOptions options();
  Session open() { return Session(settings(), options()); }

  Session& session();
  void close() { session_.reset(); }
  Schema lab() { return session().schema("lab"); }
  Table<> declare(std::string_view name, std::string_view definition, Tier tier = Tier::manual);
  RecordingStore& store(std::string_view name = "main");
  /// With a connection of its own.
  RawDatabase* raw();

  /// Keys of all objects of a store.
  std::vector<std::string> objects(std::string_view name = "main");
  /// All objects with their bytes, all files of the stores' folders, and all rows but the ledger's.
  std::map<std::string, std::string> everything();

  /// The call ends in this error, whose message has all these words, says what to do, and nothing has changed.
  void refused(Errc code, std::initializer_list<std::string_view> words, const std::function<void()>& call);
  static void fails(Errc code, std::initializer_list<std::string_view> words, const std::function<void()>& call);
  /// The same number of objects, none dangling, none leaked.
  void expect_tidy(std::size_t objects);

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
Array counting(std::int64_t n, std::int64_t first = 0);

}  // namespace oas::test
