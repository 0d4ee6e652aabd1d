// A connection whose calls are numbered, and one of which may go wrong.
#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include <oas/db.hpp>

#include "support/fault_plan.hpp"

namespace oas::test {

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
  std::vector<std::string> schemas() override {
    return around("schemas", [&] { return ConnectionDecorator::schemas(); });
  }
  std::vector<db::TableDef> introspect(std::string_view schema) override {
    return around("introspect " + std::string(schema), [&] { return ConnectionDecorator::introspect(schema); });
  }
  std::int64_t catalog_version() override {
    return around("catalog_version", [&] { return ConnectionDecorator::catalog_version(); });
  }
  std::int64_t table_version(std::string_view schema, std::string_view table) override {
    return around("table_version", [&] { return ConnectionDecorator::table_version(schema, table); });
  }

 protected:
  std::unique_ptr<db::Cursor> do_execute(std::string_view sql, std::span<const Value> params) override {
    return around("execute " + std::string(sql), [&] { return ConnectionDecorator::do_execute(sql, params); });
  }
  std::vector<std::int64_t> do_execute_many(std::string_view sql, std::span<const std::vector<Value>> rows) override {
    return around("execute_many " + std::string(sql), [&] { return ConnectionDecorator::do_execute_many(sql, rows); });
  }
  void do_begin(bool write) override {
    bool begun = false;
    try {
      around(write ? "begin" : "begin to read", [&] {
        ConnectionDecorator::do_begin(write);
        return begun = true;
      });
    } catch (...) {
      if (begun) ConnectionDecorator::do_rollback();  // nobody else will
      throw;
    }
  }
  void do_commit() override {
    around("commit", [&] {
      ConnectionDecorator::do_commit();
      return true;
    });
  }
  /// Cannot fail: a database that does not hear of it rolls back all the same.
  void do_rollback() noexcept override {
    const Fault fault = plan_->next("rollback of " + location());
    if (fault == Fault::before) plan_->callback();
    ConnectionDecorator::do_rollback();
    if (fault == Fault::after) plan_->callback();
  }

 private:
  template <class Action>
  std::invoke_result_t<Action> around(const std::string& call, Action&& action) {
    const Fault fault = plan_->next(call + " on " + location());
    if (fault == Fault::before) plan_->callback();
    if (fault == Fault::refused) throw Error(Errc::unavailable, "test: the call was refused", location());
    auto answer = [&] {
      try {
        return action();
      } catch (...) {
        if (fault == Fault::after) plan_->callback();  // a refusal is an answer too
        throw;
      }
    }();
    if (fault == Fault::after) plan_->callback();
    if (fault == Fault::answer_lost) {
      const bool commit = call == "commit";
      throw Error(commit ? Errc::in_doubt : Errc::unavailable, "test: the answer was lost", location());
    }
    return answer;
  }

  std::shared_ptr<FaultPlan> plan_;
};

}  // namespace oas::test
