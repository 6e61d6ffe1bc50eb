// SPDX-License-Identifier: Apache-2.0
// Whatever the build says: this file tests the macro.
#ifdef TIDEGATE_NO_FAILPOINTS
#undef TIDEGATE_NO_FAILPOINTS
#endif

#include "base/failpoints.h"

#include <gtest/gtest.h>

#include <signal.h>
#include <stdlib.h>

#include <string>

#include "base/clock.h"

namespace tidegate {
namespace {

Status guarded(int& passed) {
  TG_FAILPOINT("test.point");
  ++passed;
  return Status::ok();
}

Result<int> guarded_value() {
  TG_FAILPOINT("test.value");
  return 1;
}

class FailpointsTest : public testing::Test {
 protected:
  FailpointsTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  ~FailpointsTest() override { disarm_failpoints(); }
};
using FailpointsDeathTest = FailpointsTest;

TEST_F(FailpointsTest, DoNothingUnlessArmed) {
  int passed = 0;
  EXPECT_TRUE(guarded(passed).is_ok());
  EXPECT_EQ(passed, 1);
  EXPECT_EQ(failpoint_hits("test.point"), 0);
}

TEST_F(FailpointsTest, ReturnTheArmedError) {
  int passed = 0;
  arm_failpoint("test.point", [] { return error(ErrorCode::kDiskFull, "planted"); });
  EXPECT_EQ(guarded(passed).message(), "planted");
  EXPECT_EQ(guarded(passed).message(), "planted");
  EXPECT_EQ(passed, 0);
  EXPECT_EQ(failpoint_hits("test.point"), 2);
  EXPECT_TRUE(guarded_value().is_ok());
  disarm_failpoints();
  EXPECT_TRUE(guarded(passed).is_ok());
}

TEST_F(FailpointsTest, ActAtTheGivenHitOnly) {
  ASSERT_TRUE(arm_failpoints("test.point=error@3;test.value=error:disk-full").is_ok());
  int passed = 0;
  for (int hit = 1; hit <= 5; ++hit) EXPECT_EQ(guarded(passed).is_ok(), hit != 3) << hit;
  EXPECT_EQ(passed, 4);
  const Status status = guarded_value().status();
  EXPECT_EQ(status.code(), ErrorCode::kDiskFull);
  EXPECT_EQ(status.message(), "failpoint 'test.value'");
}

TEST_F(FailpointsTest, DelayInVirtualTime) {
  VirtualClock clock;
  arm_failpoint("test.point", [&] {
    clock.advance_to_ms(clock.wall_ms() + 500);
    return Status::ok();
  });
  int passed = 0;
  EXPECT_TRUE(guarded(passed).is_ok());
  EXPECT_EQ(passed, 1);
  EXPECT_EQ(clock.wall_ms(), 500);
}

TEST_F(FailpointsTest, DelayInRealTime) {
  ASSERT_TRUE(arm_failpoints("test.point=delay:5 ms").is_ok());
  const std::int64_t start_ns = system_clock().monotonic_ns();
  int passed = 0;
  EXPECT_TRUE(guarded(passed).is_ok());
  EXPECT_GE(system_clock().monotonic_ns() - start_ns, 5'000'000);
}

TEST_F(FailpointsTest, AnActionMayArmAndDisarm) {
  arm_failpoint("test.point", [] {
    disarm_failpoints();
    return error(ErrorCode::kInternal, "once");
  });
  int passed = 0;
  EXPECT_FALSE(guarded(passed).is_ok());
  EXPECT_TRUE(guarded(passed).is_ok());
}

TEST_F(FailpointsTest, UnreadableTextArmsNothing) {
  for (const std::string_view text :
       {"test.point", "=error", "test.point=", "test.point=explode", "test.point=error@0",
        "test.point=error@x", "test.point=error:no-such-label", "test.point=delay:soon",
        "test.point=kill:9", "test.point=error;other"}) {
    EXPECT_FALSE(arm_failpoints(text).is_ok()) << text;
  }
  int passed = 0;
  EXPECT_TRUE(guarded(passed).is_ok());
  EXPECT_EQ(failpoint_hits("test.point"), 0);
  EXPECT_TRUE(arm_failpoints("").is_ok());
  EXPECT_TRUE(arm_failpoints(";;").is_ok());
}

void pass_three_times(const char* environment) {
  ::setenv("TIDEGATE_FAILPOINTS", environment, 1);
  int passed = 0;
  for (int hit = 0; hit < 3; ++hit) {
    static_cast<void>(guarded(passed).is_ok());
    ::fprintf(stderr, "passed %d\n", passed);
  }
  ::_Exit(7);
}

// In a process of its own: the environment is read once.
TEST_F(FailpointsDeathTest, TheEnvironmentCanKill) {
  EXPECT_EXIT(pass_three_times("test.point=kill@2"), testing::KilledBySignal(SIGKILL),
              "^passed 1\n$");
  EXPECT_EXIT(pass_three_times("test.point=exit@3"), testing::ExitedWithCode(1),
              "^passed 1\npassed 2\n$");
  EXPECT_EXIT(pass_three_times("other.point=kill"), testing::ExitedWithCode(7), "passed 3\n$");
}

TEST_F(FailpointsDeathTest, AnUnreadableEnvironmentStopsTheProgram) {
  EXPECT_DEATH(pass_three_times("test.point=explode"), "TIDEGATE_FAILPOINTS: .*explode");
}

}  // namespace
}  // namespace tidegate
