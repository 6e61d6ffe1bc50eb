// SPDX-License-Identifier: Apache-2.0
#include "operators/unnest.h"

#include <gmock/gmock.h>

#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;

LogicalType type_of(const char* text) { return *LogicalType::parse(text); }

std::vector<std::string> unnest(const char* type, std::string_view rows, bool outer = false,
                                bool ordinality = false, bool keep = true) {
  const UnnestOptions options{.column = 1,
                              .type = type_of(type),
                              .outer = outer,
                              .ordinality = ordinality,
                              .keep_collection = keep};
  const SchemaPtr schema = schema_of(std::string("k STRING, c ") + type);
  const Script script = {{0, batch_of(schema, rows), kMinWatermark}};
  return expect_same_under_chaos([options] { return make_unnest(options); }, script, true, 2);
}

TEST(UnnestTest, Arrays) {
  constexpr std::string_view kRows = R"([["a", [1, null]], ["b", []], ["c", null], ["d", [4]]])";
  EXPECT_THAT(unnest("ARRAY<INT>", kRows), ElementsAre("+I[a, list<item: int32>[1, null], 1]",
                                                       "+I[a, list<item: int32>[1, null], null]",
                                                       "+I[d, list<item: int32>[4], 4]"));
  EXPECT_THAT(unnest("ARRAY<INT>", kRows, true, true, false),
              ElementsAre("+I[a, null, 1, 1]", "+I[a, null, null, 2]", "+I[b, null, null, null]",
                          "+I[c, null, null, null]", "+I[d, null, 4, 1]"));
}

TEST(UnnestTest, RowsAreFlattened) {
  EXPECT_THAT(unnest("ARRAY<ROW<x INT, y STRING>>", R"([["a", [[1, "p"], null, [null, "q"]]]])"),
              ElementsAre(::testing::EndsWith(", 1, p]"), ::testing::EndsWith(", null, null]"),
                          ::testing::EndsWith(", null, q]")));
  const auto columns = unnested_columns(
      {.type = type_of("ARRAY<ROW<x INT NOT NULL, y STRING>>"), .ordinality = true});
  ASSERT_TRUE(columns.is_ok());
  EXPECT_EQ(Schema(*columns).to_string(), "(x INT, y STRING, ORDINALITY INT NOT NULL)");
}

TEST(UnnestTest, MapsAndMultisets) {
  EXPECT_THAT(unnest("MAP<STRING, INT>", R"([["a", [["x", 1], ["y", null]]], ["b", null]])"),
              ElementsAre(::testing::EndsWith(", x, 1]"), ::testing::EndsWith(", y, null]")));
  EXPECT_THAT(unnest("MULTISET<STRING>", R"([["a", [["x", 2], ["y", 1]]]])", false, true),
              ElementsAre(::testing::EndsWith(", x, 1]"), ::testing::EndsWith(", x, 2]"),
                          ::testing::EndsWith(", y, 3]")));
}

TEST(UnnestTest, RowKindsStayAndSlicesAreRead) {
  const SchemaPtr schema = schema_of("k STRING, c ARRAY<STRING>");
  const Batch batch =
      with_row_kinds(batch_of(schema, R"([["a", ["x"]], ["b", ["y", "z"]], ["c", ["w"]]])"),
                     {RowKind::kInsert, RowKind::kUpdateBefore, RowKind::kDelete});
  OperatorHarness harness(
      [] { return make_unnest({.column = 1, .type = type_of("ARRAY<STRING>")}); });
  harness.push(batch.slice(1, 2));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("-U[b, list<item: string>[y, z], y]",
                          "-U[b, list<item: string>[y, z], z]", "-D[c, list<item: string>[w], w]"));
}

TEST(UnnestTest, OneHugeArrayComesInPieces) {
  std::string rows = R"([["a", [0)";
  for (int i = 1; i < 30000; ++i) rows += "," + std::to_string(i);
  const Batch batch = batch_of(schema_of("k STRING, c ARRAY<INT>"), rows + "]]]");
  HarnessOptions small;
  small.credit_rows = 1;
  UnnestOptions options{.column = 1, .type = type_of("ARRAY<INT>"), .keep_collection = false};
  OperatorHarness harness([&] { return make_unnest(options); }, small);
  harness.push(batch);
  std::int64_t count = 0;
  for (const Batch& piece : harness.take_batches()) count += piece.num_rows();
  EXPECT_EQ(count, 30000);
  EXPECT_LE(harness.rows_beyond_credit(), 8192);
  // With the array in each row the pieces are smaller.
  options.keep_collection = true;
  OperatorHarness whole([&] { return make_unnest(options); }, small);
  whole.push(batch_of(schema_of("k STRING, c ARRAY<INT>"), rows.substr(0, 8000) + "0]]]"));
  EXPECT_LE(whole.rows_beyond_credit(), 700);
}

TEST(UnnestTest, OtherTypesAreAnError) {
  EXPECT_EQ(make_unnest({.type = type_of("INT")}).status().code(), ErrorCode::kTypeMismatch);
}

}  // namespace
}  // namespace tidegate
