// Collector: the only code that removes objects. Candidates come from three places: the trash, the intents of dead or
// rolled-back writers, and an audit's listing; never from a guess. docs/ledger.md has the order of the steps and why.
#pragma once

#include <chrono>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <oas/session.hpp>

#include "engine/ledger.hpp"
#include "engine/state.hpp"

namespace oas {

class Collector {
 public:
  Collector(SessionState& state, std::string schema);
  /// Removes what is due, about `limit` objects at most. Another collector at work: returns with nothing done after
  /// `patience`; that one takes over what was due.
  Collected run(std::size_t limit = SIZE_MAX, std::chrono::milliseconds patience = std::chrono::seconds(2));
  /// True if the last run() did nothing, because another collector was at work all the time.
  bool busy() const noexcept { return busy_; }
  /// Finishes removals whose collector died or failed, if no collector is at work.
  void finish_claims();
  /// Those of the candidates that a committed row refers to, in whatever schema. Errors of any kind mean: nothing may
  /// be removed.
  std::set<ObjectPath> referenced(std::span<const ObjectPath> candidates);

 private:
  bool acquire(std::chrono::milliseconds patience);
  std::vector<Error> erase(std::span<const ObjectPath> objects, std::set<ObjectPath>& stayed);
  /// What dead writers left of objects that they were sending in parts. Cost: one request a store, and two an upload.
  std::vector<Error> abandon_uploads(const std::set<ObjectPath>& objects, std::set<ObjectPath>& stayed);
  /// What a process had sent to a distant store when it died may arrive there afterwards; it is looked for until the
  /// lease of the intent is over.
  bool may_arrive(const Ledger::Intent& intent, std::span<const ObjectPath> paths) const;
  /// What foreign writers may be about to refer to goes to quarantine; it comes back if one did.
  std::vector<Error> retire(std::span<const ObjectPath> objects, std::set<ObjectPath>& stayed);
  bool retires(const ObjectPath& object) const;
  void put_back(const ObjectPath& object);
  /// Puts back what is referred to again, removes what was kept long enough.
  void review(Collected& total);
  void finish_claims(Collected& total);
  /// True if there may be more to do. `skip`: lines of trash that were looked at before and have to stay.
  bool pass(std::size_t limit, std::size_t& skip, Collected& total);
  /// Does the path lie where objects of this schema are put? What lies elsewhere has other collectors, or is not oas's.
  bool ours(const ObjectPath& object) const;

  SessionState& state_;
  std::string schema_;
  Ledger& ledger_;
  bool busy_ = false;
};

}  // namespace oas
