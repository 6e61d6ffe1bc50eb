// SPDX-License-Identifier: Apache-2.0
#include "operators/limit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Batch numbers(std::string_view json) { return batch_of(schema_of("n BIGINT"), json); }

Script script() {
  Script steps;
  for (const char* rows : {"[[1],[2],[3]]", "[]", "[[4],[5]]", "[[6],[7],[8]]"}) {
    steps.push_back({0, numbers(rows), kMinWatermark});
  }
  return steps;
}

std::vector<std::string> limited(std::int64_t offset, std::int64_t count) {
  return expect_same_under_chaos(
      [=]() -> Result<std::unique_ptr<Operator>> { return make_limit(offset, count); }, script());
}

TEST(Limit, PassesTheRowsInBetween) {
  EXPECT_THAT(limited(0, 2), ElementsAre("+I[1]", "+I[2]"));
  EXPECT_THAT(limited(2, 3), ElementsAre("+I[3]", "+I[4]", "+I[5]"));
  EXPECT_THAT(limited(7, INT64_MAX), ElementsAre("+I[8]"));
  EXPECT_THAT(limited(0, 0), IsEmpty());
  EXPECT_THAT(limited(100, 5), IsEmpty());
}

TEST(Limit, MakesRoomWhenRowsGo) {
  OperatorHarness harness(
      [] { return make_changelog_limit({LogicalType(TypeKind::kBigInt)}, 1, 2); });
  harness.push(numbers("[[1],[2],[3],[4],[2]]"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[2]", "+I[3]"));
  harness.restart();
  harness.push(with_row_kinds(numbers("[[2],[7],[1]]"),
                              {RowKind::kUpdateBefore, RowKind::kDelete, RowKind::kDelete}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("-U[2]", "+U[3]", "-U[3]", "+U[4]",  // 1 3 4 2
                                               "-U[3]", "+U[4]", "-U[4]", "+U[2]"));
}

TEST(Limit, OfNothing) {
  OperatorHarness harness(
      [] { return make_changelog_limit({LogicalType(TypeKind::kBigInt)}, 3, 0); });
  harness.push(numbers("[[1],[2],[3],[4],[2]]"));
  EXPECT_THAT(harness.take_rows(), IsEmpty());
}

TEST(Limit, RefusesRetractions) {
  OperatorHarness harness([]() -> Result<std::unique_ptr<Operator>> { return make_limit(0, 1); });
  EXPECT_EQ(harness.try_push(with_row_kinds(numbers("[[1]]"), {RowKind::kUpdateAfter})).code(),
            ErrorCode::kInvalidPlan);
}

}  // namespace
}  // namespace tidegate
