#include "engine/work.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "engine/collector.hpp"

namespace oas {

namespace {

// How long to wait for another collector: it may not have seen what this work threw away. What is tried again later
// waits for nobody.
constexpr std::chrono::milliseconds short_wait{2000}, no_wait{0};

// After the outermost work: what it threw away, and what works inside it had written in vain, goes at once. The rows
// are decided by now, so a failure here is not the caller's: it is logged, and what is left is tried again after the
// next work, or by the next user of the schema.
void settle(SessionState& state) {
  const auto failed = std::exchange(state.failed, {});
  try {
    if (!failed.empty()) {
      db::Transaction tx(*state.main, db::Transaction::Mode::write);
      for (const auto& intent : failed) state.ledger(intent.schema).make_void(tx, intent.id);
      tx.commit();
      for (const auto& intent : failed) state.due.emplace(intent.schema, short_wait);
    }
  } catch (const Error& e) {
    state.failed.insert(state.failed.end(), failed.begin(), failed.end());
    state.log(LogLevel::warning, fmt::format("objects written in vain will be removed later: {}", e.what()));
  }
  for (const auto& [schema, patience] : std::exchange(state.due, {})) {
    try {
      Collector collector(state, schema);
      const Collected collected = collector.run(SIZE_MAX, patience);
      for (const Error& e : collected.errors) state.log(LogLevel::warning, e.what());
      if (collector.busy() || !collected.errors.empty()) state.due.emplace(schema, no_wait);
    } catch (const Error& e) {
      state.due.emplace(schema, no_wait);
      state.log(LogLevel::warning, fmt::format("objects could not be removed now and will be later: {}", e.what()));
    }
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
  SessionState::Intent intent{schema, Uuid::random().text()};
  for (;;) {
    Ledger::Claim blocking;
    try {
      if (ledger.begin_put(intent.id, paths, blocking)) return intent;
    } catch (...) {
      state.failed.push_back(intent);  // it may have begun for all that
      throw;
    }
    if (clock::now() > deadline) {
      throw Error(Errc::unavailable,
                  fmt::format("store {} in {}: a collector has been removing the same object for a minute ({}). try "
                              "again later, or run a collection",
                              blocking.object.path, blocking.object.store, blocking.owner),
                  blocking.object.store);
    }
    // If the collector is dead, its removal has to be finished before the path may be written again.
    Collector(state, schema).finish_claims();
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
    state_.forget_tables();  // some may have come and gone with the transaction
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
  state_.due.insert_or_assign(schema, short_wait);
}

void Work::commit() {
  for (const auto& intent : intents_) state_.ledger(intent.schema).finish_put(rows(), intent.id);
  nested_.insert(nested_.end(), intents_.begin(), intents_.end());
  intents_.clear();
  if (rows_) {
    try {
      rows_->commit();
    } catch (const Error& e) {
      if (e.code() != Errc::in_doubt || outer_ || nested_.empty()) throw;
      const auto decide = [&] {
        try {
          // The witness tells, and if there is none, it is made void: then it cannot be committed any more.
          const auto other = state_.main->fork();
          db::Transaction ask(*other, db::Transaction::Mode::write);
          const auto verdict = state_.ledger(nested_[0].schema).make_void(ask, nested_[0].id);
          ask.commit();
          return verdict == Ledger::Verdict::done;
        } catch (const Error&) {
          throw e;  // in doubt still
        }
      };
      if (!decide()) {
        throw Error(Errc::unavailable, fmt::format("{}; it was not committed. try again", e.what()), e.target(),
                    e.native());
      }
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
