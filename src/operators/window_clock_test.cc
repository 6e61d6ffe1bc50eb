// SPDX-License-Identifier: Apache-2.0
#include "operators/window_clock.h"

#include <gmock/gmock.h>

#include "operators/window_aggregate.h"
#include "operators/window_test_model.h"
#include "types/civil_time.h"

namespace tidegate::window_test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

WindowAggregateOptions by_the_clock(Window window) {
  WindowAggregateOptions options = options_for(window, {aggregate("COUNT"), aggregate("SUM", {2})});
  options.time_column = -1;
  options.processing_time = true;
  return options;
}

/// Times in rows do not matter by the clock.
Batch row(const std::string& key, std::int64_t n) { return batch_of_rows({{key, 7777, n}}); }

TEST(WindowClockTest, TumblingWindowsCloseByTheClock) {
  OperatorHarness harness(factory_of(by_the_clock(tumbling(10ms))));
  harness.push(row("a", 1));
  harness.advance(1'000'000);  // event time of others
  harness.advance_clock_to(9);
  harness.push(row("a", 2));
  EXPECT_THAT(harness.take_batches(), IsEmpty());
  harness.restart();
  harness.advance_clock_to(10);
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+I a [0,10) 2 3"));
  harness.advance_clock_to(35);
  harness.push(row("b", 4));
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+I b [30,40) 1 4"));
}

TEST(WindowClockTest, WindowsThatAreOverFireInFrontOfNewRows) {
  OperatorHarness harness(factory_of(by_the_clock(hopping(10ms, 5ms))));
  harness.push(row("a", 1));
  harness.push(row("b", 1));
  harness.restart();
  harness.clock().advance_to_ms(27);  // nobody was woken
  harness.push(row("a", 2));
  EXPECT_THAT(texts_of(harness.take_batches()),
              UnorderedElementsAre("+I a [-5,5) 1 1", "+I b [-5,5) 1 1", "+I a [0,10) 1 1",
                                   "+I b [0,10) 1 1"));
  harness.advance_clock_to(40);
  const auto rest = texts_of(harness.take_batches());
  EXPECT_THAT(rest, ElementsAre("+I a [20,30) 1 2", "+I a [25,35) 1 2"));
  EXPECT_EQ(harness.counter("rows_late"), 0);
}

TEST(WindowClockTest, SessionsEndByTheClock) {
  OperatorHarness harness(factory_of(by_the_clock(session(10ms))));
  harness.push(row("a", 1));
  harness.advance_clock_to(10);
  harness.push(row("a", 2));
  harness.push(row("b", 3));
  harness.advance_clock_to(20);
  EXPECT_THAT(harness.take_batches(), IsEmpty());
  harness.advance_clock_to(21);
  EXPECT_THAT(texts_of(harness.take_batches()),
              UnorderedElementsAre("+I a [0,20) 2 3", "+I b [10,20) 1 3"));
}

TEST(WindowClockTest, LittleCredit) {
  HarnessOptions small;
  small.credit_rows = 1;
  OperatorHarness harness(factory_of(by_the_clock(cumulating(10ms, 5ms))), small);
  harness.push(batch_of_rows({{"a", 0, 1}, {"b", 0, 2}}));
  harness.clock().advance_to_ms(12);
  harness.push(row("a", 3));
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()),
              UnorderedElementsAre("+I a [0,5) 1 1", "+I b [0,5) 1 2", "+I a [0,10) 1 1",
                                   "+I b [0,10) 1 2", "+I a [10,15) 1 3", "+I a [10,20) 1 3"));
}

EventTime at(int month, int day, int hour) {
  return days_from_civil(2021, month, day) * kMsPerDay + hour * 3'600'000;
}

/// Days of Los Angeles; one has 23 hours, one 25.
TEST(WindowClockTest, DaysOfAZone) {
  WindowAggregateOptions options = options_for(tumbling(24h), {aggregate("COUNT")});
  options.time_zone = "America/Los_Angeles";
  options.window_time = LogicalType::timestamp_ltz(3);
  for (const auto& [month, day, first, last] :
       {std::tuple(3, 14, at(3, 14, 8), at(3, 15, 7)), {11, 7, at(11, 7, 7), at(11, 8, 8)}}) {
    OperatorHarness harness(factory_of(options));
    harness.push(batch_of_rows(
        {{"a", first - 1}, {"a", first}, {"a", last - 1}, {"a", last}, {"a", kNoTime}}));
    harness.advance(last - 1);
    EXPECT_EQ(texts_of(harness.take_batches()).size(), 1u);
    harness.advance(last);
    const std::vector<Batch> fired = harness.take_batches();
    ASSERT_EQ(fired.size(), 1u);
    const auto value = [&](int column) {
      return fired[0].column(column)->data()->GetValues<std::int64_t>(1)[0];
    };
    EXPECT_EQ(value(1), at(month, day, 0));
    EXPECT_EQ(value(2), at(month, day, 24));
    EXPECT_EQ(value(3), last - 1);
    EXPECT_EQ(value(4), 2);
    EXPECT_TRUE(fired[0].event_times().empty());
    EXPECT_EQ(harness.counter("rows_null_time"), 1);
    // Late by the zone's watermark, which a restored operator knows.
    harness.restart();
    harness.push(batch_of_rows({{"a", last - 1}}));
    EXPECT_EQ(harness.counter("rows_late"), 1);
  }
}

TEST(WindowClockTest, WindowTimeStandsBehindTheWindow) {
  WindowAggregateOptions options = options_for(tumbling(10ms), {aggregate("SUM", {2})});
  options.window_time = LogicalType::timestamp(3);
  const Outcome outcome = run(options, {{0, batch_of_rows({{"a", 3, 5}}), kMinWatermark}});
  EXPECT_THAT(outcome.rows, ElementsAre("+I a [0,10) 1970-01-01 00:00:00.009 5"));
  EXPECT_TRUE(allows_partial_aggregate(options));
  options.window_time = LogicalType(TypeKind::kBigInt);
  EXPECT_EQ(make_window_aggregate(options).status().code(), ErrorCode::kTypeMismatch);
}

TEST(WindowClockTest, Grain) {
  WindowAggregateOptions options = options_for(tumbling(1h), {aggregate("COUNT")});
  EXPECT_EQ(window_time_grain(options).step_ms, 3'600'000);
  options.time_zone = "Asia/Kolkata";
  EXPECT_EQ(window_time_grain(options).step_ms, 900'000);
  EXPECT_FALSE(allows_partial_aggregate(options));
  EXPECT_EQ(window_time_grain(by_the_clock(tumbling(1h))).step_ms, 0);
}

}  // namespace
}  // namespace tidegate::window_test
