// A store that passes every call on and lets things go wrong at the n-th: it is refused before it had an effect, or
// its answer is lost after it had, or a function of the test runs (one that kills the process, say).
// Safe for concurrent use, as every store.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include <oas/store.hpp>

#include "support/fault_plan.hpp"

namespace oas::test {

class FaultyStore final : public StoreDecorator {
 public:
  enum class When { before, after };
  using StoreDecorator::StoreDecorator;
  /// Besides, its calls are numbered by a plan that others share.
  FaultyStore(std::shared_ptr<Store> inner, std::shared_ptr<FaultPlan> shared) : StoreDecorator(std::move(inner)) {
    plan_->shared = std::move(shared);
  }

  /// `action` runs before or after the n-th call from now on (the first is 1); verb and key are those of the call.
  /// What it throws is the answer to the call.
  void on_call(std::size_t n, When when, std::function<void(std::string_view verb, std::string_view key)> action) {
    const std::lock_guard lock(plan_->mutex);
    plan_->actions[{plan_->calls + n, when}] = std::move(action);
  }
  /// The n-th call from now on fails without effect.
  void refuse(std::size_t n, Errc code = Errc::unavailable) { throw_on(n, When::before, code, "refused by the test"); }
  /// The n-th call from now on works and then fails.
  void lose_answer(std::size_t n, Errc code = Errc::unavailable) {
    throw_on(n, When::after, code, "answer lost by the test");
  }
  /// Calls so far; append() and commit() of uploads count too.
  std::size_t calls() const {
    const std::lock_guard lock(plan_->mutex);
    return plan_->calls;
  }

 private:
  using Action = std::function<void(std::string_view, std::string_view)>;

  struct Plan {
    /// `die`: what a process leaves that is killed in the middle of the call.
    template <class Call, class Die>
    auto around(std::string_view verb, std::string_view key, const Call& call, const Die& die) {
      const std::size_t n = next();
      run(n, When::before, verb, key);
      const Fault fault = shared ? shared->next(std::string(verb) + " " + std::string(key)) : Fault::none;
      if (fault == Fault::before) {
        die();
        shared->callback();
      }
      if (fault == Fault::refused) throw Error(Errc::unavailable, "refused by the test");
      const auto after = [&] {
        if (fault == Fault::after) shared->callback();
        if (fault == Fault::answer_lost) throw Error(Errc::unavailable, "answer lost by the test");
        run(n, When::after, verb, key);
      };
      if constexpr (std::is_void_v<decltype(call())>) {
        call();
        after();
      } else {
        auto answer = call();
        after();
        return answer;
      }
    }
    template <class Call>
    auto around(std::string_view verb, std::string_view key, const Call& call) {
      return around(verb, key, call, [] {});
    }
    std::size_t next() {
      const std::lock_guard lock(mutex);
      return ++calls;
    }
    void run(std::size_t n, When when, std::string_view verb, std::string_view key) {
      Action action;
      {
        const std::lock_guard lock(mutex);
        const auto found = actions.find({n, when});
        if (found == actions.end()) return;
        action = found->second;
      }
      action(verb, key);
    }
    std::shared_ptr<FaultPlan> shared;
    std::mutex mutex;
    std::size_t calls = 0;
    std::map<std::pair<std::size_t, When>, Action> actions;
  };

  class FaultyUpload final : public Upload {
   public:
    FaultyUpload(std::unique_ptr<Upload> inner, std::string key, std::shared_ptr<Plan> plan)
        : inner_(std::move(inner)), key_(std::move(key)), plan_(std::move(plan)) {}
    void append(BytesView bytes) override {
      plan_->around("append", key_, [&] { inner_->append(bytes); });
    }
    Version commit() override {
      return plan_->around("commit", key_, [&] { return inner_->commit(); });
    }

   private:
    std::unique_ptr<Upload> inner_;
    std::string key_;
    std::shared_ptr<Plan> plan_;
  };

  void throw_on(std::size_t n, When when, Errc code, std::string why) {
    on_call(n, when, [code, why = std::move(why)](std::string_view, std::string_view) { throw Error(code, why); });
  }

  std::optional<ObjectInfo> do_stat(const std::string& key) const override {
    return plan_->around("stat", key, [&] { return StoreDecorator::do_stat(key); });
  }
  std::optional<Object> do_read(const std::string& key, ByteRange range, const Version* only) const override {
    return plan_->around("read", key, [&] { return StoreDecorator::do_read(key, range, only); });
  }
  std::optional<Version> do_write(const std::string& key, std::span<const BytesView> parts,
                                  const Version* expect) override {
    return plan_->around("write", key, [&] { return StoreDecorator::do_write(key, parts, expect); });
  }
  std::optional<Version> do_create(const std::string& key, std::span<const BytesView> parts) override {
    const auto half = [&] {
      const BytesView first = parts.empty() ? BytesView() : parts.front().first(parts.front().size() / 2);
      StoreDecorator::do_create(key, {&first, 1});
    };
    return plan_->around(
        "create", key, [&] { return StoreDecorator::do_create(key, parts); }, half);
  }
  std::unique_ptr<Upload> do_upload(const std::string& key) override {
    return plan_->around("upload", key, [&]() -> std::unique_ptr<Upload> {
      return std::make_unique<FaultyUpload>(StoreDecorator::do_upload(key), key, plan_);
    });
  }
  bool do_remove(const std::string& key) override {
    return plan_->around("remove", key, [&] { return StoreDecorator::do_remove(key); });
  }
  std::vector<Error> do_remove_many(std::span<const std::string> keys) override {
    return plan_->around("remove_many", keys.empty() ? std::string_view() : std::string_view(keys.front()),
                         [&] { return StoreDecorator::do_remove_many(keys); });
  }
  Page do_list(const std::string& prefix, const std::string& after, std::size_t limit) const override {
    return plan_->around("list", prefix, [&] { return StoreDecorator::do_list(prefix, after, limit); });
  }
  void do_sync(std::span<const std::string> keys) override {
    plan_->around("sync", keys.front(), [&] { StoreDecorator::do_sync(keys); });
  }

  std::shared_ptr<Plan> plan_ = std::make_shared<Plan>();
};

}  // namespace oas::test
