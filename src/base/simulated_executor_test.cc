// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"

namespace tidegate {
namespace {

constexpr std::int64_t kMs = 1'000'000;

std::vector<int> order_of(std::uint64_t seed) {
  VirtualClock clock;
  const auto executor = make_simulated_executor(seed, clock);
  std::vector<int> order;
  for (int i = 0; i < 8; ++i) {
    executor->submit([&, i] {
      order.push_back(i);
      executor->submit([&, i] { order.push_back(100 + i); });
    });
  }
  executor->run_ready();
  return order;
}

TEST(SimulatedExecutorTest, SameSeedSameOrder) {
  EXPECT_EQ(order_of(1), order_of(1));
  std::set<std::vector<int>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) orders.insert(order_of(seed));
  EXPECT_GT(orders.size(), 15);
  EXPECT_EQ(orders.begin()->size(), 16);
}

TEST(SimulatedExecutorTest, RunsOneAtATime) {
  VirtualClock clock;
  const auto executor = make_simulated_executor(1, clock, 4);
  EXPECT_EQ(executor->parallelism(), 4);
  int runs = 0;
  executor->submit([&] { ++runs; });
  executor->submit_blocking([&] { ++runs; });
  EXPECT_EQ(runs, 0);
  EXPECT_TRUE(executor->run_one());
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(executor->run_one());
  EXPECT_EQ(runs, 2);
  EXPECT_FALSE(executor->run_one());
}

TEST(SimulatedExecutorTest, TimeMovesOnlyWhenNothingIsReady) {
  VirtualClock clock(1'000);
  const auto executor = make_simulated_executor(1, clock);
  std::vector<std::int64_t> times;
  const auto note = [&] { times.push_back(clock.wall_ms()); };
  executor->submit_at(1'500 * kMs, note);
  executor->submit_at(1'200 * kMs + 1, note);  // rounds up: never too early
  executor->submit(note);
  executor->run_ready();
  EXPECT_EQ(times, (std::vector<std::int64_t>{1'000}));
  EXPECT_TRUE(executor->run_one());
  EXPECT_TRUE(executor->run_one());
  EXPECT_FALSE(executor->run_one());
  EXPECT_EQ(times, (std::vector<std::int64_t>{1'000, 1'201, 1'500}));
}

TEST(SimulatedExecutorTest, WhatIsDueCompetesWithWhatIsReady) {
  std::set<int> first;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    VirtualClock clock;
    const auto executor = make_simulated_executor(seed, clock);
    std::vector<int> order;
    executor->submit_at(5 * kMs, [&] { order.push_back(1); });
    executor->submit([&] { order.push_back(2); });
    clock.advance_to_ms(5);
    executor->run_ready();
    ASSERT_EQ(order.size(), 2);
    first.insert(order[0]);
  }
  EXPECT_EQ(first, (std::set<int>{1, 2}));
}

TEST(SimulatedExecutorTest, DroppedWorkMaySubmit) {
  VirtualClock clock;
  auto executor = make_simulated_executor(1, clock);
  std::shared_ptr<int> guard(new int(0), [raw = executor.get()](int* number) {
    raw->submit([] {});
    raw->submit_at(0, [] {});
    delete number;
  });
  const std::weak_ptr<int> alive = guard;
  executor->submit([kept = guard] {});
  executor->submit_at(kMs, [kept = guard] {});
  guard.reset();
  EXPECT_FALSE(alive.expired());
  executor.reset();
  EXPECT_TRUE(alive.expired());
}

}  // namespace
}  // namespace tidegate
