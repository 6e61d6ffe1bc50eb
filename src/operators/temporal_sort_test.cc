// SPDX-License-Identifier: Apache-2.0
#include "operators/temporal_sort.h"

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

Batch rows(std::string_view json) {
  return batch_of(schema_of("t BIGINT, v BIGINT, id BIGINT"), json);
}

TemporalSortOptions options() {
  TemporalSortOptions all;
  all.types = std::vector<LogicalType>(3, LogicalType(TypeKind::kBigInt));
  all.time_column = 0;
  all.order = {{.column = 1}};
  return all;
}

OperatorFactory factory(TemporalSortOptions options) {
  return [options = std::move(options)] { return make_temporal_sort(options); };
}

TEST(TemporalSort, ByTimeAndThenByColumns) {
  TemporalSortOptions sort = options();
  sort.late_output = 1;
  OperatorHarness harness(factory(sort));
  harness.push(rows("[[7, 6, 1], [2, 1, 2], [7, null, 3], [7, 6, 4], [9, 0, 5]]"));
  harness.advance(7);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[2, 1, 2]"));
  harness.restart();
  // Behind the watermark, but nothing behind 2 has come out.
  harness.push(rows("[[6, 1, 6], [2, 1, 7], [1, 1, 8], [null, 1, 9]]"));
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  EXPECT_THAT(harness.take_side(1), ElementsAre("+I[2, 1, 7]", "+I[1, 1, 8]"));
  harness.advance(8);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[6, 1, 6]", "+I[7, null, 3]", "+I[7, 6, 1]", "+I[7, 6, 4]"));
  harness.restart();
  harness.push(rows("[[7, 1, 10], [8, 1, 11]]"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[8, 1, 11]", "+I[9, 0, 5]"));
  EXPECT_EQ(harness.counter("rows_late"), 3);
  EXPECT_EQ(harness.counter("rows_null_time"), 1);
}

TEST(TemporalSort, ByProcessingTimeWithinAMillisecond) {
  TemporalSortOptions sort = options();
  sort.by_processing_time = true;
  OperatorHarness harness(factory(sort));
  harness.push(with_event_times(rows("[[0, 3, 1], [0, 1, 2]]"), {5, 6}));
  harness.push(with_event_times(rows("[[0, 2, 3]]"), {7}));
  harness.advance(1000);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance_clock_to(1);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[0, 1, 2] @6", "+I[0, 2, 3] @7", "+I[0, 3, 1] @5"));
  harness.push(rows("[[0, 3, 4]]"));
  harness.restart();
  harness.push(rows("[[0, 1, 5]]"));
  harness.advance_clock_to(2);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[0, 1, 5]", "+I[0, 3, 4]"));
  harness.push(rows("[[0, 3, 6]]"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[0, 3, 6]"));
}

TEST(TemporalSort, RefusesRetractions) {
  OperatorHarness harness(factory(options()));
  EXPECT_EQ(harness.try_push(with_row_kinds(rows("[[1, 1, 1]]"), {RowKind::kDelete})).code(),
            ErrorCode::kInvalidPlan);
}

TEST(TemporalSort, AgreesWithTheModelUnderChaos) {
  Random random(31);
  Script script;
  std::vector<std::tuple<EventTime, std::int64_t, int>> all;
  EventTime watermark = 0;
  for (int id = 0; id < 150; ++id) {
    const auto time = std::max(
        watermark, static_cast<EventTime>(id / 4) + static_cast<EventTime>(random.below(9)));
    const auto value = static_cast<std::int64_t>(random.below(3));
    all.emplace_back(time, value, id);
    script.push_back({0, rows(fmt::format("[[{}, {}, {}]]", time, value, id)), kMinWatermark});
    if (id % 10 == 9) script.push_back({0, {}, watermark = id / 4 + 2});
  }
  std::ranges::sort(all);
  std::vector<std::string> expected;
  for (const auto& [time, value, id] : all)
    expected.push_back(fmt::format("+I[{}, {}, {}]", time, value, id));
  EXPECT_EQ(expect_same_under_chaos(factory(options()), script), expected);
}

}  // namespace
}  // namespace tidegate
