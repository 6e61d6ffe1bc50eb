// SPDX-License-Identifier: Apache-2.0
#include "operators/temporal_join.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

constexpr RowKind kI = RowKind::kInsert;
constexpr RowKind kUb = RowKind::kUpdateBefore;
constexpr RowKind kUa = RowKind::kUpdateAfter;
constexpr RowKind kD = RowKind::kDelete;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT, t BIGINT");
  return kSchema;
}

TemporalJoinOptions options(JoinKind kind, bool by_event_time = true) {
  TemporalJoinOptions all;
  for (JoinInput* side : {&all.left, &all.right}) {
    for (const Field& field : schema()->fields()) side->types.push_back(field.type);
    side->keys = {0};
    side->time_column = by_event_time ? 2 : -1;
  }
  all.kind = kind;
  all.by_event_time = by_event_time;
  return all;
}

OperatorFactory factory(TemporalJoinOptions options) {
  return [options = std::move(options)] { return make_temporal_join(options); };
}

Batch rows(std::string_view json) { return batch_of(schema(), json); }
Batch rows(const std::vector<RowKind>& kinds, std::string_view json) {
  return with_row_kinds(rows(json), kinds);
}

/// The second columns of both sides: left < right.
Status in_order(const Batch& pairs, std::vector<std::int32_t>& holds) {
  EXPECT_EQ(pairs.column(4)->null_count(), 0) << "only pairs";
  const auto* left = pairs.column(1)->data()->GetValues<std::int64_t>(1);
  const auto* right = pairs.column(4)->data()->GetValues<std::int64_t>(1);
  holds.clear();
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(pairs.num_rows()); ++i) {
    if (left[i] < right[i]) holds.push_back(i);
  }
  return Status::ok();
}

TEST(TemporalJoin, TakesTheVersionOfTheTime) {
  OperatorHarness harness(factory(options(JoinKind::kInner)));
  harness.push(0, rows(R"([["a", 5, 25], ["a", 1, 9], ["a", 2, 10], ["b", 3, 20], ["a", 4, 20]])"));
  harness.push(1, rows({kI, kUb, kUa, kI}, R"([["a", 70, 10], ["a", 70, 10], ["a", 80, 20],
                                               ["b", 90, 15]])"));
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.restart();
  harness.advance(20);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 2, 10, a, 70, 10] @10"));
  harness.restart(true);
  harness.advance(26);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 4, 20, a, 80, 20] @20", "+I[b, 3, 20, b, 90, 15] @20",
                          "+I[a, 5, 25, a, 80, 20] @25"));
  EXPECT_EQ(harness.output_watermark(), 26);
}

TEST(TemporalJoin, VersionsComeInAnyOrderAndTheLastOfATimeCounts) {
  OperatorHarness harness(factory(options(JoinKind::kInner)));
  harness.push(1, rows(R"([["a", 30, 30], ["a", 10, 10], ["a", 20, 20], ["a", 21, 20]])"));
  harness.push(1, rows(R"([["a", 11, 10], ["a", 31, 30]])"));
  harness.push(0, rows(R"([["a", 1, 5], ["a", 2, 15], ["a", 3, 25], ["a", 4, 35]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 2, 15, a, 11, 10] @15", "+I[a, 3, 25, a, 21, 20] @25",
                          "+I[a, 4, 35, a, 31, 30] @35"));
}

TEST(TemporalJoin, DeletionsEndVersions) {
  OperatorHarness harness(factory(options(JoinKind::kLeft)));
  harness.push(1, rows({kI, kD, kI}, R"([["a", 7, 10], ["a", 7, 20], ["a", 8, 30]])"));
  harness.push(
      0, rows({kI, kUa, kD, kI}, R"([["a", 1, 19], ["a", 2, 20], ["a", 3, 30], [null, 4, 30]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, 19, a, 7, 10] @19", "+U[a, 2, 20, null, null, null] @20",
                          "-D[a, 3, 30, a, 8, 30] @30", "+I[null, 4, 30, null, null, null] @30"));
}

TEST(TemporalJoin, ConditionsAndNulls) {
  for (const bool by_event_time : {true, false}) {
    for (const JoinKind kind : {JoinKind::kInner, JoinKind::kLeft}) {
      TemporalJoinOptions conditional = options(kind, by_event_time);
      conditional.condition = in_order;
      OperatorHarness harness(factory(conditional));
      harness.push(1, rows(R"([["a", 5, 1], [null, 9, 1]])"));
      harness.push(0, rows(R"([["a", 4, 2], ["a", 5, 3], ["b", 1, 4], [null, 1, 5]])"));
      harness.finish();
      std::vector<std::string> changes = harness.take_rows();
      for (std::string& change : changes) change = change.substr(0, change.find(" @"));
      if (kind == JoinKind::kInner) {
        EXPECT_THAT(changes, ElementsAre("+I[a, 4, 2, a, 5, 1]"));
      } else {
        EXPECT_THAT(changes, ElementsAre("+I[a, 4, 2, a, 5, 1]", "+I[a, 5, 3, null, null, null]",
                                         "+I[b, 1, 4, null, null, null]",
                                         "+I[null, 1, 5, null, null, null]"));
      }
    }
  }
}

TEST(TemporalJoin, LateRowsMeetWhatIsNotForgotten) {
  OperatorHarness harness(factory(options(JoinKind::kLeft)));
  harness.push(1, rows(R"([["a", 1, 10], ["a", 2, 20]])"));
  harness.advance(30);
  harness.push(0, rows(R"([["a", 7, 15], ["a", 8, 25], ["a", 9, null]])"));
  harness.push(1, rows(R"([["a", 3, 22]])"));
  harness.restart();
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance(31);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 7, 15, null, null, null] @15", "+I[a, 8, 25, a, 3, 22] @25"));
}

TEST(TemporalJoin, OldVersionsAreForgotten) {
  OperatorHarness harness(factory(options(JoinKind::kInner)));
  std::int64_t most = 0;
  for (int time = 0; time < 3000; ++time) {
    harness.push(1, rows(fmt::format(R"([["a", {0}, {0}], ["k{0}", 1, {0}]])", time)));
    harness.push(1, rows({kD}, fmt::format(R"([["k{0}", 1, {1}]])", time, time + 1)));
    harness.advance(time);
    if (time == 300) most = harness.state().memory_bytes();
  }
  EXPECT_LE(harness.state().memory_bytes(), 2 * most);
  harness.push(0, rows(R"([["a", 5, 3000]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 5, 3000, a, 2999, 2999] @3000"));
}

TEST(TemporalJoin, ByProcessingTimeTheLastRowCounts) {
  OperatorHarness harness(factory(options(JoinKind::kLeft, false)));
  harness.push(0, rows(R"([["a", 1, 0]])"));
  harness.push(1, rows({kI, kUb, kUa, kUb}, R"([["a", 7, 0], ["a", 7, 0], ["a", 8, 0],
                                                ["a", 8, 0]])"));
  harness.restart();
  harness.push(0, with_event_times(rows({kUb, kUa}, R"([["a", 1, 0], ["a", 2, 0]])"), {5, 6}));
  harness.push(1, rows({kD}, R"([["a", 8, 0]])"));
  harness.push(0, rows({kD}, R"([["a", 2, 0]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, 0, null, null, null]", "-U[a, 1, 0, a, 8, 0] @5",
                          "+U[a, 2, 0, a, 8, 0] @6", "-D[a, 2, 0, null, null, null]"));
}

TEST(TemporalJoin, EmitsInPieces) {
  HarnessOptions few;
  few.credit_rows = 1;
  OperatorHarness harness(factory(options(JoinKind::kInner)), few);
  std::string many;
  for (int i = 0; i < 9000; ++i) many += fmt::format(R"({}["a", {}, 1])", i > 0 ? "," : "", i);
  harness.push(1, rows(R"([["a", 1, 1]])"));
  harness.push(0, rows("[" + many + "]"));
  harness.finish();
  EXPECT_EQ(harness.take_rows().size(), 9000u);
  EXPECT_LE(harness.rows_beyond_credit(), 4096);
}

TEST(TemporalJoin, SaysWhatItCannotDo) {
  EXPECT_EQ(make_temporal_join(options(JoinKind::kFull)).status().code(), ErrorCode::kNotSupported);
  EXPECT_EQ(temporal_join_time_grain(options(JoinKind::kLeft)).step_ms, 1);
  EXPECT_EQ(temporal_join_time_grain(options(JoinKind::kLeft, false)).step_ms, 0);
}

TEST(TemporalJoin, AgreesWithTheModelUnderChaos) {
  for (const JoinKind kind : {JoinKind::kInner, JoinKind::kLeft}) {
    Random random(static_cast<std::uint64_t>(kind) + 7);
    struct LeftRow {
      EventTime time;
      std::string key;
      int id;
      auto operator<=>(const LeftRow&) const = default;
    };
    std::vector<LeftRow> left;
    std::map<std::string, std::map<EventTime, std::optional<int>>> versions;
    Script script;
    for (int id = 0; id < 600; ++id) {
      const EventTime now = id / 3;
      const EventTime time = now + static_cast<EventTime>(random.below(40));
      // A few keys have long lists, to be searched.
      const std::string key = fmt::format("k{}", random.below(random.below(2) == 0 ? 2 : 6));
      const std::string row = fmt::format(R"([["{}", {}, {}]])", key, id, time);
      if (random.below(3) == 0) {
        left.push_back({time, key, id});
        script.push_back({0, rows(row), kMinWatermark});
      } else {
        const RowKind kind_of_change = random.below(4) == 0 ? kD : kUa;
        versions[key][time] = kind_of_change == kD ? std::nullopt : std::optional(id);
        script.push_back({1, rows({kind_of_change}, row), kMinWatermark});
      }
      if (id > 200 && id % 50 == 0) script.push_back({0, {}, now});
    }
    std::ranges::sort(left);
    std::vector<std::string> expected;
    for (const auto& [time, key, id] : left) {
      const auto next = versions[key].upper_bound(time);
      const auto valid = next == versions[key].begin() ? versions[key].end() : std::prev(next);
      const std::string row = fmt::format("+I[{}, {}, {}, ", key, id, time);
      if (valid != versions[key].end() && valid->second) {
        expected.push_back(
            fmt::format("{}{}, {}, {}] @{}", row, key, *valid->second, valid->first, time));
      } else if (kind == JoinKind::kLeft) {
        expected.push_back(fmt::format("{}null, null, null] @{}", row, time));
      }
    }
    EXPECT_THAT(expect_same_under_chaos(factory(options(kind)), script, true, 1),
                ElementsAreArray(expected));
  }
}

}  // namespace
}  // namespace tidegate
