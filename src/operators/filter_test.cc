// SPDX-License-Identifier: Apache-2.0
#include "operators/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("s STRING, a BIGINT");
  return kSchema;
}

OperatorFactory filter(ExprPtr condition) {
  return [condition = std::move(condition)]() -> Result<std::unique_ptr<Operator>> {
    TG_ASSIGN_OR_RETURN(CompiledFilter compiled,
                        CompiledFilter::compile(condition, *schema(), builtin_functions()));
    return make_filter(std::make_shared<const CompiledFilter>(std::move(compiled)));
  };
}

OperatorFactory above(std::int64_t limit) { return filter(call(">", {col(1), lit(limit)})); }

Batch rows(std::string_view json) { return batch_of(schema(), json); }

TEST(Filter, FalseAndNullDropARow) {
  OperatorHarness harness(above(2));
  harness.push(rows(R"([["a", 3], ["b", 2], ["c", null], ["d", 4]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 3]", "+I[d, 4]"));
}

TEST(Filter, KeepsWhatStandsBesideTheColumns) {
  OperatorHarness harness(above(2));
  harness.push(with_event_times(with_row_kinds(rows(R"([["a", 3], ["b", 1], ["c", 9], ["d", 8]])"),
                                               {RowKind::kUpdateBefore, RowKind::kInsert,
                                                RowKind::kDelete, RowKind::kUpdateAfter}),
                                {5, 6, 7, 8}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-U[a, 3] @5", "-D[c, 9] @7", "+U[d, 8] @8"));
}

TEST(Filter, AllNoneAndNeighbours) {
  OperatorHarness harness(above(2));
  const Batch all = rows(R"([["a", 3], ["b", 4]])");
  harness.push(all);
  std::vector<Batch> out = harness.take_batches();
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].column(0), all.column(0));  // not copied
  harness.push(rows(R"([["a", 1], ["b", 2]])"));
  harness.push(rows("[]"));
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.push(rows(R"([["a", 1], ["b", 3], ["c", 4], ["d", 2]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[b, 3]", "+I[c, 4]"));
}

TEST(Filter, AnErrorShowsItsRow) {
  OperatorHarness harness(
      filter(call("=", {cast(col(0), LogicalType(TypeKind::kBigInt)), col(1)})));
  const Status status = harness.try_push(rows(R"([["1", 1], ["zwei", 2]])"));
  EXPECT_EQ(status.code(), ErrorCode::kCastFailed);
  EXPECT_THAT(status.message(), HasSubstr("row [zwei, 2]"));
}

TEST(Filter, ResultsDoNotDependOnCuts) {
  Script script;
  for (int i = 0; i < 8; ++i) {
    script.push_back(
        {0, rows(fmt::format(R"([["x", {}], ["y", {}], ["z", 5]])", i, 7 - i)), kMinWatermark});
  }
  EXPECT_EQ(expect_same_under_chaos(above(3), script).size(), 16u);
}

}  // namespace
}  // namespace tidegate
