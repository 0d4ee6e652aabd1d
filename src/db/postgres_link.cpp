#include "db/postgres_link.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "core/text.hpp"

namespace oas::db {
namespace {

using Clock = std::chrono::steady_clock;

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

std::string text_of(const PGresult& result, int field) {
  const char* text = PQresultErrorField(&result, field);
  return text ? text : "";
}

const char* tls_mode(Config::Tls mode) {
  switch (mode) {
    case Config::Tls::off: return "disable";
    case Config::Tls::preferred: return "prefer";
    case Config::Tls::required: return "require";
    case Config::Tls::verified: return "verify-ca";
    case Config::Tls::verified_host: return "verify-full";
  }
  return "verify-full";
}

/// Whatever the server, the database or the user have set: what statements mean does not depend on it.
std::string session_settings(const Config& config) {
  const auto at_least_1 = [](std::chrono::milliseconds time) { return std::max<std::int64_t>(time.count(), 1); };
  return fmt::format(
      "-c search_path= -c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c extra_float_digits=1 "
      "-c bytea_output=hex -c standard_conforming_strings=on -c idle_in_transaction_session_timeout=0 "
      "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 "
      "-c lock_timeout={} -c statement_timeout={}",
      at_least_1(config.patience), config.statement_timeout.count());
}

}  // namespace

PostgresFailure failure_of(const PGresult& result) {
  return {text_of(result, PG_DIAG_SQLSTATE),        text_of(result, PG_DIAG_MESSAGE_PRIMARY),
          text_of(result, PG_DIAG_MESSAGE_DETAIL),  text_of(result, PG_DIAG_SCHEMA_NAME),
          text_of(result, PG_DIAG_TABLE_NAME),      text_of(result, PG_DIAG_COLUMN_NAME),
          text_of(result, PG_DIAG_CONSTRAINT_NAME), text_of(result, PG_DIAG_STATEMENT_POSITION),
          text_of(result, PG_DIAG_SOURCE_FUNCTION)};
}

PostgresLink::PostgresLink(const Config& config, std::string location)
    : location_(std::move(location)),
      process_(getpid()),
      patience_(config.statement_timeout.count() > 0 ? config.statement_timeout + std::chrono::seconds(30)
                                                     : std::chrono::milliseconds(0)) {
  try {
    open(config);
  } catch (...) {
    PQfinish(handle_);
    throw;
  }
}

PostgresLink::~PostgresLink() {
  if (getpid() == process_) {
    PQfreeCancel(cancel_);
    PQfinish(handle_);
  } else if (PQsocket(handle_) >= 0) {
    ::close(PQsocket(handle_));
  }
}

void PostgresLink::open(const Config& config) {
  const std::string port = std::to_string(config.port), settings = session_settings(config);
  std::vector<const char*> names, values;
  const auto set = [&](const char* name, const char* value) {
    if (!*value) return;
    names.push_back(name);
    values.push_back(value);
  };
  set("host", config.host.c_str());
  set("port", port.c_str());
  set("dbname", config.name.c_str());
  set("user", config.user.c_str());
  set("password", config.password.c_str());
  set("sslmode", tls_mode(config.tls));
  set("sslrootcert", config.tls_ca.c_str());
  set("sslcert", config.tls_certificate.c_str());
  set("sslkey", config.tls_key.c_str());
  set("client_encoding", "UTF8");
  set("options", settings.c_str());
  set("fallback_application_name", "oas");
  // A server that is gone without a word is noticed after a minute.
  set("keepalives_idle", "30");
  set("keepalives_interval", "10");
  set("keepalives_count", "3");
  set("tcp_user_timeout", "60000");
  names.push_back(nullptr);
  values.push_back(nullptr);

  const auto deadline = Clock::now() + config.connect_timeout;
  for (;;) {
    handle_ = PQconnectStartParams(names.data(), values.data(), 0);
    if (!handle_) throw Error(Errc::unavailable, "open " + location_ + ": there is not enough memory", location_);
    PQsetErrorVerbosity(handle_, PQERRORS_VERBOSE);  // with the SQLSTATE, which libpq tells nowhere else
    PQsetNoticeProcessor(
        handle_, [](void*, const char*) {}, nullptr);
    auto state = PQstatus(handle_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
      pollfd socket{PQsocket(handle_), static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
      if (::poll(&socket, 1, milliseconds_until(deadline)) == 0) {
        throw Error(Errc::unavailable,
                    fmt::format("open {}: there was no answer within {} s. see database.host and database.port",
                                location_, std::chrono::ceil<std::chrono::seconds>(config.connect_timeout).count()),
                    location_);
      }
      state = PQconnectPoll(handle_);
    }
    if (state == PGRES_POLLING_OK) break;
    const Error error = postgres_connect_error(PQerrorMessage(handle_), location_, config.name, config.user);
    constexpr auto pause = std::chrono::milliseconds(100);
    if (error.native() != "57P03" || Clock::now() + pause > deadline) throw error;
    PQfinish(std::exchange(handle_, nullptr));
    std::this_thread::sleep_for(pause);  // a server that starts or stops has no event to wait for
  }
  cancel_ = PQgetCancel(handle_);
  if (PQserverVersion(handle_) < 120'000) {
    throw Error(Errc::unsupported,
                fmt::format("open {}: the server is PostgreSQL {}. 12 and later can be used", location_,
                            PQserverVersion(handle_) / 10'000),
                location_);
  }
  PQsetnonblocking(handle_, 1);
  PQenterPipelineMode(handle_);
}

void PostgresLink::lost_now(std::string_view why) {
  lost_ = true;
  std::string words(why.substr(0, why.find('\n')));
  while (words.ends_with('.') || words.ends_with(' ')) words.pop_back();
  if (words.empty() || !valid_utf8(words)) words = "the connection was lost";
  throw Error(Errc::unavailable, fmt::format("{}: {}. its transaction is over; try again", location_, words), location_,
              "08006");
}

void PostgresLink::check(int ok) {
  if (!ok) lost_now(PQerrorMessage(handle_));
}

void PostgresLink::wait(short events) {
  pollfd socket{PQsocket(handle_), events, 0};
  const auto deadline = Clock::now() + patience_;
  for (;;) {
    const int ready = ::poll(&socket, 1, patience_.count() > 0 ? milliseconds_until(deadline) : -1);
    if (ready > 0) break;
    if (ready == 0) lost_now("the server has been silent for longer than a statement may take");
    if (errno != EINTR) lost_now("waiting for the server failed");
  }
  if (socket.revents & ~POLLOUT) check(PQconsumeInput(handle_));
}

bool PostgresLink::alive() noexcept {
  pollfd socket{PQsocket(handle_), POLLIN, 0};
  while (!lost_ && ::poll(&socket, 1, 0) > 0) {
    if (!PQconsumeInput(handle_) || PQstatus(handle_) == CONNECTION_BAD) lost_ = true;
    PQisBusy(handle_);  // takes in what was read
  }
  return !lost_;
}

void PostgresLink::query(const std::string& sql) {
  check(PQsendQueryParams(handle_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
}
void PostgresLink::prepare(const std::string& name, const std::string& sql, const std::vector<PostgresType>& types) {
  check(PQsendPrepare(handle_, name.c_str(), sql.c_str(), static_cast<int>(types.size()), types.data()));
}
void PostgresLink::describe(const std::string& name) { check(PQsendDescribePrepared(handle_, name.c_str())); }
void PostgresLink::run(const std::string& name, const PostgresParameters& p, bool binary) {
  check(PQsendQueryPrepared(handle_, name.c_str(), p.count(), p.values(), p.lengths(), p.formats(), binary));
}
void PostgresLink::sync() { check(PQpipelineSync(handle_)); }

void PostgresLink::flush() {
  for (;;) {
    const int rest = PQflush(handle_);
    if (rest == 0) return;
    check(rest > 0);
    wait(POLLIN | POLLOUT);
  }
}

PostgresResult PostgresLink::next() {
  while (PQisBusy(handle_)) wait(POLLIN);
  PGresult* result = PQgetResult(handle_);
  if (!result) {
    if (PQstatus(handle_) == CONNECTION_BAD) lost_now(PQerrorMessage(handle_));
    return nullptr;
  }
  PostgresResult owner(result, PQclear);
  if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
    const std::string state = text_of(*result, PG_DIAG_SQLSTATE);
    if (ends_connection(state)) lost_ = true;
    if (PQstatus(handle_) == CONNECTION_BAD && state.empty()) lost_now(PQresultErrorMessage(result));
  }
  return owner;
}

void PostgresLink::skip_group() {
  bool end_of_command = false;
  while (!lost_) {
    const PostgresResult result = next();
    if (result && PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) return;
    if (!result && end_of_command) lost_now("the server's answers are out of step");
    end_of_command = !result;
  }
}

void PostgresLink::cancel() const noexcept {
  char ignored[256];
  PQcancel(cancel_, ignored, sizeof ignored);
}

}  // namespace oas::db
