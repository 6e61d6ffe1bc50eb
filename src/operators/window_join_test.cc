// SPDX-License-Identifier: Apache-2.0
#include "operators/window_join.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT, t BIGINT");
  return kSchema;
}

WindowJoinOptions options(JoinKind kind, std::optional<Window> window) {
  WindowJoinOptions all;
  for (WindowJoinInput* side : {&all.left, &all.right}) {
    for (const Field& field : schema()->fields()) side->types.push_back(field.type);
    side->keys = {0};
    side->time_column = 2;
  }
  all.kind = kind;
  all.window = window;
  return all;
}

OperatorFactory factory(WindowJoinOptions options) {
  return [options = std::move(options)] { return make_window_join(options); };
}

Batch rows(std::string_view json) { return batch_of(schema(), json); }

/// a: rows on both sides; b: left only; c: right only; null: both sides.
std::vector<std::string> joined(JoinKind kind, std::optional<JoinCondition> condition = {}) {
  WindowJoinOptions all = options(kind, tumbling(milliseconds(10)));
  if (condition) all.condition = *condition;
  OperatorHarness harness(factory(all));
  harness.push(0, rows(R"([["a", 1, 3], ["a", 2, 9], ["b", 3, 5], [null, 4, 5]])"));
  harness.push(1, rows(R"([["a", 5, 0], ["c", 6, 1], [null, 7, 2], ["b", 8, 10]])"));
  harness.advance(9);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance(10);
  return harness.take_rows();
}

constexpr const char* kBoth1 = "+I[a, 1, 3, a, 5, 0] @9";
constexpr const char* kBoth2 = "+I[a, 2, 9, a, 5, 0] @9";
constexpr const char* kLeftB = "+I[b, 3, 5, null, null, null] @9";
constexpr const char* kLeftNull = "+I[null, 4, 5, null, null, null] @9";
constexpr const char* kRightC = "+I[null, null, null, c, 6, 1] @9";
constexpr const char* kRightNull = "+I[null, null, null, null, 7, 2] @9";

TEST(WindowJoin, Kinds) {
  EXPECT_THAT(joined(JoinKind::kInner), ElementsAre(kBoth1, kBoth2));
  EXPECT_THAT(joined(JoinKind::kLeft), ElementsAre(kBoth1, kBoth2, kLeftB, kLeftNull));
  EXPECT_THAT(joined(JoinKind::kRight), ElementsAre(kBoth1, kBoth2, kRightC, kRightNull));
  EXPECT_THAT(joined(JoinKind::kFull),
              ElementsAre(kBoth1, kBoth2, kLeftB, kRightC, kLeftNull, kRightNull));
  EXPECT_THAT(joined(JoinKind::kSemi), ElementsAre("+I[a, 1, 3] @9", "+I[a, 2, 9] @9"));
  EXPECT_THAT(joined(JoinKind::kAnti), ElementsAre("+I[b, 3, 5] @9", "+I[null, 4, 5] @9"));
}

TEST(WindowJoin, KindsWithACondition) {
  // Holds for the left row with value 2 only.
  const JoinCondition condition = [](const Batch& pairs, std::vector<std::int32_t>& holds) {
    const std::vector<std::string> texts = text_rows(pairs);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].find("[a, 2,") != std::string::npos)
        holds.push_back(static_cast<std::int32_t>(i));
    }
    return Status::ok();
  };
  const char* left_a = "+I[a, 1, 3, null, null, null] @9";
  EXPECT_THAT(joined(JoinKind::kInner, condition), ElementsAre(kBoth2));
  EXPECT_THAT(joined(JoinKind::kLeft, condition), ElementsAre(kBoth2, left_a, kLeftB, kLeftNull));
  EXPECT_THAT(joined(JoinKind::kRight, condition), ElementsAre(kBoth2, kRightC, kRightNull));
  EXPECT_THAT(joined(JoinKind::kFull, condition),
              ElementsAre(kBoth2, left_a, kLeftB, kRightC, kLeftNull, kRightNull));
  EXPECT_THAT(joined(JoinKind::kSemi, condition), ElementsAre("+I[a, 2, 9] @9"));
  EXPECT_THAT(joined(JoinKind::kAnti, condition),
              ElementsAre("+I[a, 1, 3] @9", "+I[b, 3, 5] @9", "+I[null, 4, 5] @9"));
}

TEST(WindowJoin, LateRowsOfAllTheirWindows) {
  WindowJoinOptions hop = options(JoinKind::kInner, hopping(milliseconds(10), milliseconds(5)));
  hop.left.late_output = 1;
  OperatorHarness harness(factory(hop));
  harness.advance(10);
  harness.push(0, rows(R"([["a", 1, 4], ["a", 2, 7], ["a", 3, null]])"));
  harness.push(1, rows(R"([["a", 4, 8]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 2, 7, a, 4, 8] @14"));
  EXPECT_THAT(harness.take_side(1), ElementsAre("+I[a, 1, 4]"));
  EXPECT_EQ(harness.counter("rows_late"), 1);
  EXPECT_EQ(harness.counter("rows_null_time"), 1);
}

TEST(WindowJoin, RowsMayBringTheirWindows) {
  WindowJoinOptions own = options(JoinKind::kLeft, std::nullopt);
  own.left.window_start_column = own.right.window_start_column = 1;
  own.left.window_end_column = own.right.window_end_column = 2;
  OperatorHarness harness(factory(own));
  harness.push(0, rows(R"([["a", 0, 10], ["a", 5, 10], ["a", 10, 20]])"));
  harness.push(1, rows(R"([["a", 0, 10], ["a", 10, 20]])"));
  harness.advance(10);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 0, 10, a, 0, 10] @9", "+I[a, 5, 10, null, null, null] @9"));
  harness.push(1, rows(R"([["a", 5, 10]])"));
  EXPECT_EQ(harness.counter("rows_late"), 1);
}

TEST(WindowJoin, NotInLooksAtNullsOfTheWindow) {
  WindowJoinOptions not_in = options(JoinKind::kAnti, tumbling(milliseconds(10)));
  not_in.left.keys = not_in.right.keys = {};
  not_in.null_aware = {{0, 0}};
  OperatorHarness harness(factory(not_in));
  harness.push(0, rows(R"([["a", 1, 1], [null, 2, 1], ["a", 3, 11], ["b", 4, 11], [null, 5, 11],
                           ["a", 6, 21]])"));
  harness.push(1, rows(R"([["a", 7, 12], ["c", 8, 22], [null, 9, 22]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 1, 1] @9", "+I[null, 2, 1] @9", "+I[b, 4, 11] @19"));
}

TEST(WindowJoin, NullsMayBeEqual) {
  WindowJoinOptions safe = options(JoinKind::kInner, tumbling(milliseconds(10)));
  safe.null_safe_keys = {true};
  OperatorHarness harness(factory(safe));
  harness.push(0, rows(R"([[null, 1, 1]])"));
  harness.push(1, rows(R"([[null, 2, 1]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[null, 1, 1, null, 2, 1] @9"));
}

TEST(WindowJoin, SessionsAreMadeOfBothSides) {
  OperatorHarness harness(factory(options(JoinKind::kFull, session(milliseconds(10)))));
  harness.push(0, rows(R"([["a", 1, 0], ["a", 2, 25], ["b", 3, 0]])"));
  harness.push(1, rows(R"([["a", 4, 35], ["b", 5, 11]])"));
  // Touches the first session and the second one.
  harness.push(1, rows(R"([["a", 6, 10], ["a", 7, 15]])"));
  harness.advance(45);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[b, 3, 0, null, null, null] @9",
                                               "+I[null, null, null, b, 5, 11] @20"));
  // At the very end of the session: the watermark has reached it, and not passed it.
  harness.push(0, rows(R"([["a", 8, 45]])"));
  harness.push(0, rows(R"([["a", 9, 34], ["b", 9, 34]])"));
  EXPECT_EQ(harness.counter("rows_late"), 1);
  harness.advance(55);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance(56);
  EXPECT_EQ(harness.take_rows().size(), 4u * 3u);
}

TEST(WindowJoin, ExplodesInPieces) {
  HarnessOptions few;
  few.credit_rows = 1;
  OperatorHarness harness(factory(options(JoinKind::kInner, tumbling(milliseconds(10)))), few);
  std::string many;
  for (int i = 0; i < 300; ++i) many += fmt::format(R"({}["a", {}, 1])", i > 0 ? "," : "", i);
  harness.push(0, rows("[" + many + "]"));
  harness.push(1, rows("[" + many + "]"));
  harness.finish();
  EXPECT_EQ(harness.take_rows().size(), 90'000u);
  EXPECT_LE(harness.rows_beyond_credit(), 4096);  // the last, unfinished batch
}

TEST(WindowJoin, SaysWhatItCannotDo) {
  EXPECT_EQ(make_window_join(options(JoinKind::kInner, std::nullopt)).status().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(make_window_join(options(JoinKind::kInner, session(milliseconds(0)))).status().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(make_window_join(options(JoinKind::kInner, tumbling(milliseconds(0)))).status().code(),
            ErrorCode::kInvalidArgument);
  OperatorHarness harness(factory(options(JoinKind::kInner, tumbling(milliseconds(10)))));
  EXPECT_EQ(harness.try_push(0, with_row_kinds(rows(R"([["a", 1, 1]])"), {RowKind::kUpdateBefore}))
                .code(),
            ErrorCode::kInvalidPlan);
}

// ---- against a model that knows all rows

struct ModelRow {
  int side;
  std::optional<std::string> key;
  std::int64_t value;
  EventTime time;

  std::string text() const { return fmt::format("{}, {}, {}", key.value_or("null"), value, time); }
};

using Group = std::vector<const ModelRow*>;

void join_group(const Group& group, JoinKind kind, EventTime end, std::vector<std::string>& out) {
  for (const ModelRow* row : group) {
    bool matched = false;
    for (const ModelRow* other : group) {
      if (other->side == row->side || !row->key) continue;
      matched = true;
      const bool pairs = kind != JoinKind::kSemi && kind != JoinKind::kAnti;
      if (row->side == 0 && pairs) {
        out.push_back(fmt::format("+I[{}, {}] @{}", row->text(), other->text(), end - 1));
      }
    }
    const bool left = row->side == 0;
    if (left && kind == (matched ? JoinKind::kSemi : JoinKind::kAnti)) {
      out.push_back(fmt::format("+I[{}] @{}", row->text(), end - 1));
    }
    if (!matched &&
        (kind == JoinKind::kFull || kind == (left ? JoinKind::kLeft : JoinKind::kRight))) {
      out.push_back(left ? fmt::format("+I[{}, null, null, null] @{}", row->text(), end - 1)
                         : fmt::format("+I[null, null, null, {}] @{}", row->text(), end - 1));
    }
  }
}

/// Windows of [start, start + size) that begin at every multiple of `slide`.
std::vector<std::string> fixed_model(const std::vector<ModelRow>& all, JoinKind kind,
                                     std::int64_t size, std::int64_t slide) {
  std::map<std::pair<EventTime, std::optional<std::string>>, Group> groups;
  for (const ModelRow& row : all) {
    for (EventTime start = -1000; start <= row.time; start += slide) {
      if (row.time < start + size) groups[{start + size, row.key}].push_back(&row);
    }
  }
  std::vector<std::string> out;
  for (const auto& [window, group] : groups) join_group(group, kind, window.first, out);
  return out;
}

std::vector<std::string> session_model(std::vector<ModelRow> all, JoinKind kind, std::int64_t gap) {
  std::ranges::stable_sort(all, {}, &ModelRow::time);
  std::map<std::optional<std::string>, Group> open;
  std::vector<std::string> out;
  const auto close = [&](Group& group) {
    if (!group.empty()) join_group(group, kind, group.back()->time + gap, out);
    group.clear();
  };
  for (const ModelRow& row : all) {
    Group& group = open[row.key];
    if (!group.empty() && row.time > group.back()->time + gap) close(group);
    group.push_back(&row);
  }
  for (auto& [key, group] : open) close(group);
  return out;
}

/// Rows of both sides with watermarks that leave none of them behind.
std::pair<Script, std::vector<ModelRow>> random_script(Random& random, bool with_nulls) {
  Script script;
  std::vector<ModelRow> all;
  for (EventTime now = 0; now < 120; now += 12) {
    for (int batches = 0; batches < 3; ++batches) {
      const int side = static_cast<int>(random.below(2));
      std::string json;
      for (int i = 0; i < 4; ++i) {
        ModelRow row{side, fmt::format("k{}", random.below(3)),
                     static_cast<std::int64_t>(random.below(1000)),
                     now + static_cast<EventTime>(random.below(30))};
        if (with_nulls && random.below(6) == 0) row.key.reset();
        json += fmt::format("{}[{}, {}, {}]", i > 0 ? "," : "",
                            row.key ? "\"" + *row.key + "\"" : "null", row.value, row.time);
        all.push_back(row);
      }
      script.push_back({side, rows("[" + json + "]"), kMinWatermark});
    }
    script.push_back({0, {}, now});
  }
  return {script, all};
}

TEST(WindowJoin, FixedWindowsAgreeWithTheModelUnderChaos) {
  const std::tuple<Window, std::int64_t, std::int64_t> kWindows[] = {
      {tumbling(milliseconds(10)), 10, 10},
      {hopping(milliseconds(20), milliseconds(5)), 20, 5},
      {hopping(milliseconds(4), milliseconds(10)), 4, 10},
  };
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    const auto& [window, size, slide] = kWindows[seed % 3];
    const auto kind = static_cast<JoinKind>(seed % 6);
    const auto [script, all] = random_script(random, true);
    EXPECT_THAT(expect_same_under_chaos(factory(options(kind, window)), script, true, 1),
                UnorderedElementsAreArray(fixed_model(all, kind, size, slide)))
        << seed;
  }
}

TEST(WindowJoin, SessionsAgreeWithTheModelUnderChaos) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    const auto kind = static_cast<JoinKind>(seed % 6);
    const auto [script, all] = random_script(random, false);
    EXPECT_THAT(
        expect_same_under_chaos(factory(options(kind, session(milliseconds(4)))), script, true, 1),
        UnorderedElementsAreArray(session_model(all, kind, 4)))
        << seed;
  }
}

}  // namespace
}  // namespace tidegate
