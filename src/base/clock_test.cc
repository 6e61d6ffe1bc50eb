// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

TEST(SystemClockTest, TellsAPlausibleTimeAndNeverGoesBack) {
  const Clock& clock = system_clock();
  constexpr std::int64_t kYear2024Ms = 1'704'067'200'000;
  EXPECT_GT(clock.wall_ms(), kYear2024Ms);
  std::int64_t last_ns = clock.monotonic_ns();
  for (int i = 0; i < 1'000; ++i) {
    const std::int64_t now_ns = clock.monotonic_ns();
    ASSERT_GE(now_ns, last_ns);
    last_ns = now_ns;
  }
}

TEST(VirtualClockTest, StandsStillUntilMoved) {
  VirtualClock clock(1'000);
  EXPECT_EQ(clock.wall_ms(), 1'000);
  EXPECT_EQ(clock.monotonic_ns(), 1'000'000'000);
  clock.advance_to_ms(1'500);
  EXPECT_EQ(clock.wall_ms(), 1'500);
}

TEST(VirtualClockTest, NeverMovesBack) {
  VirtualClock clock(1'000);
  clock.advance_to_ms(999);
  EXPECT_EQ(clock.wall_ms(), 1'000);
}

}  // namespace
}  // namespace tidegate
