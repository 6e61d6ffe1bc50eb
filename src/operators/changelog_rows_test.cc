// SPDX-License-Identifier: Apache-2.0
#include "operators/changelog_rows.h"

#include <gmock/gmock.h>

#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Batch scores() {
  return with_row_kinds(batch_of(schema_of("name STRING, score BIGINT"),
                                 R"([["Alice", 10], ["Bob", 20], ["Alice", 10], ["Alice", 30],
                                     ["Bob", 20]])"),
                        {RowKind::kInsert, RowKind::kInsert, RowKind::kUpdateBefore,
                         RowKind::kUpdateAfter, RowKind::kDelete});
}

std::vector<std::string> to_changelog(const ToChangelogOptions& options) {
  return expect_same_under_chaos(
      [options] { return Result<std::unique_ptr<Operator>>(make_to_changelog(options)); },
      {{0, scores(), kMinWatermark}}, true, 2);
}

TEST(ToChangelogTest, EveryChangeIsARow) {
  EXPECT_THAT(to_changelog({}), ElementsAre("+I[INSERT, Alice, 10]", "+I[INSERT, Bob, 20]",
                                            "+I[UPDATE_BEFORE, Alice, 10]",
                                            "+I[UPDATE_AFTER, Alice, 30]", "+I[DELETE, Bob, 20]"));
}

TEST(ToChangelogTest, MappedKindsOnly) {
  const auto codes = to_changelog_codes({{"INSERT, UPDATE_AFTER", "false"}, {"DELETE", "true"}});
  ASSERT_TRUE(codes.is_ok());
  EXPECT_THAT(to_changelog({.codes = *codes}),
              ElementsAre("+I[false, Alice, 10]", "+I[false, Bob, 20]", "+I[false, Alice, 30]",
                          "+I[true, Bob, 20]"));
}

TEST(ToChangelogTest, DeletesMayKeepOnlyTheKey) {
  const auto rows = to_changelog({.columns_null_in_deletes = {1}});
  EXPECT_EQ(rows[3], "+I[UPDATE_AFTER, Alice, 30]");
  EXPECT_EQ(rows[4], "+I[DELETE, Bob, null]");
}

TEST(ToChangelogTest, MappingsAreChecked) {
  EXPECT_EQ(to_changelog_codes({{"INSERT, UPSERT", "x"}}).status().code(), ErrorCode::kUnknownName);
  EXPECT_EQ(to_changelog_codes({{"INSERT", "x"}, {"INSERT", "y"}}).status().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(from_changelog_codes({{"c, c", "INSERT"}}).status().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(from_changelog_codes({{"c", "insert"}}).status().code(), ErrorCode::kUnknownName);
}

Batch cdc(std::string_view rows) {
  return batch_of(schema_of("id INT, op STRING, name STRING"), rows);
}

OperatorFactory from(FromChangelogOptions options) {
  return [options] { return Result<std::unique_ptr<Operator>>(make_from_changelog(options)); };
}

TEST(FromChangelogTest, CodesBecomeRowKinds) {
  const auto codes = from_changelog_codes(
      {{"c, r", "INSERT"}, {"ub", "UPDATE_BEFORE"}, {"ua", "UPDATE_AFTER"}, {"d", "DELETE"}});
  ASSERT_TRUE(codes.is_ok());
  const Script script = {{0, cdc(R"([[1, "c", "Alice"], [2, "r", "Bob"], [1, "ub", "Alice"],
                                 [1, "ua", "Alice2"], [2, "d", null]])"),
                          kMinWatermark}};
  EXPECT_THAT(
      expect_same_under_chaos(from({.op_column = 1, .codes = *codes}), script, true, 2),
      ElementsAre("+I[1, Alice]", "+I[2, Bob]", "-U[1, Alice]", "+U[1, Alice2]", "-D[2, null]"));
}

TEST(FromChangelogTest, UnknownCodesFailOrAreSkipped) {
  const Batch rows = cdc(R"([[1, "INSERT", "a"], [2, "c", "b"], [3, null, "c"]])");
  OperatorHarness strict(from({.op_column = 1}));
  const Status status = strict.try_push(rows);
  EXPECT_EQ(status.code(), ErrorCode::kMalformedRecord);
  EXPECT_THAT(status.to_string(), HasSubstr("'c'"));
  EXPECT_THAT(OperatorHarness(from({.op_column = 1})).try_push(rows.slice(2, 1)).to_string(),
              HasSubstr("null"));
  OperatorHarness lenient(from({.op_column = 1, .skip_unknown = true}));
  lenient.push(rows);
  EXPECT_THAT(lenient.take_rows(), ElementsAre("+I[1, a]"));
  EXPECT_EQ(lenient.counter("rows_unknown_op"), 2);
}

TEST(DropUpdateBeforeTest, OnlyThatGoes) {
  OperatorHarness harness(
      [] { return Result<std::unique_ptr<Operator>>(make_drop_update_before()); });
  harness.push(scores());
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[Alice, 10]", "+I[Bob, 20]", "+U[Alice, 30]", "-D[Bob, 20]"));
  harness.push(scores().slice(2, 1));
  EXPECT_THAT(harness.take_batches(), IsEmpty());
}

}  // namespace
}  // namespace tidegate
