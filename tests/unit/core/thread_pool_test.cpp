#include "core/thread_pool.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "expect_error.hpp"

namespace oas {
namespace {

TEST(ThreadPool, CallsEachOnce) {
  for (const std::size_t threads : {0u, 1u, 4u}) {
    ThreadPool pool(threads);
    for (const std::size_t n : {0u, 1u, 2u, 1000u}) {
      std::vector<std::atomic<int>> calls(n);
      parallel_for(pool, n, 8, [&](std::size_t i) { ++calls[i]; });
      for (const auto& count : calls) EXPECT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, KeepsToTheLimit) {
  ThreadPool pool(4);
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  parallel_for(pool, 500, 2, [&](std::size_t) {
    const int now = ++running;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();
    --running;
  });
  EXPECT_GE(most, 1);
  EXPECT_LE(most, 2);
}

// Neither of the two returns before the other has begun.
TEST(ThreadPool, WorksAtTheSameTime) {
  ThreadPool pool(1);
  std::atomic<int> begun = 0;
  parallel_for(pool, 2, 2, [&](std::size_t) {
    ++begun;
    while (begun < 2) std::this_thread::yield();
  });
  EXPECT_EQ(begun, 2);
}

TEST(ThreadPool, ThrowsTheFirstErrorWhenAllHaveReturned) {
  ThreadPool pool(3);
  for (int round = 0; round < 50; ++round) {
    const std::size_t in_flight = round % 2 == 0 ? 1 : 4;
    std::atomic<int> running = 0;
    std::atomic<std::size_t> calls = 0;
    try {
      parallel_for(pool, 10'000, in_flight, [&](std::size_t i) {
        ++running;
        ++calls;
        std::this_thread::yield();
        --running;
        if (i == 3) throw Error(Errc::integrity, "the third");
      });
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::integrity);
    }
    EXPECT_EQ(running, 0);
    // How many others begin before a thread has told of its error is the scheduler's; alone, none does.
    if (in_flight == 1) {
      EXPECT_EQ(calls, 4u);
    }
  }
}

TEST(ThreadPool, GoesOnInOrder) {
  for (const std::size_t threads : {0u, 1u, 4u}) {
    ThreadPool pool(threads);
    for (const std::size_t n : {0u, 1u, 2u, 1000u}) {
      std::vector<std::atomic<bool>> done(n);
      std::size_t next = 0;
      const auto caller = std::this_thread::get_id();
      parallel_in_order(
          pool, n, 8, [&](std::size_t i) { done[i] = true; },
          [&](std::size_t i) {
            EXPECT_EQ(i, next++);
            EXPECT_TRUE(done[i]);
            EXPECT_EQ(std::this_thread::get_id(), caller);
          });
      EXPECT_EQ(next, n);
    }
  }
}

// The caller takes the first on while a helper, if it has the second, is still at it.
TEST(ThreadPool, WhatIsInOrderGoesOnBesideTheRest) {
  ThreadPool pool(1);
  const auto caller = std::this_thread::get_id();
  std::atomic<bool> taken_on = false;
  std::atomic<int> begun = 0;
  parallel_in_order(
      pool, 2, 2,
      [&](std::size_t i) {
        ++begun;
        while (begun < 2) std::this_thread::yield();
        while (i == 1 && std::this_thread::get_id() != caller && !taken_on) std::this_thread::yield();
      },
      [&](std::size_t) { taken_on = true; });
  EXPECT_TRUE(taken_on);
}

TEST(ThreadPool, AnErrorInOrderEndsAll) {
  ThreadPool pool(3);
  std::vector<std::size_t> order;
  EXPECT_EQ(code_of([&] {
              parallel_in_order(
                  pool, 1000, 4, [](std::size_t) {},
                  [&](std::size_t i) {
                    order.push_back(i);
                    if (i == 7) throw Error(Errc::integrity, "the seventh");
                  });
            }),
            Errc::integrity);
  EXPECT_EQ(order.size(), 8u);
}

TEST(ThreadPool, StopsOnRequest) {
  ThreadPool pool(2);
  std::stop_source stop;
  std::atomic<std::size_t> calls = 0;
  EXPECT_EQ(code_of([&] {
              parallel_for(
                  pool, 10'000, 3,
                  [&](std::size_t i) {
                    ++calls;
                    if (i == 5) stop.request_stop();
                    while (i > 5 && !stop.stop_requested()) std::this_thread::yield();
                  },
                  stop.get_token());
            }),
            Errc::cancelled);
  EXPECT_LT(calls, 10'000u);
}

TEST(ThreadPool, WorkInsideWorkDoesNotWaitForItself) {
  ThreadPool pool(2);
  std::atomic<int> calls = 0;
  parallel_for(pool, 8, 8, [&](std::size_t) {
    parallel_for(pool, 8, 8, [&](std::size_t) { parallel_for(pool, 2, 2, [&](std::size_t) { ++calls; }); });
  });
  EXPECT_EQ(calls, 128);
}

TEST(ThreadPool, IsSharedByThreads) {
  ThreadPool pool(2);
  std::atomic<int> calls = 0;
  std::vector<std::thread> users;
  for (int user = 0; user < 4; ++user)
    users.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const std::string text = "lives on this stack";
        parallel_for(pool, 4, 4, [&](std::size_t) { calls += text.size() == 19 ? 1 : 1000; });
      }
    });
  for (std::thread& user : users) user.join();
  EXPECT_EQ(calls, 800);
}

TEST(Ahead, IsDoneByHelpersBeforeAnybodyAsks) {
  ThreadPool pool(2);
  std::atomic<int> calls = 0;
  Ahead ahead(pool, 100, 3, [&](std::size_t) { ++calls; });
  while (calls < 100) std::this_thread::yield();
  std::vector<std::size_t> order;
  ahead.finish([&](std::size_t i) { order.push_back(i); });
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(calls, 100);
}

TEST(Ahead, IsDoneByTheCallerWhereNobodyHelps) {
  ThreadPool pool(0);
  int calls = 0;
  Ahead ahead(pool, 10, 8, [&](std::size_t) { ++calls; });
  EXPECT_EQ(calls, 0);
  ahead.finish([&](std::size_t i) { EXPECT_GE(calls, static_cast<int>(i) + 1); });
  EXPECT_EQ(calls, 10);
}

TEST(Ahead, ThrowsWhatWasThrownMeanwhile) {
  ThreadPool pool(1);
  std::atomic<bool> thrown = false;
  Ahead ahead(pool, 5, 2, [&](std::size_t i) {
    if (i != 2) return;
    thrown = true;
    throw Error(Errc::decode, "the third");
  });
  while (!thrown) std::this_thread::yield();
  EXPECT_EQ(code_of([&] { ahead.finish([](std::size_t) {}); }), Errc::decode);
}

TEST(Ahead, GivenUpWaitsForWhatIsUnderWayAndBeginsNoMore) {
  for (int round = 0; round < 200; ++round) {
    ThreadPool pool(2);
    auto target = std::make_unique<std::atomic<std::size_t>>(0);
    {
      Ahead ahead(pool, 1'000'000, 3, [&](std::size_t) { ++*target; });
      while (round % 2 == 0 && *target == 0) std::this_thread::yield();
    }
    EXPECT_LT(*target, 1'000'000u);
    target.reset();  // nobody counts any more
  }
}

}  // namespace
}  // namespace oas
