// The ledger of one schema: what keeps rows and objects honest when a process dies (docs/ledger.md).
//
//   intents    (id, owner, until, paths)                 side: committed before the first byte is written
//   claims     (store, path, folder, owner, since)       side: a collector is about to remove this object
//   collector  (owner, until)                            side: one collector a schema at a time
//   witnesses  (id, verdict, since)                      beside the rows: done, in the transaction of the rows, or void
//   trash      (id, store, path, folder, since)          beside the rows: what a change of rows no longer needs
//
// A writer begins an intent, writes objects, and commits rows together with the witness `done`. An intent whose owner
// is gone gets the witness `void`; an id has one witness, so done or void wins. Intents that are done stay until they
// are pruned, which happens only while no collector is between reading references and removing: the collector itself
// prunes before it reads, and a writer prunes only if nobody holds the collector's lease. A line of trash is a fact
// that is never changed: a collector takes away the lines that it had read before it read references, so what is thrown
// away meanwhile stays.
//
// Writing transactions may run side by side, as they do on servers. What must be decided once is decided by a key that
// is there once (witnesses, the collector's lease) or by a lock: intents are written before claims are looked at, and
// claims are made with the intents locked.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <oas/db.hpp>

#include "core/process.hpp"

namespace oas {

/// An object, or a folder with all that lies under it and its manifest.
struct ObjectPath {
  std::string store, path;
  bool folder = false;
  friend auto operator<=>(const ObjectPath&, const ObjectPath&) = default;
};

class Ledger {
 public:
  enum class Verdict { none, done, void_ };
  struct Intent {
    std::string id, owner;
    std::int64_t until = 0;  ///< microseconds since 1970-01-01
  };
  struct Trashed {
    std::string id;
    ObjectPath object;
    std::int64_t since = 0;
  };
  struct Claim {
    ObjectPath object;
    std::string owner;
    std::int64_t since = 0;
  };

  /// `side` outlives the ledger. Makes the tables on the side if they are not there.
  Ledger(db::Connection& side, std::string schema, std::string owner, std::chrono::seconds lease);
  const std::string& schema() const noexcept { return schema_; }

  /// The tables that live beside the rows: made with the schema.
  static std::vector<db::TableDef> row_tables(const std::string& schema);
  /// Of all tables of a ledger.
  static const std::vector<std::string>& table_names();

  // --- writers
  /// Announces writes. False: one of the paths is claimed; `blocking` tells by whom. Prunes `settled` on the way.
  /// After an error the intent may be there or not: make it void.
  /// Cost: one transaction on the side.
  bool begin_put(const std::string& id, std::span<const ObjectPath> paths, Claim& blocking);
  /// In the transaction of the rows. Errors: conflict if the lease was lost.
  void finish_put(db::Transaction& rows, const std::string& id);
  /// After the commit of the rows: the intent may be pruned when the next one begins, or by `prune`.
  void settled(const std::string& id) { settled_.push_back(id); }
  void prune();
  /// Of all intents of this owner.
  void renew();
  Verdict verdict(db::Transaction& rows, const std::string& id);
  /// Writes the witness `void`, unless there is one; what there is now.
  Verdict make_void(db::Transaction& rows, const std::string& id);

  void trash(db::Transaction& rows, std::span<const ObjectPath> objects);

  // --- collectors
  /// Takes the lease, or renews it. False: somebody else holds it, who is not dead and was heard of in the last hour.
  bool acquire();
  void release() noexcept;
  std::vector<Intent> intents();
  /// What they announced, by their ids; those that are not there any more are left out.
  std::map<std::string, std::vector<ObjectPath>> paths(std::span<const std::string> intent_ids);
  void forget(std::span<const std::string> intent_ids);
  /// Forgets `done` witnesses without intents, and void ones older than a month.
  void prune_witnesses(db::Transaction& rows);
  /// The oldest, but for the first `skip`: what is to be removed, or what is kept in quarantine.
  enum class Lines { due, quarantined };
  std::vector<Trashed> trashed(db::Transaction& rows, std::size_t limit, std::size_t skip, Lines lines = Lines::due);
  /// Lines for what is kept in quarantine, from now on: one an object.
  void quarantine(db::Transaction& rows, std::span<const ObjectPath> kept);
  void untrash(db::Transaction& rows, std::span<const std::string> ids);
  /// Claims those that no intent but a void one names; the others are left out of the answer.
  std::vector<ObjectPath> claim(std::span<const ObjectPath> objects, std::span<const std::string> void_ids);
  void unclaim(std::span<const ObjectPath> objects);
  /// Claims of removals that were begun and not finished, now held by this owner, who has the collector's lease:
  /// whoever made them has not.
  std::vector<ObjectPath> take_claims();
  bool dead(const std::string& owner, std::int64_t until) const;
  /// May the owner of this intent still be writing, although it is void? Somebody out of sight may, for a month.
  bool may_write(const Intent& intent) const;

 private:
  std::optional<Claim> claim_on(db::Transaction& tx, std::span<const ObjectPath> paths);
  std::string side_table(std::string_view name) const;
  std::string row_table(std::string_view name) const;
  bool prune(db::Transaction& tx);
  void drop_lease(db::Transaction& tx);
  bool collector_busy(db::Transaction& tx);

  db::Connection& side_;
  const db::Dialect& dialect_;
  std::string schema_, owner_;
  std::chrono::seconds lease_;
  bool holding_ = false;  // the collector's lease, as far as this one knows
  std::vector<std::string> settled_;
  std::vector<std::string> pruned_;  // their witnesses can go with the next rows
};

}  // namespace oas
