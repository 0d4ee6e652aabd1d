// PostgreSQL, over libpq. docs/format/postgresql.md says what is in a database.
//
// 1. Transactions and savepoints begin with the first statement that runs in them, in the same round trip; one in which
//    nothing runs costs nothing, and several that begin at once are one to the server. Ends of savepoints wait for the
//    next statement too, and nobody waits for the end of a reading transaction: its answer is read before the next one.
// 2. A statement is prepared once for each combination of kinds of parameters and kept; the least recently used one
//    goes first. Of many rows, many statements go to a round trip, and of plain inserts many rows to a statement.
// 3. One answer at a time arrives row by row. When another statement runs, or the transaction ends, the rest of it is
//    read first: into memory if its cursor may still ask for it.
// 4. A session that the server has ended is opened again at the beginning of a transaction, and nowhere else. That may
//    show when the first statement is sent: it is sent once more, since what it may have done was not committed.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <deque>
#include <list>
#include <mutex>
#include <oas/db.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "db/postgres_catalog.hpp"
#include "db/postgres_dialect.hpp"
#include "db/postgres_errors.hpp"
#include "db/postgres_link.hpp"
#include "db/postgres_wire.hpp"
#include "db/type_words.hpp"

namespace oas {
namespace db {
namespace {

constexpr std::size_t kept_statements = 128;
constexpr std::size_t most_superseded = 32;  // that the server keeps for nothing
constexpr std::size_t rows_a_group = 4096;
constexpr std::size_t rows_an_insert = 16;
constexpr std::size_t bytes_an_insert = 64 * 1024;  // larger rows gain nothing by going together
constexpr PostgresType first_users_type = 16'384;
constexpr std::size_t bytes_before_flush = 64 * 1024;
constexpr std::size_t rows_worth_reading = 1000;  // of an answer that nobody wants: then asking the server to stop pays

/// The first word in lower case, behind comments and parentheses.
std::string first_word(std::string_view sql) {
  for (;;) {
    sql = trimmed(sql);
    if (sql.starts_with("--"))
      sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
    else if (sql.starts_with("/*"))
      sql.remove_prefix(std::min(sql.find("*/"), sql.size() - 2) + 2);
    else if (sql.starts_with('('))
      sql.remove_prefix(1);
    else
      return type_words(sql.substr(0, 32)).word;
  }
}
bool belongs_to_the_connection(std::string_view word) {
  return one_of(word, {"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare",
                       "deallocate", "discard", "set", "reset", "copy", "listen", "unlisten"});
}
bool is_worth_keeping(std::string_view word) {
  return one_of(word, {"select", "insert", "update", "delete", "with", "values"});
}
bool only_reads(std::string_view word) { return one_of(word, {"select", "values", "table", "show", "explain"}); }

struct Statement {
  std::string sql, name;  ///< no name: not kept
  PostgresSignature signature;
  std::size_t parameters = 0;
  std::vector<std::string> columns;
  std::vector<PostgresType> types;
  bool binary = true;
  bool reads = false;
};

/// What came back for one run of a statement, and what is still to come.
struct Answer {
  std::shared_ptr<const Statement> statement;
  std::size_t level = 0;  ///< of the transaction in which it runs
  std::deque<PostgresResult> rows;
  std::size_t row = 0;    ///< the next one of rows.front()
  bool complete = false;  ///< nothing is to come
  bool over = false;      ///< its transaction has ended, or its statement ran again
  bool ended = false;     ///< the cursor has said that there are no more rows
  std::int64_t affected = 0;
  std::optional<Error> failure;
};

class PostgresConnection;

class PostgresCursor final : public Cursor {
 public:
  PostgresCursor(PostgresConnection& connection, std::shared_ptr<Answer> answer)
      : connection_(connection), answer_(std::move(answer)) {}
  std::span<const std::string> columns() const override { return answer_->statement->columns; }
  bool next(std::vector<Value>& cells) override;
  std::int64_t affected() const override { return answer_->affected; }

 private:
  PostgresConnection& connection_;
  std::shared_ptr<Answer> answer_;
};

/// Nanoseconds.
std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

class PostgresConnection final : public Connection {
 public:
  explicit PostgresConnection(Config config)
      : config_(std::move(config)),
        location_(fmt::format("postgresql {}:{}/{}", config_.host, config_.port, config_.name)) {
    link_ = std::make_unique<PostgresLink>(config_, location_);
  }
  ~PostgresConnection() override { end_answers(0); }

  const Dialect& dialect() const noexcept override { return postgres_dialect(); }
  std::string location() const override { return location_; }
  std::vector<std::string> schemas() override {
    Transaction tx(*this, Transaction::Mode::read);
    return postgres_schemas(tx);
  }
  std::vector<TableDef> introspect(std::string_view schema) override {
    Transaction tx(*this, Transaction::Mode::read);
    return postgres_tables(tx, schema);
  }
  std::int64_t catalog_version() override {
    Transaction tx(*this, Transaction::Mode::read);
    return postgres_catalog_version(tx);
  }
  std::int64_t table_version(std::string_view schema, std::string_view table) override {
    Transaction tx(*this, Transaction::Mode::read);
    return postgres_table_version(tx, schema, table);
  }
  std::unique_ptr<Connection> fork() override { return std::make_unique<PostgresConnection>(config_); }
  std::unique_ptr<Connection> side() override { return fork(); }
  void cancel() noexcept override {
    const std::lock_guard lock(link_mutex_);
    cancelled_ = now();
    if (link_) link_->cancel();
  }

  void fetch(Answer& answer);

 protected:
  std::unique_ptr<Cursor> do_execute(std::string_view sql, std::span<const Value> params) override;
  std::vector<std::int64_t> do_execute_many(std::string_view sql, std::span<const std::vector<Value>> rows) override;
  void do_begin(bool write) override;
  void do_rollback() noexcept override;
  void do_commit() override;

 private:
  void require_process(std::string_view tried) const;
  void require_session(std::string_view tried);
  template <class Run>
  auto in_session(Run&& run);
  std::unique_ptr<Cursor> run_one(std::string_view sql, std::span<const Value> params);
  std::vector<std::int64_t> run_many(std::string_view sql, std::span<const std::vector<Value>> rows);
  Error error_of(const PostgresFailure& failure, std::string_view tried);
  [[noreturn]] void fail(const PGresult& result, std::string_view tried);

  void take_owed() noexcept;
  std::size_t queue_levels();
  void take_commands(std::size_t count, std::string_view tried);
  std::optional<Error> take_rows(Answer& answer, bool all);
  std::int64_t take_count(std::string_view tried);
  void finish_stream(bool ending = false);
  void end_answers(std::size_t level);
  void drop_superseded() noexcept;

  std::shared_ptr<const Statement> prepare(std::string_view sql, const PostgresSignature& signature);
  bool comes_in_binary(PostgresType type) const;
  void learn_types(std::span<const PostgresType> types);
  void check_count(const Statement& statement, std::size_t given) const;
  void forget(const Statement& statement);

  Config config_;
  std::string location_;
  pid_t process_ = getpid();
  std::mutex link_mutex_;  // cancel() may come at any time
  std::unique_ptr<PostgresLink> link_;
  std::atomic<std::int64_t> cancelled_ = 0;  ///< when cancel() was called last
  std::int64_t begun_ = 0;                   ///< when what runs was sent

  /// What the server knows of a transaction or savepoint: nothing; where it began; or that the one around it began,
  /// before anything ran there, so that to undo this one is to undo that one.
  enum class Level : std::uint8_t { unsaid, begun, shared };
  std::vector<Level> levels_;
  bool writing_ = false;
  std::vector<std::string> waiting_;  ///< commands to be sent before the next statement
  bool owed_ = false;                 ///< the answer to the last ROLLBACK is still to be read

  using Kept = std::list<std::shared_ptr<const Statement>>;
  Kept statements_;  ///< the most recently used first
  std::unordered_multimap<std::string_view, Kept::iterator> by_text_;
  std::unordered_map<PostgresType, bool> users_types_;  ///< that were met, and whether they are enumerations
  std::vector<std::string> superseded_;                 ///< names of statements that the server may forget
  std::uint64_t next_name_ = 0;

  std::shared_ptr<Answer> streaming_;
  std::vector<std::weak_ptr<Answer>> answers_;  ///< of the open transactions
};

bool PostgresCursor::next(std::vector<Value>& cells) {
  Answer& a = *answer_;
  if (a.ended) return false;
  if (a.over) {
    throw Error(Errc::usage,
                "read the next row: the cursor ended with its transaction, or when its statement ran again. "
                "read all rows before");
  }
  if (a.rows.empty() && !a.complete) connection_.fetch(a);
  if (a.rows.empty()) {
    if (a.failure) throw *a.failure;
    a.ended = true;
    return false;
  }
  const PostgresResult rows = a.rows.front();
  const std::shared_ptr<const void> owner = rows;
  const auto row = static_cast<int>(a.row);
  const Statement& s = *a.statement;
  cells.resize(s.columns.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto column = static_cast<int>(i);
    if (PQgetisnull(rows.get(), row, column)) {
      cells[i] = {};
      continue;
    }
    const std::string_view cell(PQgetvalue(rows.get(), row, column),
                                static_cast<std::size_t>(PQgetlength(rows.get(), row, column)));
    cells[i] = s.binary ? read_binary_cell(s.types[i], cell, owner) : read_text_cell(s.types[i], cell);
  }
  if (++a.row == static_cast<std::size_t>(PQntuples(rows.get()))) {
    a.rows.pop_front();
    a.row = 0;
  }
  return true;
}

// Errors

void PostgresConnection::require_process(std::string_view tried) const {
  if (getpid() == process_) return;
  throw Error(
      Errc::usage,
      fmt::format("{} on {}: the connection belongs to the parent process. open one after the fork", tried, location_),
      location_);
}

/// The server knows of the open transaction, or can be told of it.
void PostgresConnection::require_session(std::string_view tried) {
  require_process(tried);
  const bool begun = !levels_.empty() && levels_.front() != Level::unsaid;
  if (begun && !link_->lost()) return;
  take_owed();
  if (begun) {
    throw Error(Errc::unavailable,
                fmt::format("{} on {}: the connection was lost, and with it the transaction. begin another one", tried,
                            location_),
                location_, "08006");
  }
  if (link_->alive()) return;
  if (!config_.reconnect) {
    throw Error(
        Errc::unavailable,
        fmt::format("{} on {}: the connection was lost. open another one, or set database.reconnect", tried, location_),
        location_, "08006");
  }
  waiting_.clear();
  by_text_.clear();
  statements_.clear();
  superseded_.clear();
  users_types_.clear();
  auto fresh = std::make_unique<PostgresLink>(config_, location_);
  const std::lock_guard lock(link_mutex_);
  link_ = std::move(fresh);
}

template <class Run>
auto PostgresConnection::in_session(Run&& run) {
  constexpr std::string_view tried = "execute a statement";
  require_session(tried);
  const bool first = !levels_.empty() && levels_.front() == Level::unsaid;
  try {
    return run();
  } catch (const Error&) {
    if (!first || !link_->lost() || !config_.reconnect) throw;
  }
  levels_.assign(levels_.size(), Level::unsaid);
  require_session(tried);
  return run();
}

Error PostgresConnection::error_of(const PostgresFailure& failure, std::string_view tried) {
  const std::string what = fmt::format("{} on {}", tried, location_);
  // The server does not say why it stopped a statement, and what was sent just before may meet the next one.
  constexpr std::int64_t on_its_way = 1'000'000'000;
  const std::int64_t cancelled = cancelled_;
  if (failure.sqlstate == "57014" && cancelled != 0 && (cancelled > begun_ || now() - cancelled < on_its_way))
    return Error(Errc::cancelled, what + ": it was cancelled", location_, failure.sqlstate);
  return postgres_error(failure, what, location_, !writing_);
}

/// Of a reading transaction that is over.
void PostgresConnection::take_owed() noexcept {
  try {
    if (owed_ && !link_->lost()) link_->skip_group();
  } catch (const Error&) {
    link_->lose();
  }
  owed_ = false;
}

void PostgresConnection::fail(const PGresult& result, std::string_view tried) {
  throw error_of(failure_of(result), tried);
}

// What goes ahead of a statement

/// Queues what the server has not been told of transactions; how many commands.
std::size_t PostgresConnection::queue_levels() {
  std::size_t count = 0;
  const auto command = [&](const std::string& sql) {
    link_->query(sql);
    ++count;
  };
  for (const std::string& sql : waiting_) command(sql);
  waiting_.clear();
  const auto fresh = std::ranges::find(levels_, Level::unsaid);
  if (fresh == levels_.end()) return count;
  if (fresh != levels_.begin())
    command(fmt::format("SAVEPOINT s{}", fresh - levels_.begin()));
  else
    command(writing_ ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
                     : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  *fresh = Level::begun;
  std::fill(fresh + 1, levels_.end(), Level::shared);
  return count;
}

/// The answers to commands without rows.
void PostgresConnection::take_commands(std::size_t count, std::string_view tried) {
  for (; count > 0; --count) {
    const PostgresResult result = link_->next();
    if (!result || PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      if (!link_->lost()) link_->skip_group();
      if (result) fail(*result, tried);
      link_->lose();
      throw Error(Errc::internal, fmt::format("{} on {}: an answer is missing", tried, location_), location_);
    }
    link_->next();
  }
}

// Statements

std::shared_ptr<const Statement> PostgresConnection::prepare(std::string_view sql, const PostgresSignature& signature) {
  const auto [first, last] = by_text_.equal_range(sql);
  for (auto known = first; known != last; ++known) {
    if (!(*known->second)->signature.takes(signature)) continue;
    statements_.splice(statements_.begin(), statements_, known->second);
    return statements_.front();
  }
  const std::string word = first_word(sql);
  if (belongs_to_the_connection(word)) {
    throw Error(Errc::access,
                fmt::format("execute a statement on {}: transactions, settings and the like belong to the connection",
                            location_),
                location_);
  }
  if (sql.find('\0') != sql.npos) {
    throw Error(Errc::usage, fmt::format("execute a statement on {}: its text holds a NUL", location_), location_);
  }
  auto fresh = std::make_shared<Statement>();
  fresh->sql = sql;
  fresh->signature = signature;
  fresh->reads = only_reads(word);
  if (is_worth_keeping(word)) fresh->name = fmt::format("s{}", ++next_name_);

  constexpr std::string_view tried = "prepare a statement";
  const std::size_t commands = queue_levels();
  link_->prepare(fresh->name, fresh->sql, signature.types());
  link_->describe(fresh->name);
  link_->sync();
  link_->flush();
  take_commands(commands + 1, tried);
  const PostgresResult described = link_->next();
  link_->skip_group();
  if (!described || PQresultStatus(described.get()) != PGRES_COMMAND_OK) {
    if (described) fail(*described, tried);
    throw Error(Errc::internal, fmt::format("{} on {}: an answer is missing", tried, location_), location_);
  }
  fresh->parameters = static_cast<std::size_t>(PQnparams(described.get()));
  for (int i = 0; i < PQnfields(described.get()); ++i) {
    fresh->columns.emplace_back(PQfname(described.get(), i));
    fresh->types.push_back(PQftype(described.get(), i));
  }
  learn_types(fresh->types);
  fresh->binary = std::ranges::all_of(fresh->types, [&](PostgresType type) { return comes_in_binary(type); });
  if (fresh->name.empty()) return fresh;
  statements_.push_front(fresh);
  by_text_.emplace(statements_.front()->sql, statements_.begin());
  if (statements_.size() > kept_statements) forget(*statements_.back());
  return fresh;
}

/// Enumerations are texts in either form.
bool PostgresConnection::comes_in_binary(PostgresType type) const {
  const auto users = users_types_.find(type);
  return users == users_types_.end() ? has_binary_cells(type) : users->second;
}

void PostgresConnection::learn_types(std::span<const PostgresType> types) {
  std::vector<PostgresType> fresh;
  for (const PostgresType type : types)
    if (type >= first_users_type && users_types_.emplace(type, false).second) fresh.push_back(type);
  if (fresh.empty()) return;
  link_->query(
      fmt::format("SELECT oid FROM pg_catalog.pg_type WHERE typtype = 'e' AND oid IN ({})", fmt::join(fresh, ", ")));
  link_->sync();
  link_->flush();
  const PostgresResult found = link_->next();
  link_->skip_group();
  if (!found || PQresultStatus(found.get()) != PGRES_TUPLES_OK) {
    users_types_.clear();
    if (found) fail(*found, "look up types");
    throw Error(Errc::internal, fmt::format("look up types on {}: an answer is missing", location_), location_);
  }
  for (int row = 0; row < PQntuples(found.get()); ++row) {
    const std::string_view number = PQgetvalue(found.get(), row, 0);
    PostgresType type = 0;
    std::from_chars(number.data(), number.data() + number.size(), type);
    users_types_[type] = true;
  }
}

void PostgresConnection::forget(const Statement& statement) {
  const auto [first, last] = by_text_.equal_range(statement.sql);
  const auto known = std::find_if(first, last, [&](const auto& entry) { return entry.second->get() == &statement; });
  if (known == last) return;
  superseded_.push_back(statement.name);
  const Kept::iterator at = known->second;
  by_text_.erase(known);
  statements_.erase(at);
}

void PostgresConnection::check_count(const Statement& statement, std::size_t given) const {
  if (statement.parameters == given) return;
  throw Error(Errc::usage,
              fmt::format("execute a statement on {}: it has {} parameters, and {} were given", location_,
                          statement.parameters, given),
              location_);
}

PostgresSignature signature_of(std::span<const Value> params, const std::string& location) {
  PostgresSignature signature;
  try {
    signature.add(params);
  } catch (const Error& e) {
    throw e.within("execute a statement on " + location);
  }
  return signature;
}

std::unique_ptr<Cursor> PostgresConnection::do_execute(std::string_view sql, std::span<const Value> params) {
  return in_session([&] { return run_one(sql, params); });
}

std::unique_ptr<Cursor> PostgresConnection::run_one(std::string_view sql, std::span<const Value> params) {
  constexpr std::string_view tried = "execute a statement";
  const PostgresSignature signature = signature_of(params, location_);
  for (const auto& weak : answers_) {
    if (const auto earlier = weak.lock(); earlier && earlier->statement->sql == sql) earlier->over = true;
  }
  finish_stream();
  begun_ = now();
  const auto statement = prepare(sql, signature);
  check_count(*statement, params.size());

  auto answer = std::make_shared<Answer>();
  answer->statement = statement;
  answer->level = levels_.size();
  const std::size_t commands = queue_levels();
  link_->run(statement->name, PostgresParameters(params, statement->signature), statement->binary);
  link_->sync();
  link_->flush();
  take_commands(commands, tried);
  if (!statement->columns.empty()) link_->one_by_one();
  streaming_ = answer;
  if (const auto error = take_rows(*answer, !statement->reads)) throw *error;
  std::erase_if(answers_, [](const auto& weak) { return weak.expired(); });
  answers_.push_back(answer);
  return std::make_unique<PostgresCursor>(*this, std::move(answer));
}

/// Reads the next row that streams, or all of them. At the end the group is over, and nothing streams any more.
std::optional<Error> PostgresConnection::take_rows(Answer& answer, bool all) {
  constexpr std::string_view tried = "execute a statement";
  try {
    do {
      const PostgresResult result = link_->next();
      const auto status = result ? PQresultStatus(result.get()) : PGRES_FATAL_ERROR;
      if (status == PGRES_SINGLE_TUPLE) {
        answer.rows.push_back(result);
        continue;
      }
      answer.complete = true;
      streaming_.reset();
      if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        const std::string_view count = PQcmdTuples(result.get());
        if (!answer.statement->reads) std::from_chars(count.data(), count.data() + count.size(), answer.affected);
      } else if (status == PGRES_EMPTY_QUERY) {
        answer.failure =
            Error(Errc::usage, fmt::format("{} on {}: the text holds none. give one", tried, location_), location_);
      } else if (result) {
        const PostgresFailure failure = failure_of(*result);
        answer.failure = error_of(failure, tried);
        if (failure.function == "RevalidateCachedQuery") forget(*answer.statement);
      } else {
        answer.failure =
            Error(Errc::internal, fmt::format("{} on {}: an answer is missing", tried, location_), location_);
      }
      if (!link_->lost()) link_->skip_group();
    } while (all && !answer.complete);
  } catch (const Error& e) {
    answer.complete = true;
    answer.failure = e.within(fmt::format("{}", tried));
    streaming_.reset();
  }
  return answer.failure;
}

void PostgresConnection::fetch(Answer& answer) {
  require_process("read the next row");
  take_rows(answer, false);
}

/// Another statement can run: what still streams is read to its end, for its cursor if there is one. `ending`: the
/// outermost transaction is over, and if it only reads, it may as well fail.
void PostgresConnection::finish_stream(bool ending) {
  if (!streaming_) return;
  const auto answer = streaming_;
  const bool wanted = !answer->over && answer.use_count() > 2;
  for (std::size_t rows = 0; !answer->complete; ++rows) {
    if (!wanted && ending && !writing_ && rows == rows_worth_reading) link_->cancel();
    take_rows(*answer, false);
    if (!wanted) answer->rows.clear();
  }
}

/// The rows changed by the current command.
std::int64_t PostgresConnection::take_count(std::string_view tried) {
  std::int64_t affected = 0;
  for (;;) {
    const PostgresResult result = link_->next();
    if (!result) return affected;
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      if (!link_->lost()) link_->skip_group();
      fail(*result, tried);
    }
    const std::string_view count = PQcmdTuples(result.get());
    std::from_chars(count.data(), count.data() + count.size(), affected);
  }
}

std::vector<std::int64_t> PostgresConnection::do_execute_many(std::string_view sql,
                                                              std::span<const std::vector<Value>> rows) {
  if (rows.empty()) return {};
  return in_session([&] { return run_many(sql, rows); });
}

std::vector<std::int64_t> PostgresConnection::run_many(std::string_view sql, std::span<const std::vector<Value>> rows) {
  constexpr std::string_view tried = "execute a statement";
  std::vector<std::int64_t> all;
  finish_stream();
  begun_ = now();
  all.reserve(rows.size());
  const auto in_row = [&](const Error& e) {
    return rows.size() == 1 ? e : e.within(fmt::format("after {} of {} rows", all.size(), rows.size()));
  };
  while (all.size() < rows.size()) {
    const std::size_t first = all.size();
    PostgresSignature signature;
    std::size_t last = first;
    try {
      while (last < rows.size() && last - first < rows_a_group && rows[last].size() == rows[first].size() &&
             signature.add(rows[last]))
        ++last;
    } catch (const Error& e) {
      throw e.within(fmt::format("execute a statement on {}: row {} of {}", location_, last + 1, rows.size()));
    }
    const auto statement = prepare(sql, signature);
    check_count(*statement, rows[first].size());
    std::shared_ptr<const Statement> together;
    if (last - first >= rows_an_insert && statement->columns.empty()) {
      const auto text = postgres_insert_of_rows(sql, statement->parameters, rows_an_insert);
      const bool fits = statement->parameters * rows_an_insert <= postgres_dialect().max_parameters();
      if (!text.empty() && fits) together = prepare(text, statement->signature.repeated(rows_an_insert));
    }
    const std::size_t commands = queue_levels();
    std::size_t queued = 0;
    std::vector<std::size_t> sizes;  // of the statements, in rows
    const auto send = [&](const Statement& s, const PostgresParameters& parameters, std::size_t count) {
      link_->run(s.name, parameters, s.binary);
      sizes.push_back(count);
      queued += parameters.bytes();
      if (queued < bytes_before_flush) return;
      link_->flush();
      queued = 0;
    };
    for (std::size_t i = first; i < last;) {
      if (together && last - i >= rows_an_insert) {
        PostgresParameters parameters(together->signature);
        for (std::size_t n = 0; n < rows_an_insert; ++n) parameters.add(rows[i + n]);
        if (parameters.bytes() <= bytes_an_insert) {
          send(*together, parameters, rows_an_insert);
          i += rows_an_insert;
          continue;
        }
      }
      send(*statement, PostgresParameters(rows[i], statement->signature), 1);
      ++i;
    }
    link_->sync();
    link_->flush();
    take_commands(commands, tried);
    try {
      for (const std::size_t size : sizes) {
        const std::int64_t changed = take_count(tried);
        // Only a trigger can have left out some of several rows, and nobody tells which.
        const bool all_of_them = changed == static_cast<std::int64_t>(size);
        all.insert(all.end(), size, size == 1 ? changed : std::int64_t{all_of_them});
      }
    } catch (const Error& e) {
      throw in_row(e);
    }
    link_->skip_group();
  }
  return all;
}

/// Cursors of transactions from this level on are over.
void PostgresConnection::end_answers(std::size_t level) {
  std::erase_if(answers_, [&](const auto& weak) {
    const auto answer = weak.lock();
    if (answer && answer->level >= level) answer->over = true;
    return !answer || answer->over;
  });
}

// Transactions

void PostgresConnection::do_begin(bool write) {
  require_process("begin a transaction");
  if (levels_.empty()) writing_ = write;
  levels_.push_back(Level::unsaid);
}

void PostgresConnection::do_commit() {
  constexpr std::string_view tried = "commit";
  require_process(tried);
  const Level level = levels_.back();
  const std::size_t savepoint = levels_.size() - 1;
  if (!writing_ && savepoint == 0) return do_rollback();  // there is nothing to commit, and nothing that could fail
  end_answers(levels_.size());
  if (level != Level::unsaid) {
    require_session(tried);
    finish_stream();
    if (link_->failed()) {
      throw Error(Errc::usage,
                  fmt::format("commit on {}: a statement of this transaction failed. roll back, and begin another one",
                              location_),
                  location_, "25P02");
    }
  }
  if (level == Level::unsaid || savepoint > 0) {
    if (level == Level::begun) waiting_.push_back(fmt::format("RELEASE SAVEPOINT s{}", savepoint));
    levels_.pop_back();
    return;
  }
  try {
    const std::size_t commands = waiting_.size();
    for (const std::string& sql : std::exchange(waiting_, {})) link_->query(sql);
    link_->query("COMMIT");
    link_->sync();
    link_->flush();
    take_commands(commands, tried);
    const PostgresResult result = link_->next();
    if (!link_->lost()) link_->skip_group();
    if (!result || PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      if (result) fail(*result, tried);
      throw Error(Errc::internal, fmt::format("{} on {}: an answer is missing", tried, location_), location_);
    }
    if (std::string_view(PQcmdStatus(result.get())) != "COMMIT") {
      throw Error(Errc::unavailable, fmt::format("commit on {}: the server rolled back instead. try again", location_),
                  location_);
    }
  } catch (const Error& e) {
    if (!link_->lost()) throw;
    levels_.pop_back();
    throw Error(Errc::in_doubt,
                fmt::format("commit on {}: the connection was lost before the answer came, so it may have been "
                            "committed or not. look, before you try again",
                            location_),
                location_, e.native());
  }
  levels_.pop_back();
  drop_superseded();
}

/// Many at once, outside of transactions, where it is no matter if one fails.
void PostgresConnection::drop_superseded() noexcept {
  if (superseded_.size() < most_superseded) return;
  try {
    for (const std::string& name : superseded_) {
      link_->query("DEALLOCATE " + name);
      link_->sync();
    }
    link_->flush();
    for (std::size_t i = 0; i < superseded_.size(); ++i) link_->skip_group();
    superseded_.clear();
  } catch (const Error&) {
    link_->lose();
  }
}

void PostgresConnection::do_rollback() noexcept {
  if (getpid() != process_ || levels_.empty()) return;
  const Level level = levels_.back();
  std::size_t savepoint = levels_.size() - 1;
  while (levels_[savepoint] == Level::shared) --savepoint;
  end_answers(levels_.size());
  levels_.pop_back();
  if (level == Level::unsaid || link_->lost()) return;
  try {
    finish_stream(savepoint == 0);
    // What waits belongs to savepoints inside of this one, or beside it: it is sent unless all is rolled back anyway.
    std::vector<std::string> commands;
    commands.swap(waiting_);
    if (savepoint > 0) {
      commands.push_back(fmt::format("ROLLBACK TO SAVEPOINT s{}", savepoint));
      if (level == Level::begun) commands.push_back(fmt::format("RELEASE SAVEPOINT s{}", savepoint));
    } else {
      commands.assign(1, "ROLLBACK");
      levels_.assign(levels_.size(), Level::unsaid);
    }
    for (const std::string& sql : commands) link_->query(sql);
    link_->sync();
    link_->flush();
    owed_ = savepoint == 0 && !writing_ && superseded_.size() < most_superseded;
    if (owed_) return;
    take_commands(commands.size(), "roll back");
    link_->skip_group();
    if (savepoint == 0) drop_superseded();
  } catch (const Error&) {
    link_->lose();  // then the server rolls back all the same
  }
}

std::unique_ptr<Connection> open_postgres(const Config& config) { return std::make_unique<PostgresConnection>(config); }

}  // namespace
}  // namespace db

const db::Driver& db_postgres();
const db::Driver& db_postgres() {
  static const db::Driver driver{"postgresql", &db::open_postgres, &db::postgres_dialect};
  return driver;
}

}  // namespace oas
