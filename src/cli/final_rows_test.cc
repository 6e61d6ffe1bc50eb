// SPDX-License-Identifier: Apache-2.0
#include "cli/final_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

Texts all(const FinalRows& rows, const FinalRows::Less& less = {}) {
  Texts texts;
  rows.for_each([&](std::string_view row) { texts.emplace_back(row); }, less);
  return texts;
}

TEST(FinalRows, KeepsWhatIsNotTakenBackInOrder) {
  FinalRows rows;
  for (const char* row : {"b", "a", "", "b", "c"}) rows.add(row);
  rows.remove("a");
  rows.remove("b");
  EXPECT_EQ(all(rows), (Texts{"b", "", "c"}));
  rows.remove("");
  rows.add("a");
  EXPECT_EQ(all(rows), (Texts{"b", "c", "a"}));
  rows.remove("b");
  EXPECT_EQ(rows.size(), 2);
  EXPECT_EQ(rows.byte_size(), 2);
  EXPECT_EQ(rows.num_missing(), 0);
}

TEST(FinalRows, ARowCanTakeThePlaceOfAnother) {
  FinalRows rows;
  for (const char* row : {"a", "b", "a", "c"}) rows.add(row);
  rows.replace("b", "c");
  rows.replace("a", "longer");
  EXPECT_EQ(all(rows), (Texts{"a", "c", "longer", "c"}));
  rows.remove("c");
  rows.remove("c");
  rows.replace("longer", "longer");
  EXPECT_EQ(all(rows), (Texts{"a", "longer"}));
  rows.replace("never", "x");
  EXPECT_EQ(rows.num_missing(), 1);
  rows.replace("a", "never");
  EXPECT_EQ(rows.num_missing(), 0);
  EXPECT_EQ(all(rows), (Texts{"longer", "x"}));
}

TEST(FinalRows, ARowMayBeTakenBackBeforeItComes) {
  FinalRows rows;
  rows.remove("a");
  rows.remove("a");
  EXPECT_EQ(rows.num_missing(), 2);
  rows.add("a");
  rows.add("b");
  EXPECT_EQ(rows.num_missing(), 1);
  rows.add("a");
  rows.add("a");
  EXPECT_EQ(rows.num_missing(), 0);
  EXPECT_EQ(all(rows), (Texts{"b", "a"}));
}

TEST(FinalRows, SortsWithoutChangingTheOrderOfEqualOnes) {
  FinalRows rows;
  rows.add("x", "2");
  rows.add("y", "1");
  rows.add("z", "2");
  rows.add("w", "1");
  EXPECT_EQ(all(rows, std::less<std::string_view>()), (Texts{"y", "w", "x", "z"}));
}

TEST(FinalRows, MatchesAModelAndForgetsWhatIsGone) {
  for (const bool replacing : {false, true}) {
    Random random(7);
    FinalRows rows;
    Texts model;
    for (int i = 0; i < 30000; ++i) {
      const std::string row(random.below(6), static_cast<char>('a' + random.below(3)));
      const auto last = std::find(model.rbegin(), model.rend(), row);
      if (random.below(100) < (i % 8000 < 4000 ? 70U : 30U)) {
        rows.add(row);
        model.push_back(row);
      } else if (last == model.rend()) {
        continue;
      } else if (replacing && random.below(2) == 0) {
        rows.replace(row, row + "+");
        *last += '+';
      } else {
        rows.remove(row);
        model.erase(std::next(last).base());
      }
    }
    Texts left = all(rows);
    if (replacing) {
      // The youngest of equal rows need not be the last one then.
      std::sort(left.begin(), left.end());
      std::sort(model.begin(), model.end());
    }
    EXPECT_EQ(left, model);
    EXPECT_EQ(rows.size(), static_cast<std::int64_t>(model.size()));
    EXPECT_EQ(rows.num_missing(), 0);
  }
}

TEST(FinalRows, KeepsRowsOfAnySize) {
  FinalRows rows;
  const std::string large(3 << 20, 'x');
  rows.add("a");
  rows.add(large);
  for (int i = 0; i < 5000; ++i) {
    rows.add(std::to_string(i));
    rows.remove(std::to_string(i));
  }
  EXPECT_EQ(all(rows), (Texts{"a", large}));
}

}  // namespace
}  // namespace tidegate
