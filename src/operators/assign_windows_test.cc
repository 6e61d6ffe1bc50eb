// SPDX-License-Identifier: Apache-2.0
#include "operators/assign_windows.h"

#include <arrow/array/array_base.h>
#include <gmock/gmock.h>

#include <chrono>

#include "tests/support/operator_harness.h"
#include "types/civil_time.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Columns: a key and a time in milliseconds.
Batch rows(std::string_view json, const char* type = "TIMESTAMP(3)") {
  return batch_of(schema_of(std::string("k STRING, ts ") + type), json);
}

OperatorFactory factory(const AssignWindowsOptions& options) {
  return [options] { return make_assign_windows(options); };
}

/// The rows of a batch with time columns as numbers: "a 15 [10, 20) 19".
std::vector<std::string> numbers(const std::vector<Batch>& batches) {
  std::vector<std::string> out;
  for (const Batch& batch : batches) {
    const auto time = [&](int column, std::int64_t row) {
      return std::to_string(batch.column(column)->data()->GetValues<std::int64_t>(1)[row]);
    };
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      out.push_back(std::string(row_kind_symbol(batch.row_kind(row))) + " " + time(1, row) + " [" +
                    time(2, row) + "," + time(3, row) + ") " + time(4, row));
    }
  }
  return out;
}

TEST(AssignWindowsTest, Tumble) {
  OperatorHarness harness(factory({.window = tumbling(10ms, 3ms), .time_column = 1}));
  harness.push(with_row_kinds(
      rows(R"([["a", 12], ["b", 13], ["c", null], ["d", -8]])"),
      {RowKind::kInsert, RowKind::kUpdateBefore, RowKind::kInsert, RowKind::kDelete}));
  EXPECT_THAT(numbers(harness.take_batches()),
              ElementsAre("+I 12 [3,13) 12", "-U 13 [13,23) 22", "-D -8 [-17,-7) -8"));
  EXPECT_EQ(harness.counter("rows_null_time"), 1);
  harness.advance(1000);
  harness.push(rows(R"([["a", 12]])"));
  EXPECT_THAT(numbers(harness.take_batches()), ElementsAre("+I 12 [3,13) 12"));
}

TEST(AssignWindowsTest, HopGivesTheLatestWindowFirstAndCumulateTheShortest) {
  OperatorHarness hop(factory({.window = hopping(10ms, 5ms), .time_column = 1}));
  hop.push(rows(R"([["a", 7], ["b", 0]])"));
  EXPECT_THAT(numbers(hop.take_batches()),
              ElementsAre("+I 7 [5,15) 14", "+I 7 [0,10) 9", "+I 0 [0,10) 9", "+I 0 [-5,5) 4"));
  OperatorHarness cumulate(factory({.window = cumulating(15ms, 5ms), .time_column = 1}));
  cumulate.push(rows(R"([["a", 7]])"));
  EXPECT_THAT(numbers(cumulate.take_batches()), ElementsAre("+I 7 [0,10) 9", "+I 7 [0,15) 14"));
  OperatorHarness gaps(factory({.window = hopping(2ms, 5ms), .time_column = 1}));
  gaps.push(rows(R"([["a", 3], ["b", 6]])"));
  EXPECT_THAT(numbers(gaps.take_batches()), ElementsAre("+I 6 [5,7) 6"));
}

TEST(AssignWindowsTest, FinerTimesAndManyWindows) {
  const Script script = {
      {0, rows(R"([["a", -1], ["b", 1999], ["c", null]])", "TIMESTAMP(6)"), kMinWatermark}};
  const AssignWindowsOptions options{.window = hopping(20000ms, 1ms), .time_column = 1};
  EXPECT_EQ(expect_same_under_chaos(factory(options), script, true, 1).size(), 40000u);
  OperatorHarness tumble(factory({.window = tumbling(1ms), .time_column = 1}));
  tumble.push(script[0].batch);
  EXPECT_THAT(numbers(tumble.take_batches()), ElementsAre("+I -1 [-1,0) -1", "+I 1999 [1,2) 1"));
}

TEST(AssignWindowsTest, InstantsAreAlignedInTheZone) {
  // Days of Shanghai begin at 16:00 UTC.
  OperatorHarness harness(factory({.window = tumbling(24h),
                                   .time_column = 1,
                                   .window_time = LogicalType::timestamp_ltz(3),
                                   .time_zone = "Asia/Shanghai"}));
  constexpr EventTime kHour = 3'600'000;
  harness.push(rows("[[\"a\", " + std::to_string(16 * kHour) + "]]", "TIMESTAMP_LTZ(3)"));
  const auto day = std::to_string(24 * kHour);
  EXPECT_THAT(numbers(harness.take_batches()),
              ElementsAre("+I " + std::to_string(16 * kHour) + " [" + day + "," +
                          std::to_string(48 * kHour) + ") " + std::to_string(40 * kHour - 1)));
  EXPECT_EQ(make_assign_windows({.window = tumbling(1ms), .time_zone = "Nowhere"}).status().code(),
            ErrorCode::kUnknownName);
}

TEST(AssignWindowsTest, ProcessingTimeIsTheClock) {
  HarnessOptions at;
  at.wall_ms = 25;
  OperatorHarness harness(
      factory({.window = tumbling(10ms), .window_time = LogicalType::timestamp_ltz(3)}), at);
  harness.push(rows(R"([["a", 1]])"));
  harness.advance_clock_to(30);
  harness.push(rows(R"([["a", null]])").slice(0, 1));
  const auto out = numbers(harness.take_batches());
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0], "+I 1 [20,30) 29");
  EXPECT_THAT(out[1], ::testing::EndsWith("[30,40) 39"));
}

AssignWindowsOptions sessions(std::vector<int> keys, int time_column = 1) {
  return {.window = session(10ms),
          .time_column = time_column,
          .types = {LogicalType::string(), LogicalType::timestamp(3)},
          .keys = std::move(keys),
          .late_output = 0};
}

TEST(AssignSessionsTest, RowsLeaveWithTheirSessionInOrderOfArrival) {
  OperatorHarness harness(factory(sessions({0})));
  harness.push(rows(R"([["a", 0], ["b", 5], ["a", 20], ["a", null], ["a", 10]])"));
  harness.advance(15);
  EXPECT_THAT(harness.take_batches(), IsEmpty());
  harness.push(
      with_row_kinds(rows(R"([["a", 1], ["b", 3]])"), {RowKind::kDelete, RowKind::kInsert}));
  harness.restart();
  harness.advance(16);
  EXPECT_THAT(numbers(harness.take_batches()), ElementsAre("+I 5 [3,15) 14", "+I 3 [3,15) 14"));
  harness.push(rows(R"([["b", 5], ["b", 6]])"));
  EXPECT_THAT(harness.take_side(0), ElementsAre("+I[b, 1970-01-01 00:00:00.005]"));
  harness.finish();
  EXPECT_THAT(numbers(harness.take_batches()),
              ElementsAre("+I 6 [6,16) 15", "+I 0 [0,30) 29", "+I 20 [0,30) 29", "+I 10 [0,30) 29",
                          "-D 1 [0,30) 29"));
  EXPECT_EQ(harness.counter("rows_late"), 1);
}

TEST(AssignSessionsTest, ResultsDoNotDependOnHowRowsWereCut) {
  Script script;
  for (int step = 0; step < 10; ++step) {
    std::string json;
    for (int i = step * 20; i < step * 20 + 20; ++i) {
      const int time = i * 4 + (i % 7 == 0 ? 30 : 0) - (i % 5) * 3;
      json += std::string(json.empty() ? "[" : ",") + "[\"" + (i % 2 == 0 ? "a" : "b") + "\", " +
              std::to_string(time) + "]";
    }
    script.push_back({0, rows(json + "]"), kMinWatermark});
    script.push_back({0, Batch(), step * 80});
  }
  for (const std::vector<int>& keys : {std::vector<int>(), {0}}) {
    EXPECT_EQ(expect_same_under_chaos(factory(sessions(keys)), script, true, 3).size(), 200u);
  }
}

TEST(AssignSessionsTest, ByTheClock) {
  AssignWindowsOptions options = sessions({0}, -1);
  options.window_time = LogicalType::timestamp_ltz(3);
  OperatorHarness harness(factory(options));
  harness.push(rows(R"([["a", 1]])"));
  harness.advance_clock_to(8);
  harness.push(rows(R"([["a", 2], ["b", 3]])"));
  harness.advance_clock_to(18);
  EXPECT_THAT(harness.take_batches(), IsEmpty());
  harness.restart();
  harness.advance_clock_to(19);
  EXPECT_THAT(numbers(harness.take_batches()),
              ElementsAre("+I 1 [0,18) 17", "+I 2 [0,18) 17", "+I 3 [8,18) 17"));
  harness.push(rows(R"([["a", 4]])"));
  harness.finish();
  EXPECT_THAT(numbers(harness.take_batches()), ElementsAre("+I 4 [19,29) 28"));
}

}  // namespace
}  // namespace tidegate
