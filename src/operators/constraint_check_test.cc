// SPDX-License-Identifier: Apache-2.0
#include "operators/constraint_check.h"

#include <arrow/array/array_binary.h>
#include <gmock/gmock.h>

#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Options = ConstraintCheckOptions;

OperatorFactory factory(const Options& options) {
  return [options] { return make_constraint_check(options); };
}

/// Data of the sink's columns, all of them nullable.
Batch rows_of(std::string_view nullable_columns, std::string_view rows) {
  return batch_of(schema_of(nullable_columns), rows);
}

TEST(ConstraintCheckTest, NullsFailOrDropTheRow) {
  Options options{.schema = schema_of("a INT NOT NULL, b STRING")};
  const Batch rows = rows_of("a INT, b STRING", R"([[1, null], [null, "x"], [3, "y"]])");
  const Status status = OperatorHarness(factory(options)).try_push(rows);
  EXPECT_EQ(status.code(), ErrorCode::kNullKey);
  EXPECT_THAT(status.to_string(), HasSubstr("'a'"));
  options.not_null = Options::NotNull::kDrop;
  OperatorHarness harness(factory(options));
  harness.push(with_row_kinds(rows, {RowKind::kInsert, RowKind::kInsert, RowKind::kDelete}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[1, null]", "-D[3, y]"));
  EXPECT_EQ(harness.counter("rows_dropped"), 1);
}

TEST(ConstraintCheckTest, LengthsAreCutAndPadded) {
  const char* columns = "a CHAR(3), b VARCHAR(3), c BINARY(2), d VARBINARY(2), e STRING";
  const Options options{.schema = schema_of(columns), .length = Options::Length::kTrimPad};
  const Script script = {
      {0,
       rows_of(columns,
               R"([["äöüß", "äöüß", "xyz", "xyz", "long text"], [null, null, null, null, null],
                              ["é", "é", "x", "x", ""], ["", "", "", "", ""]])"),
       kMinWatermark}};
  const auto out = expect_same_under_chaos(factory(options), script, true, 2);
  OperatorHarness whole(factory(options));
  whole.push(script[0].batch);
  const Batch batch = whole.take_batches()[0];
  const auto text = [&](int column, std::int64_t row) {
    return static_cast<const arrow::BinaryArray&>(*batch.column(column)).GetString(row);
  };
  EXPECT_EQ(text(0, 0), "äöü");
  EXPECT_EQ(text(1, 0), "äöü");
  EXPECT_EQ(text(0, 2), "é  ");
  EXPECT_EQ(text(1, 2), "é");
  EXPECT_EQ(text(0, 3), "   ");
  EXPECT_EQ(out[1], "+I[null, null, null, null, null]");
  EXPECT_EQ(text(2, 0), "xy");
  EXPECT_EQ(text(3, 0), "xy");
  EXPECT_EQ(text(2, 2), std::string("x\0", 2));
  EXPECT_EQ(text(3, 2), "x");
}

TEST(ConstraintCheckTest, LengthsFailWhenAskedTo) {
  const char* columns = "a CHAR(2), b VARCHAR(2), c BINARY(2), d VARBINARY(2)";
  const Options options{.schema = schema_of(columns), .length = Options::Length::kError};
  const auto check = [&](std::string_view rows) {
    return OperatorHarness(factory(options)).try_push(rows_of(columns, rows));
  };
  EXPECT_TRUE(check(R"([["ab", "a", "xy", ""], [null, null, null, null]])").is_ok());
  EXPECT_THAT(check(R"([["a", "a", "xy", ""]])").to_string(),
              HasSubstr("'a' of the sink is CHAR(2)"));
  EXPECT_THAT(check(R"([["ab", "abc", "xy", ""]])").to_string(), HasSubstr("'b'"));
  EXPECT_THAT(check(R"([["ab", "", "x", ""]])").to_string(), HasSubstr("'c'"));
  EXPECT_THAT(check(R"([["ab", "", "xy", "xyz"]])").to_string(), HasSubstr("length 3"));
}

TEST(ConstraintCheckTest, NestedRows) {
  Options options{.schema = schema_of("a ROW<id BIGINT NOT NULL, ab ROW<x BIGINT NOT NULL, "
                                      "t CHAR(2)> NOT NULL>"),
                  .not_null = Options::NotNull::kDrop,
                  .length = Options::Length::kTrimPad};
  const Batch rows = rows_of("a ROW<id BIGINT, ab ROW<x BIGINT, t STRING>>",
                             R"([[[1, [null, "a"]]], [[2, null]], [[3, [1, "abc"]]], [null],
                                 [[null, [1, "a"]]], [[6, [1, "a"]]]])");
  EXPECT_FALSE(needs_constraint_check(options));
  options.nested = Options::Nested::kRows;
  EXPECT_TRUE(needs_constraint_check(options));
  OperatorHarness harness(factory(options));
  harness.push(rows.slice(1, 5));
  EXPECT_THAT(harness.take_rows(), ElementsAre(HasSubstr("3"), "+I[null]", HasSubstr("a ")));
  expect_same_under_chaos(factory(options), {{0, rows, kMinWatermark}}, true, 2);
  options.not_null = Options::NotNull::kError;
  EXPECT_THAT(OperatorHarness(factory(options)).try_push(rows).to_string(), HasSubstr("'a."));
}

TEST(ConstraintCheckTest, NestedCollections) {
  Options options{.schema = schema_of("l ARRAY<INT NOT NULL>, m MAP<STRING, VARCHAR(2) NOT NULL>"),
                  .not_null = Options::NotNull::kDrop,
                  .length = Options::Length::kError,
                  .nested = Options::Nested::kRows};
  EXPECT_FALSE(needs_constraint_check(options));
  options.nested = Options::Nested::kRowsAndCollections;
  OperatorHarness harness(factory(options));
  const char* columns = "l ARRAY<INT>, m MAP<STRING, STRING>";
  harness.push(rows_of(columns, R"([[[1, 2], [["k", "v"]]], [[1, null], null],
                                    [null, [["k", "v"], ["l", null]]], [[], []]])"));
  EXPECT_EQ(harness.take_rows().size(), 2u);
  EXPECT_THAT(harness.try_push(rows_of(columns, R"([[[1], [["k", "abc"]]]])")).to_string(),
              HasSubstr("'m.value'"));
  options.length = Options::Length::kTrimPad;
  EXPECT_EQ(make_constraint_check(options).status().code(), ErrorCode::kInvalidOption);
}

}  // namespace
}  // namespace tidegate
