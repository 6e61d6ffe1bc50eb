// SPDX-License-Identifier: Apache-2.0
#include "operators/row_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/row_codec.h"
#include "operators/stored_rows.h"
#include "operators/top_rows.h"
#include "state/binary_codec.h"
#include "tests/support/batch_literal.h"

namespace tidegate {
namespace {

using ::testing::HasSubstr;

std::vector<StateColumn> columns_of(std::string_view schema) {
  std::vector<StateColumn> columns;
  const SchemaPtr parsed = schema_of(schema);
  for (const Field& field : parsed->fields()) {
    columns.push_back({field.name, field.type.to_string(), {}});
  }
  return columns;
}

std::string row_of(const Batch& batch, std::int64_t row) {
  std::string bytes;
  RowEncoder(batch).append(row, bytes);
  return bytes;
}

/// The rows of `batch`, migrated.
Batch migrate(std::string_view old, std::string_view now, std::string_view rows) {
  const Batch batch = batch_of(schema_of(old), rows);
  const auto replace = row_migration(columns_of(old), columns_of(now), false);
  EXPECT_TRUE(replace.is_ok()) << replace.status().to_string();
  RowDecoder decoder(column_types(*schema_of(now)));
  for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
    std::string bytes;
    EXPECT_TRUE((*replace)(row_of(batch, i), bytes).is_ok());
    EXPECT_TRUE(decoder.append(bytes).is_ok());
  }
  return Batch(batch.num_rows(), *decoder.take());
}

TEST(RowMigrationTest, ColumnsAreAddedWidenedAndMoved) {
  const Batch now = migrate(
      "a INT NOT NULL, b STRING, c ARRAY<STRING>, d FLOAT, e TINYINT, f BOOLEAN, g MAP<STRING, "
      "INT>, h ROW<x INT, y STRING>, i DECIMAL(5, 1)",
      "i DECIMAL(9, 1), x STRING, e SMALLINT, a BIGINT, h ROW<x INT, y STRING>, d DOUBLE, b "
      "STRING, "
      "g MAP<STRING, INT>, c ARRAY<STRING>, f BOOLEAN, z INT",
      R"([[-7, "text", ["p", null], 0.5, -3, true, [["k", 1], ["l", null]], [4, "y"], "12.5"],
          [1, null, null, null, null, null, null, null, null],
          [2, "", [], -1.0, 127, false, [], [null, null], "-0.1"]])");
  EXPECT_EQ(
      text_rows(now),
      text_rows(batch_of(
          schema_of("i DECIMAL(9, 1), x STRING, e SMALLINT, a BIGINT, h ROW<x INT, y STRING>, "
                    "d DOUBLE, b STRING, g MAP<STRING, INT>, c ARRAY<STRING>, f BOOLEAN, z "
                    "INT"),
          R"([["12.5", null, -3, -7, [4, "y"], 0.5, "text", [["k", 1], ["l", null]], ["p", null],
                     true, null],
                    [null, null, null, 1, null, null, null, null, null, null, null],
                    ["-0.1", null, 127, 2, [null, null], -1.0, "", [], [], false, null]])")));
}

TEST(RowMigrationTest, WhatDoesNotFitIsNamed) {
  const auto problem = [](std::string_view old, std::string_view now, bool may_drop = false) {
    return row_migration(columns_of(old), columns_of(now), may_drop).status().to_string();
  };
  EXPECT_THAT(problem("a INT, b INT", "a INT"), HasSubstr("'b'"));
  EXPECT_TRUE(row_migration(columns_of("a INT, b INT"), columns_of("a INT"), true).is_ok());
  EXPECT_THAT(problem("a INT", "a INT, b INT NOT NULL"), HasSubstr("'b'"));
  EXPECT_THAT(problem("a BIGINT", "a INT"), HasSubstr("'a' was BIGINT, is INT"));
  EXPECT_THAT(problem("a INT", "a INT NOT NULL"), HasSubstr("'a'"));
}

/// Every form with two rows (or one, where it has no room for more), and what is around them.
std::string value_of(std::string_view form, std::string_view first, std::string_view second) {
  std::string bytes;
  const auto sized = [&](std::string_view part) { write_bytes(bytes, part); };
  if (form == "row" || form == "stored") bytes = first;
  if (form == "8 stored") bytes = "12345678" + std::string(first);
  if (form == "* v:row" || form == "* v:stored") {
    sized(first);
    sized(second);
  }
  if (form == "chunk0:8 * 8 4 v v:row") {
    bytes = "headhead";
    for (const std::string_view row : {first, second}) {
      bytes += "stampstmmtch";
      sized("key");
      sized(row);
    }
  }
  if (form == "= * l l:stored") {
    for (const std::string_view row : {first, second}) {
      for (const std::string_view part : {std::string_view("key"), row}) {
        write_fixed(bytes, static_cast<std::uint32_t>(part.size()));
        bytes += part;
      }
    }
  }
  if (form == "= top") {
    const std::vector<TopRows::Entry> entries{{"k1", first, 0}, {"k2", second, 0}};
    write_top_rows(entries, bytes);
  }
  std::string value;
  write_bytes(value, bytes);
  return value;
}

TEST(StoredFormTest, EveryFormIsRewritten) {
  const Batch old = batch_of(schema_of("a INT, b STRING"), R"([[1, "x"], [null, "longer"]])");
  const Batch now = batch_of(schema_of("b STRING, a BIGINT, c INT"),
                             R"([["x", 1, null], ["longer", null, null]])");
  const auto stored = [](const Batch& batch, std::int64_t row) {
    std::string bytes;
    StoredRowEncoder(batch).append(row, bytes);
    return bytes;
  };
  const auto replace =
      row_migration(columns_of("a INT, b STRING"), columns_of("b STRING, a BIGINT, c INT"), false);
  for (const std::string_view form : {"row", "stored", "8 stored", "* v:row", "* v:stored",
                                      "chunk0:8 * 8 4 v v:row", "= * l l:stored", "= top"}) {
    SCOPED_TRACE(form);
    const auto parsed = StoredForm::parse("rows/1 " + std::string(form));
    ASSERT_TRUE(parsed.is_ok()) << parsed.status().to_string();
    EXPECT_EQ(parsed->has_fixed_types(), form.starts_with('='));
    const bool is_stored = form.find("stored") != form.npos || form == "= top";
    const auto make = [&](const Batch& batch) {
      return is_stored ? value_of(form, stored(batch, 0), stored(batch, 1))
                       : value_of(form, row_of(batch, 0), row_of(batch, 1));
    };
    std::string out;
    const Status status = parsed->rewrite(0, make(old), *replace, out);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
    EXPECT_EQ(out, make(now));
    // Cut short it is refused, or ends at a row.
    std::string bytes;
    std::string_view whole = make(old);
    const std::string value = make(old);
    whole = value;
    std::string_view inner;
    ASSERT_TRUE(read_bytes(whole, inner));
    for (std::size_t size = 1; size < inner.size(); ++size) {
      std::string cut;
      write_bytes(cut, inner.substr(0, size));
      out.clear();
      static_cast<void>(parsed->rewrite(0, cut, *replace, out));
    }
  }
  for (const char* other : {"bytes", "rows/1 other", "rows/1 x:row", "rows/2 row"}) {
    EXPECT_EQ(StoredForm::parse(other).status().code(), ErrorCode::kNotSupported) << other;
  }
}

}  // namespace
}  // namespace tidegate
