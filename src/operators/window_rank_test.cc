// SPDX-License-Identifier: Apache-2.0
#include "operators/window_rank.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT, id BIGINT, ws BIGINT, we BIGINT");
  return kSchema;
}
Batch rows(std::string_view json) { return batch_of(schema(), json); }

WindowRankOptions options(std::int64_t start, std::int64_t end, bool number) {
  WindowRankOptions all;
  for (const Field& field : schema()->fields()) all.types.push_back(field.type);
  all.keys = {0};
  all.window_start_column = 3;
  all.window_end_column = 4;
  all.order = {{.column = 1}};
  all.rank_start = start;
  all.rank_end = end;
  all.emit_rank_number = number;
  return all;
}

OperatorFactory factory(WindowRankOptions options) {
  return [options = std::move(options)] { return make_window_rank(options); };
}

TEST(WindowRank, EmitsTheTopWhenTheWindowCloses) {
  OperatorHarness harness(factory(options(1, 2, true)));
  harness.push(rows(R"([["a", 5, 1, 0, 10], ["a", 3, 2, 0, 10], ["a", 3, 3, 0, 10],
                        ["b", null, 4, 0, 10], ["a", 1, 5, 5, 15], ["a", 9, 6, 0, 20]])"));
  harness.advance(9);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.restart();
  harness.push(rows(R"([["a", 3, 7, 0, 10]])"));
  harness.advance(10);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 3, 2, 0, 10, 1]", "+I[a, 3, 3, 0, 10, 2]",
                                               "+I[b, null, 4, 0, 10, 1]"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 5, 5, 15, 1]", "+I[a, 9, 6, 0, 20, 1]"));
}

TEST(WindowRank, AmongTiesTheEarliestOrTheLatest) {
  for (const bool latest : {false, true}) {
    WindowRankOptions first = options(1, 1, false);
    first.latest_of_ties_first = latest;
    OperatorHarness harness(factory(first));
    harness.push(rows(R"([["a", 5, 1, 0, 10], ["a", 5, 2, 0, 10], ["a", 6, 3, 0, 10]])"));
    harness.finish();
    EXPECT_THAT(harness.take_rows(),
                ElementsAre(latest ? "+I[a, 5, 2, 0, 10]" : "+I[a, 5, 1, 0, 10]"));
  }
}

TEST(WindowRank, LateRowsAreLeftOut) {
  WindowRankOptions top = options(2, 3, false);
  top.late_output = 1;
  OperatorHarness harness(factory(top));
  harness.advance(10);
  harness.push(with_event_times(rows(R"([["a", 5, 1, 0, 10], ["a", 5, 2, 5, 11],
                                         ["a", 4, 3, 5, 11], ["a", 1, 4, 5, null]])"),
                                {1, 2, 3, 4}));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 5, 2, 5, 11] @2"));
  EXPECT_THAT(harness.take_side(1), ElementsAre("+I[a, 5, 1, 0, 10] @1"));
  EXPECT_EQ(harness.counter("rows_late"), 1);
  EXPECT_EQ(harness.counter("rows_null_time"), 1);
}

TEST(WindowRank, SaysWhatItCannotDo) {
  EXPECT_EQ(make_window_rank(options(0, 1, false)).status().code(), ErrorCode::kInvalidArgument);
  WindowRankOptions none = options(1, 1, false);
  none.window_end_column = -1;
  EXPECT_EQ(make_window_rank(none).status().code(), ErrorCode::kInvalidArgument);
  OperatorHarness harness(factory(options(1, 1, false)));
  EXPECT_EQ(
      harness.try_push(with_row_kinds(rows(R"([["a", 5, 1, 0, 10]])"), {RowKind::kUpdateAfter}))
          .code(),
      ErrorCode::kInvalidPlan);
}

TEST(WindowRank, AgreesWithTheModelUnderChaos) {
  Random random(8);
  Script script;
  // By end of the window, then start and key; rows by value, ties by arrival.
  std::map<std::tuple<EventTime, EventTime, std::string>, std::multimap<std::int64_t, int>> model;
  EventTime watermark = 0;
  for (int id = 0; id < 150; ++id) {
    const auto time = static_cast<EventTime>(id / 4 + static_cast<int>(random.below(12)));
    const EventTime window_start = time / 10 * 10;
    const EventTime window_end = window_start + 10;
    const std::string key(1, static_cast<char>('a' + random.below(3)));
    const auto value = static_cast<std::int64_t>(random.below(5));
    script.push_back(
        {0,
         rows(fmt::format(R"([["{}", {}, {}, {}, {}]])", key, value, id, window_start, window_end)),
         kMinWatermark});
    if (window_end > watermark) {
      model[{window_end, window_start, key}].emplace(value, id);
    }
    if (id % 10 == 9) script.push_back({0, {}, watermark = id / 4 - 2});
  }
  std::vector<std::string> expected;
  for (const auto& [group, members] : model) {
    std::int64_t rank = 0;
    for (const auto& [value, id] : members) {
      if (++rank < 2 || rank > 3) continue;
      expected.push_back(fmt::format("+I[{}, {}, {}, {}, {}, {}]", std::get<2>(group), value, id,
                                     std::get<1>(group), std::get<0>(group), rank));
    }
  }
  EXPECT_EQ(expect_same_under_chaos(factory(options(2, 3, true)), script, true, 2), expected);
}

}  // namespace
}  // namespace tidegate
