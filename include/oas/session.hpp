// Session: the front door. It owns the connection, the stores and the codecs; all else is made from it. A Session and
// what is made from it belong to one thread at a time (references to objects excepted); make one for each thread.
// Several sessions live side by side, in one process or many.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <oas/codec.hpp>
#include <oas/config.hpp>
#include <oas/db.hpp>
#include <oas/table.hpp>

namespace oas {

enum class LogLevel { info, warning };

struct SessionOptions {
  /// What happens that a person may want to know: embedded defaults in use, recovery after a crash. Called from any
  /// thread of the library, one call at a time. Never gets a secret.
  std::function<void(LogLevel, std::string_view)> log = {};
  /// Requests to stores under way at once. 0: as many as the stores that are used say (S3: their `concurrency`).
  unsigned concurrency = 0;
  /// How long another process may go without renewing its lease before its unfinished work is given up. On one host
  /// dead processes are noticed at once.
  std::chrono::seconds lease{600};
  /// Codecs of your own, known from the start.
  std::vector<std::shared_ptr<const Codec>> codecs = {};
  /// Wraps every store as it is opened, and the database connection: for tests and for tracing.
  std::function<std::shared_ptr<Store>(std::shared_ptr<Store>)> wrap_store = {};
  std::function<std::unique_ptr<db::Connection>(std::unique_ptr<db::Connection>)> wrap_connection = {};
};

class Schema {
 public:
  Schema(std::shared_ptr<SessionState> session, std::string name);
  const std::string& name() const noexcept { return name_; }
  /// The table of a struct: declared if it is not there; must agree if it is (definition, naming the differences).
  template <class T>
  Table<T> table() {
    return Table<T>(
        declare(detail::class_name<T>(), detail::tier_of_class<T>(), T::definition.text(), detail::master_name<T>()));
  }
  /// The same from a text. `class_name` in CamelCase; of a part, that of its `master` besides.
  Table<> declare(std::string_view class_name, Tier tier, std::string_view definition, std::string_view master = {});
  /// A table that exists, by its name in the database or its class name. Errors: unknown_table, naming the nearest.
  Table<> operator[](std::string_view name);
  /// Names in the database, in the order of declaration; hidden ones left out.
  std::vector<std::string> tables();
  /// Makes what the first write makes: the schema, and the hidden tables of its ledger (docs/ledger.md). Then people
  /// who may not create anything can write to it. Does nothing if they are there. Errors: access.
  void init();
  /// The statements that let a user of the database, `grantee`, be `role` here, for somebody who may grant; nothing is
  /// executed. They are for the tables that are there now. Whoever removes rows or objects reads every schema that has
  /// objects, so such a one is at least a reader there. Empty for SQLite, which has no users.
  std::vector<std::string> grants(db::Role role, std::string_view grantee) const;
  /// Drops all tables with their rows and objects; the empty schema stays. Tables of other schemas that refer to them
  /// must go first (constraint).
  void drop();

 private:
  std::shared_ptr<SessionState> session_;
  std::string name_;
};

/// What a collection did. Numbers of objects; a folder counts once.
struct Collected {
  std::size_t removed = 0;  ///< objects removed
  std::size_t kept = 0;     ///< candidates that a row still needs
  std::size_t waiting = 0;  ///< could not be removed now; will be tried again
  std::vector<Error> errors;
};
/// One finding of an audit.
struct Finding {
  enum class Kind { dangling, damaged, leaked } kind;
  std::string store, path;
  std::string where;  ///< table, attribute and key of the row; of a leak: since when
  std::string detail;
};
struct Audit {
  std::size_t references = 0;  ///< looked at
  std::size_t objects = 0;     ///< files seen in the managed sections of the stores; a folder counts each of its own
  std::size_t dangling = 0, damaged = 0, leaked = 0;
  std::size_t quarantined = 0;  ///< objects kept for writers that know nothing of the ledger (docs/ledger.md)
  std::vector<Finding> findings;
};
struct AuditOptions {
  bool deep = false;  ///< read every object and compare its content
  /// First put back what rows refer to again, from quarantine; then remove what leaks, after looking again: where
  /// foreign writers are assumed, only what is older than the setting collector.grace.
  bool repair = false;
  /// Objects younger than this are not called leaks: a foreign writer may be about to commit the row.
  std::chrono::seconds grace{0};
  std::function<void(std::size_t done, std::size_t total)> progress = {};
};

class Session {
 public:
  /// With Settings::load(): datajoint.json, DJ_*; without either ./oas.db and ./oas-store/. What there is to say, it
  /// says on standard error; programs that want it elsewhere, or not at all, give SessionOptions.
  Session();
  explicit Session(Settings settings, SessionOptions options = {});
  explicit Session(SessionOptions options);
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Made if it is not there. Errors: usage for a name that is not [a-z][a-z0-9_]*.
  Schema schema(std::string_view name);
  std::vector<std::string> schemas();

  /// Runs `body` in a transaction: all of it, or nothing. Nested calls are savepoints. An exception rolls back and
  /// goes on to the caller.
  template <class Body>
  auto transaction(Body&& body) {
    Scope scope(*this);
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      scope.commit();
    } else {
      auto result = body();
      scope.commit();
      return result;
    }
  }

  /// Adds a codec; `<name>` works in definitions from then on. Errors: usage if the name is taken or malformed.
  void add(std::shared_ptr<const Codec> codec);

  std::vector<StoreConfig> stores() const;
  /// Opened at the first use. An empty name: the default store. Errors: usage (unknown), unavailable, access.
  std::shared_ptr<Store> store(std::string_view name = {});
  const Settings& settings() const noexcept;
  std::string location() const;  ///< of the database, for people

  /// Removes at once what is due: trash, and the leavings of dead processes. Happens by itself; `oas gc`.
  Collected collect();
  /// Compares rows with stores, both ways. Lists the managed sections of the stores: for audits, not daily life.
  Audit audit(const AuditOptions& options = {});

  /// From any thread, while the session lives: what it does now, in the database and in stores, fails soon as
  /// `cancelled`, and what it had written goes as after any error. What begins later is not touched, but for a
  /// statement that comes at the same moment.
  void cancel() noexcept;

  const std::shared_ptr<SessionState>& state() const noexcept { return state_; }

 private:
  class Scope {
   public:
    explicit Scope(Session& session);
    ~Scope();
    void commit();

   private:
    struct Open;
    std::unique_ptr<Open> open_;
  };
  std::shared_ptr<SessionState> state_;
};

}  // namespace oas
