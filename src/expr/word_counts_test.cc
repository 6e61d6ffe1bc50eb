// SPDX-License-Identifier: Apache-2.0
#include "expr/word_counts.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"

namespace tidegate {
namespace {

// Few words, so that they come, go below zero and vanish in runs that collide.
TEST(WordCountsTest, IsAMapOfCounts) {
  for (const std::uint64_t words : {3u, 20u, 700u}) {
    WordCounts counts;
    std::map<std::uint64_t, std::int64_t> model;
    Random random(words);
    for (int i = 0; i < 20'000; ++i) {
      const std::uint64_t word = random.below(words);
      const auto by = static_cast<std::int64_t>(random.below(5)) - 2;
      std::int64_t& count = model[word];
      const int before = count > 0 ? 1 : 0;
      count += by;
      const int after = count > 0 ? 1 : 0;
      ASSERT_EQ(counts.add(word, by), after - before);
      if (count == 0) model.erase(word);
      ASSERT_EQ(counts.size(), model.size());
    }
    std::map<std::uint64_t, std::int64_t> found;
    counts.for_each([&](std::uint64_t word, std::int64_t count) {
      EXPECT_TRUE(found.emplace(word, count).second);
    });
    EXPECT_EQ(found, model);
  }
}

TEST(WordCountsTest, BeginsWithoutMemory) {
  WordCounts counts;
  EXPECT_EQ(counts.capacity(), 0u);
  EXPECT_EQ(counts.add(7, 0), 0);
  EXPECT_EQ(counts.size(), 0u);
  EXPECT_EQ(counts.add(0, -1), 0);
  EXPECT_EQ(counts.add(0, 1), 0);
  EXPECT_EQ(counts.size(), 0u);
}

}  // namespace
}  // namespace tidegate
