// One session with a MySQL or MariaDB server, over libmariadb: opening it, and its statements. What the server refuses
// is thrown as MysqlFailure. Belongs to one thread, but for `cancel`.
//
// Rows arrive unbuffered: while a statement has rows to give, nothing else may be asked of the link (`idle`).
#pragma once

#include <mysql.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <oas/db.hpp>

#include "db/mysql_errors.hpp"

namespace oas::db {

class MysqlLink : public std::enable_shared_from_this<MysqlLink> {
 public:
  /// Opens it. Errors: unavailable, access, usage, unsupported.
  MysqlLink(const Config& config, std::string location);
  /// In a child process nothing is touched: the parent's session goes on.
  ~MysqlLink();
  MysqlLink(const MysqlLink&) = delete;
  MysqlLink& operator=(const MysqlLink&) = delete;

  bool is_mariadb() const noexcept { return mariadb_; }
  /// Bytes of the largest message that the server takes, and so of the largest value.
  std::size_t max_packet() const noexcept { return max_packet_; }
  /// The server gives the whole transaction up when a lock was not free in time, not the statement alone.
  bool gives_up_on_timeout() const noexcept { return gives_up_on_timeout_; }

  /// Known to be over.
  bool lost() const noexcept { return lost_; }
  /// Looks whether the server has ended it, without asking the server. While idle.
  bool alive() noexcept;
  /// What the server said last: a transaction is open.
  bool in_transaction() const noexcept { return handle_->server_status & SERVER_STATUS_IN_TRANS; }

  /// One or several statements without parameters and rows.
  void run(std::string_view sql);
  /// The rows of one without parameters, as text.
  std::vector<std::vector<std::string>> ask(std::string_view sql);

  /// Any thread, while this lives: the statement that runs, if one does, fails soon. Opens another session for it.
  void cancel() const noexcept;
  /// After `cancel`: if it found nothing to stop, it stops nothing later either.
  void absorb_cancel() noexcept;

 private:
  friend class MysqlStatement;
  void set_up();
  void close_statements() noexcept;
  [[noreturn]] void fail(unsigned number, const char* sqlstate, const char* message);
  [[noreturn]] void fail() { fail(mysql_errno(handle_), mysql_sqlstate(handle_), mysql_error(handle_)); }

  Config config_;
  std::string location_;
  pid_t process_;
  MYSQL* handle_ = nullptr;
  unsigned long thread_ = 0;
  bool mariadb_ = false, lost_ = false, gives_up_on_timeout_ = false;
  std::size_t max_packet_ = 0;
  std::vector<MYSQL_STMT*> closing_;  ///< closed when the link is idle
};

/// A prepared statement. Keeps its link alive.
class MysqlStatement {
 public:
  MysqlStatement(std::shared_ptr<MysqlLink> link, std::string_view sql);
  ~MysqlStatement();
  MysqlStatement(const MysqlStatement&) = delete;
  MysqlStatement& operator=(const MysqlStatement&) = delete;

  std::size_t parameters() const noexcept { return mysql_stmt_param_count(handle_); }
  /// Errors: usage for what is no cell; constraint for one that is larger than the server takes.
  void execute(std::span<const Value> params);
  /// The parameters of a statement that has as many as all rows together.
  void execute(std::span<const std::vector<Value>> rows);
  /// Of the last execution.
  const std::vector<std::string>& columns() const noexcept { return columns_; }
  /// Rows changed, or found to be as they should by an UPDATE.
  std::int64_t affected() const noexcept;
  /// False at the end.
  bool fetch(std::vector<Value>& cells);
  /// Reads what is left and forgets it.
  void discard() noexcept;

 private:
  struct Reading;
  void bind(std::size_t n, const Value& value);
  void send();
  [[noreturn]] void fail();
  static void read_column(void* reading, unsigned column, unsigned char** row);

  std::shared_ptr<MysqlLink> link_;
  MYSQL_STMT* handle_ = nullptr;
  std::vector<MYSQL_BIND> binds_;
  std::vector<std::string> columns_;
};

}  // namespace oas::db
