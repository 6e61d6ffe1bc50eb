// SPDX-License-Identifier: Apache-2.0
#include "runtime/watermark_assigner.h"

#include <arrow/array/builder_time.h>

#include "base/random.h"
#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const Schema& schema() {
  static const SchemaPtr schema = row_schema();
  return *schema;
}

Batch at_times(const std::vector<EventTime>& times) {
  Rows rows;
  for (EventTime time : times) rows.push_back({0, time, 0});
  return batch_of(rows);
}

std::vector<WatermarkAssigner::Piece> assign(WatermarkAssigner& assigner, Batch batch) {
  std::vector<WatermarkAssigner::Piece> pieces;
  const Status status = assigner.assign(std::move(batch), 0, pieces);
  EXPECT_THAT(status, IsOk());
  return pieces;
}

TEST(WatermarkAssignerTest, BatchesInOrderAreNotCut) {
  const WatermarkStrategy strategy = by_column(5);
  WatermarkAssigner assigner(strategy, {10, 0}, schema());
  const auto pieces = assign(assigner, at_times({1, 20, 300, 4'000}));
  ASSERT_THAT(pieces, SizeIs(1));
  EXPECT_EQ(pieces[0].watermark, 3'995);
  EXPECT_THAT(pieces[0].batch.event_times(), ElementsAre(1, 20, 300, 4'000));
  EXPECT_EQ(assigner.max_time(), 4'000);
}

TEST(WatermarkAssignerTest, InclusiveRuleIsOneMillisecondFurther) {
  WatermarkStrategy strategy = by_column(5);
  strategy.inclusive = true;
  WatermarkAssigner assigner(strategy, {1, 0}, schema());
  EXPECT_EQ(assign(assigner, at_times({100}))[0].watermark, 96);
}

TEST(WatermarkAssignerTest, ExtremeTimesSaturate) {
  const WatermarkStrategy strategy = by_column(5);
  WatermarkAssigner assigner(strategy, {10, 3}, schema());
  EXPECT_EQ(assign(assigner, at_times({INT64_MIN, INT64_MIN + 2})).back().watermark, kMinWatermark);
  // No row can announce the end of all input.
  WatermarkStrategy ahead = by_column(-5);
  ahead.inclusive = true;
  WatermarkAssigner greedy(ahead, {1, 0}, schema());
  EXPECT_EQ(assign(greedy, at_times({INT64_MAX, 0})).back().watermark, kMaxWatermark - 1);
}

TEST(WatermarkAssignerTest, EmptyBatchesVanish) {
  const WatermarkStrategy strategy = by_column();
  WatermarkAssigner assigner(strategy, {1, 0}, schema());
  EXPECT_THAT(assign(assigner, Batch()), SizeIs(0));
}

TEST(WatermarkAssignerTest, RestoredWatermarkIsNotLeft) {
  const WatermarkStrategy strategy = by_column();
  WatermarkAssigner assigner(strategy, {10, 0}, schema(), 55, 57);
  EXPECT_EQ(assign(assigner, at_times({1, 2})).back().watermark, 55);
  EXPECT_EQ(assigner.max_time(), 57);
}

TEST(WatermarkAssignerTest, TimestampsOfEveryUnitRoundTowardsThePast) {
  const auto times_of = [](arrow::TimeUnit::type unit, std::vector<std::int64_t> values) {
    arrow::TimestampBuilder builder(arrow::timestamp(unit), arrow::default_memory_pool());
    EXPECT_TRUE(builder.AppendValues(values).ok());
    const auto column = builder.Finish().ValueOrDie();
    const WatermarkStrategy strategy = by_column();
    WatermarkAssigner assigner(strategy, {0, 0}, schema());
    const Batch whole(column->length(), {column, column, column});
    // A slice, whose buffer does not begin where its rows do.
    const auto pieces = assign(assigner, whole.slice(1, column->length() - 1));
    const auto times = pieces[0].batch.event_times();
    return std::vector<EventTime>(times.begin(), times.end());
  };
  EXPECT_THAT(times_of(arrow::TimeUnit::MILLI, {9, 1, -1}), ElementsAre(1, -1));
  EXPECT_THAT(times_of(arrow::TimeUnit::MICRO, {9, 1'999, -1, -1'000}), ElementsAre(1, -1, -1));
  EXPECT_THAT(times_of(arrow::TimeUnit::NANO, {9, 1'999'999, -1, INT64_MIN}),
              ElementsAre(1, -1, INT64_MIN / 1'000'000 - 1));
  EXPECT_THAT(times_of(arrow::TimeUnit::SECOND, {9, 2, -1}), ElementsAre(2'000, -1'000));
}

TEST(WatermarkAssignerTest, WhatIsNoTimeIsAnError) {
  const WatermarkStrategy strategy = by_column();
  WatermarkAssigner assigner(strategy, {1, 0}, schema());
  std::vector<WatermarkAssigner::Piece> pieces;
  arrow::Int64Builder nulls;
  ASSERT_TRUE(nulls.Append(1).ok() && nulls.AppendNull().ok());
  const auto column = nulls.Finish().ValueOrDie();
  const Status null = assigner.assign(Batch(2, {column, column, column}), 1'000, pieces);
  EXPECT_EQ(null.code(), ErrorCode::kNullKey);
  EXPECT_THAT(null.message(), HasSubstr("row 1002: the event time 'ts' is null"));

  arrow::Int32Builder ints;
  ASSERT_TRUE(ints.Append(1).ok());
  const auto int_column = ints.Finish().ValueOrDie();
  EXPECT_EQ(assigner.assign(Batch(1, {int_column, int_column, int_column}), 0, pieces).code(),
            ErrorCode::kTypeMismatch);

  WatermarkStrategy attached;
  attached.kind = WatermarkStrategy::Kind::kBoundedDisorder;
  WatermarkAssigner without(attached, {1, 0}, schema());
  EXPECT_EQ(without.assign(at_times({1}), 0, pieces).code(), ErrorCode::kInvalidPlan);
}

TEST(WatermarkAssignerTest, ExtractedTimes) {
  WatermarkStrategy strategy = by_column();
  strategy.column = -1;
  strategy.extract = [](const Batch& batch, EventTime* times) {
    for (const Row& row : rows_of(batch)) *times++ = row.ts * 10;
    return Status::ok();
  };
  WatermarkAssigner assigner(strategy, {1, 0}, schema());
  const auto pieces = assign(assigner, at_times({3, 4}));
  EXPECT_THAT(pieces[0].batch.event_times(), ElementsAre(30, 40));
  strategy.extract = [](const Batch&, EventTime*) -> Status { throw std::runtime_error("no"); };
  std::vector<WatermarkAssigner::Piece> none;
  EXPECT_EQ(assigner.assign(at_times({3}), 0, none).code(), ErrorCode::kUserFunctionFailed);
}

// Any way of cutting the input gives the same rows behind the same points of the grain.
TEST(WatermarkAssignerTest, AnyCutGivesTheSame) {
  for (const TimeGrain grain :
       {TimeGrain{1, 0}, TimeGrain{10, 3}, TimeGrain{100, 0}, TimeGrain{7, 2, true}}) {
    Random random(7);
    std::vector<EventTime> times;
    for (std::int64_t i = 0; i < 500; ++i)
      times.push_back(i * 2 - static_cast<std::int64_t>(random.below(60)));
    const WatermarkStrategy strategy = by_column(10);
    std::vector<EventTime> expected;  // by row: the point that has been announced in front of it
    EventTime watermark = kMinWatermark;
    EventTime announced = kMinWatermark;
    for (EventTime time : times) {
      const EventTime point = grain.floor(watermark);
      // Rows that are not behind a point may come in front of it, unless order matters.
      if (time < point || grain.orders_rows) announced = point;
      expected.push_back(time < point || grain.orders_rows ? announced : kMinWatermark);
      watermark = std::max(watermark, time - 10);
    }
    for (std::size_t cut : {std::size_t{1}, std::size_t{3}, std::size_t{50}, std::size_t{500}}) {
      WatermarkAssigner assigner(strategy, grain, schema());
      EventTime seen = kMinWatermark;
      std::size_t row = 0;
      for (std::size_t begin = 0; begin < times.size(); begin += cut) {
        const std::size_t end = std::min(times.size(), begin + cut);
        const std::vector<EventTime> part(times.begin() + static_cast<std::ptrdiff_t>(begin),
                                          times.begin() + static_cast<std::ptrdiff_t>(end));
        for (const auto& piece : assign(assigner, at_times(part))) {
          for (EventTime time : piece.batch.event_times()) {
            ASSERT_EQ(time, times[row]);
            if (expected[row] != kMinWatermark) {
              EXPECT_EQ(seen, expected[row]) << "row " << row;
            }
            ++row;
          }
          seen = std::max(seen, grain.floor(piece.watermark));
        }
      }
      EXPECT_EQ(row, times.size());
      EXPECT_EQ(assigner.watermark(), watermark);
    }
  }
}

}  // namespace
}  // namespace tidegate::runtime_test
