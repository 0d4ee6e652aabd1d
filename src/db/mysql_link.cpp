#include "db/mysql_link.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <mutex>

namespace oas::db {
namespace {

// What DataJoint for Python sets. No ANSI_QUOTES: texts of definitions are between "…".
constexpr std::string_view sql_mode =
    "NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,"
    "ONLY_FULL_GROUP_BY";
// Ways to log in that do not tell the password to whoever answers.
constexpr const char* safe_logins =
    "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec,auth_gssapi_client";
constexpr std::size_t piece = 1 << 20;          // of a large value, sent by itself
constexpr unsigned long largest_row = 1 << 30;  // what the protocol can hold

using std::chrono::milliseconds;

/// Seconds, as the servers count most of their patience: never less than was asked for, and at least one.
std::int64_t seconds(milliseconds time) {
  constexpr std::int64_t most = 365 * 24 * 3600;
  return std::clamp<std::int64_t>((time.count() + 999) / 1000, 1, most);
}

/// libmariadb switches SIGPIPE off for the whole program when it starts; that is not ours to decide.
void start_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction before {};
    sigaction(SIGPIPE, nullptr, &before);
    mysql_server_init(0, nullptr, nullptr);
    sigaction(SIGPIPE, &before, nullptr);
  });
}

/// A server that is gone must not end the program with a signal.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    sigset_t pending;
    sigpending(&pending);
    if (!was_pending_ && sigismember(&pending, SIGPIPE) == 1) {
      constexpr timespec now{};
      sigtimedwait(&pipe_, nullptr, &now);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

/// A network that is silent for a minute is gone. Not the server's silence: that only thinks.
void watch_network(int socket) {
  const auto set = [&](int level, int option, int value) { setsockopt(socket, level, option, &value, sizeof value); };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
}

MYSQL* connect(const Config& config, const std::string& location) {
  start_library();
  MYSQL* handle = mysql_init(nullptr);
  if (!handle) throw std::bad_alloc();
  const auto set = [&](mysql_option option, const auto& value) { mysql_optionsv(handle, option, &value); };
  const auto text = [&](mysql_option option, const std::string& value) {
    if (!value.empty()) mysql_optionsv(handle, option, value.c_str());
  };
  const bool socket = config.host.starts_with('/');
  const auto timeout = static_cast<unsigned>(seconds(config.connect_timeout));
  set(MYSQL_OPT_CONNECT_TIMEOUT, timeout);
  set(MYSQL_OPT_PROTOCOL, socket ? unsigned{MYSQL_PROTOCOL_SOCKET} : unsigned{MYSQL_PROTOCOL_TCP});
  set(MYSQL_OPT_MAX_ALLOWED_PACKET, largest_row);
  set(MYSQL_OPT_LOCAL_INFILE, 0U);  // a server must not ask for files of this machine
  text(MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (config.statement_timeout.count() > 0) {
    // The server is to end it; this is for one that is silent, and for statements that MySQL never ends.
    set(MYSQL_OPT_READ_TIMEOUT, static_cast<unsigned>(seconds(config.statement_timeout)) + 5);
  }

  using Tls = Config::Tls;
  const my_bool yes = 1, no = 0;
  const bool encrypts = config.tls != Tls::off && !(socket && config.tls == Tls::preferred);
  const bool verifies = config.tls == Tls::verified || config.tls == Tls::verified_host;
  set(MYSQL_OPT_SSL_ENFORCE, encrypts ? yes : no);
  // Without this one the client library does without encryption if the server says that it has none, so both levels
  // of verification look at the host's name.
  set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, verifies ? yes : no);
  if (encrypts) {
    if (verifies) text(MYSQL_OPT_SSL_CA, config.tls_ca);
    text(MYSQL_OPT_SSL_CERT, config.tls_certificate);
    text(MYSQL_OPT_SSL_KEY, config.tls_key);
  }
  const bool private_way = socket || (encrypts && config.tls != Tls::preferred);
  if (!private_way) mysql_optionsv(handle, MARIADB_OPT_RESTRICTED_AUTH, safe_logins);

  const WithoutSigpipe guard;
  if (!mysql_real_connect(handle, socket ? nullptr : config.host.c_str(), config.user.c_str(), config.password.c_str(),
                          config.name.empty() ? nullptr : config.name.c_str(), static_cast<unsigned>(config.port),
                          socket ? config.host.c_str() : nullptr, CLIENT_MULTI_STATEMENTS)) {
    const MysqlFailure failure{mysql_errno(handle), mysql_sqlstate(handle), mysql_error(handle)};
    mysql_close(handle);
    throw mysql_connect_error(failure, location, config.user);
  }
  if (encrypts && config.tls != Tls::preferred && !mysql_get_ssl_cipher(handle)) {
    mysql_close(handle);
    throw mysql_connect_error({2026, "HY000", "the server has no TLS"}, location, config.user);
  }
  if (!socket) watch_network(mysql_get_socket(handle));
  return handle;
}

}  // namespace

// The link

MysqlLink::MysqlLink(const Config& config, std::string location)
    : config_(config), location_(std::move(location)), process_(getpid()) {
  for (const std::string* text : {&config_.host, &config_.user, &config_.password, &config_.name}) {
    if (text->find('\0') != text->npos)
      throw Error(Errc::usage, fmt::format("open {}: a setting holds a NUL character", location_), location_);
  }
  handle_ = connect(config_, location_);
  try {
    set_up();
  } catch (const MysqlFailure& f) {
    mysql_close(handle_);
    throw mysql_connect_error(f, location_, config_.user);
  } catch (...) {
    mysql_close(handle_);
    throw;
  }
}

MysqlLink::~MysqlLink() {
  if (getpid() != process_) return;
  close_statements();
  const WithoutSigpipe guard;
  mysql_close(handle_);
}

void MysqlLink::set_up() {
  thread_ = mysql_thread_id(handle_);
  mariadb_ = mariadb_connection(handle_);
  const auto rows =
      ask("SELECT VERSION(), @@max_allowed_packet, @@innodb_rollback_on_timeout, @@character_set_server = 'utf8mb4'");
  const auto& row = rows.at(0);
  unsigned major = 0, minor = 0;
  const char* const end = row[0].data() + row[0].size();
  const char* const dot = std::from_chars(row[0].data(), end, major).ptr;
  if (dot != end) std::from_chars(dot + 1, end, minor);
  if (mariadb_ ? major < 10 || (major == 10 && minor < 6) : major < 8) {
    throw Error(Errc::unsupported,
                fmt::format("open {}: the server has version {}. MariaDB from 10.6 on and MySQL from 8.0 on are "
                            "supported",
                            location_, row[0]),
                location_);
  }
  std::from_chars(row[1].data(), row[1].data() + row[1].size(), max_packet_);
  gives_up_on_timeout_ = row[2] == "1";
  const std::int64_t patience = seconds(config_.patience), limit = config_.statement_timeout.count();
  // The server waits a day for a program that reads its rows slowly.
  run(
      fmt::format("SET SESSION sql_mode = '{}', time_zone = '+00:00', autocommit = 1, foreign_key_checks = 1, "
                  "unique_checks = 1, lock_wait_timeout = {}, innodb_lock_wait_timeout = {}, net_write_timeout = "
                  "86400{}{}; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                  sql_mode, patience, patience,
                  limit == 0 ? ""
                  : mariadb_ ? fmt::format(", max_statement_time = {}.{:03}", limit / 1000, limit % 1000)
                             : fmt::format(", max_execution_time = {}", limit),
                  row[3] == "1" ? "" : ", character_set_server = utf8mb4"));
}

void MysqlLink::fail(unsigned number, const char* sqlstate, const char* message) {
  MysqlFailure failure{number, sqlstate, message};
  if (ends_mysql_connection(number)) lost_ = true;
  throw failure;
}

bool MysqlLink::alive() noexcept {
  if (lost_) return false;
  pollfd socket{static_cast<int>(mysql_get_socket(handle_)), POLLIN, 0};
  // It has nothing to say while it is asked nothing, but that it goes.
  if (poll(&socket, 1, 0) != 0) lost_ = true;
  return !lost_;
}

void MysqlLink::close_statements() noexcept {
  const WithoutSigpipe guard;
  for (MYSQL_STMT* statement : closing_) mysql_stmt_close(statement);
  closing_.clear();
}

void MysqlLink::run(std::string_view sql) {
  close_statements();
  const WithoutSigpipe guard;
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) fail();
  for (;;) {
    if (MYSQL_RES* rows = mysql_store_result(handle_)) mysql_free_result(rows);
    const int more = mysql_next_result(handle_);
    if (more < 0) return;
    if (more > 0) fail();
  }
}

std::vector<std::vector<std::string>> MysqlLink::ask(std::string_view sql) {
  close_statements();
  const WithoutSigpipe guard;
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) fail();
  MYSQL_RES* const result = mysql_store_result(handle_);
  if (!result) fail();
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> owner(result, &mysql_free_result);
  std::vector<std::vector<std::string>> rows;
  while (MYSQL_ROW row = mysql_fetch_row(result)) {
    const unsigned long* const sizes = mysql_fetch_lengths(result);
    auto& cells = rows.emplace_back();
    for (unsigned i = 0; i < mysql_num_fields(result); ++i)
      cells.emplace_back(row[i] ? std::string(row[i], sizes[i]) : "");
  }
  return rows;
}

void MysqlLink::cancel() const noexcept try {
  MYSQL* const other = connect(config_, location_);
  const WithoutSigpipe guard;
  mysql_query(other, fmt::format("KILL QUERY {}", thread_).c_str());
  mysql_close(other);
} catch (const std::exception&) {
  // Nobody can be told, and the statement goes on.
}

void MysqlLink::absorb_cancel() noexcept try {
  if (!lost_) run("DO 0");
} catch (const MysqlFailure&) {
  // It was stopped instead.
}

// Statements

MysqlStatement::MysqlStatement(std::shared_ptr<MysqlLink> link, std::string_view sql) : link_(std::move(link)) {
  link_->close_statements();
  const WithoutSigpipe guard;
  handle_ = mysql_stmt_init(link_->handle_);
  if (!handle_) throw std::bad_alloc();
  try {
    if (mysql_stmt_prepare(handle_, sql.data(), sql.size()) != 0) fail();
    binds_.resize(parameters());
  } catch (...) {
    link_->closing_.push_back(handle_);
    throw;
  }
}

MysqlStatement::~MysqlStatement() { link_->closing_.push_back(handle_); }

void MysqlStatement::fail() {
  if (mysql_stmt_errno(handle_) == 0) link_->fail();  // between rows, the library leaves it there
  link_->fail(mysql_stmt_errno(handle_), mysql_stmt_sqlstate(handle_), mysql_stmt_error(handle_));
}

void MysqlStatement::bind(std::size_t n, const Value& value) {
  MYSQL_BIND& to = binds_[n];
  to = {};
  const auto refuse = [&](std::string_view why) {
    throw Error(Errc::usage, fmt::format("execute a statement on {}: parameter {} is {}", link_->location_, n + 1, why),
                link_->location_);
  };
  const auto set = [&](enum_field_types type, const void* data, std::size_t size) {
    to.buffer_type = type;
    to.buffer = const_cast<void*>(size == 0 ? "" : data);  // the interface knows no const; a null pointer means NULL
    to.buffer_length = size;
    to.length = nullptr;
  };
  if (value.is_null())
    to.buffer_type = MYSQL_TYPE_NULL;
  else if (const auto* b = value.get_if<bool>())
    set(MYSQL_TYPE_TINY, b, sizeof *b);
  else if (const auto* integer = value.get_if<std::int64_t>())
    set(MYSQL_TYPE_LONGLONG, integer, sizeof *integer);
  else if (const auto* number = value.get_if<double>()) {
    if (!std::isfinite(*number)) refuse("no finite number, and MySQL has no other");
    set(MYSQL_TYPE_DOUBLE, number, sizeof *number);
  } else if (const auto* text = value.get_if<std::string>())
    set(MYSQL_TYPE_STRING, text->data(), text->size());
  else if (const auto* bytes = value.get_if<Bytes>())
    set(MYSQL_TYPE_BLOB, bytes->data(), bytes->size());
  else if (const auto* decimal = value.get_if<Decimal>())
    set(MYSQL_TYPE_NEWDECIMAL, decimal->digits.data(), decimal->digits.size());
  else
    refuse(value.describe() + ". give a cell, as Dialect::to_cell makes them");
  const bool long_one = to.buffer_type == MYSQL_TYPE_STRING || to.buffer_type == MYSQL_TYPE_BLOB;
  if (long_one && to.buffer_length > link_->max_packet()) {
    throw Error(
        Errc::constraint,
        fmt::format("execute a statement on {}: parameter {} has {} bytes, and the server takes {} at once. keep "
                    "the value in a store, or raise max_allowed_packet of the server",
                    link_->location_, n + 1, to.buffer_length, link_->max_packet()),
        link_->location_);
  }
}

void MysqlStatement::execute(std::span<const Value> params) {
  for (std::size_t i = 0; i < params.size(); ++i) bind(i, params[i]);
  send();
}

void MysqlStatement::execute(std::span<const std::vector<Value>> rows) {
  std::size_t n = 0;
  for (const auto& row : rows)
    for (const Value& value : row) bind(n++, value);
  send();
}

void MysqlStatement::send() {
  std::size_t total = 0;
  for (const MYSQL_BIND& b : binds_) total += b.buffer_length + 9;
  if (!binds_.empty() && mysql_stmt_bind_param(handle_, binds_.data())) fail();
  link_->close_statements();
  const WithoutSigpipe guard;
  // Large values go ahead in pieces, so that the row need not fit the server's largest message.
  const std::size_t large = total > link_->max_packet() / 2 ? 4096 : piece;
  for (std::size_t i = 0; i < binds_.size(); ++i) {
    const MYSQL_BIND& b = binds_[i];
    if ((b.buffer_type != MYSQL_TYPE_STRING && b.buffer_type != MYSQL_TYPE_BLOB) || b.buffer_length < large) continue;
    for (std::size_t at = 0; at < b.buffer_length; at += piece) {
      const std::size_t size = std::min<std::size_t>(piece, b.buffer_length - at);
      if (mysql_stmt_send_long_data(handle_, static_cast<unsigned>(i), static_cast<const char*>(b.buffer) + at, size))
        fail();
    }
  }
  if (mysql_stmt_execute(handle_) != 0) {
    const MysqlFailure failure{mysql_stmt_errno(handle_), mysql_stmt_sqlstate(handle_), mysql_stmt_error(handle_)};
    mysql_stmt_reset(handle_);  // pieces of values that arrived stay with the statement otherwise
    link_->fail(failure.number, failure.sqlstate.c_str(), failure.message.c_str());
  }
  columns_.clear();
  const MYSQL_FIELD* const fields = mariadb_stmt_fetch_fields(handle_);
  for (unsigned i = 0; i < mysql_stmt_field_count(handle_); ++i) columns_.emplace_back(fields[i].name);
}

std::int64_t MysqlStatement::affected() const noexcept {
  if (mysql_stmt_field_count(handle_) > 0) return 0;
  // An UPDATE that finds a row as it should be has not changed it, but it is there.
  constexpr std::string_view matched = "Rows matched: ";
  const char* const info = mysql_info(link_->handle_);
  if (const std::string_view said = info ? info : ""; said.starts_with(matched)) {
    std::int64_t count = 0;
    std::from_chars(said.data() + matched.size(), said.data() + said.size(), count);
    return count;
  }
  return static_cast<std::int64_t>(mysql_stmt_affected_rows(handle_));
}

// Rows: the client library hands each column over as it lies in the message, little-endian.

struct MysqlStatement::Reading {
  const MYSQL_FIELD* fields;
  std::vector<Value>& cells;
  std::exception_ptr failure = {};
};

namespace {

std::uint64_t take(unsigned char** row, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number |= std::uint64_t{(*row)[i]} << (8 * i);
  *row += size;
  return number;
}
std::uint64_t take_length(unsigned char** row) {
  const std::uint64_t first = take(row, 1);
  return first < 251 ? first : take(row, first == 252 ? 2 : first == 253 ? 3 : 8);
}
std::string_view take_text(unsigned char** row) {
  const std::uint64_t size = take_length(row);
  const std::string_view text(reinterpret_cast<const char*>(*row), size);
  *row += size;
  return text;
}

Value integer(const MYSQL_FIELD& field, unsigned char** row, std::size_t size) {
  const std::uint64_t bits = take(row, size);
  if (field.flags & UNSIGNED_FLAG) return bits;  // beyond 2^63 a BigInt
  const unsigned unused = static_cast<unsigned>(64 - 8 * size);
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

std::string fraction(std::uint64_t microseconds, unsigned digits) {
  if (digits == 0) return {};
  return fmt::format(".{:06}", microseconds).substr(0, std::min(digits, 6U) + 1);
}

Value day_or_moment(const MYSQL_FIELD& field, unsigned char** row) {
  const std::uint64_t size = take(row, 1);
  const std::uint64_t year = size >= 4 ? take(row, 2) : 0, month = size >= 4 ? take(row, 1) : 0,
                      day = size >= 4 ? take(row, 1) : 0;
  std::string text = fmt::format("{:04}-{:02}-{:02}", year, month, day);
  const std::uint64_t hour = size >= 7 ? take(row, 1) : 0, minute = size >= 7 ? take(row, 1) : 0,
                      second = size >= 7 ? take(row, 1) : 0, rest = size >= 11 ? take(row, 4) : 0;
  if (field.type == MYSQL_TYPE_DATE || field.type == MYSQL_TYPE_NEWDATE) return text;
  return text + fmt::format(" {:02}:{:02}:{:02}", hour, minute, second) + fraction(rest, field.decimals);
}

Value time_of_day(const MYSQL_FIELD& field, unsigned char** row) {
  const std::uint64_t size = take(row, 1);
  const bool negative = size >= 8 && take(row, 1) != 0;
  const std::uint64_t days = size >= 8 ? take(row, 4) : 0, hour = size >= 8 ? take(row, 1) : 0,
                      minute = size >= 8 ? take(row, 1) : 0, second = size >= 8 ? take(row, 1) : 0,
                      rest = size >= 12 ? take(row, 4) : 0;
  return fmt::format("{}{:02}:{:02}:{:02}", negative ? "-" : "", days * 24 + hour, minute, second) +
         fraction(rest, field.decimals);
}

/// Of a column, its text; of an expression, a number: sums and averages are such.
Value decimal(const MYSQL_FIELD& field, std::string_view text) {
  if (field.org_table_length > 0) return text;
  if (field.decimals > 0) return Decimal{std::string(text)};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return BigInt{std::string(text)};
}

Value read_cell(const MYSQL_FIELD& field, unsigned char** row) {
  constexpr unsigned binary = 63;
  switch (field.type) {
    case MYSQL_TYPE_TINY: return integer(field, row, 1);
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR: return integer(field, row, 2);
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG: return integer(field, row, 4);
    case MYSQL_TYPE_LONGLONG: return integer(field, row, 8);
    case MYSQL_TYPE_FLOAT: return std::bit_cast<float>(static_cast<std::uint32_t>(take(row, 4)));
    case MYSQL_TYPE_DOUBLE: return std::bit_cast<double>(take(row, 8));
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP: return day_or_moment(field, row);
    case MYSQL_TYPE_TIME: return time_of_day(field, row);
    case MYSQL_TYPE_NEWDECIMAL:
    case MYSQL_TYPE_DECIMAL: return decimal(field, take_text(row));
    case MYSQL_TYPE_JSON: return take_text(row);  // it says of itself that it is binary
    case MYSQL_TYPE_NULL: return {};
    default: break;
  }
  const std::string_view text = take_text(row);
  if (field.type == MYSQL_TYPE_BIT) {
    std::uint64_t bits = 0;
    for (const char c : text) bits = bits << 8 | static_cast<unsigned char>(c);
    return bits;
  }
  if (field.charsetnr == binary) return Bytes::copy(text);
  return text;
}

}  // namespace

void MysqlStatement::read_column(void* reading, unsigned column, unsigned char** row) {
  auto& r = *static_cast<Reading*>(reading);
  try {
    r.cells[column] = row ? read_cell(r.fields[column], row) : Value();
  } catch (...) {
    r.failure = std::current_exception();  // only for want of memory; nothing may be thrown through the library
  }
}

bool MysqlStatement::fetch(std::vector<Value>& cells) {
  cells.resize(columns_.size());
  Reading reading{mariadb_stmt_fetch_fields(handle_), cells};
  mysql_stmt_attr_set(handle_, STMT_ATTR_CB_USER_DATA, &reading);
  mysql_stmt_attr_set(handle_, STMT_ATTR_CB_RESULT, reinterpret_cast<const void*>(&read_column));
  const WithoutSigpipe guard;
  const int code = mysql_stmt_fetch(handle_);
  if (reading.failure) std::rethrow_exception(reading.failure);
  if (code == MYSQL_NO_DATA) return false;
  if (code != 0) fail();
  return true;
}

void MysqlStatement::discard() noexcept {
  const WithoutSigpipe guard;
  mysql_stmt_free_result(handle_);
}

}  // namespace oas::db
