// Work: one change of rows with the objects that belong to it, under the ledger. Nested works are savepoints; objects
// that are no longer needed go after the outermost commit, and objects of a work that was not committed go at once.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/state.hpp"

namespace oas {

/// Announces objects that are about to be written: an intent that is either adopted by a Work or abandoned. Waits for a
/// collector that is removing one of them. Errors: unavailable if that takes longer than a minute.
/// `lasting`: it may take longer than a lease, which is renewed then.
SessionState::Intent announce(SessionState& state, const std::string& schema, std::span<const ObjectPath> paths,
                              bool lasting);
/// Objects of intents that no work will adopt go: at once, or after the outermost open work. Logs failures; what is
/// left stays in the ledger.
void abandon(SessionState& state, std::vector<SessionState::Intent> intents);

class Work {
 public:
  explicit Work(SessionState& state);
  ~Work();  ///< rolls back, and discards the objects, unless committed
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  /// The transaction of the rows; begun at the first call, so that objects can be written before it locks anything.
  db::Transaction& rows();
  void begin_put(const std::string& schema, std::span<const ObjectPath> paths, bool lasting) {
    adopt({announce(state_, schema, paths, lasting || outer_ != nullptr)});
  }
  /// The intents share the fate of this work from now on.
  void adopt(std::vector<SessionState::Intent> intents) {
    intents_.insert(intents_.end(), intents.begin(), intents.end());
  }
  /// Objects that rows of this work no longer refer to.
  void trash(const std::string& schema, std::span<const ObjectPath> objects);
  /// Errors: conflict (a lease was lost), in_doubt (and the ledger could not be asked either).
  void commit();

 private:
  SessionState& state_;
  std::optional<db::Transaction> rows_;
  std::vector<SessionState::Intent> intents_;  ///< whose witnesses are written at the commit
  std::vector<SessionState::Intent> nested_;   ///< of committed works inside: their witnesses are written
  Work* outer_;
  bool committed_ = false;
};

}  // namespace oas
