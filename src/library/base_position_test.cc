// SPDX-License-Identifier: Apache-2.0
#include "library/base_position.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate::library {
namespace {

TEST(BasePosition, ReadsWhatItHasWritten) {
  const BasePosition position{
      7,
      0xffff'ffff'ffff'ffff,
      1'234'567'890'123,
      3,
      99,
      12,
      {{"a b", "1 2"}, {"", ""}, {"uid", "rows"}, {std::string("\0x", 2), "5 5 "}}};
  EXPECT_EQ(BasePosition::parse(position.to_string()), position);
  EXPECT_EQ(BasePosition::parse(BasePosition().to_string()), BasePosition());
}

TEST(BasePosition, TakesNothingElse) {
  const std::string whole =
      BasePosition{7, 8, 9, 3, 99, 12, {{"uid", "rows"}, {"v", "w"}}}.to_string();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto cut = BasePosition::parse(whole.substr(0, length));
    // Names are told as long as they are, so only whole ones can be missing.
    EXPECT_TRUE(!cut || cut->tables.size() < 2) << length;
  }
  EXPECT_FALSE(BasePosition::parse(""));
  EXPECT_FALSE(BasePosition::parse("v2 1 2 3 4 5 6 "));
  EXPECT_FALSE(BasePosition::parse("v1 1 2 -3 4 5 6 "));
  EXPECT_FALSE(BasePosition::parse("v1 1 2 3 4 5 6 999999999999 1 x"));
  EXPECT_FALSE(BasePosition::parse("v1 -1 2 3 4 5 6 "));
  EXPECT_FALSE(BasePosition::parse("v1 1 2 3 4 5 99999999999999999999 "));
}

}  // namespace
}  // namespace tidegate::library
