// What lies underneath, without the library: the system calls for files, and SQLite's own statements. The benchmarks
// hold the library against these, in the same run.
#pragma once

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <oas/bytes.hpp>

namespace bench {

inline void check(bool good, const char* what) {
  if (!good) throw std::system_error(errno, std::generic_category(), what);
}

/// How the raw side makes files durable, to match what the store was told.
enum class Sync { none, each };

inline void write_file(const std::string& path, std::string_view data, Sync sync = Sync::none) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  check(fd >= 0, "open");
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    check(n > 0, "write");
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  if (sync == Sync::each) check(::fdatasync(fd) == 0, "fdatasync");
  ::close(fd);
}

/// Into fresh memory, as a library has to.
inline oas::Bytes read_file(const std::string& path, std::size_t size, std::size_t offset = 0) {
  oas::Buffer buffer(size);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check(fd >= 0, "open");
  for (std::size_t done = 0; done < size;) {
    const ssize_t n = ::pread(fd, buffer.data() + done, size - done, static_cast<off_t>(offset + done));
    check(n > 0, "read");
    done += static_cast<std::size_t>(n);
  }
  ::close(fd);
  return std::move(buffer).finish();
}

/// fsync of a folder: the names in it.
inline void sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check(fd >= 0 && ::fsync(fd) == 0, "fsync");
  ::close(fd);
}
/// All that was written to the file system of a folder.
inline void sync_all(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check(fd >= 0 && ::syncfs(fd) == 0, "syncfs");
  ::close(fd);
}

inline void copy_folder(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (std::system(("cp -r '" + from.string() + "' '" + to.string() + "'").c_str()) != 0)
    throw std::runtime_error("cp failed");
}

/// A table (id, data) without the library.
class RawDatabase {
 public:
  RawDatabase() = default;
  virtual ~RawDatabase() = default;
  RawDatabase(const RawDatabase&) = delete;
  RawDatabase& operator=(const RawDatabase&) = delete;
  /// In one transaction; ids from 0.
  virtual void insert_all(const std::vector<std::string>& rows) = 0;
  virtual void insert(std::int64_t id, std::string_view data) = 0;
  virtual std::vector<std::string> fetch() = 0;
  virtual std::vector<std::string> fetch(std::int64_t id) = 0;
  virtual void clear() = 0;
  virtual std::string name() const = 0;
  virtual std::string batch_insert() const = 0;
};

/// In a file of its own, with the settings that the library's database has.
class RawSqlite final : public RawDatabase {
 public:
  explicit RawSqlite(const std::string& file) {
    need(sqlite3_open(file.c_str(), &db_));
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("DROP TABLE IF EXISTS t");
    run("CREATE TABLE t (id INTEGER PRIMARY KEY, data BLOB NOT NULL)");
    insert_ = prepare("INSERT INTO t VALUES (?1, ?2)");
    all_ = prepare("SELECT id, data FROM t");
    one_ = prepare("SELECT id, data FROM t WHERE id = ?1");
  }
  ~RawSqlite() override {
    for (sqlite3_stmt* s : {insert_, all_, one_}) sqlite3_finalize(s);
    sqlite3_close(db_);
  }

  void insert_all(const std::vector<std::string>& rows) override {
    run("BEGIN IMMEDIATE");
    for (std::size_t i = 0; i < rows.size(); ++i) insert(static_cast<std::int64_t>(i), rows[i]);
    run("COMMIT");
  }
  void run(const char* sql) { need(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  void insert(std::int64_t id, std::string_view data) override {
    sqlite3_bind_int64(insert_, 1, id);
    sqlite3_bind_blob64(insert_, 2, data.data(), data.size(), SQLITE_STATIC);
    if (sqlite3_step(insert_) != SQLITE_DONE) need(SQLITE_ERROR);
    sqlite3_reset(insert_);
  }
  std::vector<std::string> fetch() override { return read(all_); }
  std::vector<std::string> fetch(std::int64_t id) override {
    sqlite3_bind_int64(one_, 1, id);
    return read(one_);
  }
  void clear() override { run("DELETE FROM t"); }
  std::string name() const override { return "SQLite"; }
  std::string batch_insert() const override { return "prepared INSERT"; }

 private:
  void need(int rc) const {
    if (rc != SQLITE_OK) throw std::runtime_error(std::string("raw SQLite: ") + sqlite3_errmsg(db_));
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* s = nullptr;
    need(sqlite3_prepare_v2(db_, sql, -1, &s, nullptr));
    return s;
  }
  static std::vector<std::string> read(sqlite3_stmt* s) {
    std::vector<std::string> out;
    while (sqlite3_step(s) == SQLITE_ROW) {
      out.emplace_back(static_cast<const char*>(sqlite3_column_blob(s, 1)),
                       static_cast<std::size_t>(sqlite3_column_bytes(s, 1)));
    }
    sqlite3_reset(s);
    return out;
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt *insert_ = nullptr, *all_ = nullptr, *one_ = nullptr;
};

}  // namespace bench
