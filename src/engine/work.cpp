#include "engine/work.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "engine/collector.hpp"

namespace oas {

namespace {

// After the outermost work: what it threw away, and what works inside it had written in vain, goes at once. The rows
// are decided by now, so a failure here is not the caller's: it is logged, and what is left stays in the ledger for
// the next use of the schema.
void settle(SessionState& state) {
  std::set<std::string> schemas = std::exchange(state.trashed, {});
  const auto failed = std::exchange(state.failed, {});
  try {
    if (!failed.empty()) {
      db::Transaction tx(*state.main, db::Transaction::Mode::write);
      for (const auto& intent : failed) state.ledger(intent.schema).make_void(tx, intent.id);
      tx.commit();
      for (const auto& intent : failed) schemas.insert(intent.schema);
    }
    for (const auto& schema : schemas) {
      const Collected collected = Collector(state, schema).run();
      for (const Error& e : collected.errors) state.log(LogLevel::warning, e.what());
    }
  } catch (const Error& e) {
    state.log(LogLevel::warning, fmt::format("objects could not be removed now and will be later: {}", e.what()));
  }
}

}  // namespace

SessionState::Intent announce(SessionState& state, const std::string& schema, std::span<const ObjectPath> paths,
                              bool lasting) {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + std::chrono::minutes(1);
  auto pause = std::chrono::milliseconds(1);
  Ledger& ledger = state.ledger(schema);
  if (lasting) state.keep_leases(schema);
  for (;;) {
    Ledger::Claim blocking;
    if (auto id = ledger.begin_put(paths, blocking)) return {schema, std::move(*id)};
    if (clock::now() > deadline) {
      throw Error(Errc::unavailable,
                  fmt::format("store {} in {}: a collector has been removing the same object for a minute ({}). try "
                              "again later, or run a collection",
                              blocking.object.path, blocking.object.store, blocking.owner),
                  blocking.object.store);
    }
    // If the collector is dead, its removal has to be finished before the path may be written again.
    Collector(state, schema).finish_dead_claims();
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(200));
  }
}

void abandon(SessionState& state, std::vector<SessionState::Intent> intents) {
  state.failed.insert(state.failed.end(), intents.begin(), intents.end());
  if (state.works == 0) settle(state);
}

Work::Work(SessionState& state) : state_(state), outer_(state.innermost) {
  state_.innermost = this;
  ++state_.works;
}

Work::~Work() {
  if (committed_) return;
  rows_.reset();
  state_.innermost = outer_;
  state_.failed.insert(state_.failed.end(), intents_.begin(), intents_.end());
  state_.failed.insert(state_.failed.end(), nested_.begin(), nested_.end());
  if (--state_.works == 0) {
    state_.trashed.clear();  // rolled back with the rows
    settle(state_);
  }
}

db::Transaction& Work::rows() {
  if (!rows_) rows_.emplace(*state_.main, db::Transaction::Mode::write);
  return *rows_;
}

void Work::trash(const std::string& schema, std::span<const ObjectPath> objects) {
  if (objects.empty()) return;
  state_.ledger(schema).trash(rows(), objects);
  state_.trashed.insert(schema);
}

void Work::commit() {
  for (const auto& intent : intents_) state_.ledger(intent.schema).finish_put(rows(), intent.id);
  nested_.insert(nested_.end(), intents_.begin(), intents_.end());
  intents_.clear();
  if (rows_) {
    try {
      rows_->commit();
    } catch (const Error& e) {
      if (e.code() != Errc::in_doubt || nested_.empty()) throw;
      const auto other = state_.main->fork();
      db::Transaction look(*other, db::Transaction::Mode::read);
      if (state_.ledger(nested_[0].schema).verdict(look, nested_[0].id) != Ledger::Verdict::done) throw;
    }
  }
  committed_ = true;
  state_.innermost = outer_;
  --state_.works;
  if (outer_) {
    outer_->nested_.insert(outer_->nested_.end(), nested_.begin(), nested_.end());
    return;
  }
  for (const auto& intent : nested_) state_.ledger(intent.schema).settled(intent.id);
  settle(state_);
}

}  // namespace oas
