// SPDX-License-Identifier: Apache-2.0
#include "types/batch.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "types/test_columns.h"

namespace tidegate {
namespace {

/// Every kind of column, with nulls.
const std::vector<std::string> kColumns = {
    "a BOOLEAN",    "b TINYINT",       "c SMALLINT",      "d INT",
    "e BIGINT",     "f DOUBLE",        "g DECIMAL(9, 2)", "h STRING",
    "i ARRAY<INT>", "j ROW<x STRING>", "k NULL",          "l MAP<STRING NOT NULL, INT>"};
constexpr const char* kRows =
    R"([[true, 1, 1, 1, 1, 1.5, "1.00", "one", [1], ["a"], null, [["k", 1]]],
        [null, null, null, null, null, null, null, null, null, null, null, null],
        [false, -2, -2, -2, -2, -2.5, "-2.25", "", [], [null], null, []],
        [true, 3, 3, 3, 3, 3.5, "3.50", "three", [3, null], ["c"], null, [["m", null]]]])";

template <typename T>
std::shared_ptr<arrow::Buffer> buffer_of(std::vector<T> values) {
  return arrow::Buffer::FromVector(std::move(values));
}

Batch full_batch() {
  Batch batch = batch_of(*schema_of(kColumns), kRows);
  batch.set_row_kinds(buffer_of(std::vector<RowKind>{RowKind::kInsert, RowKind::kUpdateBefore,
                                                     RowKind::kUpdateAfter, RowKind::kDelete}));
  batch.set_event_times(buffer_of(std::vector<EventTime>{10, 11, 12, 13}));
  batch.set_key_hashes(buffer_of(std::vector<std::uint64_t>{20, 21, 22, 23}));
  return batch;
}

std::vector<std::string> rows_of(const Batch& batch) {
  return to_rows(batch, *schema_of(kColumns));
}

TEST(BatchTest, SliceKeepsSideArrays) {
  const Batch batch = full_batch();
  const std::vector<std::string> rows = rows_of(batch);
  const Batch slice = batch.slice(1, 2);
  EXPECT_EQ(rows_of(slice), std::vector<std::string>({rows[1], rows[2]}));
  EXPECT_EQ(slice.row_kind(1), RowKind::kUpdateAfter);
  EXPECT_EQ(slice.event_times()[0], 11);
  EXPECT_EQ(slice.key_hashes()[1], 22u);
  EXPECT_TRUE(batch.slice(4, 0).empty());
}

TEST(BatchTest, TakePicksRowsOfAnySlice) {
  const Batch batch = full_batch();
  for (std::int64_t from = 0; from < 3; ++from) {
    const Batch slice = batch.slice(from, 4 - from);
    const std::vector<std::string> rows = rows_of(slice);
    const std::vector<std::int32_t> picked = {static_cast<std::int32_t>(3 - from), 0, 0, 1};
    Result<Batch> taken = slice.take(picked);
    ASSERT_TRUE(taken.is_ok()) << taken.status().to_string();
    EXPECT_EQ(rows_of(*taken), std::vector<std::string>({rows[static_cast<std::size_t>(3 - from)],
                                                         rows[0], rows[0], rows[1]}));
    EXPECT_EQ(taken->event_times()[0], 13);
    EXPECT_EQ(taken->key_hashes()[3], static_cast<std::uint64_t>(21 + from));
    for (const ArrayPtr& column : taken->columns()) EXPECT_TRUE(column->ValidateFull().ok());
  }
  Result<Batch> none = batch.take({});
  ASSERT_TRUE(none.is_ok());
  EXPECT_TRUE(none->empty());
}

TEST(BatchTest, TakeOfEmptyStringsAndNoRows) {
  const SchemaPtr schema = schema_of({"s STRING"});
  const Batch empty = batch_of(*schema, "[]");
  EXPECT_TRUE(empty.take({}).is_ok());
  const Batch blank = batch_of(*schema, R"([[""]])");
  const std::vector<std::int32_t> rows = {0, 0};
  EXPECT_EQ(to_rows(*blank.take(rows), *schema), std::vector<std::string>({"+I[]", "+I[]"}));
}

TEST(BatchTest, ConcatenateJoinsRowsAndSideArrays) {
  const Batch batch = full_batch();
  const std::vector<Batch> parts = {batch.slice(0, 1), batch.slice(1, 0), batch.slice(1, 3)};
  Result<Batch> whole = Batch::concatenate(parts);
  ASSERT_TRUE(whole.is_ok()) << whole.status().to_string();
  EXPECT_EQ(rows_of(*whole), rows_of(batch));
  EXPECT_EQ(whole->event_times()[3], 13);
  EXPECT_EQ(whole->key_hashes()[3], 23u);
  EXPECT_EQ(Batch::concatenate({})->num_rows(), 0);
}

TEST(BatchTest, MissingRowKindsAreInserts) {
  const SchemaPtr schema = schema_of({"a INT"});
  const Batch inserts = batch_of(*schema, "[[1]]");
  const Batch changes = changelog_of(*schema, R"([["-D", 2]])");
  EXPECT_TRUE(inserts.insert_only());
  const std::vector<Batch> parts = {inserts, changes, inserts};
  EXPECT_EQ(to_rows(*Batch::concatenate(parts), *schema),
            std::vector<std::string>({"+I[1]", "-D[2]", "+I[1]"}));
  const std::vector<Batch> only_inserts = {inserts, inserts};
  EXPECT_TRUE(Batch::concatenate(only_inserts)->insert_only());
}

TEST(BatchTest, ByteSizeIsThatOfTheRowsInView) {
  const SchemaPtr schema = schema_of({"a BIGINT NOT NULL", "s STRING NOT NULL"});
  const Batch batch = batch_of(*schema, R"([[1, "abcd"], [2, "ef"], [3, ""]])");
  EXPECT_EQ(batch.byte_size(), 3 * 8 + 3 * 4 + 6);
  EXPECT_EQ(batch.slice(1, 1).byte_size(), 8 + 4 + 2);
  const Batch nested =
      batch_of(*schema_of({"a ARRAY<INT NOT NULL> NOT NULL"}), "[[[1, 2]], [[3]]]");
  EXPECT_EQ(nested.slice(0, 1).byte_size(), 4 + 2 * 4);
}

TEST(BatchTest, WithColumnsKeepsTheSides) {
  const Batch batch = full_batch().with_columns({});
  EXPECT_EQ(batch.num_rows(), 4);
  EXPECT_EQ(batch.num_columns(), 0);
  EXPECT_EQ(batch.event_times().size(), 4u);
  const std::vector<std::int32_t> rows = {2};
  EXPECT_EQ(batch.take(rows)->event_times()[0], 12);
}

}  // namespace
}  // namespace tidegate
