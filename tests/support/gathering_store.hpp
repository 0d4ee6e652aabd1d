// A store whose requests wait until so many are under way together, so that a test ends only if they are.
// Safe for concurrent use, as every store.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <oas/store.hpp>

namespace oas::test {

class GatheringStore final : public StoreDecorator {
 public:
  /// It says that `at_once` pay, and reads and writes wait for so many.
  GatheringStore(std::shared_ptr<Store> inner, std::size_t at_once)
      : StoreDecorator(std::move(inner)), traits_(StoreDecorator::traits()) {
    traits_.at_once = at_once;
  }
  const StoreTraits& traits() const noexcept override { return traits_; }
  /// So many of the next do not wait.
  void let_pass(std::size_t requests) {
    const std::lock_guard lock(mutex_);
    passing_ = requests;
  }
  /// The most that were under way since the last time.
  std::size_t most() {
    const std::lock_guard lock(mutex_);
    return std::exchange(most_, 0);
  }

 private:
  class Gathered {
   public:
    explicit Gathered(const GatheringStore& store) : store_(store) {
      std::unique_lock lock(store_.mutex_);
      store_.most_ = std::max(store_.most_, ++store_.under_way_);
      store_.came_.notify_all();
      if (store_.passing_ > 0) {
        --store_.passing_;
        return;
      }
      if (store_.came_.wait_for(lock, std::chrono::minutes(1), [&] { return store_.most_ >= store_.traits_.at_once; }))
        return;
      --store_.under_way_;
      throw std::runtime_error("so many requests were never under way together");
    }
    ~Gathered() {
      const std::lock_guard lock(store_.mutex_);
      --store_.under_way_;
    }
    Gathered(const Gathered&) = delete;
    Gathered& operator=(const Gathered&) = delete;

   private:
    const GatheringStore& store_;
  };

  std::optional<Object> do_read(const std::string& key, ByteRange range, const Version* only) const override {
    const Gathered gathered(*this);
    return StoreDecorator::do_read(key, range, only);
  }
  std::optional<Version> do_write(const std::string& key, std::span<const BytesView> parts,
                                  const Version* expect) override {
    const Gathered gathered(*this);
    return StoreDecorator::do_write(key, parts, expect);
  }
  std::optional<Version> do_create(const std::string& key, std::span<const BytesView> parts) override {
    const Gathered gathered(*this);
    return StoreDecorator::do_create(key, parts);
  }

  StoreTraits traits_;
  mutable std::mutex mutex_;  // over what follows
  mutable std::condition_variable came_;
  mutable std::size_t passing_ = 0, under_way_ = 0, most_ = 0;
};

}  // namespace oas::test
