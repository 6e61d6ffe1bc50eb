// SPDX-License-Identifier: Apache-2.0
#include "operators/expand.h"

#include <gmock/gmock.h>

#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("a STRING, b BIGINT, v ARRAY<INT>");
  return kSchema;
}

OperatorFactory factory(ExpandOptions options) {
  return [options = std::move(options)] { return make_expand(options); };
}

TEST(ExpandTest, RollupKeepsValuesOfTheKeysInTheSet) {
  const ExpandOptions rollup{.keys = {0, 1}, .sets = {{true, true}, {true, false}, {false, false}}};
  OperatorHarness harness(factory(rollup));
  harness.push(with_row_kinds(batch_of(schema(), R"([["x", 1, [7]], [null, 2, null]])"),
                              {RowKind::kInsert, RowKind::kDelete}));
  EXPECT_THAT(
      harness.take_rows(),
      ElementsAre("+I[x, 1, list<item: int32>[7], 0]", "+I[x, null, list<item: int32>[7], 1]",
                  "+I[null, null, list<item: int32>[7], 3]", "-D[null, 2, null, 0]",
                  "-D[null, null, null, 1]", "-D[null, null, null, 3]"));
}

TEST(ExpandTest, KeysMayBeNestedAndIdsGiven) {
  const ExpandOptions sets{.keys = {2}, .sets = {{true}, {false}, {true}}, .ids = {0, 1, 2}};
  OperatorHarness harness(factory(sets));
  harness.push(batch_of(schema(), R"([["y", 0, [1]], ["x", 1, [7, null]]])").slice(1, 1));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[x, 1, list<item: int32>[7, null], 0]", "+I[x, 1, null, 1]",
                          "+I[x, 1, list<item: int32>[7, null], 2]"));
}

TEST(ExpandTest, ManyRowsComeInPieces) {
  ExpandOptions cube{.keys = {0, 1}, .sets = {}};
  for (int set = 0; set < 4; ++set) cube.sets.push_back({set / 2 == 0, set % 2 == 0});
  std::string rows = "[";
  for (int i = 0; i < 5000; ++i) {
    rows += (i == 0 ? "" : ",") + std::string("[\"k\", ") + std::to_string(i) + ", []]";
  }
  HarnessOptions small;
  small.credit_rows = 1;
  OperatorHarness harness(factory(cube), small);
  harness.push(batch_of(schema(), rows + "]"));
  const auto out = harness.take_rows();
  ASSERT_EQ(out.size(), 20000u);
  EXPECT_EQ(out[19998], "+I[null, 4999, list<item: int32>[], 2]");
  EXPECT_LE(harness.rows_beyond_credit(), 8192);
}

TEST(ExpandTest, NoSetIsAnError) {
  EXPECT_EQ(make_expand({.keys = {0}, .sets = {}}).status().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidegate
