// Sessions with a server: opening them, losing them, and stopping what runs in them.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "integration/mysql/server.hpp"
#include "support/cutting_proxy.hpp"
#include "support/loopback.hpp"

namespace oas::test {
namespace {

class MysqlConnecting : public OnServer {};
class MysqlLosing : public OnServer {
 protected:
  void SetUp() override {
    OnServer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    proxy = std::make_unique<CuttingProxy>(config.port);
    config.port = proxy->port();
    config.tls = db::Config::Tls::off;  // the proxy reads along
  }
  std::unique_ptr<CuttingProxy> proxy;
};
class MysqlStopping : public OnServer {};
OAS_ON_SERVERS(MysqlConnecting);
OAS_ON_SERVERS(MysqlLosing);
OAS_ON_SERVERS(MysqlStopping);

// Opening

TEST_P(MysqlConnecting, what_is_wrong_is_told_with_the_place_and_without_the_password) {
  const db::Config good = config;
  const auto refused = [&](Errc code, std::string_view words) {
    const Error e = error_of([&] { open(); });
    EXPECT_EQ(to_string(e.code()), to_string(code)) << e.what();
    EXPECT_TRUE(says(e, words));
    EXPECT_TRUE(says(e, config.host));
    EXPECT_EQ(std::string(e.what()).find(good.password), std::string::npos) << e.what();
    EXPECT_EQ(std::string(e.what()).find("wrong-pw"), std::string::npos) << e.what();
    EXPECT_TRUE(std::string(e.target()).starts_with("mysql ")) << e.target();
    config = good;
  };
  config.password = "wrong-pw";
  refused(Errc::access, "database.password");
  config.password = "";
  refused(Errc::access, "does not let user oas in");
  config.user = "nobody-of-this-name";
  refused(Errc::access, "nobody-of-this-name");
  config.host = "no-such-host.invalid";
  refused(Errc::unavailable, "database.host");
  config.port = 1;
  refused(Errc::unavailable, "database.port");
  config.host = "/nowhere/socket";
  refused(Errc::unavailable, "/nowhere/socket");
  config.name = "nonesuch";
  refused(Errc::usage, "no such database");
  config.user = std::string("a\0b", 3);
  const Error nul = error_of([&] { open(); });
  EXPECT_EQ(nul.code(), Errc::usage);
  config = good;
  config.host = "";
  EXPECT_EQ(error_of([&] { open(); }).code(), Errc::usage);
}

TEST_P(MysqlConnecting, a_host_that_is_silent_is_given_up) {
  const auto [silent, port] = listen_on_loopback();
  config.host = "127.0.0.1";
  config.port = port;
  config.connect_timeout = std::chrono::milliseconds(300);
  EXPECT_EQ(error_of([&] { open(); }).code(), Errc::unavailable);
  ::close(silent);
}

TEST_P(MysqlConnecting, sockets_work_as_ports_do) {
  config.host = test_server(GetParam())->socket;
  config.port = 0;
  const auto connection = open();
  EXPECT_EQ(connection->location(), "mysql oas@" + config.host);
  Transaction tx(*connection);
  insert(tx, 1);
  tx.commit();
  EXPECT_EQ(ids(), "1");
}

TEST_P(MysqlConnecting, tls_is_as_strict_as_is_asked_for) {
  using Tls = db::Config::Tls;
  const std::string folder = std::getenv("OAS_TEST_TLS") ? std::getenv("OAS_TEST_TLS") : "";
  if (folder.empty()) GTEST_SKIP() << "OAS_TEST_TLS is not set. run this under tools/with_servers";
  const auto cipher = [&] {
    const auto connection = open();
    Transaction tx(*connection, Transaction::Mode::read);
    Cells cells;
    tx.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")->next(cells);
    return cells.at(1).as<std::string>();
  };
  config.host = "127.0.0.1";
  config.tls = Tls::off;
  EXPECT_EQ(cipher(), "");
  config.tls = Tls::preferred;
  EXPECT_NE(cipher(), "");
  config.tls = Tls::required;
  EXPECT_NE(cipher(), "");
  for (const Tls strict : {Tls::verified, Tls::verified_host}) {
    config.tls = strict;
    config.tls_ca = folder + "/ca.pem";
    EXPECT_NE(cipher(), "");
    config.tls_ca = folder + "/other_ca.pem";
    const Error e = error_of(cipher);
    EXPECT_EQ(e.code(), Errc::access) << e.what();
    EXPECT_TRUE(says(e, "TLS"));
    config.tls_ca = folder + "/nonesuch.pem";
    EXPECT_EQ(error_of(cipher).code(), Errc::access);
  }
}

TEST_P(MysqlConnecting, clients_show_their_certificate) {
  const std::string folder = std::getenv("OAS_TEST_TLS") ? std::getenv("OAS_TEST_TLS") : "";
  if (folder.empty()) GTEST_SKIP() << "OAS_TEST_TLS is not set. run this under tools/with_servers";
  raw->run("DROP USER IF EXISTS certified; CREATE USER certified@'%' IDENTIFIED BY 'own-secret' REQUIRE X509");
  config.user = "certified";
  config.password = "own-secret";
  config.tls = db::Config::Tls::required;
  EXPECT_EQ(error_of([&] { open(); }).code(), Errc::access);
  config.tls_certificate = folder + "/client.pem";
  config.tls_key = folder + "/client.key";
  if (::access(config.tls_key.c_str(), R_OK) != 0) GTEST_SKIP() << "the client's key is not for this user";
  open();
  config.tls_key = folder + "/nonesuch.key";
  const Error e = error_of([&] { open(); });
  EXPECT_EQ(e.code(), Errc::access);
  EXPECT_EQ(std::string(e.what()).find("own-secret"), std::string::npos) << e.what();
  raw->run("DROP USER certified");
}

TEST_P(MysqlConnecting, a_user_without_privileges_is_told_what_is_missing) {
  raw->run("DROP USER IF EXISTS guest; CREATE USER guest@'%' IDENTIFIED BY 'g'; GRANT SELECT ON lab.* TO guest@'%'");
  config.user = "guest";
  config.password = "g";
  const auto connection = open();
  EXPECT_EQ(connection->schemas(), std::vector<std::string>{"lab"});
  EXPECT_EQ(connection->introspect("lab").size(), 1U);
  Transaction tx(*connection);
  const Error e = error_of([&] { insert(tx, 1); });
  EXPECT_EQ(e.code(), Errc::access) << e.what();
  EXPECT_TRUE(says(e, "INSERT"));
  const Error made = error_of([&] { tx.execute("CREATE TABLE lab.x (id int)"); });
  EXPECT_EQ(made.code(), Errc::access) << made.what();
  raw->run("DROP USER guest");
}

TEST_P(MysqlConnecting, every_session_is_set_up_alike) {
  raw->run("SET GLOBAL sql_mode = '', GLOBAL time_zone = '+05:00'");
  const auto connection = open();
  raw->run("SET GLOBAL sql_mode = DEFAULT, GLOBAL time_zone = DEFAULT");
  Transaction tx(*connection);
  Cells cells;
  tx.execute("SELECT @@time_zone, @@character_set_client, @@sql_mode")->next(cells);
  EXPECT_EQ(cells[0], Value("+00:00"));
  EXPECT_EQ(cells[1], Value("utf8mb4"));
  EXPECT_NE(cells[2].as<std::string>().find("STRICT_ALL_TABLES"), std::string::npos);
  EXPECT_EQ(error_of([&] {
              const Cells bad{1, "x"};
              tx.execute("INSERT INTO lab.t (id, u) VALUES (?, ?)", bad);
            }).code(),
            Errc::constraint);
}

TEST_P(MysqlConnecting, a_child_process_leaves_the_session_alone) {
  auto connection = open();
  {
    Transaction tx(*connection);
    insert(tx, 1);
    tx.commit();
  }
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 1;
    try {
      Transaction tx(*connection);
    } catch (const Error& e) {
      code = e.code() == Errc::usage ? 0 : 2;
    }
    connection.reset();
    ::_exit(code);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  Transaction tx(*connection);
  insert(tx, 2);
  tx.commit();
  EXPECT_EQ(ids(), "1,2");
}

// Losing

TEST_P(MysqlLosing, a_lost_connection_is_opened_again_outside_of_transactions_only) {
  const auto connection = open();
  for (const bool killed : {false, true}) {
    std::string session;
    {
      Transaction tx(*connection);
      insert(tx, killed ? 10 : 1);
      session = session_of(tx);
      if (killed)
        raw->run("KILL " + session);
      else
        proxy->cut();
      const Error e = error_of([&] { insert(tx, 2); });
      EXPECT_EQ(e.code(), Errc::unavailable) << e.what();
      EXPECT_TRUE(e.retryable() && e.ends_transaction());
      EXPECT_TRUE(says(e, "the transaction"));
      EXPECT_EQ(error_of([&] { insert(tx, 3); }).code(), Errc::unavailable);
      EXPECT_EQ(error_of([&] { Transaction inner(*connection); }).code(), Errc::unavailable);
      EXPECT_EQ(error_of([&] { tx.commit(); }).code(), Errc::unavailable);
    }
    EXPECT_EQ(connection->depth(), 0);
    EXPECT_EQ(ids(), killed ? "4" : "");
    Transaction again(*connection);
    EXPECT_NE(session_of(again), session);
    insert(again, killed ? 5 : 4);
    again.commit();
  }
  EXPECT_EQ(ids(), "4,5");
}

TEST_P(MysqlLosing, an_idle_connection_that_was_lost_is_not_noticed) {
  const auto connection = open();
  connection->introspect("lab");
  proxy->cut();
  EXPECT_EQ(connection->schemas(), std::vector<std::string>{"lab"});
  proxy->cut();
  Transaction tx(*connection, Transaction::Mode::read);
  Cells cells;
  EXPECT_FALSE(tx.execute("SELECT id FROM lab.t")->next(cells));
}

TEST_P(MysqlLosing, a_lost_connection_stays_lost_if_that_is_wanted) {
  config.reconnect = false;
  const auto connection = open();
  proxy->cut();
  const Error e = error_of([&] { Transaction tx(*connection); });
  EXPECT_EQ(e.code(), Errc::unavailable);
  EXPECT_TRUE(says(e, "database.reconnect"));
}

TEST_P(MysqlLosing, a_server_that_is_away_is_unavailable_and_back_when_it_is_back) {
  const auto connection = open();
  proxy->refuse(true);
  proxy->cut();
  EXPECT_EQ(error_of([&] { Transaction tx(*connection); }).code(), Errc::unavailable);
  EXPECT_EQ(error_of([&] { connection->fork(); }).code(), Errc::unavailable);
  EXPECT_EQ(connection->depth(), 0);
  proxy->refuse(false);
  Transaction tx(*connection);
  insert(tx, 1);
  tx.commit();
  EXPECT_EQ(ids(), "1");
}

TEST_P(MysqlLosing, a_server_of_the_other_kind_in_its_place_is_refused) {
  const char* const variable = on_mariadb() ? mysql_variable : mariadb_variable;
  OAS_NEED_SERVER(variable)
  // One user of both servers; the same test begun on the other server, at the same time, has another one.
  config.user = on_mariadb() ? "left_mariadb" : "left_mysql";
  const std::string user = config.user + "@'%'";
  const std::string identified = user + " IDENTIFIED BY '" + config.password + "'";
  for (const char* each : {mariadb_variable, mysql_variable})
    MysqlClient(each).run("CREATE USER IF NOT EXISTS " + identified + "; ALTER USER " + identified +
                          "; GRANT ALL ON *.* TO " + user);
  const auto connection = open();
  connection->introspect("lab");
  proxy->lead_to(mysql_config(variable).port);
  proxy->cut();
  const auto refused = [&](auto&& action) {
    const Error e = error_of(action);
    EXPECT_EQ(e.code(), Errc::unsupported) << e.what();
    EXPECT_TRUE(says(e, on_mariadb() ? "was MariaDB" : "was MySQL"));
  };
  refused([&] { Transaction tx(*connection); });
  refused([&] { connection->fork(); });
  refused([&] { connection->side(); });
  EXPECT_EQ(connection->depth(), 0);
  proxy->lead_to(mysql_config(GetParam()).port);
  proxy->cut();
  Transaction tx(*connection);
  insert(tx, 1);
  tx.commit();
  EXPECT_EQ(ids(), "1");
}

TEST_P(MysqlLosing, a_commit_whose_answer_is_lost_is_in_doubt) {
  const auto connection = open();
  Transaction tx(*connection);
  insert(tx, 1);
  proxy->cut_behind("COMMIT");
  const Error e = error_of([&] { tx.commit(); });
  EXPECT_EQ(e.code(), Errc::in_doubt) << e.what();
  EXPECT_FALSE(e.retryable());
  EXPECT_EQ(connection->depth(), 0);
  EXPECT_EQ(ids(), "1");
  Transaction next(*connection);
  insert(next, 2);
  next.commit();
  EXPECT_EQ(ids(), "1,2");
}

TEST_P(MysqlLosing, a_commit_of_nothing_is_never_in_doubt) {
  const auto connection = open();
  Transaction tx(*connection);
  Cells cells;
  tx.execute("SELECT id FROM lab.t")->next(cells);
  proxy->cut_behind("COMMIT");
  tx.commit();
}

TEST_P(MysqlLosing, rows_that_stop_coming_are_an_error) {
  make_rows(1000, "REPEAT('x', 64000)");
  const auto connection = open();
  Transaction tx(*connection, Transaction::Mode::read);
  const auto cursor = tx.execute("SELECT id, v FROM lab.t");
  Cells cells;
  ASSERT_TRUE(cursor->next(cells));
  proxy->cut();
  const Error e = error_of([&] {
    while (cursor->next(cells)) {
    }
  });
  EXPECT_EQ(e.code(), Errc::unavailable);
  EXPECT_EQ(error_of([&] { cursor->next(cells); }).code(), Errc::unavailable);  // it is not the end
}

TEST_P(MysqlLosing, a_definition_whose_answer_is_lost_is_in_doubt) {
  const auto connection = open();
  Transaction tx(*connection);
  proxy->cut_behind("CREATE TABLE");
  const Error e = error_of([&] { tx.execute("CREATE TABLE lab.made (id int)"); });
  EXPECT_EQ(e.code(), Errc::in_doubt) << e.what();
  EXPECT_EQ(error_of([&] { insert(tx, 1); }).code(), Errc::unavailable);
  tx.rollback();
  EXPECT_EQ(connection->introspect("lab").size(), 2U);
}

// Stopping

TEST_P(MysqlStopping, cancelling_from_another_thread_ends_a_statement_and_nothing_else) {
  make_rows(1000, "'x'");
  const auto connection = open();
  Transaction tx(*connection);
  insert(tx, 2001);
  std::atomic<bool> done = false;
  std::thread canceller([&] {
    while (!done) {
      connection->cancel();
      std::this_thread::yield();
    }
  });
  // A SLEEP that is stopped is no error, so it is one that works.
  const Error e = error_of([&] {
    const auto cursor =
        tx.execute("SELECT COUNT(*) FROM lab.t a, lab.t b, lab.t c, lab.t d WHERE CONCAT(a.v, b.v) < CONCAT(c.v, d.v)");
    Cells cells;
    cursor->next(cells);
  });
  done = true;
  canceller.join();
  EXPECT_EQ(e.code(), Errc::cancelled) << e.what();
  EXPECT_FALSE(e.ends_transaction());
  for (int i = 2002; i < 2020; ++i) insert(tx, i);
  tx.commit();
  EXPECT_EQ(raw->cell("SELECT COUNT(*) FROM lab.t"), "1019");
  connection->cancel();  // nothing runs
  EXPECT_EQ(connection->schemas().size(), 1U);
}

TEST_P(MysqlStopping, a_statement_has_its_time) {
  make_rows(1000, "'x'");
  config.statement_timeout = std::chrono::milliseconds(200);
  const auto connection = open();
  Transaction tx(*connection);
  const Error e = error_of([&] {
    const auto cursor =
        tx.execute("SELECT COUNT(*) FROM lab.t a, lab.t b, lab.t c, lab.t d WHERE CONCAT(a.v, b.v) < CONCAT(c.v, d.v)");
    Cells cells;
    cursor->next(cells);
  });
  EXPECT_EQ(e.code(), Errc::unavailable) << e.what();
}

TEST_P(MysqlStopping, rows_nobody_wants_are_not_waited_for) {
  make_rows(1000, "'x'");
  const auto connection = open();
  Transaction tx(*connection);
  const std::string endless = "SELECT a.id, REPEAT('x', 2000), SLEEP(0.0003) FROM lab.t a, lab.t b";
  Cells cells;
  ASSERT_TRUE(tx.execute(endless)->next(cells));
  insert(tx, 1000);  // the cursor is gone
  ASSERT_TRUE(tx.execute(endless)->next(cells));
  tx.commit();
  EXPECT_EQ(raw->cell("SELECT COUNT(*) FROM lab.t"), "1001");
}

TEST_P(MysqlStopping, a_deadlock_ends_the_transaction_and_may_be_tried_again) {
  raw->run("INSERT INTO lab.t (id, u) VALUES (1, 1), (2, 2)");
  const auto one = open(), two = open();
  const auto take = [](Transaction& tx, int id) {
    const Cells cells{id};
    tx.execute("UPDATE lab.t SET v = 'taken' WHERE id = ?", cells);
  };
  Transaction a(*one), b(*two);
  take(a, 1);
  take(b, 2);
  std::optional<Error> first, second;
  std::thread other([&] {
    try {
      take(b, 1);
    } catch (const Error& e) {
      second = e;
    }
  });
  try {
    take(a, 2);
  } catch (const Error& e) {
    first = e;
  }
  other.join();
  ASSERT_NE(first.has_value(), second.has_value());
  const Error& e = first ? *first : *second;
  EXPECT_EQ(e.code(), Errc::unavailable);
  EXPECT_TRUE(e.retryable() && e.ends_transaction());
  EXPECT_EQ(e.native(), "1213/40001");
  // Nothing may run by itself where the transaction was.
  Transaction& victim = first ? a : b;
  EXPECT_EQ(error_of([&] { insert(victim, 3); }).code(), Errc::unavailable);
  EXPECT_EQ(error_of([&] { victim.commit(); }).code(), Errc::unavailable);
  (first ? b : a).commit();
  victim.rollback();
  EXPECT_EQ(ids(), "1,2");
}

TEST_P(MysqlStopping, waiting_for_a_lock_ends) {
  raw->run("INSERT INTO lab.t (id) VALUES (1)");
  const auto holder = open();
  config.patience = std::chrono::milliseconds(1);
  const auto hasty = open();
  Transaction a(*holder);
  a.execute("UPDATE lab.t SET v = 'x'");
  Transaction b(*hasty);
  insert(b, 2);
  const Error e = error_of([&] { b.execute("UPDATE lab.t SET v = 'y'"); });
  EXPECT_EQ(e.code(), Errc::unavailable);
  EXPECT_EQ(e.native(), "1205/HY000");
  const auto third = open();
  const Error table = error_of([&] {
    Transaction c(*third);
    c.execute("DROP TABLE lab.t");
  });
  EXPECT_EQ(table.code(), Errc::unavailable) << table.what();
}

}  // namespace
}  // namespace oas::test
