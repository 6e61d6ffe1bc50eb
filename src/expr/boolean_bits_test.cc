// SPDX-License-Identifier: Apache-2.0
#include "expr/boolean_bits.h"

#include <arrow/array/array_primitive.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "types/test_columns.h"

namespace tidegate {
namespace {

/// true, false, null, true, ... with period 3 over `num_rows` rows.
ArrayPtr pattern(int num_rows) {
  std::string json = "[";
  for (int i = 0; i < num_rows; ++i)
    json += (i > 0 ? ", " : "") + std::string(i % 3 == 0 ? "true" : i % 3 == 1 ? "false" : "null");
  return array_of(LogicalType(TypeKind::kBoolean), json + "]");
}

// Around the ends of words and bytes, in slices at every offset within a word.
TEST(BooleanBitsTest, GoesBothWaysAtEveryOffset) {
  const LogicalType boolean(TypeKind::kBoolean);
  const ArrayPtr whole = pattern(300);
  for (std::int64_t offset = 0; offset < 70; ++offset) {
    for (std::int64_t length : {0, 1, 7, 8, 63, 64, 65, 127, 128, 129, 230}) {
      const ArrayPtr slice = whole->Slice(offset, length);
      const BooleanBits bits = BooleanBits::of({slice, false}, length);
      Result<ArrayPtr> back = bits.to_array();
      ASSERT_TRUE(back.is_ok());
      ASSERT_TRUE((*back)->Equals(slice)) << offset << " " << length;
      std::vector<std::int32_t> rows;
      std::vector<std::int32_t> expected;
      bits.rows_true(rows);
      for (std::int32_t i = 0; i < length; ++i)
        if ((offset + i) % 3 == 0) expected.push_back(i);
      ASSERT_EQ(rows, expected);
      bits.rows_not_false(rows);
      expected.clear();
      for (std::int32_t i = 0; i < length; ++i)
        if ((offset + i) % 3 != 1) expected.push_back(i);
      ASSERT_EQ(rows, expected);
    }
  }
}

TEST(BooleanBitsTest, ConstantsCoverAllRows) {
  const LogicalType boolean(TypeKind::kBoolean);
  std::vector<std::int32_t> rows;
  BooleanBits::of({array_of(boolean, "[true]"), true}, 130).rows_true(rows);
  EXPECT_EQ(rows.size(), 130u);
  const BooleanBits null = BooleanBits::of({array_of(boolean, "[null]"), true}, 130);
  null.rows_true(rows);
  EXPECT_TRUE(rows.empty());
  null.rows_not_false(rows);
  EXPECT_EQ(rows.size(), 130u);
}

TEST(BooleanBitsTest, CombinesRowsOfAPart) {
  const LogicalType boolean(TypeKind::kBoolean);
  const auto bits = [&](const char* json, std::int64_t n) {
    return BooleanBits::of({array_of(boolean, json), false}, n);
  };
  const std::vector<std::int32_t> rows = {0, 2, 3};
  BooleanBits all = bits("[true, false, true, null]", 4);
  all.and_with(bits("[null, false, true]", 3), rows);
  EXPECT_EQ(to_texts(**all.to_array(), boolean),
            std::vector<std::string>({"null", "false", "false", "null"}));
  BooleanBits any = bits("[false, true, null, false]", 4);
  any.or_with(bits("[true, false, null]", 3), rows);
  EXPECT_EQ(to_texts(**any.to_array(), boolean),
            std::vector<std::string>({"true", "true", "null", "null"}));
}

}  // namespace
}  // namespace tidegate
