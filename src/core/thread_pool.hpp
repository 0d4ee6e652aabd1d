// Threads that help: work is always begun by the thread that wants it done, and threads of the pool join in. So a
// pool without a free thread, or without threads, only makes it slower, and work inside work cannot wait for itself.
// Threads start when there is work that no idle one takes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace oas {

class ParallelWork;

/// Safe for concurrent use. Must outlive the calls of parallel_for that use it.
class ThreadPool {
 public:
  explicit ThreadPool(std::size_t most) : most_(most) {}
  /// Joins every thread.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  /// The most threads there may be.
  std::size_t size() const noexcept { return most_; }
  void grow(std::size_t most) noexcept;

 private:
  friend class ParallelWork;
  void help(std::function<void()> task);
  void run();

  std::atomic<std::size_t> most_;
  std::mutex mutex_;  // over what follows
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

/// Calls fn(0) … fn(n - 1), begun in this order, at most `max_in_flight` (at least 1) at a time, this thread being one
/// of them. After the first that throws, or once a stop is requested, none is begun; when those under way have
/// returned, the first error is thrown. Errors: those of fn; cancelled.
void parallel_for(ThreadPool& pool, std::size_t n, std::size_t max_in_flight,
                  const std::function<void(std::size_t)>& fn, const std::stop_token& stop = {});

/// The same, and besides calls then(0) … then(n - 1) in this order on this thread, each as soon as its fn has returned:
/// what must happen in order goes on beside what need not. Errors: also those of `then`.
void parallel_in_order(ThreadPool& pool, std::size_t n, std::size_t max_in_flight,
                       const std::function<void(std::size_t)>& fn, const std::function<void(std::size_t)>& then,
                       const std::stop_token& stop = {});

/// parallel_in_order in two steps: helpers begin at once, and the thread that made it joins in when it wants the
/// result. Destroyed before: nothing more is begun, and what is under way is waited for. Used by one thread.
class Ahead {
 public:
  /// Helpers: at most `max_in_flight` - 1.
  Ahead(ThreadPool& pool, std::size_t n, std::size_t max_in_flight, std::function<void(std::size_t)> fn);
  ~Ahead();
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  /// Once. Errors: those of fn and of `then`.
  void finish(const std::function<void(std::size_t)>& then);

 private:
  std::function<void(std::size_t)> fn_;
  std::shared_ptr<ParallelWork> work_;
};

}  // namespace oas
