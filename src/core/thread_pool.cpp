#include "core/thread_pool.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <system_error>
#include <utility>

#include <oas/error.hpp>

namespace oas {

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::grow(std::size_t most) noexcept {
  std::size_t now = most_;
  while (now < most && !most_.compare_exchange_weak(now, most)) continue;
}

void ThreadPool::help(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (tasks_.size() > idle_ && threads_.size() < most_) try {
        threads_.emplace_back([this] { run(); });
      } catch (const std::system_error&) {
        // The system lets no more start: it is slower with those that there are, or with the caller alone.
      }
  }
  wake_.notify_one();
}

void ThreadPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    --idle_;
    if (stopping_) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds is let go without the lock
    lock.lock();
  }
}

// Shared by all that work on one call. A helper that arrives when all is done finds nothing left to begin, so nobody
// waits for it; it never touches `fn` then, which is gone.
class ParallelWork {
 public:
  ParallelWork(std::size_t n, const std::function<void(std::size_t)>& fn, bool in_order, std::stop_token stop)
      : n_(n), fn_(fn), stop_(std::move(stop)), done_(in_order ? n : 0, false) {}

  static void begin(const std::shared_ptr<ParallelWork>& work, ThreadPool& pool, std::size_t helpers) {
    try {
      for (std::size_t i = 0; i < std::min(helpers, pool.size()); ++i) pool.help([work] { work->help(); });
    } catch (...) {
      work->fail(std::current_exception());  // helpers may be at work already
    }
  }

  /// The caller's part: what is next in order goes before anything that is not begun yet.
  void lead(const std::function<void(std::size_t)>& then) {
    std::unique_lock lock(mutex_);
    for (std::size_t next = 0; next < done_.size() && !error_;) {
      if (done_[next]) {
        lock.unlock();
        try {
          then(next++);
          lock.lock();
        } catch (...) {
          lock.lock();
          if (!error_) error_ = std::current_exception();
        }
      } else if (!take_one(lock)) {
        changed_.wait(lock, [&] { return done_[next] || error_; });
      }
    }
    while (take_one(lock)) continue;
  }

  // Nothing is begun any more once the caller's own part has returned.
  void finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
    // Taken out: a helper that arrives late must not be the one to destroy what the caller looks at.
    if (const std::exception_ptr error = std::exchange(error_, nullptr)) {
      next_ = n_;
      lock.unlock();
      std::rethrow_exception(error);
    }
  }

  void abandon() noexcept {
    std::unique_lock lock(mutex_);
    next_ = n_;
    changed_.wait(lock, [this] { return running_ == 0; });
    error_ = nullptr;
  }

 private:
  void help() {
    std::unique_lock lock(mutex_);
    while (take_one(lock)) continue;
  }

  void fail(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }

  /// False if there is nothing to begin.
  bool take_one(std::unique_lock<std::mutex>& lock) {
    if (next_ == n_ || error_) return false;
    if (stop_.stop_requested()) {
      error_ = std::make_exception_ptr(Error(Errc::cancelled, "work in parallel: stopped on request"));
      return false;
    }
    const std::size_t i = next_++;
    ++running_;
    lock.unlock();
    std::exception_ptr error;
    try {
      fn_(i);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error && !error_) error_ = std::move(error);
    if (!done_.empty()) done_[i] = true;
    if (--running_ == 0 || !done_.empty()) changed_.notify_all();
    return true;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::size_t n_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
  std::exception_ptr error_;
  const std::function<void(std::size_t)>& fn_;
  std::stop_token stop_;
  std::vector<bool> done_;  // empty unless somebody goes through them in order
};

void parallel_in_order(ThreadPool& pool, std::size_t n, std::size_t max_in_flight,
                       const std::function<void(std::size_t)>& fn, const std::function<void(std::size_t)>& then,
                       const std::stop_token& stop) {
  const auto work = std::make_shared<ParallelWork>(n, fn, static_cast<bool>(then), stop);
  ParallelWork::begin(work, pool, std::min(std::max<std::size_t>(max_in_flight, 1), std::max<std::size_t>(n, 1)) - 1);
  work->lead(then);
  work->finish();
}

void parallel_for(ThreadPool& pool, std::size_t n, std::size_t max_in_flight,
                  const std::function<void(std::size_t)>& fn, const std::stop_token& stop) {
  parallel_in_order(pool, n, max_in_flight, fn, {}, stop);
}

Ahead::Ahead(ThreadPool& pool, std::size_t n, std::size_t max_in_flight, std::function<void(std::size_t)> fn)
    : fn_(std::move(fn)), work_(std::make_shared<ParallelWork>(n, fn_, true, std::stop_token())) {
  ParallelWork::begin(work_, pool, std::min(std::max<std::size_t>(max_in_flight, 1) - 1, n));
}

Ahead::~Ahead() { work_->abandon(); }

void Ahead::finish(const std::function<void(std::size_t)>& then) {
  work_->lead(then);
  work_->finish();
}

}  // namespace oas
