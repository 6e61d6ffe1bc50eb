// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace tidegate {
namespace {

// State and first outputs as the reference C code of splitmix64 and xoshiro256** gives for seed 0.
TEST(RandomTest, EqualsTheReferenceImplementation) {
  Random random(0);
  EXPECT_EQ(random.next(), 0x99ec5f36cb75f2b4ULL);
  EXPECT_EQ(random.next(), 0xbf6e1f784956452aULL);
  EXPECT_EQ(random.next(), 0x1a5f849d4933e6e0ULL);
}

TEST(RandomTest, SameSeedSameNumbers) {
  Random a(42);
  Random b(42);
  Random c(43);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t number = a.next();
    EXPECT_EQ(number, b.next());
    differs |= number != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(RandomTest, BelowStaysBelowAndReachesEverything) {
  Random random(1);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7'000; ++i) ++seen.at(random.below(seen.size()));
  for (const int count : seen) EXPECT_NEAR(count, 1'000, 200);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.below(1), 0);
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < 10; ++i) EXPECT_LT(random.below(kMax), kMax);
}

TEST(RandomDeathTest, BelowNeedsABound) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Random random(1);
  EXPECT_DEATH(random.below(0), "bound must be positive");
}

TEST(RandomTest, RealIsInTheUnitInterval) {
  Random random(1);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double number = random.real();
    ASSERT_GE(number, 0.0);
    ASSERT_LT(number, 1.0);
    sum += number;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(EntropySeedTest, Differs) { EXPECT_NE(entropy_seed(), entropy_seed()); }

}  // namespace
}  // namespace tidegate
