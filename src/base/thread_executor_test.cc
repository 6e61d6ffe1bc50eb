// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <pthread.h>

#include <atomic>
#include <future>
#include <latch>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"

namespace tidegate {
namespace {

std::string thread_name() {
  char name[32] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof(name));
  return name;
}

TEST(ThreadExecutorTest, RunsEverythingOnce) {
  constexpr int kPieces = 10'000;
  std::vector<std::atomic<int>> runs(kPieces);
  std::latch done(kPieces);
  const auto executor = make_thread_executor(4);
  EXPECT_EQ(executor->parallelism(), 4);
  for (int i = 0; i < kPieces; ++i) {
    executor->submit([&, i] {
      runs[i].fetch_add(1);
      done.count_down();
    });
  }
  done.wait();
  for (const std::atomic<int>& count : runs) ASSERT_EQ(count.load(), 1);
}

TEST(ThreadExecutorTest, WorkersHaveNames) {
  const auto executor = make_thread_executor(1);
  std::promise<std::string> worker;
  executor->submit([&] { worker.set_value(thread_name()); });
  EXPECT_EQ(worker.get_future().get(), "tg-worker-0");
  std::promise<std::string> blocking;
  executor->submit_blocking([&] { blocking.set_value(thread_name()); });
  EXPECT_EQ(blocking.get_future().get(), "tg-blocking-0");
}

// Every piece submits the next from inside a worker, while pieces from outside interfere and
// workers fall asleep all the time: a lost wake-up would hang this.
TEST(ThreadExecutorTest, LosesNoWakeUp) {
  constexpr int kHops = 20'000;
  for (const int workers : {1, 2, 3}) {
    const auto executor = make_thread_executor(workers);
    std::latch done(3);
    std::function<void(int)> hop = [&](int left) {
      if (left == 0) {
        done.count_down();
      } else {
        executor->submit([&hop, left] { hop(left - 1); });
      }
    };
    hop(kHops);
    hop(kHops);
    for (int i = 0; i < 200; ++i) {
      std::promise<void> ran;
      executor->submit([&] { ran.set_value(); });
      ran.get_future().wait();
    }
    done.count_down();
    done.wait();
  }
}

// Two pieces that wait for each other need two workers: the one that is queued behind a running
// piece must be taken by the worker that is idle.
TEST(ThreadExecutorTest, IdleWorkersTakeOverQueuedWork) {
  const auto executor = make_thread_executor(2);
  for (int i = 0; i < 500; ++i) {
    std::latch both(2);
    std::latch done(2);
    executor->submit([&] {
      executor->submit([&] {
        both.arrive_and_wait();
        done.count_down();
      });
      both.arrive_and_wait();
      done.count_down();
    });
    done.wait();
  }
}

TEST(ThreadExecutorTest, BlockingWorkGrowsToItsLimitAndReusesThreads) {
  const auto executor = make_thread_executor(1, 3);
  std::latch all_in(3);
  std::latch done(3);
  for (int i = 0; i < 3; ++i) {
    executor->submit_blocking([&] {
      all_in.arrive_and_wait();  // only passes when three run at the same time
      done.count_down();
    });
  }
  done.wait();

  std::mutex mutex;
  std::set<std::string> names;
  std::latch more(50);
  for (int i = 0; i < 50; ++i) {
    executor->submit_blocking([&] {
      {
        const std::lock_guard lock(mutex);
        names.insert(thread_name());
      }
      more.count_down();
    });
  }
  more.wait();
  EXPECT_LE(names.size(), 3);
}

TEST(ThreadExecutorTest, BlockedWorkDoesNotHoldUpWorkers) {
  std::latch go_on(1);
  const auto executor = make_thread_executor(1, 1);
  executor->submit_blocking([&] { go_on.wait(); });
  std::promise<void> ran;
  executor->submit([&] { ran.set_value(); });
  ran.get_future().wait();
  go_on.count_down();
}

TEST(ThreadExecutorTest, TimersRunInOrderAndNotTooEarly) {
  const auto executor = make_thread_executor(1);
  const std::int64_t start_ns = system_clock().monotonic_ns();
  std::vector<int> order;
  std::atomic<bool> early{false};
  std::latch done(3);
  const auto piece = [&](int name, std::int64_t deadline_ns) {
    executor->submit_at(deadline_ns, [&, name, deadline_ns] {
      if (system_clock().monotonic_ns() < deadline_ns) early = true;
      order.push_back(name);  // one worker
      done.count_down();
    });
  };
  piece(3, start_ns + 30'000'000);
  piece(2, start_ns + 20'000'000);
  piece(1, start_ns - 1);
  done.wait();
  EXPECT_FALSE(early);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

// Submits again when dropped, as a task that asks for its next turn may do.
struct SubmitsWhenDropped {
  Executor* executor;
  std::atomic<int>* dropped;
  ~SubmitsWhenDropped() {
    dropped->fetch_add(1);
    executor->submit([] {});
    executor->submit_blocking([] {});
    executor->submit_at(0, [] {});
  }
};

TEST(ThreadExecutorTest, DropsQueuedWorkOnShutdown) {
  std::atomic<int> dropped{0};
  std::atomic<int> ran{0};
  {
    auto executor = make_thread_executor(1, 1);
    std::latch started(2);
    std::promise<void> stopping;
    std::shared_future<void> stop = stopping.get_future().share();
    const auto occupy = [&started, stop] {
      started.count_down();
      stop.wait();
    };
    executor->submit(occupy);
    executor->submit_blocking(occupy);
    started.wait();
    const auto make_piece = [&] {
      return [guard = std::make_shared<SubmitsWhenDropped>(executor.get(), &dropped), &ran] {
        ran.fetch_add(1);
      };
    };
    const std::int64_t far_ns = system_clock().monotonic_ns() + 3'600'000'000'000;
    executor->submit(make_piece());
    executor->submit_blocking(make_piece());
    executor->submit_at(far_ns, make_piece());
    std::thread destroyer([&] { executor.reset(); });
    // Nothing tells from outside that the destructor has begun; pieces that run before it has are
    // fine too.
    stopping.set_value();
    destroyer.join();
  }
  EXPECT_EQ(dropped.load(), 3);  // destroyed, whether run or not
  EXPECT_LE(ran.load(), 2);
}

TEST(ThreadExecutorTest, StopsWhileWorkersKeepSubmitting) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<std::int64_t> runs{0};
    auto executor = make_thread_executor(3);
    Executor* const raw = executor.get();
    std::function<void()> forever = [&, raw] {
      runs.fetch_add(1);
      raw->submit(forever);
      raw->submit_blocking([] {});
      raw->submit_at(0, [] {});
    };
    for (int i = 0; i < 5; ++i) executor->submit(forever);
    while (runs.load() < 100) std::this_thread::yield();
    executor.reset();
  }
}

TEST(ThreadExecutorTest, StartsAndStopsWithoutWork) {
  for (int i = 0; i < 50; ++i) make_thread_executor(2).reset();
}

TEST(ThreadExecutorDeathTest, NeedsAWorker) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(make_thread_executor(0), "workers=0");
  EXPECT_DEATH(make_thread_executor(1, 0), "blocking_threads=0");
}

}  // namespace
}  // namespace tidegate
