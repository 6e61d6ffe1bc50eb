// SPDX-License-Identifier: Apache-2.0
#include "operators/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("s STRING, a BIGINT, b BIGINT");
  return kSchema;
}

OperatorFactory project(std::vector<ExprPtr> exprs) {
  return [exprs = std::move(exprs)]() -> Result<std::unique_ptr<Operator>> {
    TG_ASSIGN_OR_RETURN(CompiledProjection compiled,
                        CompiledProjection::compile(exprs, *schema(), builtin_functions()));
    return make_project(std::make_shared<const CompiledProjection>(std::move(compiled)));
  };
}

TEST(Project, ComputesColumnsAndKeepsWhatStandsBesideThem) {
  OperatorHarness harness(project({call("+", {col(1), col(2)}), col(0), lit(std::int64_t{7})}));
  harness.push(
      with_event_times(with_row_kinds(batch_of(schema(), R"([["x", 1, 2], [null, null, 5]])"),
                                      {RowKind::kDelete, RowKind::kInsert}),
                       {10, 20}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-D[3, x, 7] @10", "+I[null, null, 7] @20"));
}

TEST(Project, AnErrorShowsItsRow) {
  OperatorHarness harness(project({cast(col(0), LogicalType(TypeKind::kBigInt))}));
  const Status status =
      harness.try_push(batch_of(schema(), R"([["1", 1, 2], ["zwei", 3, 4], ["drei", 5, 6]])"));
  EXPECT_EQ(status.code(), ErrorCode::kCastFailed);
  EXPECT_THAT(status.message(), HasSubstr("row [zwei, 3, 4]"));
}

TEST(Project, ResultsDoNotDependOnCuts) {
  Script script;
  for (int i = 0; i < 6; ++i) {
    script.push_back({0, batch_of(schema(), fmt::format(R"([["x", {}, 2], ["y", 3, {}]])", i, i)),
                      kMinWatermark});
  }
  EXPECT_EQ(expect_same_under_chaos(project({call("*", {col(1), col(2)})}), script).size(), 12u);
}

}  // namespace
}  // namespace tidegate
