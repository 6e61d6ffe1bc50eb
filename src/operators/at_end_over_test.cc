// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "operators/over_test_model.h"

namespace tidegate::over_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(AtEndOver, EveryFunctionKnowsItsPartition) {
  const auto of = [](Kind kind, std::int64_t offset = 1) {
    return OverFunction{.kind = kind, .argument = 3, .offset = offset, .default_column = -1};
  };
  OverAggregateOptions over =
      options(OverOrder::kAtEnd, {.following = {}},
              {aggregate("SUM"),
               of(Kind::kRowNumber),
               of(Kind::kRank),
               of(Kind::kDenseRank),
               of(Kind::kNtile, 2),
               of(Kind::kCumeDist),
               of(Kind::kPercentRank),
               of(Kind::kLag),
               {.kind = Kind::kLead, .argument = 3, .offset = 2, .default_column = 1}});
  over.retracts = true;
  OperatorHarness harness(factory(over));
  harness.push(rows(R"([["a", 5, 2, 1], ["a", 3, null, 2], ["b", 5, 4, 3], ["a", 5, 2, 4],
                        ["a", 9, 7, 5], ["a", 9, 8, 6]])"));
  harness.push(with_row_kinds(rows(R"([["a", 9, 8, 6], ["a", 0, 0, 0]])"),
                              {RowKind::kDelete, RowKind::kUpdateBefore}));
  EXPECT_EQ(harness.counter("rows_not_found"), 1);
  harness.restart();
  harness.advance(50);
  EXPECT_THAT(harness.take_log(), IsEmpty()) << "no watermark either, or the rows would be late";
  harness.finish();
  EXPECT_THAT(harness.take_log(),
              ElementsAre("+I[a, 3, null, 2, 11, 1, 1, 1, 1, 0.25, 0, null, 4]",
                          "+I[a, 5, 2, 1, 11, 2, 2, 2, 1, 0.75, 0.3333333333333333, 2, 5]",
                          "+I[a, 5, 2, 4, 11, 3, 2, 2, 2, 0.75, 0.3333333333333333, 1, 5]",
                          "+I[a, 9, 7, 5, 11, 4, 4, 3, 2, 1, 1, 4, 9]",
                          "+I[b, 5, 4, 3, 4, 1, 1, 1, 1, 1, 0, null, 5]", "W max"));
}

/// SUM(v) of rows by ts at the end of the input, by id.
std::vector<std::string> sums_at_end(OverFrame frame, bool descending, bool retracting) {
  const SchemaPtr with_time = schema_of("k STRING, ts TIMESTAMP(3), v BIGINT, id BIGINT");
  OverAggregateOptions over = options(OverOrder::kAtEnd, frame, {aggregate("SUM", retracting)});
  over.types.clear();
  for (const Field& field : with_time->fields()) over.types.push_back(field.type);
  over.order = {{.column = 1, .descending = descending, .nulls_first = !descending}};
  OperatorHarness harness(factory(over));
  for (const char* key : {"a", "b"}) {
    harness.push(batch_of(with_time, fmt::format(R"([["{0}", 10, 1, 0], ["{0}", null, 2, 1],
        ["{0}", 14, 4, 2], ["{0}", 14, 8, 3], ["{0}", null, 16, 4], ["{0}", 20, 32, 5]])",
                                                 key)));
  }
  harness.finish();
  std::vector<std::string> sums(6);
  for (const std::string& row : harness.take_rows()) {
    const std::size_t end = row.rfind(',');
    std::string& sum = sums[static_cast<std::size_t>(row[end - 1] - '0')];
    const std::string of_row = row.substr(end + 2, row.size() - end - 3);
    EXPECT_TRUE(sum.empty() || sum == of_row) << "both keys have the same rows";
    sum = of_row;
  }
  return sums;
}

TEST(AtEndOver, FramesMayGoBothWays) {
  for (const bool retracting : {false, true}) {
    const auto sums = [&](OverFrame frame, bool descending = false) {
      return sums_at_end(frame, descending, retracting);
    };
    // In order: nulls (2, 16), 10 (1), 14 (4, 8), 20 (32); the other way round when descending.
    EXPECT_THAT(sums({Unit::kRange, 4, 0}), ElementsAre("1", "18", "13", "13", "18", "32"));
    EXPECT_THAT(sums({Unit::kRange, 0, 6}), ElementsAre("13", "18", "44", "44", "18", "32"));
    EXPECT_THAT(sums({Unit::kRange, 4, 0}, true), ElementsAre("13", "18", "12", "12", "18", "32"));
    EXPECT_THAT(sums({Unit::kRange, {}, 4}), ElementsAre("31", "18", "31", "31", "18", "63"));
    EXPECT_THAT(sums({Unit::kRange, 0, {}}), ElementsAre("45", "63", "44", "44", "63", "32"));
    EXPECT_THAT(sums({Unit::kRange, -1, 4}), ElementsAre("12", "18", "null", "null", "18", "null"));
    EXPECT_THAT(sums({Unit::kRows, 1, 1}), ElementsAre("21", "18", "13", "44", "19", "40"));
    EXPECT_THAT(sums({Unit::kRows, -1, 2}), ElementsAre("12", "17", "40", "32", "5", "null"));
    EXPECT_THAT(sums({Unit::kRows, 3, -2}), ElementsAre("2", "null", "18", "17", "null", "5"));
  }
}

TEST(AtEndOver, GivesWhatByTimeGives) {
  Random random(23);
  const SchemaPtr with_time = schema_of("k STRING, ts TIMESTAMP(3), v BIGINT, id BIGINT");
  Script script;
  for (int id = 0; id < 200; ++id) {
    script.push_back({0,
                      batch_of(with_time, fmt::format(R"([["k{}", {}, {}, {}]])", random.below(3),
                                                      random.below(60), random.below(9), id)),
                      kMinWatermark});
  }
  for (const OverFrame& frame :
       {OverFrame{Unit::kRange, {}}, {Unit::kRange, 7}, {Unit::kRows, {}}, {Unit::kRows, 2}}) {
    OverAggregateOptions over =
        options(OverOrder::kAtEnd, frame,
                {aggregate("SUM"), aggregate("MAX", false), lag(2, 3), {.kind = Kind::kDenseRank}});
    over.types.clear();
    for (const Field& field : with_time->fields()) over.types.push_back(field.type);
    over.order = {{.column = 1}};
    std::vector<std::string> at_end = expect_same_under_chaos(factory(over), script, true, 1);
    over.over = OverOrder::kEventTime;
    std::vector<std::string> by_time = run_script(factory(over), script);
    std::ranges::sort(at_end);
    std::ranges::sort(by_time);
    EXPECT_EQ(at_end, by_time);
  }
}

}  // namespace
}  // namespace tidegate::over_test
