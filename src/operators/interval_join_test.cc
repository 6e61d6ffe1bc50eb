// SPDX-License-Identifier: Apache-2.0
#include "operators/interval_join.h"

#include <arrow/array/array_primitive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT, t BIGINT");
  return kSchema;
}

JoinInput input() {
  JoinInput side;
  for (const Field& field : schema()->fields()) side.types.push_back(field.type);
  side.keys = {0};
  side.time_column = 2;
  return side;
}

IntervalJoinOptions options(JoinKind kind, std::int64_t lower, std::int64_t upper) {
  IntervalJoinOptions all;
  all.left = input();
  all.right = input();
  all.kind = kind;
  all.lower_ms = lower;
  all.upper_ms = upper;
  return all;
}

OperatorFactory factory(IntervalJoinOptions options) {
  return [options = std::move(options)] { return make_interval_join(options); };
}

Batch rows(std::string_view json) { return batch_of(schema(), json); }

TEST(IntervalJoin, BoundsAreInclusiveByDefault) {
  OperatorHarness harness(factory(options(JoinKind::kInner, -2, 3)));
  harness.push(0, rows(R"([["a", 1, 100]])"));
  harness.push(1, rows(R"([["a", 7, 97], ["a", 8, 98], ["a", 9, 103], ["a", 10, 104]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, 100, a, 8, 98] @100", "+I[a, 1, 100, a, 9, 103] @103"));
}

TEST(IntervalJoin, BoundsMayBeExclusive) {
  IntervalJoinOptions exclusive = options(JoinKind::kInner, -2, 3);
  exclusive.lower_inclusive = false;
  exclusive.upper_inclusive = false;
  OperatorHarness harness(factory(exclusive));
  harness.push(1, rows(R"([["a", 8, 98], ["a", 9, 99], ["a", 10, 102], ["a", 11, 103]])"));
  harness.push(0, rows(R"([["a", 1, 100]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, 100, a, 9, 99] @100", "+I[a, 1, 100, a, 10, 102] @102"));
}

TEST(IntervalJoin, KeysMustBeEqualAndNotNull) {
  OperatorHarness harness(factory(options(JoinKind::kInner, -5, 5)));
  harness.push(0, rows(R"([["a", 1, 100], [null, 2, 100]])"));
  harness.push(1, rows(R"([["b", 7, 100], [null, 8, 100]])"));
  EXPECT_THAT(harness.take_rows(), IsEmpty());
}

TEST(IntervalJoin, OuterRowsComeOnceWhenNothingCanMatch) {
  OperatorHarness harness(factory(options(JoinKind::kFull, 0, 4)));
  harness.push(0, rows(R"([["a", 1, 100], ["b", 2, 100], [null, 3, 101]])"));
  harness.push(1, rows(R"([["a", 7, 104], ["c", 8, 100]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[null, 3, 101, null, null, null] @101",
                                               "+I[a, 1, 100, a, 7, 104] @104"));
  harness.advance(100);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  // The right row goes first: no left row may come later than it.
  harness.advance(101);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[null, null, null, c, 8, 100] @100"));
  harness.advance(104);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance(105);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[b, 2, 100, null, null, null] @100"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), IsEmpty());
}

TEST(IntervalJoin, RowsThatCannotMatchAnyMoreAreNotKept) {
  // Right rows stand 10 to 20 before their left row.
  OperatorHarness harness(factory(options(JoinKind::kLeft, -20, -10)));
  harness.advance(100);
  harness.push(0, rows(R"([["a", 1, 105]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 105, null, null, null] @105"));
  harness.push(1, rows(R"([["a", 7, 100]])"));
  harness.push(0, rows(R"([["a", 2, 110], ["a", 3, 121]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 2, 110, a, 7, 100] @110"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 3, 121, null, null, null] @121"));
}

TEST(IntervalJoin, LateRowsAreCountedAndSentAside) {
  IntervalJoinOptions with_side = options(JoinKind::kFull, -5, 5);
  with_side.right.late_output = 0;
  OperatorHarness harness(factory(with_side));
  harness.push(0, rows(R"([["a", 1, 98]])"));
  harness.advance(100);
  harness.push(1, rows(R"([["a", 7, 99], ["a", 8, 100]])"));
  harness.push(0, rows(R"([["a", 2, 99]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 98, a, 8, 100] @100"));
  EXPECT_THAT(harness.take_side(0), ElementsAre("+I[a, 7, 99]"));
  EXPECT_EQ(harness.counter("rows_late"), 2);
}

TEST(IntervalJoin, RowsWithoutTimeAreCounted) {
  OperatorHarness harness(factory(options(JoinKind::kFull, -5, 5)));
  harness.push(0, rows(R"([["a", 1, null]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  EXPECT_EQ(harness.counter("rows_null_time"), 1);
}

TEST(IntervalJoin, HoldsTheWatermarkBack) {
  const auto output_watermark = [](JoinKind kind, std::int64_t lower, std::int64_t upper) {
    OperatorHarness harness(factory(options(kind, lower, upper)));
    harness.advance(1000);
    return harness.output_watermark();
  };
  EXPECT_EQ(output_watermark(JoinKind::kInner, -10, 30), 970);
  EXPECT_EQ(output_watermark(JoinKind::kInner, -10, -5), 990);
  EXPECT_EQ(output_watermark(JoinKind::kInner, 0, 0), 1000);
  EXPECT_EQ(output_watermark(JoinKind::kLeft, 0, 39), 1000 - 39 - 9);
}

TEST(IntervalJoin, OutputIsNeverBehindItsWatermark) {
  // Every row of the output, by either side's time, at any watermark on the way.
  for (const JoinKind kind : {JoinKind::kInner, JoinKind::kFull}) {
    OperatorHarness harness(factory(options(kind, -7, 13)));
    Random random(3);
    for (std::int64_t now = 0; now < 2000; now += 1 + static_cast<std::int64_t>(random.below(9))) {
      const EventTime watermark = harness.output_watermark();
      harness.push(static_cast<int>(random.below(2)),
                   rows(fmt::format(R"([["k{}", 1, {}]])", random.below(3), now + 3)));
      harness.advance(now);
      for (const Batch& batch : harness.take_batches()) {
        for (const std::string& row : text_rows(batch)) EXPECT_THAT(row, HasSubstr("@"));
        for (const EventTime time : batch.event_times()) EXPECT_GE(time, watermark);
      }
    }
  }
}

TEST(IntervalJoin, ConditionDecidesWhatMatches) {
  IntervalJoinOptions conditional = options(JoinKind::kFull, -5, 5);
  // Keeps pairs whose values are equal.
  conditional.condition = [](const Batch& joined, std::vector<std::int32_t>& holds) {
    for (std::int32_t row = 0; row < joined.num_rows(); ++row) {
      const std::string text = text_rows(joined.slice(row, 1))[0];
      const auto field = [&](int n) {
        std::size_t at = text.find('[') + 1;
        for (; n > 0; --n) at = text.find(", ", at) + 2;
        return text.substr(at, text.find_first_of(",]", at) - at);
      };
      if (field(1) == field(4) && field(1) != "null") holds.push_back(row);
    }
    return Status::ok();
  };
  OperatorHarness harness(factory(conditional));
  harness.push(0, rows(R"([["a", 1, 100], ["a", 2, 100], ["a", 3, 100]])"));
  harness.push(1, rows(R"([["a", 2, 101], ["a", 9, 101]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 2, 100, a, 2, 101] @101"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), UnorderedElementsAre("+I[a, 1, 100, null, null, null] @100",
                                                        "+I[a, 3, 100, null, null, null] @100",
                                                        "+I[null, null, null, a, 9, 101] @101"));
}

TEST(IntervalJoin, ExplodesInPieces) {
  HarnessOptions few;
  few.credit_rows = 1;
  OperatorHarness harness(factory(options(JoinKind::kInner, -5, 5)), few);
  std::string many;
  for (int i = 0; i < 300; ++i) many += fmt::format(R"({}["a", {}, 100])", i > 0 ? "," : "", i);
  harness.push(0, rows("[" + many + "]"));
  harness.push(1, rows("[" + many + "]"));
  EXPECT_EQ(harness.take_rows().size(), 90'000u);
  EXPECT_EQ(harness.rows_beyond_credit(), 0);
}

TEST(IntervalJoin, RefusesWhatItCannotDo) {
  OperatorHarness harness(factory(options(JoinKind::kInner, -5, 5)));
  const Status status =
      harness.try_push(0, with_row_kinds(rows(R"([["a", 1, 100]])"), {RowKind::kDelete}));
  EXPECT_EQ(status.code(), ErrorCode::kInvalidPlan);
  EXPECT_THAT(status.message(), HasSubstr("-D"));
  EXPECT_EQ(make_interval_join(options(JoinKind::kAnti, 0, 1)).status().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(make_interval_join(options(JoinKind::kInner, 2, 1)).status().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(make_interval_join(options(JoinKind::kInner, INT64_MIN + 1, 1)).status().code(),
            ErrorCode::kInvalidArgument);
  IntervalJoinOptions uneven = options(JoinKind::kInner, 0, 1);
  uneven.right.keys = {};
  EXPECT_EQ(make_interval_join(uneven).status().code(), ErrorCode::kInvalidArgument);
  uneven.right.keys = {1};
  EXPECT_EQ(make_interval_join(uneven).status().code(), ErrorCode::kTypeMismatch);
}

/// The same join, over all rows at once.
struct ModelRow {
  int side;
  std::optional<std::string> key;
  std::int64_t value;
  EventTime time;
};

std::vector<std::string> model(const std::vector<ModelRow>& all, JoinKind kind, std::int64_t lower,
                               std::int64_t upper) {
  const auto text = [](const ModelRow* row) {
    return row == nullptr
               ? std::string("null, null, null")
               : fmt::format("{}, {}, {}", row->key.value_or("null"), row->value, row->time);
  };
  std::vector<std::string> out;
  std::vector<bool> matched(all.size());
  for (std::size_t l = 0; l < all.size(); ++l) {
    for (std::size_t r = 0; r < all.size(); ++r) {
      if (all[l].side != 0 || all[r].side != 1 || !all[l].key || all[l].key != all[r].key) continue;
      const std::int64_t distance = all[r].time - all[l].time;
      if (distance < lower || distance > upper) continue;
      matched[l] = matched[r] = true;
      out.push_back(fmt::format("+I[{}, {}] @{}", text(&all[l]), text(&all[r]),
                                std::max(all[l].time, all[r].time)));
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool outer =
        kind == JoinKind::kFull || kind == (all[i].side == 0 ? JoinKind::kLeft : JoinKind::kRight);
    if (!outer || matched[i]) continue;
    out.push_back(fmt::format("+I[{}, {}] @{}", text(all[i].side == 0 ? &all[i] : nullptr),
                              text(all[i].side == 1 ? &all[i] : nullptr), all[i].time));
  }
  std::ranges::sort(out);
  return out;
}

TEST(IntervalJoin, AgreesWithTheModelUnderChaos) {
  const std::pair<std::int64_t, std::int64_t> kBounds[] = {{-3, 8}, {0, 0}, {5, 25}, {-40, -10}};
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Random random(seed);
    const auto [lower, upper] = kBounds[seed % 4];
    const auto kind = static_cast<JoinKind>(seed % 4);
    std::vector<ModelRow> kept;
    Script script;
    EventTime watermark = kMinWatermark;
    for (EventTime now = 0; now < 150; now += 15) {
      for (int batches = 0; batches < 3; ++batches) {
        const int side = static_cast<int>(random.below(2));
        std::string json;
        for (int i = 0; i < 5; ++i) {
          ModelRow row{side, std::nullopt, static_cast<std::int64_t>(random.below(1000)),
                       now + static_cast<std::int64_t>(random.below(40)) - 20};
          if (random.below(8) > 0) row.key = fmt::format("k{}", random.below(3));
          json += fmt::format("{}[{}, {}, {}]", json.empty() ? "" : ",",
                              row.key ? "\"" + *row.key + "\"" : "null", row.value, row.time);
          if (row.time >= watermark) kept.push_back(row);
        }
        script.push_back({side, rows("[" + json + "]"), kMinWatermark});
      }
      watermark = now - 10;
      script.push_back({0, {}, watermark});
    }
    std::vector<std::string> got =
        expect_same_under_chaos(factory(options(kind, lower, upper)), script, true, 2);
    std::ranges::sort(got);
    EXPECT_EQ(got, model(kept, kind, lower, upper)) << seed;
  }
}

IntervalJoinOptions exact(JoinKind kind, std::int64_t lower, std::int64_t upper) {
  IntervalJoinOptions all = options(kind, lower, upper);
  all.exact_times = true;
  return all;
}

TEST(IntervalJoin, ExactTimesLetRowsGoToTheMillisecond) {
  OperatorHarness harness(factory(exact(JoinKind::kFull, 0, 10)));
  harness.push(0, rows(R"([["a", 1, 100], [null, 2, 101]])"));
  harness.push(1, rows(R"([["b", 3, 105]])"));
  harness.advance(105);
  EXPECT_THAT(harness.take_rows(), IsEmpty()) << "a left row of 105 may still come";
  harness.push(0, rows(R"([["b", 4, 105], ["b", 5, 106]])"));
  harness.advance(106);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[null, null, null, b, 3, 105] @105"))
      << "a row at the watermark is late";
  harness.restart();
  harness.advance(110);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance(111);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 100, null, null, null] @100"));
  harness.advance(112);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[null, 2, 101, null, null, null] @101"))
      << "keys with nulls wait like others";
}

TEST(IntervalJoin, ExactTimesOfEqualTimesLeaveAtTheWatermark) {
  OperatorHarness harness(factory(exact(JoinKind::kLeft, 0, 0)));
  harness.push(0, rows(R"([["a", 1, 100]])"));
  harness.advance(99);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance(100);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1, 100, null, null, null] @100"));
}

TEST(IntervalJoin, SemiTellsALeftRowOnce) {
  for (const bool conditional : {false, true}) {
    IntervalJoinOptions semi = exact(JoinKind::kSemi, 0, 10);
    if (conditional) {
      semi.condition = [](const Batch& joined, std::vector<std::int32_t>& kept) {
        const auto& left = static_cast<const arrow::Int64Array&>(*joined.column(1));
        const auto& right = static_cast<const arrow::Int64Array&>(*joined.column(4));
        for (std::int32_t row = 0; row < joined.num_rows(); ++row) {
          if (left.Value(row) < right.Value(row)) kept.push_back(row);
        }
        return Status::ok();
      };
    }
    OperatorHarness harness(factory(semi));
    harness.push(1, rows(R"([["a", 7, 101], ["a", 8, 102]])"));
    harness.push(0, rows(R"([["a", 1, 100], ["b", 2, 100], ["c", 3, 100]])"));
    harness.restart();
    harness.push(1, rows(R"([["b", 1, 103], ["b", 9, 104], ["b", 9, 105]])"));
    harness.push(1, rows(R"([["b", 9, 106]])"));
    harness.finish();
    EXPECT_THAT(harness.take_rows(),
                ElementsAre("+I[a, 1, 100] @101",
                            conditional ? "+I[b, 2, 100] @104" : "+I[b, 2, 100] @103"));
  }
}

}  // namespace
}  // namespace tidegate
