// MySQL from 8.0 on and MariaDB from 10.6 on, over libmariadb. docs/format/mysql.md says what is in a database.
//
// 1. Transactions begin on the server with the first statement that runs in them, savepoints with the first one that
//    changes something; those in which nothing runs cost nothing.
// 2. A statement is prepared once and kept; the least recently used one goes first. Rows of one INSERT go many to a
//    message.
// 3. One answer at a time arrives row by row. When another statement runs, or the transaction ends, the rest of it is
//    read first: into memory if its cursor may still ask for it.
// 4. CREATE, DROP and the like commit on these servers. They run if nothing could be committed along with them: outside
//    of savepoints, and before any change. LOCK TABLES is how a program says that it knows: behind it, in the same
//    transaction, changes and definitions mix, each definition commits what was changed before it, and nobody else
//    comes between until the transaction ends.
// 5. A session that the server has ended is opened again at the beginning of a transaction, and nowhere else.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <list>
#include <mutex>
#include <numeric>
#include <oas/db.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "db/mysql_catalog.hpp"
#include "db/mysql_dialect.hpp"
#include "db/mysql_errors.hpp"
#include "db/mysql_link.hpp"
#include "db/mysql_text.hpp"

namespace oas {
namespace db {
namespace {

constexpr std::size_t kept_statements = 64;
constexpr std::size_t rows_worth_reading = 1000;  // of an answer that nobody wants: then asking the server to stop pays
constexpr std::size_t rows_a_message = 1024;

struct Statement {
  Statement(const std::shared_ptr<MysqlLink>& link, std::string_view sql, MysqlText scanned)
      : text(std::move(scanned)), prepared(link, sql) {}
  MysqlText text;
  MysqlStatement prepared;
};

/// What came back for one run of a statement, and what is still to come.
struct Answer {
  std::shared_ptr<Statement> statement;
  std::size_t level = 0;  ///< of the transaction in which it runs
  std::vector<std::string> columns;
  std::deque<std::vector<Value>> rows;
  bool complete = false;  ///< nothing is to come
  bool over = false;      ///< its transaction has ended, or its statement ran again
  bool cut = false;       ///< rows of it were thrown away
  std::int64_t affected = 0;
  std::optional<Error> failure;
};

class MysqlConnection;

class MysqlCursor final : public Cursor {
 public:
  MysqlCursor(MysqlConnection& connection, std::shared_ptr<Answer> answer)
      : connection_(connection), answer_(std::move(answer)) {}
  std::span<const std::string> columns() const override { return answer_->columns; }
  bool next(std::vector<Value>& cells) override;
  std::int64_t affected() const override { return answer_->affected; }

 private:
  MysqlConnection& connection_;
  std::shared_ptr<Answer> answer_;
};

std::string place_of(const Config& config) {
  const std::string user = config.user.empty() ? "" : config.user + "@";
  return config.host.starts_with('/') ? fmt::format("mysql {}{}", user, config.host)
                                      : fmt::format("mysql {}{}:{}", user, config.host, config.port);
}

class MysqlConnection final : public Connection {
 public:
  explicit MysqlConnection(Config config)
      : config_(std::move(config)),
        location_(place_of(config_)),
        link_(std::make_shared<MysqlLink>(config_, location_)) {}
  ~MysqlConnection() override {
    if (getpid() == process_) end_answers(0);
  }

  const Dialect& dialect() const noexcept override { return link_->is_mariadb() ? mariadb_dialect() : mysql_dialect(); }
  std::string location() const override { return location_; }
  std::vector<std::string> schemas() override { return mysql_schemas(asking()); }
  std::vector<TableDef> introspect(std::string_view schema) override {
    introspected_.emplace(schema);
    return mysql_tables(asking(), schema);
  }
  std::int64_t catalog_version() override {
    const MysqlFingerprint now = mysql_fingerprint(asking(), introspected_);
    if (!now.settled || now != fingerprint_) ++version_;
    fingerprint_ = now;
    return version_;
  }
  std::int64_t table_version(std::string_view schema, std::string_view table) override {
    const MysqlFingerprint now = mysql_fingerprint(asking(), {std::string(schema)}, table);
    return now.settled ? now.number : -++version_;
  }
  std::unique_ptr<Connection> fork() override {
    auto other = std::make_unique<MysqlConnection>(config_);
    require_same_kind(*other->link_);
    return other;
  }
  std::unique_ptr<Connection> side() override { return fork(); }
  void cancel() noexcept override {
    const std::lock_guard lock(link_mutex_);  // held to the end, so that no later statement is hit
    if (!busy_) return;
    cancelled_ = true;
    link_->cancel();
  }

  void fetch(Answer& answer);

 protected:
  std::unique_ptr<Cursor> do_execute(std::string_view sql, std::span<const Value> params) override;
  std::vector<std::int64_t> do_execute_many(std::string_view sql, std::span<const std::vector<Value>> rows) override;
  void do_begin(bool write) override;
  void do_rollback() noexcept override;
  void do_commit() override;

 private:
  using Kept = std::list<std::pair<std::string, std::shared_ptr<Statement>>>;

  void require_process(std::string_view tried) const;
  void require_transaction(std::string_view tried) const;
  void require_session();
  void require_same_kind(const MysqlLink& other) const;
  bool set_busy(bool busy);
  template <class F>
  auto running(std::string_view tried, const MysqlText* text, F&& what);
  Error error_of(const MysqlFailure& failure, std::string_view tried, const MysqlText* text);
  void read_key(const MysqlFailure& failure, const MysqlText& text, MysqlContext& context);
  MysqlAsk asking();

  void begin_levels(bool to_change);
  void check(const MysqlText& text) const;
  void define(std::string_view sql, const MysqlText& text);
  void lock(std::string_view sql);
  std::shared_ptr<Statement> prepare(std::string_view sql);
  template <class Params>
  void run(Statement& statement, const Params& params);
  std::int64_t run_rows(std::string_view sql, const MysqlText& text, std::span<const std::vector<Value>> rows);
  std::size_t rows_that_fit(std::span<const std::vector<Value>> rows) const;
  void check_count(const Statement& statement, std::size_t given) const;
  bool receive(Answer& answer);
  void complete(Answer& answer);
  void finish_stream();
  void end_answers(std::size_t level);

  Config config_;
  std::string location_;
  pid_t process_ = getpid();
  std::mutex link_mutex_;  // cancel() may come at any time
  std::shared_ptr<MysqlLink> link_;
  bool busy_ = false;  ///< guarded by link_mutex_
  std::atomic<bool> cancelled_ = false;

  /// One a transaction or savepoint: whether the server has been told of it.
  std::vector<bool> levels_;
  bool writing_ = false;
  bool changed_ = false;  ///< there is something to commit
  bool locked_ = false;   ///< LOCK TABLES
  bool gone_ = false;  ///< the server has given the transaction up; it is over here at the end of the outermost level

  Kept statements_;  ///< the most recently used first
  std::unordered_map<std::string_view, Kept::iterator> by_text_;
  std::shared_ptr<Answer> streaming_;
  std::vector<std::weak_ptr<Answer>> answers_;  ///< of the open transactions

  std::set<std::string, std::less<>> introspected_;
  MysqlFingerprint fingerprint_;
  std::int64_t version_ = 0;
};

bool MysqlCursor::next(std::vector<Value>& cells) {
  Answer& a = *answer_;
  if (a.over) {
    if (a.complete && a.rows.empty() && !a.failure && !a.cut) return false;
    throw Error(Errc::usage,
                "read the next row: the cursor ended with its transaction, or when its statement ran again. "
                "read all rows before");
  }
  if (a.rows.empty() && !a.complete) connection_.fetch(a);
  if (a.rows.empty()) {
    if (a.failure) throw *a.failure;
    return false;
  }
  cells = std::move(a.rows.front());
  a.rows.pop_front();
  return true;
}

// Running

void MysqlConnection::require_process(std::string_view tried) const {
  if (getpid() == process_) return;
  throw Error(
      Errc::usage,
      fmt::format("{} on {}: the connection belongs to the parent process. open one after the fork", tried, location_),
      location_);
}

void MysqlConnection::require_transaction(std::string_view tried) const {
  require_process(tried);
  if (!gone_) return;
  throw Error(Errc::unavailable,
              fmt::format("{} on {}: the server gave the transaction up after an earlier failure. begin another one",
                          tried, location_),
              location_);
}

/// What was prepared for one kind of server means something else to the other.
void MysqlConnection::require_same_kind(const MysqlLink& other) const {
  if (other.is_mariadb() == link_->is_mariadb()) return;
  const auto kind = [](const MysqlLink& link) { return link.is_mariadb() ? "MariaDB" : "MySQL"; };
  throw Error(Errc::unsupported,
              fmt::format("use {}: it was {} when this session began, and is {} now. open another session", location_,
                          kind(*link_), kind(other)),
              location_);
}

/// Before anything of a transaction is there: what the server has ended is opened again.
void MysqlConnection::require_session() {
  if (link_->alive()) return;
  if (!config_.reconnect) {
    throw Error(Errc::unavailable,
                fmt::format("use {}: the server has ended the connection. open another one, or let database.reconnect "
                            "do it",
                            location_),
                location_);
  }
  auto fresh = std::make_shared<MysqlLink>(config_, location_);
  require_same_kind(*fresh);
  by_text_.clear();
  statements_.clear();
  const std::lock_guard lock(link_mutex_);
  link_ = std::move(fresh);
}

/// Every command goes through here: it is what cancel() stops, and its failures become errors.
template <class F>
auto MysqlConnection::running(std::string_view tried, const MysqlText* text, F&& what) {
  struct Busy {
    MysqlConnection& c;
    explicit Busy(MysqlConnection& connection) : c(connection) {
      if (c.set_busy(true)) c.link_->absorb_cancel();  // it came too late for the last one
    }
    ~Busy() {
      if (!c.streaming_) c.set_busy(false);
    }
  };
  std::optional<MysqlFailure> failure;
  try {
    const Busy busy(*this);
    return what();
  } catch (const MysqlFailure& f) {
    failure = f;
  }
  throw error_of(*failure, tried, text);
}

/// Whether it was cancelled before.
bool MysqlConnection::set_busy(bool busy) {
  const std::lock_guard lock(link_mutex_);
  busy_ = busy;
  return busy && cancelled_.exchange(false);
}

Error MysqlConnection::error_of(const MysqlFailure& f, std::string_view tried, const MysqlText* text) {
  MysqlContext context{fmt::format("{} on {}", tried, location_), location_, {}, {}, false, !writing_};
  constexpr unsigned interrupted = 1317, deadlock = 1213, lock_timeout = 1205;
  if (f.number == interrupted && cancelled_) {
    return Error(Errc::cancelled, context.tried + ": it was cancelled", location_,
                 fmt::format("{}/{}", f.number, f.sqlstate));
  }
  const bool open = std::ranges::find(levels_, true) != levels_.end();
  if (open && (link_->lost() || f.number == deadlock || (f.number == lock_timeout && link_->gives_up_on_timeout()))) {
    gone_ = true;
  }
  // How Dialect::insert makes the server refuse a row that meets another one's unique value.
  constexpr unsigned null_refused = 1048;
  MysqlFailure failure = f;
  if (text && text->upsert && f.number == null_refused) {
    constexpr unsigned duplicate = 1062;
    failure = {duplicate, "23000", ""};
    context.key = "not that of the primary key";
  } else if (text && is_mysql_duplicate(f.number) && !gone_) {
    read_key(failure, *text, context);
  }
  if (text) context.table = text->schema.empty() ? text->table : text->schema + "." + text->table;
  return mysql_error(failure, context);
}

/// Which columns the key has that a row met twice: the server tells its name.
void MysqlConnection::read_key(const MysqlFailure& f, const MysqlText& text, MysqlContext& context) {
  const std::string key = mysql_key_name(f);
  context.primary = key == "PRIMARY";
  try {
    const std::vector<Value> params{text.schema, text.table, key};
    const auto rows = asking()(
        "SELECT COLUMN_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND "
        "INDEX_NAME = ? ORDER BY SEQ_IN_INDEX",
        params);
    for (const auto& row : rows) context.key += (context.key.empty() ? "" : ", ") + row[0].as<std::string>();
  } catch (const Error&) {
    // The name of the key has to do.
  }
}

void MysqlConnection::begin_levels(bool to_change) {
  if (!levels_.front()) {
    const auto begin = [&] {
      link_->run(writing_
                     ? "START TRANSACTION READ WRITE"
                     : "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, "
                       "READ ONLY");
    };
    require_session();
    try {
      running("begin a transaction", nullptr, begin);
    } catch (const Error&) {
      if (!link_->lost()) throw;
      require_session();  // the server had ended it meanwhile, and nothing is lost with it
      running("begin a transaction", nullptr, begin);
    }
    levels_.front() = true;
  }
  if (!to_change) return;
  std::string sql;
  for (std::size_t i = 1; i < levels_.size(); ++i)
    if (!levels_[i]) sql += fmt::format("{}SAVEPOINT s{}", sql.empty() ? "" : "; ", i);
  if (!sql.empty()) running("begin a transaction", nullptr, [&] { link_->run(sql); });
  levels_.assign(levels_.size(), true);
}

std::shared_ptr<Statement> MysqlConnection::prepare(std::string_view sql) {
  if (const auto found = by_text_.find(sql); found != by_text_.end()) {
    statements_.splice(statements_.begin(), statements_, found->second);
    return found->second->second;
  }
  MysqlText text = scan_mysql(sql);
  const auto make = [&] { return std::make_shared<Statement>(link_, sql, text); };
  std::shared_ptr<Statement> statement;
  constexpr unsigned too_many = 1461;  // statements of all sessions together
  try {
    statement = make();
  } catch (const MysqlFailure& f) {
    if (f.number != too_many || statements_.empty()) throw;
    by_text_.clear();
    statements_.clear();
    statement = make();
  }
  statements_.emplace_front(std::string(sql), statement);
  by_text_.emplace(statements_.front().first, statements_.begin());
  if (statements_.size() > kept_statements) {
    by_text_.erase(statements_.back().first);
    statements_.pop_back();  // an answer that still needs it keeps it alive
  }
  return statement;
}

void MysqlConnection::check_count(const Statement& statement, std::size_t given) const {
  if (statement.prepared.parameters() == given) return;
  throw Error(Errc::usage,
              fmt::format("execute a statement on {}: it has {} parameters, and {} were given", location_,
                          statement.prepared.parameters(), given),
              location_);
}

template <class Params>
void MysqlConnection::run(Statement& statement, const Params& params) {
  statement.prepared.execute(params);
  if (statement.text.verb != MysqlVerb::changes) return;
  changed_ = true;
  if (locked_ || levels_.empty() || link_->in_transaction()) return;
  // A trigger or a function that commits: what follows would be committed by itself.
  gone_ = true;
  throw Error(
      Errc::unsupported,
      fmt::format("execute a statement on {}: it ended the transaction, through a trigger or a function. remove "
                  "what commits there",
                  location_),
      location_);
}

void MysqlConnection::check(const MysqlText& text) const {
  const auto refuse = [&](Errc code, std::string_view why) {
    throw Error(code, fmt::format("execute a statement on {}: {}", location_, why), location_);
  };
  switch (text.verb) {
    case MysqlVerb::none: refuse(Errc::usage, "the text holds none. give one statement"); break;
    case MysqlVerb::several: refuse(Errc::usage, "the text holds more than one. give one statement at a time"); break;
    case MysqlVerb::forbidden: break;  // after what the server says of its syntax
    case MysqlVerb::reads: break;
    case MysqlVerb::changes:
    case MysqlVerb::defines:
    case MysqlVerb::locks:
      if (!writing_) refuse(Errc::usage, "it writes, and the transaction is for reading. begin a writing one");
      if (text.verb == MysqlVerb::changes || locked_) break;
      if (levels_.size() > 1 || changed_) {
        refuse(
            Errc::usage,
            levels_.size() > 1
                ? "it makes, changes, locks or drops a table, which would commit the open transaction on this "
                  "database. do it before, or after the commit"
                : "it makes, changes, locks or drops a table, which would commit what the transaction has changed on "
                  "this database. commit that first");
      }
  }
}

/// CREATE and the like: they commit, and what comes after them is a transaction of its own.
void MysqlConnection::define(std::string_view sql, const MysqlText& text) {
  if (!locked_) {
    if (levels_.front())
      levels_.front() = false;  // it has seen what it wanted to see
    else
      require_session();
  }
  try {
    running("execute a statement", &text, [&] { link_->run(sql); });
  } catch (const Error& e) {
    if (!link_->lost()) throw;
    gone_ = true;
    throw Error(Errc::in_doubt, fmt::format("{}. whether it happened is not known: look at the tables again", e.what()),
                e.target(), e.native());
  }
  changed_ = false;
}

void MysqlConnection::lock(std::string_view sql) {
  require_session();
  running("lock tables", nullptr, [&] { link_->run("SET autocommit = 0; " + std::string(sql)); });
  levels_.front() = true;
  locked_ = true;
}

std::unique_ptr<Cursor> MysqlConnection::do_execute(std::string_view sql, std::span<const Value> params) {
  require_transaction("execute a statement");
  finish_stream();
  auto answer = std::make_shared<Answer>();
  answer->level = levels_.size();
  const auto known = by_text_.find(sql);
  const MysqlText text = known == by_text_.end() ? scan_mysql(sql) : known->second->second->text;
  check(text);
  if (text.verb == MysqlVerb::defines || text.verb == MysqlVerb::locks) {
    if (!params.empty()) {
      throw Error(Errc::usage, fmt::format("execute a statement on {}: it takes no parameters", location_), location_);
    }
    text.verb == MysqlVerb::locks ? lock(sql) : define(sql, text);
    answer->complete = true;
    return std::make_unique<MysqlCursor>(*this, std::move(answer));
  }
  begin_levels(text.verb == MysqlVerb::changes);
  running("execute a statement", &text, [&] {
    if (text.verb == MysqlVerb::forbidden) {
      constexpr unsigned syntax = 1064;
      try {
        MysqlStatement(link_, sql);
      } catch (const MysqlFailure& f) {
        if (f.number == syntax || link_->lost()) throw;
      }
      throw Error(Errc::access,
                  fmt::format("execute a statement on {}: it does what none may do here: transactions, settings, "
                              "privileges and files belong to the connection",
                              location_),
                  location_);
    }
    answer->statement = prepare(sql);
    check_count(*answer->statement, params.size());
    for (const auto& weak : answers_) {
      if (const auto other = weak.lock(); other && other->statement == answer->statement) other->over = true;
    }
    run(*answer->statement, params);
    answer->columns = answer->statement->prepared.columns();
    answer->affected = answer->statement->prepared.affected();
    answer->complete = answer->columns.empty();
    if (!answer->complete) streaming_ = answer;
  });
  if (!answer->complete) {
    std::erase_if(answers_, [](const auto& weak) { return weak.expired(); });
    answers_.push_back(answer);
  }
  return std::make_unique<MysqlCursor>(*this, std::move(answer));
}

// Many rows

/// How many of the first ones fit one message, and one statement.
std::size_t MysqlConnection::rows_that_fit(std::span<const std::vector<Value>> rows) const {
  const std::size_t most =
      std::min(rows_a_message, dialect().max_parameters() / std::max<std::size_t>(rows[0].size(), 1));
  std::size_t bytes = 0, count = 0;
  for (; count < std::min(rows.size(), most); ++count) {
    for (const Value& value : rows[count]) {
      const auto* text = value.get_if<std::string>();
      const auto* data = value.get_if<Bytes>();
      bytes += 16 + (text ? text->size() : data ? data->size() : 0);
    }
    if (bytes > link_->max_packet() / 2) break;
  }
  return count;
}

std::int64_t MysqlConnection::run_rows(std::string_view sql, const MysqlText& text,
                                       std::span<const std::vector<Value>> rows) {
  const auto statement = prepare(with_rows(sql, text, rows.size()));
  for (const auto& row : rows) check_count(*statement, row.size() * rows.size());
  run(*statement, rows);
  return statement->prepared.affected();
}

std::vector<std::int64_t> MysqlConnection::do_execute_many(std::string_view sql,
                                                           std::span<const std::vector<Value>> rows) {
  std::vector<std::int64_t> affected;
  if (rows.empty()) return affected;
  require_transaction("execute a statement");
  finish_stream();
  const MysqlText text = scan_mysql(sql);
  check(text);
  if (text.verb != MysqlVerb::changes) return Connection::do_execute_many(sql, rows);
  begin_levels(true);
  affected.reserve(rows.size());
  const auto one = [&](const std::vector<Value>& row) {
    const auto statement = prepare(sql);
    check_count(*statement, row.size());
    run(*statement, row);
    affected.push_back(statement->prepared.affected());
  };
  try {
    running("execute a statement", &text, [&] {
      while (affected.size() < rows.size()) {
        const auto rest = rows.subspan(affected.size());
        std::size_t count = text.values_size > 0 ? rows_that_fit(rest) : 1;
        count = count > 1 ? std::bit_floor(count) : 1;  // few different statements
        const auto part = rest.first(count);
        if (count < 8) {
          std::ranges::for_each(part, one);
          continue;
        }
        // The count tells of each row what became of it, if the same became of all; else they go one by one.
        const bool plain = text.values + text.values_size == sql.size();  // no row is left out or changed instead
        if (!plain) link_->run("SAVEPOINT many");
        const std::int64_t total = run_rows(sql, text, part);
        if (plain || total == static_cast<std::int64_t>(count) || total == 0) {
          affected.insert(affected.end(), count, total == 0 ? 0 : 1);
        } else {
          link_->run("ROLLBACK TO SAVEPOINT many");
          std::ranges::for_each(part, one);
        }
      }
    });
  } catch (const Error& e) {
    if (rows.size() == 1) throw;
    throw e.within(fmt::format("rows from {} of {}", affected.size() + 1, rows.size()));
  }
  return affected;
}

// Answers

/// The next row from the server, if there is one.
bool MysqlConnection::receive(Answer& answer) {
  std::vector<Value> cells;
  try {
    if (answer.statement->prepared.fetch(cells)) {
      answer.rows.push_back(std::move(cells));
      return true;
    }
  } catch (const MysqlFailure& f) {
    answer.failure = error_of(f, "read the next row", nullptr);
  }
  complete(answer);
  return false;
}

void MysqlConnection::complete(Answer& answer) {
  answer.complete = true;
  if (streaming_.get() == &answer) streaming_.reset();
  set_busy(false);
}

void MysqlConnection::fetch(Answer& answer) {
  require_process("read the next row");
  receive(answer);
}

void MysqlConnection::finish_stream() {
  if (!streaming_) return;
  const std::shared_ptr<Answer> answer = std::exchange(streaming_, nullptr);
  const auto wanted = [&] { return !answer->over && answer.use_count() > 1; };
  for (std::size_t unwanted = 0; receive(*answer);) {
    if (wanted()) continue;
    answer->cut = true;
    answer->rows.clear();
    if (++unwanted < rows_worth_reading) continue;
    link_->cancel();
    answer->statement->prepared.discard();
    link_->absorb_cancel();
    return complete(*answer);
  }
}

/// Of the transaction of this level, and of those inside of it.
void MysqlConnection::end_answers(std::size_t level) {
  for (const auto& weak : answers_) {
    if (const auto answer = weak.lock(); answer && answer->level >= level) answer->over = true;
  }
  std::erase_if(answers_, [&](const auto& weak) {
    const auto answer = weak.lock();
    return !answer || answer->level >= level;
  });
  if (streaming_ && streaming_->level >= level) finish_stream();
}

/// For the catalogue: needs no transaction, and sees what is committed now.
MysqlAsk MysqlConnection::asking() {
  return [this](std::string_view sql, std::span<const Value> params) {
    constexpr std::string_view tried = "read the catalogue";
    require_transaction(tried);
    finish_stream();
    if (levels_.empty() || !levels_.front()) require_session();
    const auto read = [&] {
      std::vector<std::vector<Value>> rows;
      const auto statement = prepare(sql);
      statement->prepared.execute(params);
      for (std::vector<Value> cells; statement->prepared.fetch(cells);) rows.push_back(std::move(cells));
      return rows;
    };
    return running(tried, nullptr, read);
  };
}

// Transactions: the outermost one, then savepoints named by their depth

void MysqlConnection::do_begin(bool write) {
  require_transaction("begin a transaction");
  if (levels_.empty()) {
    writing_ = write;
    changed_ = false;
    require_session();
  }
  levels_.push_back(false);
}

void MysqlConnection::do_commit() {
  require_transaction("commit");
  end_answers(levels_.size());
  if (levels_.size() > 1) {
    levels_.pop_back();  // its savepoint is forgotten with the transaction, or when another one takes its name
    return;
  }
  if (levels_.front()) {
    try {
      running("commit", nullptr, [&] { link_->run(locked_ ? "COMMIT; UNLOCK TABLES; SET autocommit = 1" : "COMMIT"); });
    } catch (const Error& e) {
      if (!link_->lost()) throw;
      if (changed_) {
        levels_.clear();
        gone_ = locked_ = false;
        throw Error(Errc::in_doubt,
                    fmt::format("commit on {}: the connection was lost before the answer came", location_), location_,
                    e.native());
      }
      // There was nothing to commit.
    }
  }
  levels_.clear();
  gone_ = locked_ = false;
}

void MysqlConnection::do_rollback() noexcept {
  if (getpid() != process_ || levels_.empty()) return;
  const std::size_t level = levels_.size();
  try {
    end_answers(level);
    if (levels_.back() && !link_->lost() && (level == 1 || !gone_)) {
      running("roll back", nullptr, [&] {
        link_->run(level > 1 ? fmt::format("ROLLBACK TO SAVEPOINT s{}", level - 1)
                   : locked_ ? "ROLLBACK; UNLOCK TABLES; SET autocommit = 1"
                             : "ROLLBACK");
      });
    }
  } catch (const std::exception&) {
    gone_ = true;  // the server rolls back what it hears no more of
  }
  levels_.pop_back();
  if (levels_.empty()) gone_ = locked_ = false;
}

std::unique_ptr<Connection> open_mysql(const Config& config) {
  if (config.host.empty()) {
    throw Error(Errc::usage, "open a MySQL database: no host is named. set database.host");
  }
  return std::make_unique<MysqlConnection>(config);
}

}  // namespace
}  // namespace db

const db::Driver& db_mysql();
const db::Driver& db_mysql() {
  static const db::Driver driver{"mysql", &db::open_mysql, &db::mysql_dialect};
  return driver;
}

}  // namespace oas
