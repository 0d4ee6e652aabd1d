// A connection whose calls are numbered, and one of which may go wrong. Count the calls of an operation once, then run
// it again for each of them and each kind of fault.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include <oas/db.hpp>

namespace oas::test {

enum class DbCall { execute, execute_many, begin, commit, rollback };
enum class Fault {
  none,
  refused,      ///< not done, and said so: Errc::unavailable
  answer_lost,  ///< done, and not said so: Errc::in_doubt for a commit, else Errc::unavailable
  before,       ///< `callback` runs, then the call
  after         ///< the call, then `callback`
};

/// Shared by a connection and all that are made from it, so that their calls have one numbering. Set `fault`, `at` and
/// `callback` before any call; `calls` and `log` may be asked at any time.
class FaultPlan {
 public:
  Fault fault = Fault::none;
  int at = 0;  ///< the number of the call that goes wrong, from 1
  std::function<void()> callback;

  int calls() const { return static_cast<int>(log().size()); }
  std::vector<DbCall> log() const {
    const std::scoped_lock lock(mutex_);
    return log_;
  }
  /// Notes a call; what is to happen to it.
  Fault next(DbCall call) {
    const std::scoped_lock lock(mutex_);
    log_.push_back(call);
    return static_cast<int>(log_.size()) == at ? fault : Fault::none;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<DbCall> log_;
};

class FaultyConnection : public db::ConnectionDecorator {
 public:
  FaultyConnection(std::unique_ptr<db::Connection> inner, std::shared_ptr<FaultPlan> plan)
      : ConnectionDecorator(std::move(inner)), plan_(std::move(plan)) {}
  std::unique_ptr<db::Connection> fork() override {
    return std::make_unique<FaultyConnection>(ConnectionDecorator::fork(), plan_);
  }
  std::unique_ptr<db::Connection> side() override {
    return std::make_unique<FaultyConnection>(ConnectionDecorator::side(), plan_);
  }

 protected:
  std::unique_ptr<db::Cursor> do_execute(std::string_view sql, std::span<const Value> params) override {
    return around(DbCall::execute, [&] { return ConnectionDecorator::do_execute(sql, params); });
  }
  std::vector<std::int64_t> do_execute_many(std::string_view sql, std::span<const std::vector<Value>> rows) override {
    return around(DbCall::execute_many, [&] { return ConnectionDecorator::do_execute_many(sql, rows); });
  }
  void do_begin(bool write) override {
    bool begun = false;
    try {
      around(DbCall::begin, [&] {
        ConnectionDecorator::do_begin(write);
        return begun = true;
      });
    } catch (...) {
      if (begun) ConnectionDecorator::do_rollback();  // nobody else will
      throw;
    }
  }
  void do_commit() override {
    around(DbCall::commit, [&] {
      ConnectionDecorator::do_commit();
      return true;
    });
  }
  /// Cannot fail: a database that does not hear of it rolls back all the same.
  void do_rollback() noexcept override {
    const Fault fault = plan_->next(DbCall::rollback);
    if (fault == Fault::before) plan_->callback();
    ConnectionDecorator::do_rollback();
    if (fault == Fault::after) plan_->callback();
  }

 private:
  template <class Action>
  std::invoke_result_t<Action> around(DbCall call, Action&& action) {
    const Fault fault = plan_->next(call);
    if (fault == Fault::before) plan_->callback();
    if (fault == Fault::refused) throw Error(Errc::unavailable, "test: the call was refused", location());
    auto answer = action();
    if (fault == Fault::after) plan_->callback();
    if (fault == Fault::answer_lost) {
      const bool commit = call == DbCall::commit;
      throw Error(commit ? Errc::in_doubt : Errc::unavailable, "test: the answer was lost", location());
    }
    return answer;
  }

  std::shared_ptr<FaultPlan> plan_;
};

}  // namespace oas::test
