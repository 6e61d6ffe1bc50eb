// SPDX-License-Identifier: Apache-2.0
#include "state/timer_service.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

constexpr KeyGroupRange kAllGroups{0, 128, 128};

TimerService must_open(StateBackend& state) {
  Result<TimerService> service = TimerService::open(state, "timers");
  EXPECT_TRUE(service.is_ok()) << service.status().to_string();
  return *std::move(service);
}

void add(TimerService& service, std::int64_t time, const std::string& key) {
  ASSERT_TRUE(service.add(time, {key, hash_key(key)}).is_ok());
}

std::string pop(TimerService& service, std::int64_t bound) {
  Timer timer;
  if (!service.pop(bound, timer)) return "none";
  EXPECT_EQ(timer.key.hash, hash_key(timer.key.bytes));
  return std::to_string(timer.time) + std::string(timer.key.bytes);
}

TEST(TimerServiceTest, InOrderOfTimeThenKey) {
  auto state = make_memory_state_backend(kAllGroups);
  TimerService service = must_open(*state);
  add(service, 20, "a");
  add(service, 10, "c");
  add(service, 10, "b");
  add(service, 10, "b");
  add(service, -5, "z");
  EXPECT_EQ(service.next_time(), -5);
  EXPECT_EQ(pop(service, -6), "none");
  EXPECT_EQ(pop(service, 19), "-5z");
  EXPECT_EQ(pop(service, 19), "10b");
  EXPECT_EQ(pop(service, 19), "10c");
  EXPECT_EQ(pop(service, 19), "none");
  EXPECT_EQ(pop(service, 20), "20a");
  EXPECT_TRUE(service.empty());
}

TEST(TimerServiceTest, RemovedTimersDoNotGoOff) {
  auto state = make_memory_state_backend(kAllGroups);
  TimerService service = must_open(*state);
  add(service, 10, "a");
  add(service, 10, "b");
  EXPECT_TRUE(service.remove(10, {"a", hash_key("a")}));
  EXPECT_FALSE(service.remove(10, {"a", hash_key("a")}));
  EXPECT_FALSE(service.remove(11, {"b", hash_key("b")}));
  EXPECT_EQ(pop(service, 100), "10b");
  EXPECT_EQ(pop(service, 100), "none");
}

TEST(TimerServiceTest, TimersAddedInBetweenTakePart) {
  auto state = make_memory_state_backend(kAllGroups);
  TimerService service = must_open(*state);
  for (int i = 0; i < 300; ++i) add(service, 10, "k" + std::to_string(1000 + i));
  EXPECT_EQ(pop(service, 100), "10k1000");
  add(service, 10, "a");
  EXPECT_EQ(pop(service, 100), "10a");
  add(service, 5, "early");
  EXPECT_EQ(pop(service, 100), "5early");
  EXPECT_EQ(pop(service, 100), "10k1001");
  service.remove(10, {"k1002", hash_key("k1002")});
  EXPECT_EQ(pop(service, 100), "10k1003");
}

TEST(TimerServiceTest, RandomWorkEqualsASetAndSurvivesSeals) {
  auto state = make_memory_state_backend(kAllGroups);
  auto service = std::make_unique<TimerService>(must_open(*state));
  std::set<std::pair<std::int64_t, std::string>> model;
  std::vector<StateDelta> stored;
  Random random(5);
  for (int step = 0; step < 20000; ++step) {
    const auto time = static_cast<std::int64_t>(random.below(50));
    const std::string key(1, static_cast<char>('a' + random.below(20)));
    const std::uint64_t what = random.below(1000);
    if (what < 400) {
      add(*service, time, key);
      model.emplace(time, key);
    } else if (what < 600) {
      EXPECT_EQ(service->remove(time, {key, hash_key(key)}), model.erase({time, key}) == 1);
    } else if (what < 995) {
      const bool due = !model.empty() && model.begin()->first <= time;
      const std::string expected =
          due ? std::to_string(model.begin()->first) + model.begin()->second : "none";
      ASSERT_EQ(pop(*service, time), expected);
      if (due) model.erase(model.begin());
    } else {
      Result<std::vector<StateDelta>> deltas = state->seal(1);
      ASSERT_TRUE(deltas.is_ok());
      for (StateDelta& delta : *deltas) stored.push_back(std::move(delta));
      state = make_memory_state_backend(kAllGroups);
      for (const StateDelta& delta : stored) ASSERT_TRUE(state->restore(delta).is_ok());
      service = std::make_unique<TimerService>(must_open(*state));
    }
  }
}

}  // namespace
}  // namespace tidegate
