// SPDX-License-Identifier: Apache-2.0
#include "operators/row_codec.h"

#include <arrow/array/array_base.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "tests/support/batch_literal.h"

namespace tidegate {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kEverything =
    "a BOOLEAN, b TINYINT, c BIGINT, d DOUBLE, e DECIMAL(38, 2), f STRING, g BYTES, h DATE, "
    "i TIME(0), j TIME(9), k TIMESTAMP(9), l TIMESTAMP_LTZ(3), m ARRAY<STRING>, n MAP<STRING, "
    "INT>, "
    "o ROW<x INT, y ARRAY<ROW<z DOUBLE>>>, p INTERVAL DAY TO SECOND";

Batch everything() {
  return batch_of(schema_of(kEverything), R"([
    [true, 1, -5, 0.5, "12.34", "ab", "xyz", 3, 7, 9, 1, 2, ["p", null, ""], [["k", 1], ["l", null]],
     [4, [[1.5], null, [null]]], 1],
    [null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null],
    [false, -128, 9223372036854775807, -0.0, "-0.01", "", "", -1, 0, 0, -1, 0, [], [],
     [null, null], 0]])");
}

std::vector<std::string> encode(const Batch& batch) {
  const RowEncoder encoder(batch);
  std::vector<std::string> rows(static_cast<std::size_t>(batch.num_rows()));
  for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
    encoder.append(i, rows[static_cast<std::size_t>(i)]);
  }
  return rows;
}

Batch decode(std::string_view schema, const std::vector<std::string>& rows) {
  RowDecoder decoder(column_types(*schema_of(schema)));
  for (const std::string& row : rows) {
    const Status status = decoder.append(row);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
  }
  auto columns = decoder.take();
  EXPECT_TRUE(columns.is_ok());
  return Batch(std::ssize(rows), *columns);
}

TEST(RowCodec, KeepsEveryTypeAndNull) {
  const Batch batch = everything();
  const Batch back = decode(kEverything, encode(batch));
  EXPECT_EQ(text_rows(back), text_rows(batch));
  for (int c = 0; c < batch.num_columns(); ++c) {
    EXPECT_TRUE(back.column(c)->ValidateFull().ok()) << c;
    EXPECT_TRUE(back.column(c)->Equals(*batch.column(c))) << c;
  }
}

TEST(RowCodec, ReadsSlices) {
  const Batch batch = everything().slice(1, 2);
  EXPECT_EQ(text_rows(decode(kEverything, encode(batch))), text_rows(batch));
}

TEST(RowCodec, KeepsTheSignOfZero) {
  const Batch back = decode("d DOUBLE", encode(batch_of(schema_of("d DOUBLE"), "[[-0.0]]")));
  EXPECT_EQ(text_rows(back), std::vector<std::string>{"+I[-0]"});
}

TEST(RowCodec, DecoderStartsAnewAfterTake) {
  RowDecoder decoder(column_types(*schema_of("f STRING, m ARRAY<STRING>")));
  const auto rows = encode(batch_of(schema_of("f STRING, m ARRAY<STRING>"), R"([["x", ["y"]]])"));
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(decoder.append(rows[0]).is_ok());
    ASSERT_TRUE(decoder.append_nulls().is_ok());
    EXPECT_EQ(decoder.num_rows(), 2);
    auto columns = decoder.take();
    ASSERT_TRUE(columns.is_ok());
    EXPECT_EQ(decoder.num_rows(), 0);
    const Batch back(2, *columns);
    EXPECT_TRUE(back.column(1)->ValidateFull().ok());
    EXPECT_EQ(text_rows(back)[1], "+I[null, null]");
  }
}

TEST(RowCodec, NoColumns) {
  const Batch back = decode("", encode(Batch(2, {})));
  EXPECT_EQ(back.num_rows(), 2);
}

TEST(RowCodec, RefusesWhatItDidNotWrite) {
  const std::vector<LogicalType> types = column_types(*schema_of(kEverything));
  const std::string row = encode(everything())[0];
  for (std::size_t size = 0; size < row.size(); ++size) {
    RowDecoder decoder(types);
    const Status status = decoder.append(std::string_view(row).substr(0, size));
    ASSERT_FALSE(status.is_ok()) << size;
    EXPECT_EQ(status.code(), ErrorCode::kStateCorrupt);
  }
  RowDecoder decoder(types);
  const Status status = decoder.append(row + "x");
  ASSERT_FALSE(status.is_ok());
  EXPECT_THAT(status.message(), HasSubstr("1 bytes too many"));
}

TEST(RowCodec, SurvivesDamage) {
  const std::vector<LogicalType> types = column_types(*schema_of(kEverything));
  const std::string row = encode(everything())[0];
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = row;
    damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    RowDecoder decoder(types);
    if (!decoder.append(damaged).is_ok()) continue;
    auto columns = decoder.take();
    ASSERT_TRUE(columns.is_ok());
    for (const ArrayPtr& column : *columns) EXPECT_TRUE(column->Validate().ok());
  }
}

}  // namespace
}  // namespace tidegate
