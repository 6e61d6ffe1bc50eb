// SPDX-License-Identifier: Apache-2.0
#include "types/key_encoding.h"

#include <arrow/array.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "types/test_columns.h"

namespace tidegate {
namespace {

std::vector<std::string_view> keys_of(const EncodedKeys& keys) {
  std::vector<std::string_view> out;
  for (std::int64_t i = 0; i < keys.num_rows(); ++i) out.push_back(keys.key(i));
  return out;
}

KeyCodec codec_of(const Schema& schema) {
  std::vector<LogicalType> types;
  for (const Field& field : schema.fields()) types.push_back(field.type);
  return KeyCodec(std::move(types));
}

/// The rows are in SQL's order, all different: their keys must be in the order of bytes, and decode
/// to the same rows; also in slices.
void expect_ordered(const std::vector<std::string>& columns, std::string_view rows) {
  SCOPED_TRACE(columns[0]);
  const SchemaPtr schema = schema_of(columns);
  const Batch batch = batch_of(*schema, rows);
  const KeyCodec codec = codec_of(*schema);
  EncodedKeys keys;
  ASSERT_TRUE(codec.encode(batch.columns(), batch.num_rows(), keys).is_ok());
  ASSERT_EQ(keys.num_rows(), batch.num_rows());
  for (std::int64_t i = 0; i + 1 < keys.num_rows(); ++i)
    EXPECT_LT(keys.key(i), keys.key(i + 1)) << "rows " << i << " and " << i + 1;

  Result<std::vector<ArrayPtr>> decoded = codec.decode(keys_of(keys));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(to_rows(Batch(batch.num_rows(), *decoded), *schema), to_rows(batch, *schema));

  for (std::int64_t from = 0; from < batch.num_rows(); ++from) {
    const Batch slice = batch.slice(from, batch.num_rows() - from);
    EncodedKeys slice_keys;
    ASSERT_TRUE(codec.encode(slice.columns(), slice.num_rows(), slice_keys).is_ok());
    for (std::int64_t i = 0; i < slice.num_rows(); ++i)
      EXPECT_EQ(slice_keys.key(i), keys.key(from + i));
  }
}

TEST(KeyEncodingTest, OrdersSingleColumns) {
  expect_ordered({"k BOOLEAN"}, "[[null], [false], [true]]");
  expect_ordered({"k TINYINT"}, "[[null], [-128], [-1], [0], [1], [127]]");
  expect_ordered({"k SMALLINT"}, "[[null], [-32768], [-256], [-1], [0], [255], [256], [32767]]");
  expect_ordered({"k INT"}, "[[null], [-2147483648], [-1], [0], [65536], [2147483647]]");
  expect_ordered(
      {"k BIGINT"},
      "[[null], [-9223372036854775808], [-1], [0], [4294967296], [9223372036854775807]]");
  expect_ordered({"k BIGINT NOT NULL"}, "[[-9223372036854775808], [-1], [0], [1]]");
  expect_ordered({"k FLOAT"}, "[[null], [-Inf], [-1.5], [0], [1e-45], [2], [Inf], [NaN]]");
  expect_ordered({"k DOUBLE"}, "[[null], [-Inf], [-2], [-1], [0], [5e-324], [1], [Inf], [NaN]]");
  expect_ordered({"k DECIMAL(38, 2)"},
                 R"([[null], ["-999999999999999999999999999999999999.99"], ["-0.01"], ["0.00"],
                     ["0.01"], ["123456789012345678901234567890.00"]])");
  expect_ordered({"k STRING"},
                 R"([[null], [""], ["\u0000"], ["\u0000\u0000"], ["\u0000a"], ["\u0001"], ["a"],
                     ["a\u0000"], ["a\u0000b"], ["aa"], ["b"], ["é"]])");
  expect_ordered({"k STRING"}, R"([["a"], ["aa"], ["b"]])");
  expect_ordered({"k BYTES"}, R"([[null], [""], ["a"], ["ab"]])");
  expect_ordered({"k DATE"}, R"([[null], [-1], [0], [20000]])");
  expect_ordered({"k TIME(3)"}, "[[null], [0], [86399999]]");
  expect_ordered({"k TIME(9)"}, "[[null], [0], [86399999999999]]");
  expect_ordered({"k TIMESTAMP(3)"}, "[[null], [-1], [0], [1602288000000]]");
  expect_ordered({"k TIMESTAMP_LTZ(9)"}, "[[null], [-1], [0], [1602288000000000000]]");
  expect_ordered({"k INTERVAL DAY TO SECOND"}, "[[null], [-1], [0], [1]]");
  expect_ordered({"k INTERVAL YEAR TO MONTH"}, "[[null], [-1], [0], [1]]");
  expect_ordered({"k NULL"}, "[[null]]");
}

TEST(KeyEncodingTest, OrdersSeveralColumns) {
  expect_ordered({"a STRING", "b INT"},
                 R"([[null, null], [null, 1], ["", null], ["", 0], ["\u0000", -1], ["a", -5],
                     ["a", 7], ["a\u0000", -9], ["a\u0000b", 1], ["ab", -9]])");
  expect_ordered({"a INT NOT NULL", "b BIGINT NOT NULL", "c BOOLEAN NOT NULL"},
                 "[[-1, 5, false], [-1, 5, true], [1, -5, false]]");
  expect_ordered({"a NULL", "b DOUBLE"}, "[[null, null], [null, -1], [null, 1]]");
}

TEST(KeyEncodingTest, OrdersNestedColumns) {
  expect_ordered({"a ARRAY<INT>"},
                 "[[null], [[]], [[null]], [[null, 5]], [[-1]], [[1]], [[1, null]], [[1, 1]]]");
  expect_ordered({"a ROW<x STRING, y INT>", "b INT"},
                 R"([[null, 1], [[null, null], 1], [["", 1], 0], [["a", null], 1], [["a", 1], 0],
                     [["a", 1], 1]])");
  expect_ordered({"a ARRAY<ROW<x STRING, y ARRAY<STRING>>>"},
                 R"([[[]], [[null]], [[["a", []]]], [[["a", ["\u0000"]]]], [[["b", null]]]])");
  expect_ordered({"m MAP<STRING NOT NULL, INT>"},
                 R"([[null], [[]], [[["a", null]]], [[["a", 1]]], [[["a", 1], ["b", 2]]]])");
  expect_ordered({"m MULTISET<STRING NOT NULL>"}, R"([[null], [[]], [[["a", 1]]], [[["a", 2]]]])");
}

TEST(KeyEncodingTest, EqualValuesHaveEqualKeys) {
  const SchemaPtr schema = schema_of({"d DOUBLE", "f FLOAT", "m MAP<STRING NOT NULL, INT>"});
  const Batch batch = batch_of(*schema, R"([[0.0, 0.0, [["a", 1], ["b", 2]]],
                                            [-0.0, -0.0, [["b", 2], ["a", 1]]]])");
  EncodedKeys keys;
  ASSERT_TRUE(codec_of(*schema).encode(batch.columns(), 2, keys).is_ok());
  EXPECT_EQ(keys.key(0), keys.key(1));
}

TEST(KeyEncodingTest, NullabilityDoesNotChangeTheBytes) {
  const Batch batch = batch_of(*schema_of({"a STRING", "b INT"}), R"([["x", 1]])");
  EncodedKeys nullable;
  EncodedKeys not_null;
  const LogicalType text = LogicalType::string();
  const LogicalType number(TypeKind::kInt);
  ASSERT_TRUE(KeyCodec({text, number}).encode(batch.columns(), 1, nullable).is_ok());
  ASSERT_TRUE(KeyCodec({text.with_nullable(false), number.with_nullable(false)})
                  .encode(batch.columns(), 1, not_null)
                  .is_ok());
  EXPECT_EQ(nullable.key(0), not_null.key(0));
}

// The state format: these bytes must never change.
TEST(KeyEncodingTest, BytesAreFrozen) {
  const auto bytes = [](const std::vector<std::string>& columns, std::string_view row) {
    const SchemaPtr schema = schema_of(columns);
    const Batch batch = batch_of(*schema, std::string("[") + std::string(row) + "]");
    EncodedKeys keys;
    EXPECT_TRUE(codec_of(*schema).encode(batch.columns(), 1, keys).is_ok());
    std::string out;
    for (unsigned char c : keys.key(0)) {
      const char* digits = "0123456789abcdef";
      out += {digits[c >> 4], digits[c & 15]};
    }
    return out;
  };
  EXPECT_EQ(bytes({"a STRING"}, R"(["/home"])"), "2f686f6d65");
  EXPECT_EQ(bytes({"a STRING"}, R"([""])"), "00");
  EXPECT_EQ(bytes({"a STRING"}, "[null]"), "");
  EXPECT_EQ(bytes({"a BIGINT"}, "[1]"), "8000000000000001");
  EXPECT_EQ(bytes({"a INT", "b STRING"}, R"([-2, "a\u0000b"])"), "017ffffffe016100ff6200");
  EXPECT_EQ(bytes({"a DOUBLE", "b DOUBLE"}, "[1, -1]"),
            "01bff0000000000000014"
            "00fffffffffffff");
  EXPECT_EQ(bytes({"a DECIMAL(5, 2)"}, R"(["-0.01"])"), "7fffffffffffffffffffffffffffffff");
  EXPECT_EQ(bytes({"a BOOLEAN", "b NULL"}, "[true, null]"), "010100");
  EXPECT_EQ(bytes({"a ARRAY<TINYINT>"}, "[[1, null]]"), "0102810100");
  EXPECT_EQ(bytes({"a ROW<x TINYINT, y TINYINT>"}, "[[1, null]]"), "01018100");
  EXPECT_EQ(bytes({"a MAP<TINYINT NOT NULL, TINYINT>"}, "[[[2, null], [1, 3]]]"),
            "01020181018302018200"
            "00");
}

TEST(KeyEncodingTest, OneStringColumnIsNotCopied) {
  const SchemaPtr schema = schema_of({"url STRING"});
  const Batch batch = batch_of(*schema, R"([["/a"], ["/bc"]])");
  EncodedKeys keys;
  ASSERT_TRUE(codec_of(*schema).encode(batch.columns(), 2, keys).is_ok());
  const auto& strings = static_cast<const arrow::StringArray&>(*batch.column(0));
  EXPECT_EQ(keys.key(1).data(), strings.GetView(1).data());
}

TEST(KeyEncodingTest, FixedWidthIsKnown) {
  EncodedKeys keys;
  const auto width = [&keys](const std::vector<std::string>& columns, std::string_view rows) {
    const SchemaPtr schema = schema_of(columns);
    const Batch batch = batch_of(*schema, rows);
    EXPECT_TRUE(codec_of(*schema).encode(batch.columns(), batch.num_rows(), keys).is_ok());
    return keys.fixed_width();
  };
  EXPECT_EQ(width({"a BIGINT"}, "[[1], [2]]"), 8);
  EXPECT_EQ(width({"a BIGINT"}, "[[1], [null]]"), 0);
  EXPECT_EQ(width({"a INT", "b INT"}, "[[1, 1], [2, 2]]"), 10);
  EXPECT_EQ(width({"a INT", "b STRING"}, R"([[1, "a"]])"), 0);
  EXPECT_EQ(width({"a STRING"}, R"([["a"]])"), 0);
}

TEST(KeyEncodingTest, NoColumnsIsOneKey) {
  EncodedKeys keys;
  ASSERT_TRUE(KeyCodec({}).encode({}, 3, keys).is_ok());
  EXPECT_EQ(keys.num_rows(), 3);
  EXPECT_EQ(keys.key(2), "");
  EXPECT_TRUE(KeyCodec({}).decode(keys_of(keys))->empty());
}

TEST(KeyEncodingTest, CorruptBytesAreFound) {
  for (const char* declared : {"k INT", "k STRING", "k DOUBLE", "k ARRAY<INT>", "k ROW<x STRING>",
                               "k MAP<INT NOT NULL, INT>", "k DECIMAL(3, 1)", "k NULL"}) {
    const SchemaPtr schema = schema_of({declared, "z INT"});
    const KeyCodec codec = codec_of(*schema);
    // All that begins well and ends too early, and one byte of every value.
    for (int first = 0; first < 256; ++first) {
      for (std::size_t size = 0; size < 5; ++size) {
        if (first == 0 && size == 2) continue;  // two nulls
        const std::string key(size, static_cast<char>(first));
        const std::vector<std::string_view> keys = {key};
        const Result<std::vector<ArrayPtr>> decoded = codec.decode(keys);
        ASSERT_FALSE(decoded.is_ok()) << declared << ": " << size << " times " << first;
        EXPECT_EQ(decoded.status().code(), ErrorCode::kStateCorrupt);
      }
    }
  }
  const std::string long_key(9, 'a');
  const std::vector<std::string_view> keys = {long_key};
  EXPECT_FALSE(KeyCodec({LogicalType(TypeKind::kBigInt)}).decode(keys).is_ok());
}

}  // namespace
}  // namespace tidegate
