// SPDX-License-Identifier: Apache-2.0
#include "dataflow/watermark_strategy.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

bool is_point(TimeGrain grain, EventTime time) { return grain.floor(time) == time; }

TEST(TimeGrainTest, FloorIsTheLastPoint) {
  const TimeGrain grain{10, 3};
  EXPECT_EQ(grain.floor(3), 3);
  EXPECT_EQ(grain.floor(12), 3);
  EXPECT_EQ(grain.floor(13), 13);
  EXPECT_EQ(grain.floor(2), -7);
  EXPECT_EQ(grain.floor(-7), -7);
  EXPECT_EQ(grain.floor(-8), -17);
}

TEST(TimeGrainTest, EndsOfTime) {
  for (const TimeGrain grain : {TimeGrain{1, 0}, TimeGrain{10, 3}, TimeGrain{86'400'000, 5}}) {
    EXPECT_EQ(grain.floor(kMaxWatermark), kMaxWatermark);
    EXPECT_EQ(grain.floor(kMinWatermark), kMinWatermark);
    EXPECT_LE(grain.floor(kMinWatermark + 1), kMinWatermark + 1);
    EXPECT_LE(grain.floor(kMaxWatermark - 1), kMaxWatermark - 1);
    EXPECT_GT(grain.floor(kMaxWatermark - 1), kMaxWatermark - 1 - grain.step_ms);
  }
}

TEST(TimeGrainTest, WithoutStepTimeDoesNotMatter) {
  EXPECT_EQ((TimeGrain{0, 0}.floor(123)), kMinWatermark);
}

TEST(TimeGrainTest, CombinedHasThePointsOfBoth) {
  const TimeGrain grains[] = {{1, 0}, {10, 3}, {15, -4}, {60, 0}, {7, 100}};
  for (const TimeGrain a : grains) {
    for (const TimeGrain b : grains) {
      const TimeGrain both = TimeGrain::combine(a, b);
      for (EventTime time = -300; time < 300; ++time) {
        const bool needed = is_point(a, time) || is_point(b, time);
        EXPECT_TRUE(!needed || is_point(both, time))
            << a.step_ms << " " << b.step_ms << " " << time;
      }
    }
  }
}

TEST(TimeGrainTest, CombineIsNoFinerThanNeeded) {
  const TimeGrain both = TimeGrain::combine({60, 0}, {40, 0});
  EXPECT_EQ(both.step_ms, 20);
  const TimeGrain same = TimeGrain::combine({60, 10}, {60, 10});
  EXPECT_EQ(same.step_ms, 60);
  EXPECT_EQ(same.phase_ms, 10);
}

TEST(TimeGrainTest, NeutralElementAndOrder) {
  const TimeGrain grain = TimeGrain::combine({0, 0, true}, {10, 3});
  EXPECT_EQ(grain.step_ms, 10);
  EXPECT_EQ(grain.phase_ms, 3);
  EXPECT_TRUE(grain.orders_rows);
}

}  // namespace
}  // namespace tidegate
