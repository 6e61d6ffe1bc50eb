// SPDX-License-Identifier: Apache-2.0
#include "operators/sort_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "tests/support/batch_literal.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;

/// Rows 0.. of a batch in the order that their keys give.
std::vector<std::int32_t> ordered(std::string_view columns, std::string_view json,
                                  std::vector<SortColumn> order) {
  const SchemaPtr schema = schema_of(columns);
  std::vector<LogicalType> types;
  for (const Field& field : schema->fields()) types.push_back(field.type);
  auto keys = SortKeys::make(std::move(order), types);
  EXPECT_TRUE(keys.status().is_ok());
  const Batch batch = batch_of(schema, json);
  EXPECT_TRUE(keys->read(batch).is_ok());
  return sorted_rows(*keys, batch.num_rows());
}

TEST(SortOrder, NumbersAndTheirNulls) {
  const char* rows = "[[3], [null], [-1], [0], [-9223372036854775808], [3]]";
  EXPECT_THAT(ordered("n BIGINT", rows, {{0, false, true}}), ElementsAre(1, 4, 2, 3, 0, 5));
  EXPECT_THAT(ordered("n BIGINT", rows, {{0, false, false}}), ElementsAre(4, 2, 3, 0, 5, 1));
  EXPECT_THAT(ordered("n BIGINT", rows, {{0, true, false}}), ElementsAre(0, 5, 3, 2, 4, 1));
  EXPECT_THAT(ordered("n BIGINT", rows, {{0, true, true}}), ElementsAre(1, 0, 5, 3, 2, 4));
}

TEST(SortOrder, TextsEndWhereTheyEnd) {
  const char* rows = R"([["ab"], [""], ["a\u0000"], ["a"], [null], ["b"], ["a\u0000b"]])";
  EXPECT_THAT(ordered("s STRING", rows, {{0, false, true}}), ElementsAre(4, 1, 3, 2, 6, 0, 5));
  EXPECT_THAT(ordered("s STRING", rows, {{0, true, false}}), ElementsAre(5, 0, 6, 2, 3, 1, 4));
}

TEST(SortOrder, SeveralColumnsEachItsOwnWay) {
  const char* rows = R"([["a", 1.5], ["b", -2], ["a", -0.0], ["ab", 7], ["a", 0.0], [null, 1]])";
  EXPECT_THAT(ordered("s STRING, d DOUBLE", rows, {{0, true, false}, {1, false, true}}),
              ElementsAre(1, 3, 2, 4, 0, 5));
  EXPECT_THAT(ordered("s STRING, d DOUBLE", rows, {{1, true, false}, {0, false, true}}),
              ElementsAre(3, 0, 5, 2, 4, 1));
}

TEST(SortOrder, OtherTypes) {
  EXPECT_THAT(ordered("b BOOLEAN, d DECIMAL(4, 1), t TIMESTAMP(3)",
                      R"([[true, "-1.5", 5], [false, "2.0", 5], [true, "-1.5", 4]])",
                      {{1, false, true}, {2, true, false}, {0, false, true}}),
              ElementsAre(0, 2, 1));
  EXPECT_THAT(ordered("b BOOLEAN", "[[true], [false], [null]]", {{0, true, false}}),
              ElementsAre(0, 1, 2));
  EXPECT_THAT(ordered("b BIGINT", "[[2], [1]]", {}), ElementsAre(0, 1));
  EXPECT_EQ(SortKeys::make({{0}}, {LogicalType::array(LogicalType::string())}).status().code(),
            ErrorCode::kNotSupported);
  EXPECT_EQ(SortKeys::make({{1}}, {LogicalType::string()}).status().code(),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidegate
