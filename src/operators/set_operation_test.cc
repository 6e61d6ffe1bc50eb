// SPDX-License-Identifier: Apache-2.0
#include "operators/set_operation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = SetOperationOptions::Kind;

constexpr RowKind kI = RowKind::kInsert;
constexpr RowKind kD = RowKind::kDelete;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT");
  return kSchema;
}

SetOperationOptions options(Kind kind) {
  SetOperationOptions all;
  all.kind = kind;
  for (const Field& field : schema()->fields()) all.types.push_back(field.type);
  return all;
}

OperatorFactory factory(SetOperationOptions options) {
  return [options = std::move(options)] { return make_set_operation(options); };
}

Batch rows(std::string_view json) { return batch_of(schema(), json); }

/// Left has `a` three times and `b`; then the right gets `a` twice, and loses it once.
std::vector<std::string> changes_of(Kind kind) {
  OperatorHarness harness(factory(options(kind)));
  harness.push(0, rows(R"([["a", null], ["a", null], ["b", 1], ["a", null]])"));
  harness.restart();
  harness.push(1, rows(R"([["a", null], ["a", null]])"));
  harness.push(1, with_row_kinds(rows(R"([["a", null]])"), {RowKind::kUpdateBefore}));
  harness.restart(true);
  harness.push(0, with_row_kinds(rows(R"([["a", null], ["a", null]])"), {kD, kD}));
  return harness.take_rows();
}

TEST(SetOperation, CountsRowsOfBothSides) {
  EXPECT_THAT(changes_of(Kind::kIntersect), ElementsAre("+I[a, null]"));
  EXPECT_THAT(changes_of(Kind::kIntersectAll),
              ElementsAre("+I[a, null]", "+I[a, null]", "-D[a, null]"));
  EXPECT_THAT(changes_of(Kind::kExcept), ElementsAre("+I[a, null]", "+I[b, 1]", "-D[a, null]"));
  EXPECT_THAT(changes_of(Kind::kExceptAll),
              ElementsAre("+I[a, null]", "+I[a, null]", "+I[b, 1]", "+I[a, null]", "-D[a, null]",
                          "-D[a, null]", "+I[a, null]", "-D[a, null]", "-D[a, null]"));
}

TEST(SetOperation, TakesBackOnlyWhatIsThere) {
  OperatorHarness harness(factory(options(Kind::kExcept)));
  harness.push(1, with_row_kinds(rows(R"([["a", 1], ["a", 1]])"), {kI, kD}));
  harness.push(0, with_row_kinds(rows(R"([["a", 1]])"), {kD}));
  EXPECT_EQ(harness.counter("rows_not_found"), 1);
  harness.seal();
  EXPECT_THAT(harness.stored(), IsEmpty());
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  EXPECT_EQ(make_set_operation({}).status().code(), ErrorCode::kInvalidArgument);
}

TEST(SetOperation, RowsAreForgotten) {
  SetOperationOptions forgetful = options(Kind::kIntersect);
  forgetful.ttl_ms = 100;
  OperatorHarness harness(factory(forgetful));
  harness.push(0, with_event_times(rows(R"([["a", 1], ["b", 1]])"), {5, 6}));
  harness.advance_clock_to(60);
  harness.push(0, with_event_times(rows(R"([["a", 1]])"), {7}));
  harness.restart();
  harness.advance_clock_to(120);
  harness.push(1, with_event_times(rows(R"([["a", 1], ["b", 1]])"), {8, 9}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1] @8"));
}

TEST(SetOperation, AgreesWithTheModelUnderChaos) {
  for (const Kind kind : {Kind::kIntersect, Kind::kIntersectAll, Kind::kExcept, Kind::kExceptAll}) {
    Random random(static_cast<std::uint64_t>(kind) + 1);
    std::map<std::string, std::array<int, 2>> there;
    Script script;
    for (int step = 0; step < 40; ++step) {
      const std::size_t side = random.below(2);
      std::string json;
      std::vector<RowKind> kinds;
      for (int i = 0; i < 5; ++i) {
        const std::string row = fmt::format("k{}, {}", random.below(3), random.below(2));
        int& count = there[row][side];
        const bool adds = count == 0 || random.below(2) == 0;
        count += adds ? 1 : -1;
        kinds.push_back(adds ? kI : kD);
        json += fmt::format(R"({}["{}", {}])", i > 0 ? "," : "", row.substr(0, 2), row.substr(4));
      }
      const Batch batch = with_row_kinds(rows("[" + json + "]"), kinds);
      script.push_back({static_cast<int>(side), batch, kMinWatermark});
    }
    std::map<std::string, int> result;
    for (const std::string& change : expect_same_under_chaos(factory(options(kind)), script)) {
      int& count = result[change.substr(3, change.size() - 4)];
      count += change[0] == '+' ? 1 : -1;
      EXPECT_GE(count, 0);
    }
    for (const auto& [row, counts] : there) {
      const auto [left, right] = counts;
      const int expected = kind == Kind::kIntersect      ? std::min({left, right, 1})
                           : kind == Kind::kIntersectAll ? std::min(left, right)
                           : kind == Kind::kExcept       ? (left > 0 && right == 0 ? 1 : 0)
                                                         : std::max(left - right, 0);
      EXPECT_EQ(result[row], expected) << row;
    }
  }
}

}  // namespace
}  // namespace tidegate
