// What is to go wrong, and when: one numbering over the calls of everything that shares a plan. Count the calls of an
// operation once, then run it again for each of them and each kind of fault.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace oas::test {

enum class Fault {
  none,
  refused,      ///< not done, and said so: Errc::unavailable
  answer_lost,  ///< done, and not said so: Errc::in_doubt for a commit, else Errc::unavailable
  before,       ///< `callback` runs, then the call
  after         ///< the call, then `callback`
};

/// Shared by connections and stores and all that are made from them. `next`, `log` and `calls` are safe for
/// concurrent use; the rest is set while no call is under way.
class FaultPlan {
 public:
  Fault fault = Fault::none;
  int at = 0;           ///< the number of the call that goes wrong, from 1
  std::string at_verb;  ///< or the first call that begins with this
  std::function<void()> callback;
  /// While this is false, calls pass unnoticed.
  std::atomic<bool> counting{true};

  int calls() const { return static_cast<int>(log().size()); }
  std::vector<std::string> log() const {
    const std::scoped_lock lock(mutex_);
    return log_;
  }
  /// Notes a call; what is to happen to it.
  Fault next(std::string call) {
    if (!counting) return Fault::none;
    const std::scoped_lock lock(mutex_);
    log_.push_back(std::move(call));
    if (!at_verb.empty() && log_.back().starts_with(at_verb)) {
      at_verb.clear();
      return fault;
    }
    return static_cast<int>(log_.size()) == at ? fault : Fault::none;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> log_;
};

}  // namespace oas::test
