// SQLite: one file holds all schemas, a file beside it the ledger. docs/format/sqlite.md says what is in them.
//
// 1. A connection prepares a statement once and keeps it, the least recently used one goes first.
// 2. A statement runs for one cursor at a time. Running it again, or the end of the transaction in which it began,
//    stops it; a cursor notices by the number of the run.
// 3. SQLite itself gives a transaction up after some failures (full disk, I/O). Nothing may then run by accident
//    outside of one, so every statement asks first.

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <list>
#include <oas/db.hpp>
#include <unordered_map>

#include "core/network_folder.hpp"
#include "db/cells.hpp"
#include "db/sqlite_dialect.hpp"

namespace oas {
namespace db {
namespace {

constexpr std::size_t kept_statements = 128;

// Errors

std::string_view code_name(int rc) {
  switch (rc) {
    case SQLITE_CONSTRAINT_PRIMARYKEY: return "SQLITE_CONSTRAINT_PRIMARYKEY";
    case SQLITE_CONSTRAINT_UNIQUE: return "SQLITE_CONSTRAINT_UNIQUE";
    case SQLITE_CONSTRAINT_NOTNULL: return "SQLITE_CONSTRAINT_NOTNULL";
    case SQLITE_CONSTRAINT_FOREIGNKEY: return "SQLITE_CONSTRAINT_FOREIGNKEY";
    case SQLITE_CONSTRAINT_TRIGGER: return "SQLITE_CONSTRAINT_TRIGGER";
    case SQLITE_CONSTRAINT_CHECK: return "SQLITE_CONSTRAINT_CHECK";
    case SQLITE_CONSTRAINT_DATATYPE: return "SQLITE_CONSTRAINT_DATATYPE";
    default: break;
  }
  static constexpr std::array<std::string_view, 27> names{
      "SQLITE_OK",       "SQLITE_ERROR",      "SQLITE_INTERNAL", "SQLITE_PERM",      "SQLITE_ABORT", "SQLITE_BUSY",
      "SQLITE_LOCKED",   "SQLITE_NOMEM",      "SQLITE_READONLY", "SQLITE_INTERRUPT", "SQLITE_IOERR", "SQLITE_CORRUPT",
      "SQLITE_NOTFOUND", "SQLITE_FULL",       "SQLITE_CANTOPEN", "SQLITE_PROTOCOL",  "SQLITE_EMPTY", "SQLITE_SCHEMA",
      "SQLITE_TOOBIG",   "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_MISUSE",    "SQLITE_NOLFS", "SQLITE_AUTH",
      "SQLITE_FORMAT",   "SQLITE_RANGE",      "SQLITE_NOTADB"};
  const auto primary = static_cast<std::size_t>(rc & 0xFF);
  return primary < names.size() ? names[primary] : "SQLITE_ERROR";
}

/// What SQLite says after `prefix`, if it says that.
std::optional<std::string> after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return std::string(text.substr(prefix.size()));
}

/// "lab.scan.animal, lab.scan.scan" as table and attributes.
struct Columns {
  std::string table, names;
};
Columns split_columns(std::string_view text) {
  Columns out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(", "), text.size());
    const std::string_view column = text.substr(0, end);
    const std::size_t dot = column.rfind('.');
    if (dot != column.npos) out.table = column.substr(0, dot);
    out.names += (out.names.empty() ? "" : ", ") + std::string(dot == column.npos ? column : column.substr(dot + 1));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

/// From a result code to an Error. What SQLite says is quoted only where it holds names and no values.
Error make_error(sqlite3* db, int rc, const std::string& tried, const std::string& location) {
  const std::string native(code_name(rc));
  const std::string said = db ? sqlite3_errmsg(db) : "";
  const auto error = [&](Errc code, const std::string& why, const std::string& target = {}) {
    return Error(code, fmt::format("{}: {}", tried, why), target.empty() ? location : target, native);
  };
  switch (rc) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE: {
      const auto [table, names] = split_columns(after(said, "UNIQUE constraint failed: ").value_or(""));
      const char* what = rc == SQLITE_CONSTRAINT_PRIMARYKEY ? "primary key" : "unique value";
      return error(Errc::duplicate, fmt::format("{}: duplicate {} ({})", table, what, names), table);
    }
    case SQLITE_CONSTRAINT_NOTNULL: {
      const auto [table, names] = split_columns(after(said, "NOT NULL constraint failed: ").value_or(""));
      return error(Errc::missing_attribute, fmt::format("{}: {} has no value and no default. give one", table, names),
                   table);
    }
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_TRIGGER:
      return error(Errc::constraint,
                   "a reference forbids it: a row that is referred to is missing, or others still refer "
                   "to this one");
    case SQLITE_CONSTRAINT_CHECK:
      return error(Errc::constraint, after(said, "CHECK constraint failed: ").value_or("a check forbids it"));
    case SQLITE_CONSTRAINT_DATATYPE:
      return error(Errc::constraint, said);  // "cannot store TEXT value in INT column lab.scan.depth"
    default: break;
  }
  switch (rc & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error(Errc::unavailable, "another connection holds the database. try again when it is done");
    case SQLITE_FULL: return error(Errc::unavailable, "the disk is full. make room and try again");
    case SQLITE_INTERRUPT: return error(Errc::cancelled, "it was cancelled");
    case SQLITE_IOERR:
      return error(Errc::unavailable,
                   fmt::format("input or output failed (system error {})", db ? sqlite3_system_errno(db) : 0));
    case SQLITE_CANTOPEN:
      return error(Errc::unavailable,
                   "the file cannot be opened or made. see whether its folder exists and lets you write");
    case SQLITE_READONLY: return error(Errc::access, "the file or its folder is read-only. get permission to write");
    case SQLITE_PERM: return error(Errc::access, "permission denied");
    case SQLITE_AUTH:
      return error(
          Errc::access,
          "the statement does what none may do here: transactions, settings and other files belong to the connection");
    case SQLITE_NOTADB: return error(Errc::decode, "this file is no SQLite database. choose another file");
    case SQLITE_CORRUPT: return error(Errc::decode, "the database file is damaged. restore it from a copy");
    case SQLITE_TOOBIG:
      return error(Errc::constraint, "a value or the statement is longer than 1 GB. keep it in a store");
    case SQLITE_CONSTRAINT: return error(Errc::constraint, "a constraint forbids it");
    case SQLITE_NOMEM: return error(Errc::unavailable, "there is not enough memory");
    case SQLITE_MISMATCH: return error(Errc::constraint, "a value has a type that its column cannot take");
    case SQLITE_ERROR: break;
    default: return error(Errc::internal, sqlite3_errstr(rc));
  }
  if (const auto table = after(said, "no such table: ")) {
    return error(Errc::unknown_table, fmt::format("there is no table {}", *table), *table);
  }
  if (const auto column = after(said, "no such column: ")) {
    return error(Errc::unknown_attribute, fmt::format("there is no attribute {}", *column), *column);
  }
  if (said.starts_with("ambiguous column name") || said.find(" has no column named ") != said.npos) {
    return error(Errc::unknown_attribute, said);
  }
  if (said.ends_with(" already exists")) return error(Errc::duplicate, said);
  if (said.find("syntax error") != said.npos || said == "incomplete input" || said.starts_with("unrecognized token")) {
    return error(Errc::syntax, fmt::format("syntax error at byte {} of the statement", sqlite3_error_offset(db)));
  }
  if (said.starts_with("no such function") || said.starts_with("wrong number of arguments") ||
      said.starts_with("misuse of aggregate") || said.starts_with("ON CONFLICT clause does not match") ||
      said.starts_with("row value misused") || said.find(" values for ") != said.npos) {
    return error(Errc::syntax, said);
  }
  if (said.starts_with("foreign key mismatch")) return error(Errc::definition, said);
  if (said == "integer overflow") return error(Errc::constraint, "an integer overflows 64 bits");
  if (said == "malformed JSON") return error(Errc::constraint, "a text that is no JSON was taken for JSON");
  return error(Errc::syntax, "SQLite refuses the statement");
}

// Functions of conditions that SQLite lacks

std::string_view text_of(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return text ? std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value))) : std::string_view{};
}

/// A part of an ISO date, time, or both: digits at a place that depends on which of them it is.
struct DatePart {
  std::size_t in_datetime, in_time, digits;  // npos: a time has none
};
constexpr std::size_t none = std::string_view::npos;
constexpr DatePart date_parts[]{{0, none, 4}, {5, none, 2}, {8, none, 2}, {11, 0, 2}, {14, 3, 2}, {17, 6, 2}};

void date_part(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto& part = *static_cast<const DatePart*>(sqlite3_user_data(context));
  const std::string_view text = text_of(arguments[0]);
  const bool time = text.size() > 2 && text[2] == ':';
  const std::size_t first = time ? part.in_time : part.in_datetime;
  if (first == none || first + part.digits > text.size()) return sqlite3_result_null(context);
  int number = 0;
  for (const char c : text.substr(first, part.digits)) {
    if (c < '0' || c > '9') return sqlite3_result_null(context);
    number = number * 10 + (c - '0');
  }
  sqlite3_result_int(context, number);
}

void concatenate(sqlite3_context* context, int count, sqlite3_value** arguments) {
  std::string text;
  for (int i = 0; i < count; ++i) text += text_of(arguments[i]);  // NULL adds nothing
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void octet_length(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return sqlite3_result_null(context);
  sqlite3_value_blob(arguments[0]);
  sqlite3_result_int(context, sqlite3_value_bytes(arguments[0]));
}

int collate_decimals(void*, int a_size, const void* a, int b_size, const void* b) {
  return compare_decimals({static_cast<const char*>(a), static_cast<std::size_t>(a_size)},
                          {static_cast<const char*>(b), static_cast<std::size_t>(b_size)});
}

// Statements

struct Statement {
  explicit Statement(sqlite3_stmt* prepared) : handle(prepared) {}
  ~Statement() {
    if (getpid() == process) sqlite3_finalize(handle);
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void stop() noexcept {
    sqlite3_reset(handle);
    sqlite3_clear_bindings(handle);
    ++run;
    active = false;
  }

  sqlite3_stmt* handle;
  pid_t process = getpid();
  std::uint64_t run = 0;
  int level = 0;  ///< of the transaction in which it runs
  bool active = false;
};

Value read_cell(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    }
    case SQLITE_BLOB: {
      const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement, column));
      return Bytes::copy(BytesView(data, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))));
    }
    default: return {};
  }
}

class SqliteConnection;

class SqliteCursor final : public Cursor {
 public:
  SqliteCursor(SqliteConnection& connection, std::shared_ptr<Statement> statement, bool row, std::int64_t affected);
  ~SqliteCursor() override {
    if (statement_->run == run_ && statement_->active) statement_->stop();
  }
  std::span<const std::string> columns() const override { return columns_; }
  bool next(std::vector<Value>& cells) override;
  std::int64_t affected() const override { return affected_; }

 private:
  SqliteConnection& connection_;
  std::shared_ptr<Statement> statement_;
  std::uint64_t run_;
  bool row_;  ///< one has been stepped to and not been given yet
  bool done_;
  std::int64_t affected_;
  std::vector<std::string> columns_;
};

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(std::string file, std::string ledger, std::chrono::milliseconds patience);
  ~SqliteConnection() override {
    statements_.clear();
    if (getpid() == process_) sqlite3_close_v2(db_);  // a child must not touch the files of its parent
  }

  const Dialect& dialect() const noexcept override { return sqlite_dialect(); }
  std::string location() const override { return "sqlite " + file_; }
  std::vector<std::string> schemas() override;
  std::vector<TableDef> introspect(std::string_view schema) override;
  std::int64_t catalog_version() override;
  std::int64_t table_version(std::string_view, std::string_view) override { return catalog_version(); }
  std::unique_ptr<Connection> fork() override { return std::make_unique<SqliteConnection>(file_, ledger_, patience_); }
  std::unique_ptr<Connection> side() override {
    return std::make_unique<SqliteConnection>(ledger_, ledger_, patience_);
  }
  void cancel() noexcept override { sqlite3_interrupt(db_); }

  [[noreturn]] void fail(int rc, std::string_view tried) const {
    throw make_error(db_, rc, fmt::format("{} on {}", tried, location()), location());
  }

 protected:
  std::unique_ptr<Cursor> do_execute(std::string_view sql, std::span<const Value> params) override;
  std::vector<std::int64_t> do_execute_many(std::string_view sql, std::span<const std::vector<Value>> rows) override;
  void do_begin(bool write) override;
  void do_rollback() noexcept override;
  void do_commit() override;

 private:
  void open();
  void define_functions();
  /// A statement of the connection's own, to its end. Returns the result code.
  int control(const char* sql) noexcept;
  void set(const char* pragma);
  void require_transaction(std::string_view tried) const;
  void require_process(std::string_view tried) const;
  std::shared_ptr<Statement> prepare(std::string_view sql);
  void bind(const Statement& statement, std::span<const Value> params, bool keep) const;
  int first_step(Statement& statement, std::int64_t& affected) const;
  void stop_statements(int level) noexcept;
  static int authorize(void* connection, int action, const char*, const char*, const char*, const char*);

  std::string file_, ledger_;
  std::chrono::milliseconds patience_;
  pid_t process_ = getpid();
  sqlite3* db_ = nullptr;
  bool controlling_ = false;
  bool may_write_ = false;
  /// The most recently used first.
  std::list<std::pair<std::string, std::shared_ptr<Statement>>> statements_;
  std::unordered_map<std::string_view, decltype(statements_)::iterator> by_text_;
  std::vector<std::weak_ptr<Statement>> running_;
};

SqliteCursor::SqliteCursor(SqliteConnection& connection, std::shared_ptr<Statement> statement, bool row,
                           std::int64_t affected)
    : connection_(connection),
      statement_(std::move(statement)),
      run_(statement_->run),
      row_(row),
      done_(!row),
      affected_(affected) {
  const int count = sqlite3_column_count(statement_->handle);
  for (int i = 0; i < count; ++i) columns_.emplace_back(sqlite3_column_name(statement_->handle, i));
  if (done_) statement_->stop();
}

bool SqliteCursor::next(std::vector<Value>& cells) {
  if (done_) return false;
  if (statement_->run != run_) {
    throw Error(Errc::usage,
                "read the next row: the cursor ended with its transaction, or when its statement ran again. "
                "read all rows before");
  }
  if (!row_) {
    const int rc = sqlite3_step(statement_->handle);
    if (rc != SQLITE_ROW) {
      done_ = true;
      if (rc == SQLITE_DONE) {
        statement_->stop();
        return false;
      }
      try {
        connection_.fail(rc, "read the next row");
      } catch (...) {
        statement_->stop();
        throw;
      }
    }
  }
  row_ = false;
  cells.resize(columns_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = read_cell(statement_->handle, static_cast<int>(i));
  return true;
}

// Opening

SqliteConnection::SqliteConnection(std::string file, std::string ledger, std::chrono::milliseconds patience)
    : file_(std::move(file)), ledger_(std::move(ledger)), patience_(patience) {
  try {
    open();
  } catch (...) {
    sqlite3_close_v2(db_);
    throw;
  }
}

void SqliteConnection::open() {
  const std::string folder = std::filesystem::path(file_).parent_path().string();
  // Its log shares memory between the processes that use the file, so they must run on one machine.
  if (on_network(folder.empty() ? "." : folder)) {
    throw Error(Errc::unsupported,
                fmt::format("open {}: it is on a network file system, where SQLite may damage it. put "
                            "it on a local disk, or use a database server",
                            location()),
                location());
  }
  constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  // "./" keeps a name such as "file:x" from being read as a URI.
  const std::string path = file_.starts_with('/') ? file_ : "./" + file_;
  if (const int rc = sqlite3_open_v2(path.c_str(), &db_, flags, nullptr); rc != SQLITE_OK) fail(rc, "open");
  sqlite3_busy_timeout(db_, static_cast<int>(std::clamp<std::int64_t>(patience_.count(), 0, 1'000'000'000)));
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // Not TRUSTED_SCHEMA off: SQLite 3.40 would refuse json_valid and json_extract in checks and indexes. Of the
  // functions that a schema could call, none has effects: no extension is loaded, and ours are pure.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);  // "name" is a name, never a text
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  define_functions();
  set("PRAGMA foreign_keys = ON");
  set("PRAGMA cell_size_check = ON");
  if (sqlite3_db_readonly(db_, "main") == 0) {
    set("PRAGMA journal_mode = WAL");
    sqlite3_stmt* asked = nullptr;
    int rc = sqlite3_prepare_v2(db_, "PRAGMA journal_mode", -1, &asked, nullptr);
    if (rc == SQLITE_OK) rc = sqlite3_step(asked);
    const Statement owner(asked);
    if (rc != SQLITE_ROW) fail(rc, "open");
    if (read_cell(asked, 0) != Value("wal")) {
      throw Error(Errc::unsupported,
                  fmt::format("open {}: the file system cannot keep SQLite's write-ahead log. put the "
                              "file on a local disk",
                              location()),
                  location());
    }
  }
  set(file_ == ledger_ ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
  sqlite3_set_authorizer(db_, &authorize, this);
}

void SqliteConnection::define_functions() {
  constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  int rc = sqlite3_create_collation_v2(db_, "oas_decimal", SQLITE_UTF8, nullptr, &collate_decimals, nullptr);
  constexpr const char* names[]{"oas_year", "oas_month", "oas_day", "oas_hour", "oas_minute", "oas_second"};
  for (std::size_t i = 0; i < std::size(names) && rc == SQLITE_OK; ++i) {
    auto* part = const_cast<DatePart*>(&date_parts[i]);  // the interface knows no const; date_part only reads
    rc = sqlite3_create_function_v2(db_, names[i], 1, flags, part, &date_part, nullptr, nullptr, nullptr);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_create_function_v2(db_, "oas_concat", -1, flags, nullptr, &concatenate, nullptr, nullptr, nullptr);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_create_function_v2(db_, "oas_octet_length", 1, flags, nullptr, &octet_length, nullptr, nullptr,
                                    nullptr);
  }
  if (rc != SQLITE_OK) fail(rc, "open");
}

void SqliteConnection::set(const char* pragma) {
  if (const int rc = control(pragma); rc != SQLITE_OK) fail(rc, "open");
}

int SqliteConnection::control(const char* sql) noexcept {
  controlling_ = true;
  const int rc = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  controlling_ = false;
  return rc;
}

int SqliteConnection::authorize(void* connection, int action, const char* pragma, const char* name, const char*,
                                const char*) {
  if (static_cast<SqliteConnection*>(connection)->controlling_) return SQLITE_OK;
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH: return SQLITE_DENY;
    // Asked for by catalog_version(); setting it has an argument.
    case SQLITE_PRAGMA: return std::string_view(pragma) == "schema_version" && !name ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_FUNCTION: return name && std::string_view(name) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    default: return SQLITE_OK;
  }
}

// Running

void SqliteConnection::require_process(std::string_view tried) const {
  if (getpid() == process_) return;
  throw Error(
      Errc::usage,
      fmt::format("{} on {}: the connection belongs to the parent process. open one after the fork", tried, location()),
      location());
}

void SqliteConnection::require_transaction(std::string_view tried) const {
  require_process(tried);
  if (!sqlite3_get_autocommit(db_)) return;
  throw Error(Errc::unavailable,
              fmt::format("{} on {}: SQLite gave the transaction up after an earlier failure. begin "
                          "another one",
                          tried, location()),
              location());
}

std::shared_ptr<Statement> SqliteConnection::prepare(std::string_view sql) {
  if (const auto found = by_text_.find(sql); found != by_text_.end()) {
    statements_.splice(statements_.begin(), statements_, found->second);
    return found->second->second;
  }
  sqlite3_stmt* handle = nullptr;
  const char* rest = nullptr;
  if (sql.size() > 1'000'000'000) fail(SQLITE_TOOBIG, "prepare a statement");
  const int rc =
      sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle, &rest);
  if (rc != SQLITE_OK) fail(rc, "prepare a statement");
  auto statement = std::make_shared<Statement>(handle);
  const std::string_view tail(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
  if (!handle || tail.find_first_not_of(" \t\r\n;") != tail.npos) {
    throw Error(Errc::usage,
                fmt::format("prepare a statement on {}: the text holds {}. give one statement at a time", location(),
                            handle ? "more than one" : "none"),
                location());
  }
  statements_.emplace_front(std::string(sql), statement);
  by_text_.emplace(statements_.front().first, statements_.begin());
  if (statements_.size() > kept_statements) {
    by_text_.erase(statements_.back().first);
    statements_.pop_back();  // a cursor that still runs it keeps it alive
  }
  return statement;
}

/// `keep`: the parameters must outlive the call, as rows will be read after it; else they are used where they are.
void SqliteConnection::bind(const Statement& statement, std::span<const Value> params, bool keep) const {
  sqlite3_stmt* const s = statement.handle;
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(s)) != params.size()) {
    throw Error(Errc::usage,
                fmt::format("execute a statement on {}: it has {} parameters, and {} were given", location(),
                            sqlite3_bind_parameter_count(s), params.size()),
                location());
  }
  const auto destructor = keep ? SQLITE_TRANSIENT : SQLITE_STATIC;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const int n = static_cast<int>(i) + 1;
    const Value& value = params[i];
    const auto refuse = [&](std::string_view why) {
      throw Error(Errc::usage, fmt::format("execute a statement on {}: parameter {} is {}", location(), n, why),
                  location());
    };
    int rc = SQLITE_OK;
    if (value.is_null())
      rc = sqlite3_bind_null(s, n);
    else if (const auto* b = value.get_if<bool>())
      rc = sqlite3_bind_int(s, n, *b);
    else if (const auto* integer = value.get_if<std::int64_t>())
      rc = sqlite3_bind_int64(s, n, *integer);
    else if (const auto* number = value.get_if<double>()) {
      if (std::isnan(*number)) refuse("NaN, which SQLite has not");  // it would become NULL
      rc = sqlite3_bind_double(s, n, *number);
    } else if (const auto* text = value.get_if<std::string>()) {
      rc = sqlite3_bind_text64(s, n, text->data(), text->size(), destructor, SQLITE_UTF8);
    } else if (const auto* bytes = value.get_if<Bytes>()) {
      rc = bytes->empty() ? sqlite3_bind_zeroblob(s, n, 0)
                          : sqlite3_bind_blob64(s, n, bytes->data(), bytes->size(), destructor);
    } else
      refuse(value.describe() + ". give a cell, as Dialect::to_cell makes them");
    if (rc != SQLITE_OK) fail(rc, "execute a statement");
  }
}

/// All changes that a statement makes are made here.
int SqliteConnection::first_step(Statement& statement, std::int64_t& affected) const {
  const std::int64_t before = sqlite3_total_changes64(db_);
  const int rc = sqlite3_step(statement.handle);
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) fail(rc, "execute a statement");
  affected = sqlite3_total_changes64(db_) == before ? 0 : sqlite3_changes64(db_);
  return rc;
}

std::unique_ptr<Cursor> SqliteConnection::do_execute(std::string_view sql, std::span<const Value> params) {
  require_transaction("execute a statement");
  const auto statement = prepare(sql);
  if (statement->active) statement->stop();
  if (!may_write_ && !sqlite3_stmt_readonly(statement->handle)) {
    throw Error(Errc::usage,
                fmt::format("execute a statement on {}: it writes, and the transaction is for reading. begin "
                            "a writing one",
                            location()),
                location());
  }
  try {
    bind(*statement, params, sqlite3_column_count(statement->handle) > 0);
    std::int64_t affected = 0;
    const bool row = first_step(*statement, affected) == SQLITE_ROW;
    statement->active = true;
    statement->level = depth();
    if (row) {
      std::erase_if(running_, [&](const auto& w) {
        const auto s = w.lock();
        return !s || !s->active || s == statement;  // of an earlier run
      });
      running_.push_back(statement);
    }
    return std::make_unique<SqliteCursor>(*this, statement, row, affected);
  } catch (...) {
    statement->stop();
    throw;
  }
}

std::vector<std::int64_t> SqliteConnection::do_execute_many(std::string_view sql,
                                                            std::span<const std::vector<Value>> rows) {
  std::vector<std::int64_t> all;
  if (rows.empty()) return all;
  require_transaction("execute a statement");
  const auto statement = prepare(sql);
  statement->stop();
  if (!may_write_ && !sqlite3_stmt_readonly(statement->handle)) {
    throw Error(Errc::usage,
                fmt::format("execute a statement on {}: it writes, and the transaction is for reading. begin "
                            "a writing one",
                            location()),
                location());
  }
  all.reserve(rows.size());
  try {
    for (const auto& row : rows) {
      bind(*statement, row, false);
      std::int64_t affected = 0;
      int rc = first_step(*statement, affected);
      while (rc == SQLITE_ROW) rc = sqlite3_step(statement->handle);
      if (rc != SQLITE_DONE) fail(rc, "execute a statement");
      sqlite3_reset(statement->handle);
      all.push_back(affected);
    }
  } catch (const Error& e) {
    statement->stop();
    if (rows.size() == 1) throw;
    throw e.within(fmt::format("row {} of {}", all.size() + 1, rows.size()));
  }
  statement->stop();
  return all;
}

void SqliteConnection::stop_statements(int level) noexcept {
  for (const auto& weak : running_) {
    const auto statement = weak.lock();
    if (statement && statement->active && statement->level >= level) statement->stop();
  }
}

// Transactions: the outermost one, then savepoints named by their depth

void SqliteConnection::do_begin(bool write) {
  if (depth() > 0) {
    require_transaction("begin a transaction");
    const std::string sql = fmt::format("SAVEPOINT s{}", depth());
    if (const int rc = control(sql.c_str()); rc != SQLITE_OK) fail(rc, "begin a transaction");
    return;
  }
  require_process("begin a transaction");
  const int rc = control(write ? "BEGIN IMMEDIATE" : "BEGIN");
  if (rc != SQLITE_OK) fail(rc, "begin a transaction");
  may_write_ = write;
}

void SqliteConnection::do_commit() {
  require_transaction("commit");
  stop_statements(depth());
  const std::string sql = depth() > 1 ? fmt::format("RELEASE s{}", depth() - 1) : "COMMIT";
  const int rc = control(sql.c_str());
  if (rc == SQLITE_OK) return;
  const Error error = make_error(db_, rc, "commit on " + location(), location());
  // The log may hold the whole transaction although writing it through failed.
  if ((rc & 0xFF) != SQLITE_IOERR || depth() > 1) throw error;
  if (!sqlite3_get_autocommit(db_)) control("ROLLBACK");
  throw Error(Errc::in_doubt, error.what(), error.target(), error.native());
}

void SqliteConnection::do_rollback() noexcept {
  if (getpid() != process_) return;
  stop_statements(depth());
  if (sqlite3_get_autocommit(db_)) return;  // SQLite has done it
  const std::string sql = depth() == 1 ? "ROLLBACK" : fmt::format("ROLLBACK TO s{0}; RELEASE s{0}", depth() - 1);
  while (control(sql.c_str()) == SQLITE_INTERRUPT) {  // what is cancelled is what ran before
  }
}

// The catalogue

std::vector<std::string> SqliteConnection::schemas() {
  std::vector<std::string> names;
  std::vector<Value> cells;
  Transaction tx(*this, Transaction::Mode::read);
  if (!tx.execute("SELECT 1 FROM sqlite_schema WHERE name = '~oas_schemas'")->next(cells)) return names;
  const auto cursor = tx.execute(R"(SELECT name FROM "~oas_schemas" ORDER BY name)");
  while (cursor->next(cells)) names.push_back(cells[0].as<std::string>());
  return names;
}

std::int64_t SqliteConnection::catalog_version() {
  std::vector<Value> cells;
  Transaction tx(*this, Transaction::Mode::read);
  tx.execute("PRAGMA schema_version")->next(cells);
  return cells[0].as<std::int64_t>();
}

std::vector<TableDef> SqliteConnection::introspect(std::string_view schema) {
  std::vector<TableDef> tables;
  std::vector<Value> cells;
  Transaction tx(*this, Transaction::Mode::read);
  if (!tx.execute("SELECT 1 FROM sqlite_schema WHERE name = '~oas_schemas'")->next(cells)) return tables;
  const std::vector<Value> params{schema};
  auto cursor =
      tx.execute(R"(SELECT name, comment, keys FROM "~oas_tables" WHERE schema = ?1 ORDER BY number)", params);
  std::unordered_map<std::string, std::size_t> by_name;
  while (cursor->next(cells)) {
    TableDef& table = tables.emplace_back();
    table.schema = schema;
    table.name = cells[0].as<std::string>();
    table.comment = cells[1].as<std::string>();
    read_sqlite_table_json(cells[2].as<std::string>(), table);
    by_name.emplace(table.name, tables.size() - 1);
  }
  cursor = tx.execute(R"(SELECT table_name, name, type, comment, default_kind, default_text, nullable FROM )"
                      R"("~oas_columns" WHERE schema = ?1 ORDER BY table_name, position)",
                      params);
  while (cursor->next(cells)) {
    const auto text = [&](std::size_t i) { return cells[i].as<std::string>(); };
    ColumnDef column;
    column.name = text(1);
    column.type = text(2);
    column.comment = text(3);
    const std::string kind = text(4);
    column.fallback.kind = kind == "null"      ? Default::Kind::null
                           : kind == "now"     ? Default::Kind::now
                           : kind == "literal" ? Default::Kind::literal
                                               : Default::Kind::none;
    column.fallback.literal = text(5);
    column.nullable = cells[6].as<std::int64_t>() != 0;
    tables[by_name.at(text(0))].columns.push_back(std::move(column));
  }
  return tables;
}

std::unique_ptr<Connection> open_sqlite(const Config& config) {
  if (config.name.empty() || config.name.find('\0') != config.name.npos) {
    throw Error(Errc::usage, "open an SQLite database: its file has no proper name. set database.name to a path");
  }
  if (config.name == ":memory:") {
    throw Error(Errc::unsupported,
                "open the SQLite database :memory:: several connections must see it, and this one "
                "would be alone. set database.name to a path");
  }
  return std::make_unique<SqliteConnection>(config.name, config.name + "-ledger", config.patience);
}

}  // namespace
}  // namespace db

const db::Driver& db_sqlite();
const db::Driver& db_sqlite() {
  static const db::Driver driver{"sqlite", &db::open_sqlite, &db::sqlite_dialect};
  return driver;
}

}  // namespace oas
