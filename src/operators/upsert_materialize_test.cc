// SPDX-License-Identifier: Apache-2.0
#include "operators/upsert_materialize.h"

#include <gmock/gmock.h>

#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;

/// Columns: the sink's primary key, the key of the input, a value.
UpsertMaterializeOptions options(bool with_input_key) {
  const LogicalType number(TypeKind::kBigInt);
  return {.types = {LogicalType::string(), number, number},
          .primary_key = {0},
          .input_key = with_input_key ? std::vector{1} : std::vector<int>()};
}

OperatorFactory factory(const UpsertMaterializeOptions& options) {
  return [options] { return make_upsert_materialize(options); };
}

Batch rows(std::string_view json, const std::vector<RowKind>& kinds) {
  return with_row_kinds(batch_of(schema_of("pk STRING, id BIGINT, v BIGINT"), json), kinds);
}

constexpr RowKind kI = RowKind::kInsert;
constexpr RowKind kU = RowKind::kUpdateAfter;
constexpr RowKind kB = RowKind::kUpdateBefore;
constexpr RowKind kD = RowKind::kDelete;

TEST(UpsertMaterializeTest, AnOldOwnersRetractionComesTooLate) {
  for (const bool with_input_key : {false, true}) {
    SCOPED_TRACE(with_input_key);
    const Script script = {
        {0,
         rows(R"([["x", 1, 10], ["x", 2, 20], ["x", 1, 10], ["x", 2, 20], ["x", 3, null]])",
              {kI, kU, kB, kD, kI}),
         kMinWatermark}};
    EXPECT_THAT(expect_same_under_chaos(factory(options(with_input_key)), script, true, 3),
                ElementsAre("+I[x, 1, 10]", "+U[x, 2, 20]", "-D[x, 2, 20]", "+I[x, 3, null]"));
  }
}

TEST(UpsertMaterializeTest, TheRowBeforeTheLastComesBack) {
  OperatorHarness harness(factory(options(false)));
  harness.push(rows(R"([["x", 1, 1], ["x", 2, 2], ["y", 9, 9], ["x", 3, 3]])", {kI, kI, kI, kI}));
  harness.restart();
  harness.push(rows(R"([["x", 3, 3], ["x", 1, 1], ["x", 1, 1], ["x", 2, 2], ["y", 9, 9]])",
                    {kD, kD, kD, kD, kB}));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[x, 1, 1]", "+U[x, 2, 2]", "+I[y, 9, 9]", "+U[x, 3, 3]", "+U[x, 2, 2]",
                          "-D[x, 2, 2]", "-D[y, 9, 9]"));
  EXPECT_EQ(harness.counter("rows_not_found"), 1);
  EXPECT_EQ(harness.state().memory_bytes() >= 0, true);
}

TEST(UpsertMaterializeTest, EqualRowsCountEach) {
  OperatorHarness harness(factory(options(false)));
  harness.push(rows(R"([["x", 1, 1], ["x", 1, 1], ["x", 1, 1], ["x", 1, 1]])", {kI, kI, kD, kD}));
  // The first of two equal rows goes, which is not the last one: nothing to show.
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[x, 1, 1]", "+U[x, 1, 1]", "-D[x, 1, 1]"));
}

TEST(UpsertMaterializeTest, AnUpdateTakesThePlaceOfItsRow) {
  OperatorHarness harness(factory(options(true)));
  harness.push(rows(R"([["x", 1, 1], ["x", 2, 2], ["x", 1, 7], ["x", 2, 2]])", {kI, kI, kU, kD}));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[x, 1, 1]", "+U[x, 2, 2]", "+U[x, 1, 7]", "+U[x, 1, 7]"));
}

TEST(UpsertMaterializeTest, PrimaryKeysAreForgotten) {
  UpsertMaterializeOptions forgets = options(false);
  forgets.ttl_ms = 10;
  OperatorHarness harness(factory(forgets));
  harness.push(rows(R"([["x", 1, 1]])", {kI}));
  harness.advance_clock_to(10);
  harness.push(rows(R"([["x", 1, 1], ["x", 2, 2]])", {kB, kU}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[x, 1, 1]", "+I[x, 2, 2]"));
}

}  // namespace
}  // namespace tidegate
