// Ways to a PostgreSQL server, those that lead there and those that do not; and what happens when one ends.
#include <sys/wait.h>

#include <thread>

#include "postgres_lab.hpp"
#include "support/cut_proxy.hpp"

namespace oas::test {
namespace {

using Cut = CutProxy::Cut;
using Tls = db::Config::Tls;
using std::chrono_literals::operator""ms;

class PostgresConnect : public PostgresLab {
 protected:
  /// A role of this test, made if it is not there.
  void role(const std::string& name, const std::string& with) const {
    client().run("DO $$ BEGIN CREATE ROLE " + name +
                 " LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN "
                 "NULL; END $$; ALTER ROLE " +
                 name + " " + with);
  }
  bool encrypted(db::Connection& connection) const {
    return ask(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").as<bool>();
  }
  void terminate_others() const {
    auto admin = client();
    const std::string others =
        " FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = '" + config.name + "'";
    admin.run("SELECT pg_terminate_backend(pid)" + others);
    while (!admin.run("SELECT 1" + others).empty()) {
    }
  }
};

TEST_F(PostgresConnect, BySocket) {
  config.host = test_server(postgres_variable)->socket;
  const auto connection = open();
  EXPECT_EQ(ask(*connection, "SELECT inet_client_addr() IS NULL"), Value(true));
  EXPECT_EQ(connection->location(),
            "postgresql " + config.host + ":" + std::to_string(config.port) + "/" + config.name);
}

TEST_F(PostgresConnect, WhatTheServerRefuses) {
  const db::Config good = config;
  config.password = "wrong-and-secret";
  fails(Errc::access, "oas", [&] { open(); });
  EXPECT_EQ(error_of([&] { open(); })->native(), "28P01");
  config = good;
  config.user = "nobody_of_this_name";
  fails(Errc::access, "nobody_of_this_name", [&] { open(); });
  config = good;
  config.name = "no_such_database";
  fails(Errc::usage, "no_such_database", [&] { open(); });
  config = good;
  role("without_connect", "PASSWORD 'x'");
  client().run("REVOKE CONNECT ON DATABASE " + good.name + " FROM PUBLIC");
  config.user = "without_connect";
  config.password = "x";
  fails(Errc::access, "GRANT", [&] { open(); });
  client().run("GRANT CONNECT ON DATABASE " + good.name + " TO PUBLIC");
}

TEST_F(PostgresConnect, WhereNobodyAnswers) {
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  config.port = ntohs(address.sin_port);
  fails(Errc::unavailable, "database.host", [&] { open(); });  // nobody listens
  ASSERT_EQ(::listen(listener, 8), 0);
  config.connect_timeout = 200ms;
  fails(Errc::unavailable, "no answer within", [&] { open(); });  // somebody listens, and says nothing
  ::close(listener);
  config.host = "no-such-host.invalid";
  fails(Errc::unavailable, "no-such-host.invalid", [&] { open(); });
}

TEST_F(PostgresConnect, Encryption) {
  EXPECT_TRUE(encrypted(*open()));  // as the server can
  config.tls = Tls::off;
  EXPECT_FALSE(encrypted(*open()));
  config.tls = Tls::required;
  EXPECT_TRUE(encrypted(*open()));
  for (const Tls mode : {Tls::verified, Tls::verified_host}) {
    config.tls = mode;
    config.tls_ca = file("ca.pem");
    EXPECT_TRUE(encrypted(*open()));
    EXPECT_TRUE(encrypted(*open()->fork()));
    config.tls_ca = file("other_ca.pem");
    fails(Errc::access, "certificate", [&] { open(); });
    config.tls_ca = file("none.pem");
    fails(Errc::access, "none.pem", [&] { open(); });
  }
}

TEST_F(PostgresConnect, RolesThatMustBeEncryptedOrCertified) {
  role("encrypted", "PASSWORD 'only so'");
  config.user = "encrypted";
  config.password = "only so";
  config.tls = Tls::off;
  fails(Errc::access, "encrypted", [&] { open(); });
  config.tls = Tls::required;
  EXPECT_TRUE(encrypted(*open()));

  role("certified", "PASSWORD NULL");
  config.user = "certified";
  config.password = "is not asked for";
  fails(Errc::access, "certified", [&] { open(); });
  config.tls = Tls::verified_host;
  config.tls_ca = file("ca.pem");
  config.tls_certificate = file("client.pem");
  config.tls_key = file("client.key");
  EXPECT_EQ(ask(*open(), "SELECT current_user::text"), Value("certified"));
}

TEST_F(PostgresConnect, EndsBetweenTransactionsAreMended) {
  const auto connection = open();
  change(*connection, "CREATE TABLE public.t (id int)");
  terminate_others();
  change(*connection, "INSERT INTO public.t VALUES ($1)", {1});
  terminate_others();
  EXPECT_EQ(ask(*connection, "SELECT count(*) FROM public.t"), Value(1));
  config.reconnect = false;
  const auto strict = open();
  EXPECT_EQ(ask(*strict, "SELECT 1"), Value(1));
  terminate_others();
  fails(Errc::unavailable, "reconnect", [&] { ask(*strict, "SELECT 1"); });
}

TEST_F(PostgresConnect, EndsInsideOfTransactionsAreTold) {
  const auto connection = open();
  change(*connection, "CREATE TABLE public.t (id int)");
  {
    db::Transaction tx(*connection);
    tx.execute("INSERT INTO public.t VALUES (1)");
    terminate_others();
    fails(Errc::unavailable, "transaction", [&] { tx.execute("INSERT INTO public.t VALUES (2)"); });
    fails(Errc::unavailable, "begin another", [&] { tx.execute("INSERT INTO public.t VALUES (3)"); });
    fails(Errc::unavailable, "begin another", [&] { tx.commit(); });
  }
  EXPECT_EQ(connection->depth(), 0);
  EXPECT_EQ(ask(*connection, "SELECT count(*) FROM public.t"), Value(0));
}

TEST_F(PostgresConnect, ACommitWithoutAnAnswerIsInDoubt) {
  CutProxy proxy(config.host, config.port);
  change(*open(), "CREATE TABLE public.t (id int)");
  config.port = proxy.port();
  config.tls = Tls::off;  // one piece a round trip
  const auto connection = open();
  for (const auto& [cut, rows] : {std::pair{Cut::before, 0}, {Cut::answer, 1}}) {
    db::Transaction tx(*connection);
    tx.execute("INSERT INTO public.t VALUES (1)");
    proxy.arm(cut, 1);
    fails(Errc::in_doubt, "look", [&] { tx.commit(); });
    EXPECT_TRUE(proxy.disarm());
    EXPECT_EQ(connection->depth(), 0);
    EXPECT_EQ(ask(*connection, "SELECT count(*) FROM public.t"), Value(rows));
  }
  {
    db::Transaction tx(*connection, db::Transaction::Mode::read);
    tx.execute("SELECT 1");
    proxy.arm(Cut::before, 1);
    tx.commit();  // has read what it has read
  }
  proxy.disarm();
  EXPECT_EQ(ask(*connection, "SELECT 1"), Value(1));
}

TEST_F(PostgresConnect, AServerThatIsAwayForAWhile) {
  CutProxy proxy(config.host, config.port);
  config.port = proxy.port();
  const auto connection = open();
  EXPECT_EQ(ask(*connection, "SELECT 1"), Value(1));
  proxy.refuse();
  for (int i = 0; i < 3; ++i) fails(Errc::unavailable, "", [&] { ask(*connection, "SELECT 1"); });
  fails(Errc::unavailable, "", [&] { connection->fork(); });
  proxy.admit();
  EXPECT_EQ(ask(*connection, "SELECT 1"), Value(1));
}

TEST_F(PostgresConnect, AStatementThatTakesTooLong) {
  config.statement_timeout = 100ms;
  const auto connection = open();
  fails(Errc::unavailable, "too long", [&] { ask(*connection, "SELECT pg_sleep(600)"); });
  EXPECT_EQ(ask(*connection, "SELECT 1"), Value(1));
}

TEST_F(PostgresConnect, AForkedChildLeavesItAlone) {
  const auto connection = open();
  const Value session = ask(*connection, "SELECT pg_backend_pid()");
  db::Transaction open_one(*connection);
  open_one.execute("CREATE TABLE public.t (id int)");
  const pid_t child = ::fork();
  if (child == 0) {
    bool refused = false;
    try {
      open_one.execute("SELECT 1");
    } catch (const Error& e) {
      refused = e.code() == Errc::usage;
    }
    open_one.rollback();
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  open_one.commit();
  EXPECT_EQ(ask(*connection, "SELECT pg_backend_pid()"), session);
  EXPECT_EQ(ask(*connection, "SELECT count(*) FROM public.t"), Value(0));
}

}  // namespace
}  // namespace oas::test
