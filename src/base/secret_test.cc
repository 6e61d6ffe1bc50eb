// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tidegate {
namespace {

TEST(SecretTest, PrintsStars) {
  const Secret secret("hush");
  EXPECT_EQ(fmt::format("password={}", secret), "password=***");
  std::ostringstream out;
  out << secret;
  EXPECT_EQ(out.str(), "***");
  EXPECT_EQ(testing::PrintToString(secret), "***");
}

TEST(SecretTest, IsRevealedOnRequestOnly) {
  EXPECT_EQ(Secret("hush").reveal(), "hush");
  EXPECT_TRUE(Secret().empty());
  EXPECT_EQ(Secret("a"), Secret("a"));
  EXPECT_NE(Secret("a"), Secret("b"));
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<std::string, Secret>);
}

}  // namespace
}  // namespace tidegate
