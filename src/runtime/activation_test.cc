// SPDX-License-Identifier: Apache-2.0
#include "runtime/activation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/executor.h"
#include "runtime/channel.h"
#include "runtime/piece_count.h"

namespace tidegate {
namespace {

// Many threads hand over work and wake; nothing is left lying, and steps never overlap.
TEST(ActivationTest, NoWakeIsLostAndNoStepRunsTwiceAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kWakes = 20'000;
  PieceCount pieces;
  auto executor = make_thread_executor(3);
  std::atomic<int> given{0};
  int taken = 0;
  std::atomic<int> inside{0};
  bool overlapped = false;
  Activation activation(*executor, pieces, [&] {
    if (inside.fetch_add(1) != 0) overlapped = true;
    taken += given.exchange(0, std::memory_order_relaxed);
    inside.fetch_sub(1);
    return Activation::Outcome::kIdle;
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int wake = 0; wake < kWakes; ++wake) {
        given.fetch_add(1, std::memory_order_relaxed);
        activation.wake();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  pieces.wait_for_none();
  EXPECT_EQ(taken, kThreads * kWakes);
  EXPECT_FALSE(overlapped);
}

TEST(ActivationTest, AgainRunsAgainAndFinishedNever) {
  PieceCount pieces;
  auto executor = make_thread_executor(1);
  int steps = 0;
  Activation activation(*executor, pieces, [&] {
    return ++steps < 5 ? Activation::Outcome::kAgain : Activation::Outcome::kFinished;
  });
  activation.wake();
  pieces.wait_for_none();
  EXPECT_EQ(steps, 5);
  activation.wake();
  pieces.wait_for_none();
  EXPECT_EQ(steps, 5);
}

// Producer and consumer on two threads through a channel far smaller than the stream.
TEST(ChannelTest, EverythingArrivesInOrderWithinTheLimit) {
  constexpr std::int64_t kBatches = 100'000;
  PieceCount pieces;
  auto executor = make_thread_executor(2);
  Channel* channel = nullptr;
  std::int64_t sent = 0;
  std::int64_t received = 0;
  std::atomic<std::int64_t> received_rows{0};
  std::int64_t most_under_way = 0;
  bool in_order = true;
  Activation producer(*executor, pieces, [&] {
    while (sent < kBatches) {
      if (!channel->has_credit() && channel->await_credit()) return Activation::Outcome::kIdle;
      channel->push(Batch(++sent, {}));
      most_under_way = std::max(most_under_way, sent - received_rows.load());
    }
    return Activation::Outcome::kFinished;
  });
  Activation consumer(*executor, pieces, [&] {
    Event event;
    while (channel->pop(event)) {
      in_order = in_order && std::get<Batch>(event).num_rows() == ++received;
      received_rows.store(received);
    }
    return received < kBatches ? Activation::Outcome::kIdle : Activation::Outcome::kFinished;
  });
  Channel real({.rows = kBatches * 4, .bytes = 1'000'000'000}, producer, consumer);
  channel = &real;
  producer.wake();
  pieces.wait_for_none();
  EXPECT_EQ(received, kBatches);
  EXPECT_TRUE(in_order);
}

TEST(ChannelTest, CreditIsCountedInRowsAndOnlyForBatches) {
  PieceCount pieces;
  VirtualClock clock;
  auto executor = make_simulated_executor(1, clock);
  int producer_steps = 0;
  Activation producer(*executor, pieces, [&] {
    ++producer_steps;
    return Activation::Outcome::kIdle;
  });
  Activation consumer(*executor, pieces, [] { return Activation::Outcome::kIdle; });
  Channel channel({.rows = 100, .bytes = 1 << 20}, producer, consumer);
  channel.push(Watermark{5});
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(channel.has_credit());
    channel.push(Batch(25, {}));
  }
  channel.push(End{});
  EXPECT_FALSE(channel.has_credit());
  EXPECT_TRUE(channel.await_credit());
  Event event;
  ASSERT_TRUE(channel.pop(event));
  EXPECT_TRUE(std::holds_alternative<Watermark>(event));
  EXPECT_FALSE(channel.has_credit());
  ASSERT_TRUE(channel.pop(event));
  EXPECT_TRUE(channel.has_credit());
  executor->run_ready();
  EXPECT_EQ(producer_steps, 0) << "woken when half is free, not before";
  ASSERT_TRUE(channel.pop(event));
  executor->run_ready();
  EXPECT_EQ(producer_steps, 1);
  while (channel.pop(event)) {
  }
  EXPECT_TRUE(std::holds_alternative<End>(event));
  EXPECT_FALSE(channel.has_event());
}

}  // namespace
}  // namespace tidegate
