// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <tuple>

#include "operators/window_aggregate.h"
#include "operators/window_test_model.h"

namespace tidegate::window_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

WindowAggregateOptions attached_options() {
  WindowAggregateOptions options =
      options_for(Window(), {aggregate("COUNT"), aggregate("SUM", {3})});
  options.time_column = -1;
  options.window_start_column = 1;
  options.window_end_column = 2;
  options.late_output = 0;
  return options;
}

const SchemaPtr& schema() {
  static const SchemaPtr kSchema =
      schema_of("k STRING, window_start TIMESTAMP(3), window_end TIMESTAMP(3), n BIGINT");
  return kSchema;
}

Batch rows(std::string_view json) { return batch_of(schema(), json); }

TEST(AttachedWindowAggregateTest, WindowsFireAtTheirEnd) {
  OperatorHarness harness(factory_of(attached_options()));
  harness.push(rows(R"([["a", 0, 10, 1], ["b", 0, 10, 2], ["a", 0, 15, 3], ["a", 5, 10, 4],
                        ["a", 0, 10, 5], ["a", null, 10, 6], ["a", 0, null, 7]])"));
  harness.advance(9);
  EXPECT_THAT(harness.take_batches(), IsEmpty());
  harness.restart();
  harness.advance(10);
  EXPECT_THAT(sorted(texts_of(harness.take_batches())),
              ElementsAre("+I a [0,10) 2 6", "+I a [5,10) 1 4", "+I b [0,10) 1 2"));
  harness.push(rows(R"([["a", 0, 10, 8], ["a", 0, 15, 9]])"));
  EXPECT_EQ(harness.counter("rows_late"), 1);
  EXPECT_EQ(harness.take_side(0).size(), 1u);
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+I a [0,15) 2 12"));
  EXPECT_EQ(harness.counter("rows_null_time"), 2);
}

TEST(AttachedWindowAggregateTest, RowsAreTakenBack) {
  WindowAggregateOptions options = attached_options();
  options.retracts = true;
  OperatorHarness harness(factory_of(options));
  harness.push(with_row_kinds(
      rows(
          R"([["a", 0, 10, 1], ["b", 0, 10, 2], ["a", 0, 10, 1], ["b", 0, 10, 2], ["b", 0, 10, 5]])"),
      {RowKind::kInsert, RowKind::kInsert, RowKind::kDelete, RowKind::kUpdateBefore,
       RowKind::kUpdateAfter}));
  harness.finish();
  EXPECT_THAT(texts_of(harness.take_batches()), ElementsAre("+I b [0,10) 1 5"));
}

TEST(AttachedWindowAggregateTest, EqualsTheModel) {
  Random random(3);
  std::map<std::tuple<std::int64_t, std::string, std::int64_t>,
           std::pair<std::int64_t, std::int64_t>>
      open;
  std::vector<std::string> expected;
  Script script;
  const auto fire = [&](EventTime watermark) {
    while (!open.empty() && std::get<0>(open.begin()->first) <= watermark) {
      const auto& [key, sums] = *open.begin();
      expected.push_back(fmt::format("+I {} [{},{}) {} {}", std::get<1>(key), std::get<2>(key),
                                     std::get<0>(key), sums.first, sums.second));
      open.erase(open.begin());
    }
  };
  EventTime watermark = 0;
  script.push_back({0, Batch(), watermark});
  for (int step = 0; step < 40; ++step) {
    std::string json;
    for (int i = 0; i < 12; ++i) {
      const std::string key(1, static_cast<char>('a' + random.below(3)));
      const auto end =
          static_cast<EventTime>(watermark + 5 * static_cast<EventTime>(random.below(8)) - 5);
      const auto start = end - 5 - 5 * static_cast<EventTime>(random.below(2));
      const auto n = static_cast<std::int64_t>(random.below(9));
      json += fmt::format("{}[\"{}\", {}, {}, {}]", json.empty() ? "[" : ",", key, start, end, n);
      if (end <= watermark) continue;
      auto& sums = open[{end, key, start}];
      ++sums.first;
      sums.second += n;
    }
    script.push_back({0, rows(json + "]"), kMinWatermark});
    watermark += static_cast<EventTime>(random.below(12));
    script.push_back({0, Batch(), watermark});
    fire(watermark);
  }
  fire(kMaxWatermark);
  const Outcome outcome = run(attached_options(), script);
  EXPECT_EQ(difference(outcome.rows, expected), "");
  expect_same_under_chaos(factory_of(attached_options()), script, false, 1);
}

TEST(AttachedWindowAggregateTest, WrongOptionsAndTypes) {
  WindowAggregateOptions options = attached_options();
  options.emit = Emit::kOnEveryUpdate;
  EXPECT_EQ(make_window_aggregate(options).status().code(), ErrorCode::kNotSupported);
  options = attached_options();
  options.window_start_column = -1;
  EXPECT_EQ(make_window_aggregate(options).status().code(), ErrorCode::kInvalidArgument);
  OperatorHarness harness(factory_of(attached_options()));
  const SchemaPtr micros = schema_of("k STRING, s TIMESTAMP(6), e TIMESTAMP(3), n BIGINT");
  EXPECT_THAT(harness.try_push(batch_of(micros, R"([["a", 0, 1, 1]])")).to_string(),
              HasSubstr("TIMESTAMP(3)"));
  EXPECT_FALSE(allows_partial_aggregate(attached_options()));
}

}  // namespace
}  // namespace tidegate::window_test
