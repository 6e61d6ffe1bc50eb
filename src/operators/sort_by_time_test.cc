// SPDX-License-Identifier: Apache-2.0
#include "operators/sort_by_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Batch rows(std::string_view json) { return batch_of(schema_of("v BIGINT, t BIGINT"), json); }

OperatorFactory factory(SortByTimeOptions options = {.time_column = 1}) {
  options.types = {LogicalType(TypeKind::kBigInt), LogicalType(TypeKind::kBigInt)};
  return [options]() -> Result<std::unique_ptr<Operator>> { return make_sort_by_time(options); };
}

TEST(SortByTime, EmitsUpToTheWatermarkTiesByArrival) {
  OperatorHarness harness(factory());
  harness.push(rows("[[1, 30], [2, 10], [3, 20]]"));
  harness.push(rows("[[4, 10], [5, 5]]"));
  harness.advance(20);
  EXPECT_THAT(harness.take_log(), ElementsAre("+I[5, 5]", "+I[2, 10]", "+I[4, 10]", "W 20"));
  harness.finish();
  EXPECT_THAT(harness.take_log(), ElementsAre("+I[3, 20]", "+I[1, 30]", "W max"));
}

TEST(SortByTime, LateRowsAreLeftOut) {
  OperatorHarness harness(factory({.time_column = 1, .late_output = 2}));
  harness.advance(20);
  harness.push(rows("[[1, 19], [2, 20], [3, null]]"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[2, 20]"));
  EXPECT_THAT(harness.take_side(2), ElementsAre("+I[1, 19]"));
  EXPECT_EQ(harness.counter("rows_late"), 1);
  EXPECT_EQ(harness.counter("rows_null_time"), 1);
}

TEST(SortByTime, KeepsKindsAndAttachedTimes) {
  OperatorHarness harness(factory({}));
  harness.push(with_event_times(
      with_row_kinds(rows("[[1, 0], [2, 0]]"), {RowKind::kDelete, RowKind::kUpdateAfter}), {8, 7}));
  harness.restart();
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+U[2, 0] @7", "-D[1, 0] @8"));
}

TEST(SortByTime, NeedsTimes) {
  OperatorHarness harness(factory({}));
  EXPECT_EQ(harness.try_push(rows("[[1, 0]]")).code(), ErrorCode::kInvalidPlan);
}

TEST(SortByTime, ManyRowsGoOutInPieces) {
  HarnessOptions few;
  few.credit_rows = 1;
  OperatorHarness harness(factory(), few);
  std::string json;
  for (int i = 0; i < 10'000; ++i) json += fmt::format("{}[{}, {}]", i > 0 ? "," : "", i, i % 3);
  harness.push(rows("[" + json + "]"));
  harness.finish();
  const std::vector<std::string> all = harness.take_rows();
  ASSERT_EQ(all.size(), 10'000u);
  EXPECT_EQ(all.front(), "+I[0, 0]");
  EXPECT_EQ(all.back(), "+I[9998, 2]");
  EXPECT_EQ(harness.rows_beyond_credit(), 0);
}

TEST(SortByTime, AgreesWithTheModelUnderChaos) {
  Random random(5);
  Script script;
  std::vector<std::pair<EventTime, std::int64_t>> kept;
  EventTime watermark = kMinWatermark;
  std::int64_t id = 0;
  for (int step = 0; step < 20; ++step) {
    std::string json;
    for (int i = 0; i < 8; ++i, ++id) {
      const EventTime time = step * 5 + static_cast<EventTime>(random.below(20));
      json += fmt::format("{}[{}, {}]", i > 0 ? "," : "", id, time);
      if (time >= watermark) kept.emplace_back(time, id);
    }
    script.push_back({0, rows("[" + json + "]"), kMinWatermark});
    if (step % 3 == 2) script.push_back({0, {}, watermark = step * 5});
  }
  std::ranges::sort(kept);
  std::vector<std::string> expected;
  for (const auto& [time, row] : kept) expected.push_back(fmt::format("+I[{}, {}]", row, time));
  EXPECT_EQ(expect_same_under_chaos(factory(), script), expected);
}

TEST(SortByTime, RowsOfSeveralTasksComeTogetherWhenRescaled) {
  std::vector<StateDelta> stored;
  for (int subtask = 0; subtask < 2; ++subtask) {
    HarnessOptions half;
    half.key_groups = key_groups_of_subtask(subtask, 128, 2);
    OperatorHarness harness(factory(), half);
    harness.push(rows(fmt::format("[[{}, 7], [{}, 5]]", subtask, subtask + 10)));
    harness.seal();
    std::ranges::copy(harness.stored(), std::back_inserter(stored));
  }
  OperatorHarness one(factory());
  one.restore(stored, 3);
  EXPECT_THAT(one.take_rows(), IsEmpty());
  one.finish();
  EXPECT_THAT(one.take_rows(), ElementsAre("+I[10, 5]", "+I[11, 5]", "+I[0, 7]", "+I[1, 7]"));
}

}  // namespace
}  // namespace tidegate
