// What a Session owns. One thread at a time, like the Session; stores and codecs are shared with the thread pool.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <oas/session.hpp>

#include "codec/codec.hpp"
#include "codec/registry.hpp"
#include "core/process.hpp"
#include "core/thread_pool.hpp"
#include "engine/heartbeat.hpp"
#include "engine/ledger.hpp"
#include "query/tree.hpp"

namespace oas {

class Work;

/// A table as this session knows it: the definition from the database, its heading, and how each attribute is coded.
struct TableEntry {
  std::shared_ptr<const TableInfo> info;
  std::vector<const codec::Chain*> chains;  ///< one an attribute of the heading; nullptr: a core or native type
  std::string unknown_codec;                ///< not empty: an attribute's codec is not known here
  std::string old;                          ///< not empty: an attribute of the schema as it was before DataJoint 2.0
};
/// Errors: unsupported if the table's schema is only read. `what`: "insert into lab.scan".
void refuse_if_old(const TableEntry& entry, std::string_view what);

struct SessionState : std::enable_shared_from_this<SessionState> {
  SessionState(Settings settings, SessionOptions options);
  ~SessionState();
  SessionState(const SessionState&) = delete;
  SessionState& operator=(const SessionState&) = delete;

  Settings settings;
  SessionOptions options;
  codec::Registry codecs;
  std::string owner;  ///< this session in the ledger: process and a number
  ThreadPool pool;
  /// Threads that compute at once: more than there are processors would only take turns.
  const std::size_t cores;
  /// Requests to stores at once: the same, until a store is opened whose requests mostly wait.
  std::size_t in_flight() const noexcept { return std::clamp<std::size_t>(at_once_, cores, pool.size() + 1); }
  std::unique_ptr<db::Connection> main;
  std::unique_ptr<db::Connection> side;  ///< opened when the ledger is first needed

  const db::Dialect& dialect() const noexcept { return main->dialect(); }
  void log(LogLevel level, std::string_view text) const;

  /// Opened at the first use; an empty name is the default store. Errors: usage, unavailable, access.
  const std::shared_ptr<Store>& store(std::string_view name);
  /// The concrete name: `@` alone and metadata without a store mean the default.
  std::string store_name(std::string_view name) const;
  const StoreConfig& store_config(std::string_view name) const;

  // --- catalogue (catalog.cpp)
  void ensure_schema(const std::string& schema);
  /// The tables of the ledger that lie beside the rows, and the one of lineages. Errors: access
  void ensure_ledger(const std::string& schema);
  /// Without it, nothing of the schema was ever written or deleted through this library.
  bool has_ledger(const std::string& schema);
  std::shared_ptr<const TableEntry> table(const std::string& schema, const std::string& name);
  /// nullptr if there is none. `name`: of the database or of the class.
  std::shared_ptr<const TableEntry> find_table(const std::string& schema, std::string_view name);
  std::vector<std::shared_ptr<const TableEntry>> tables(const std::string& schema);
  /// Of every schema, in the order of their names.
  std::vector<std::shared_ptr<const TableEntry>> all_tables();
  void forget_tables() {
    known_.clear();
    noticed_ = false;
  }
  /// How an attribute is coded; nullptr for core and native types. Errors: definition for a codec that is not known
  /// here.
  const codec::Chain* chain(const Attribute& attribute);
  /// Data from before DataJoint 2.0 may be read.
  bool legacy() const;
  /// True if a table has an attribute as it was before DataJoint 2.0: such a schema is never written or collected.
  bool is_old(const std::string& schema);

  // --- the ledger
  Ledger& ledger(const std::string& schema);
  /// Once a session and schema, before its first write: finishes what dead processes left.
  void recover(const std::string& schema);
  /// What is in quarantine, and what dead processes may still be writing, is looked at once a minute, and when somebody
  /// asks for a collection: true if it is time.
  bool review_is_due(const std::string& schema);
  void review_now() { reviewed_.clear(); }
  std::set<std::string> looked_after;  ///< void intents that stay and whose objects were removed since the last review
  /// Keeps the leases of the schema's intents alive from now on.
  void keep_leases(const std::string& schema);

  // --- cancelling
  void cancel() noexcept;
  std::atomic<std::uint64_t> cancels = 0;  ///< how often it was called

  // --- units of work (work.cpp)
  struct Intent {
    std::string schema, id;
  };
  std::vector<Intent> failed;  ///< of works that were not committed: to be made void
  /// Schemas to collect after the open work, and how long to wait for another collector.
  std::map<std::string, std::chrono::milliseconds> due;
  int works = 0;  ///< open, nested ones counted
  Work* innermost = nullptr;

  /// A connection for reading outside transactions; given back when the reader is done.
  std::unique_ptr<db::Connection> take_reader();
  void give_reader(std::unique_ptr<db::Connection> reader);

 private:
  std::mutex stores_mutex_;  // references may be decoded by the pool
  std::map<std::string, std::shared_ptr<Store>, std::less<>> stores_;
  std::atomic<std::size_t> at_once_ = 1;  // the most that one of them says
  std::map<std::string, std::unique_ptr<Ledger>, std::less<>> ledgers_;
  std::set<std::string> recovered_;
  std::map<std::string, std::chrono::steady_clock::time_point> reviewed_;
  std::int64_t catalog_version_ = -1;
  std::map<std::pair<std::string, std::string>, std::int64_t> table_versions_;  // when the catalogue was last looked at
  std::map<std::string, std::unique_ptr<const codec::Chain>, std::less<>> chains_;
  struct KnownSchema {
    bool there = false;  ///< it has tables, hidden ones counted
    bool has_ledger = false;
    std::vector<std::shared_ptr<const TableEntry>> tables;
  };
  const KnownSchema& known(const std::string& schema);  // Cost: nothing, unless somebody has changed the catalogue
  const KnownSchema& read(const std::string& schema);
  std::map<std::string, Lineage> lineage_of(const std::string& schema, const std::vector<db::TableDef>& tables);
  void notice_changes();  // once a transaction: what it has read of a table, others cannot change under it
  void notice_changes(const std::string& schema, const std::string& table);  // of this one
  bool noticed_ = false;
  std::map<std::string, KnownSchema> known_;
  std::set<std::string> reading_;  // schemas may refer to each other in circles
  std::vector<std::unique_ptr<db::Connection>> readers_;
  std::unique_ptr<Heartbeat> heartbeat_;
};

}  // namespace oas
