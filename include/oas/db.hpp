// The border to databases: Connection, Transaction, Cursor, and Dialect, which knows how a database spells things.
// A Connection and all that is made from it belong to one thread at a time. Values are always parameters, names are
// always quoted by the Dialect; no SQL runs outside a Transaction. A Connection does not survive fork(2): in the child,
// every use of it is Errc::usage.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <oas/error.hpp>
#include <oas/table_def.hpp>
#include <oas/value.hpp>

namespace oas::db {

/// Attributes of a table and where they come from, "schema.table.attribute".
using Origins = std::vector<std::pair<std::string, std::string>>;

struct CellType;

struct Sql {
  std::string text;
  std::vector<Value> params;
};

/// What a person or program does with a schema. `reader`: fetch and audit. `writer`: change rows besides. `declarer`:
/// declare tables besides. `collector`: remove what no row refers to, and change no row.
enum class Role : std::uint8_t { reader, writer, declarer, collector };

/// Pure: text in, text out; tested without a server. Thread-safe.
class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual std::string_view name() const noexcept = 0;  ///< "sqlite", "postgresql", "mysql"
  virtual std::string quote(std::string_view identifier) const = 0;
  virtual std::string placeholder(std::size_t n) const = 0;  ///< of the n-th parameter, from 1
  /// The quoted full name. Hidden tables too: table("lab", "~oas_trash").
  virtual std::string table(std::string_view schema, std::string_view name) const = 0;
  virtual std::size_t max_identifier() const noexcept = 0;  ///< bytes of a table or column name
  virtual std::size_t max_parameters() const noexcept = 0;  ///< of one statement
  /// Errors: definition for a type this database has not.
  virtual std::string column_type(std::string_view core_type) const = 0;
  /// Its line in CREATE TABLE. Errors: definition if its name, type or default cannot be here.
  virtual std::string column(const ColumnDef& column, std::string_view schema, bool in_key) const = 0;
  /// A column can refer to one of another table, as far as their types go. Both say in `origin` whose they are.
  virtual bool can_refer(const ColumnDef& column, const ColumnDef& parent) const = 0;
  virtual std::vector<std::string> create_schema(std::string_view schema) const = 0;
  virtual std::vector<std::string> create_table(const TableDef&) const = 0;
  /// The same as other programs write it, with what they tell in ~lineage of where attributes come from: the statements
  /// of DataJoint for Python; of SQLite, which it has not, with the catalogue. They look not what is there already, and
  /// know not the indexes by which objects are found.
  virtual std::vector<std::string> portable_table(const TableDef&, const Origins& origins) const = 0;
  virtual std::vector<std::string> drop_table(const TableDef&) const = 0;
  enum class OnDuplicate : std::uint8_t { fail, skip, replace };
  /// One row of placeholders. `skip`: a row whose primary key exists changes nothing. `replace`: it takes the new
  /// values, and the default of every column that is not named.
  virtual std::string insert(const TableDef&, std::span<const std::string> columns, OnDuplicate) const = 0;
  /// Behind a SELECT in a writing transaction: its rows stay as they are read until the transaction ends. Empty where
  /// writing transactions wait for each other anyway; so is `lock_tables`.
  virtual std::string_view for_update() const noexcept = 0;
  /// The first statement of a transaction, after which nobody else writes to these tables until it ends. It uses no
  /// tables but these and `others`: some databases must be told. Transactions that use several of all these begin with
  /// the first one in the order of their names, or they wait for each other in a circle.
  virtual std::string lock_tables(std::string_view schema, std::span<const std::string> names,
                                  std::span<const std::string> others) const = 0;
  /// CREATE, DROP and the like commit what the transaction has changed. They are refused behind changes (usage), but
  /// not behind `lock_tables`.
  virtual bool definitions_commit() const noexcept { return false; }
  /// The least that lets `grantee` be `role` in a schema whose ledger has these tables. Of all tables that are there.
  /// Empty where there are no users.
  virtual std::vector<std::string> grants(std::string_view schema, std::span<const std::string> ledger, Role role,
                                          std::string_view grantee) const = 0;
  /// The text under `member` of the JSON object in a column.
  virtual std::string json_text(std::string_view quoted_column, std::string_view member) const = 0;
  /// A condition: the member "path" of the JSON object in a column is one of `count` parameters. It uses the index on
  /// it, if the table has one.
  virtual std::string path_among(const TableDef&, std::string_view column, std::size_t count) const;
  /// How a function or operator of conditions is spelt here; nullopt: there is none. Names arrive in lower case. A
  /// spelling with {} is a pattern for the whole call.
  virtual std::optional<std::string> function(std::string_view name) const = 0;
  /// A value of a core type as a parameter of this database, and a cell as a value of a core type. They check type,
  /// range and length. Errors: usage (a value that does not fit the type), decode (a cell that does not).
  virtual Value to_cell(const CellType& type, const Value& value) const = 0;
  virtual Value from_cell(const CellType& type, Value cell) const = 0;
  /// What those want to know of a type; made once for many rows. Errors: definition, saying which types there are.
  virtual CellType cell_type(std::string_view core_type) const = 0;
  Value to_cell(std::string_view core_type, const Value& value) const;
  Value from_cell(std::string_view core_type, Value cell) const;
};

/// The answer to a statement. Valid until the next statement of the same SQL text, or the end of its Transaction.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual std::span<const std::string> columns() const = 0;
  /// The next row, into `cells`; false at the end.
  virtual bool next(std::vector<Value>& cells) = 0;
  virtual std::int64_t affected() const = 0;  ///< rows changed
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual const Dialect& dialect() const noexcept = 0;
  /// For people, without secrets: "sqlite /data/oas.db".
  virtual std::string location() const = 0;
  virtual std::vector<std::string> schemas() = 0;
  /// All tables of the schema with hidden ones (~…), in the order of their creation where it is known. None if there
  /// is no such schema.
  virtual std::vector<TableDef> introspect(std::string_view schema) = 0;
  /// Another number whenever a table was made, changed or dropped, by whomever: until then what introspect() said
  /// holds.
  virtual std::int64_t catalog_version() = 0;
  /// Another number whenever this table was made, changed or dropped, by whomever. Where catalog_version() looks at all
  /// tables, this costs the same however many there are.
  virtual std::int64_t table_version(std::string_view schema, std::string_view table) = 0;
  /// Another connection to the same database.
  virtual std::unique_ptr<Connection> fork() = 0;
  /// A connection for the ledger: what is committed there never waits for this one's open transaction. Its tables
  /// may be other tables than this connection's (SQLite: a file beside the database).
  virtual std::unique_ptr<Connection> side() = 0;
  /// From any thread, while the connection lives: the statement that runs, if one does, fails soon as `cancelled`.
  virtual void cancel() noexcept = 0;
  int depth() const noexcept { return depth_; }  ///< of open transactions

 protected:
  virtual std::unique_ptr<Cursor> do_execute(std::string_view sql, std::span<const Value> params) = 0;
  /// The same statement for each row of parameters; rows changed by each.
  virtual std::vector<std::int64_t> do_execute_many(std::string_view sql, std::span<const std::vector<Value>> rows);
  virtual void do_begin(bool write) = 0;
  virtual void do_rollback() noexcept = 0;
  virtual void do_commit() = 0;  ///< answer lost: Errc::in_doubt

 private:
  friend class Transaction;
  friend class ConnectionDecorator;
  int depth_ = 0;
  bool writing_ = false;  ///< what the outermost transaction is for
};

/// Forwards everything to another connection: base of recorders and fault injectors.
class ConnectionDecorator : public Connection {
 public:
  explicit ConnectionDecorator(std::unique_ptr<Connection> inner) : inner_(std::move(inner)) {}
  const Dialect& dialect() const noexcept override { return inner_->dialect(); }
  std::string location() const override { return inner_->location(); }
  std::vector<std::string> schemas() override { return inner_->schemas(); }
  std::vector<TableDef> introspect(std::string_view schema) override { return inner_->introspect(schema); }
  std::int64_t catalog_version() override { return inner_->catalog_version(); }
  std::int64_t table_version(std::string_view schema, std::string_view table) override {
    return inner_->table_version(schema, table);
  }
  std::unique_ptr<Connection> fork() override { return inner_->fork(); }
  std::unique_ptr<Connection> side() override { return inner_->side(); }
  void cancel() noexcept override { inner_->cancel(); }

 protected:
  std::unique_ptr<Cursor> do_execute(std::string_view sql, std::span<const Value> params) override;
  std::vector<std::int64_t> do_execute_many(std::string_view sql, std::span<const std::vector<Value>> rows) override;
  void do_begin(bool write) override;
  void do_rollback() noexcept override;
  void do_commit() override;

 private:
  std::unique_ptr<Connection> inner_;
};

/// Nested: a savepoint. Destroyed uncommitted: rolled back. The outermost one decides reading or writing; a
/// writing one inside a reading one is Errc::usage, and so is using one while another is open inside it, or is over.
class Transaction {
 public:
  enum class Mode : std::uint8_t { read, write };
  explicit Transaction(Connection& connection, Mode mode = Mode::write);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  std::unique_ptr<Cursor> execute(std::string_view sql, std::span<const Value> params = {});
  std::unique_ptr<Cursor> execute(const Sql& sql) { return execute(sql.text, sql.params); }
  /// One statement, many rows of parameters; rows changed by each.
  std::vector<std::int64_t> execute_many(std::string_view sql, std::span<const std::vector<Value>> rows);
  /// Errors: in_doubt if the answer was lost: the transaction is over. Any other: it is open still.
  void commit();
  /// With those that are open inside it.
  void rollback() noexcept;
  Connection& connection() noexcept { return connection_; }

 private:
  void require_innermost(std::string_view tried) const;
  Connection& connection_;
  int level_;
  bool open_ = true;
};

/// Where a database is: what `database.*` of the settings says.
struct Config {
  std::string backend;  ///< "sqlite", "postgresql", "mysql"
  std::string name;     ///< SQLite: the file
  std::string host;     ///< with a '/' in front: the folder (PostgreSQL) or file (MySQL) of a Unix socket
  int port = 0;
  std::string user;
  std::string password;                        ///< never shown
  std::chrono::milliseconds patience{60'000};  ///< how long to wait for what another connection holds
  // Of servers:
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds statement_timeout{0};  ///< a statement that takes longer is `unavailable`; 0: none does
  bool reconnect = true;  ///< outside of transactions, a connection that the server has ended is opened again
  /// Preferred: encrypted if the server can. Required: encrypted, by whomever. Verified: by a server whose certificate
  /// comes from tls_ca; with the name of the host in it.
  enum class Tls : std::uint8_t { off, preferred, required, verified, verified_host } tls = Tls::preferred;
  std::string tls_ca, tls_certificate, tls_key;  ///< files; the last two are the client's own
};

/// What a file under src/db/drivers/ defines: `const db::Driver& db_sqlite()`.
struct Driver {
  std::string_view backend;
  std::unique_ptr<Connection> (*open)(const Config&);
  const Dialect& (*dialect)();
};

}  // namespace oas::db
