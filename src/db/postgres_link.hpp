// One session with a PostgreSQL server, over libpq: opening it, sending statements and waiting for what comes back.
// It is in pipeline mode from its beginning to its end: commands are queued, `sync` ends a group of them, and the first
// one that fails takes the rest of its group along. Belongs to one thread, but for `cancel`.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include <oas/db.hpp>

#include "db/postgres_errors.hpp"
#include "db/postgres_wire.hpp"

namespace oas::db {

using PostgresResult = std::shared_ptr<PGresult>;
PostgresFailure failure_of(const PGresult& result);

class PostgresLink {
 public:
  /// Opens it. Errors: unavailable, access, usage.
  PostgresLink(const Config& config, std::string location);
  /// In a child process, only its copy of the socket is closed: the parent's session goes on.
  ~PostgresLink();
  PostgresLink(const PostgresLink&) = delete;
  PostgresLink& operator=(const PostgresLink&) = delete;

  /// Known to be over.
  bool lost() const noexcept { return lost_; }
  void lose() noexcept { lost_ = true; }
  /// Looks whether the server has ended it, without asking the server. While nothing is under way.
  bool alive() noexcept;
  /// The transaction takes no more statements.
  bool failed() const noexcept { return PQtransactionStatus(handle_) == PQTRANS_INERROR; }

  // --- queueing. Errors of these and of all below: unavailable if the session is lost.
  void query(const std::string& sql);
  void prepare(const std::string& name, const std::string& sql, const std::vector<PostgresType>& types);
  void describe(const std::string& name);
  void run(const std::string& name, const PostgresParameters& parameters, bool binary);
  void sync();
  /// Sends all that is queued; reads meanwhile, so that neither side waits for the other.
  void flush();

  // --- answers
  /// The next result of the current command; nullptr at its end. Waits.
  PostgresResult next();
  /// To be said before the first `next` of a command: rows come one by one.
  void one_by_one() noexcept { PQsetSingleRowMode(handle_); }
  /// Leaves out all that belongs to the group.
  void skip_group();

  /// Any thread, while this lives: the statement that runs, if one does, fails soon with 57014.
  void cancel() const noexcept;

 private:
  void open(const Config& config);
  [[noreturn]] void lost_now(std::string_view why);
  void check(int ok);
  void wait(short events);

  std::string location_;
  pid_t process_;
  std::chrono::milliseconds patience_;  ///< with the network and a server that is silent; 0: none but the system's
  PGconn* handle_ = nullptr;
  bool lost_ = false;
  PGcancel* cancel_ = nullptr;  ///< unchanged once it is open
};

}  // namespace oas::db
