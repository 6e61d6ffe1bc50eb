// SPDX-License-Identifier: Apache-2.0
#include "types/value_format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "types/test_columns.h"
#include "types/time_zone.h"

namespace tidegate {
namespace {

/// The one value of the JSON list in all three forms.
std::vector<std::string> forms(std::string_view type_text, std::string_view json,
                               const TimeZone* zone = nullptr) {
  const LogicalType type = *LogicalType::parse(type_text);
  const ArrayPtr array = array_of(type, json);
  std::vector<std::string> out(3);
  append_value(type, *array, 0, TextForm::kPrint, out[0], zone);
  append_value(type, *array, 0, TextForm::kCast, out[1], zone);
  append_value(type, *array, 0, TextForm::kData, out[2], zone);
  return out;
}

using Forms = std::vector<std::string>;

TEST(ValueFormatTest, Scalars) {
  EXPECT_EQ(forms("INT", "[null]"), Forms({"null", "NULL", "null"}));
  EXPECT_EQ(forms("BOOLEAN", "[true]"), Forms({"true", "TRUE", "true"}));
  EXPECT_EQ(forms("TINYINT", "[-128]"), Forms({"-128", "-128", "-128"}));
  EXPECT_EQ(forms("BIGINT", "[-9223372036854775808]")[0], "-9223372036854775808");
  EXPECT_EQ(forms("FLOAT", "[1e10]")[0], "1.0E10");
  EXPECT_EQ(forms("DOUBLE", "[0.5]")[2], "0.5");
  EXPECT_EQ(forms("DECIMAL(10, 8)", R"(["0.00000001"])")[0], "0.00000001");
  EXPECT_EQ(forms("STRING", R"(["a, b"])"), Forms({"a, b", "a, b", "a, b"}));
  EXPECT_EQ(forms("BYTES", "[\"h\xc3\xa9\"]"),
            Forms({"[104, -61, -87]", "h\xc3\xa9", "h\xc3\xa9"}));
}

TEST(ValueFormatTest, Times) {
  EXPECT_EQ(forms("DATE", "[18545]"), Forms({"2020-10-10", "2020-10-10", "2020-10-10"}));
  EXPECT_EQ(forms("TIME(0)", "[36000000]"), Forms({"10:00", "10:00:00", "10:00:00"}));
  EXPECT_EQ(forms("TIME(9)", "[36000500000000]"),
            Forms({"10:00:00.500", "10:00:00.500000000", "10:00:00.5"}));
  EXPECT_EQ(forms("TIMESTAMP(3)", "[1602288001000]"),
            Forms({"2020-10-10T00:00:01", "2020-10-10 00:00:01.000", "2020-10-10 00:00:01"}));
  EXPECT_EQ(forms("TIMESTAMP_LTZ(3)", "[1602288000000]"),
            Forms({"2020-10-10T00:00:00Z", "2020-10-10 00:00:00.000", "2020-10-10 00:00:00Z"}));
  const TimeZone shanghai = *TimeZone::find("Asia/Shanghai");
  EXPECT_EQ(
      forms("TIMESTAMP_LTZ(6)", "[1602288000500000]", &shanghai),
      Forms({"2020-10-10T00:00:00.500Z", "2020-10-10 08:00:00.500000", "2020-10-10 00:00:00.5Z"}));
}

TEST(ValueFormatTest, Intervals) {
  EXPECT_EQ(forms("INTERVAL YEAR TO MONTH", "[14]"), Forms({"P1Y2M", "+1-02", "+1-02"}));
  EXPECT_EQ(forms("INTERVAL YEAR TO MONTH", "[-14]"), Forms({"P-1Y-2M", "-1-02", "-1-02"}));
  EXPECT_EQ(forms("INTERVAL YEAR TO MONTH", "[0]")[0], "P0D");
  EXPECT_EQ(forms("INTERVAL DAY TO SECOND", "[93784005]"),
            Forms({"PT26H3M4.005S", "+1 02:03:04.005", "+1 02:03:04.005"}));
  EXPECT_EQ(forms("INTERVAL DAY TO SECOND", "[-1]"),
            Forms({"PT-0.001S", "-0 00:00:00.001", "-0 00:00:00.001"}));
  EXPECT_EQ(forms("INTERVAL DAY TO SECOND", "[0]")[0], "PT0S");
}

TEST(ValueFormatTest, Nested) {
  EXPECT_EQ(forms("ARRAY<STRING>", R"([["a", null]])"),
            Forms({"[a, null]", "[a, NULL]", "[a, null]"}));
  EXPECT_EQ(forms("ARRAY<INT>", "[[]]")[0], "[]");
  EXPECT_EQ(forms("MAP<STRING NOT NULL, BOOLEAN>", R"([[["k", true], ["l", null]]])"),
            Forms({"{k=true, l=null}", "{k=TRUE, l=NULL}", "{k=true, l=null}"}));
  EXPECT_EQ(forms("MULTISET<STRING NOT NULL>", R"([[["a", 2]]])")[0], "{a=2}");
  EXPECT_EQ(forms("ROW<a STRING, b ROW<c INT>>", R"([["x", [1]]])"),
            Forms({"+I[x, +I[1]]", "(x, (1))", "(x, (1))"}));
}

TEST(ValueFormatTest, RowsWithKinds) {
  const SchemaPtr schema = schema_of({"a STRING", "n BIGINT"});
  const Batch batch = changelog_of(*schema, R"([["+I", "a", 1], ["-U", null, 2], ["+U", "", 3],
                                                ["-D", "b", null]])");
  EXPECT_EQ(to_rows(batch, *schema),
            std::vector<std::string>({"+I[a, 1]", "-U[null, 2]", "+U[, 3]", "-D[b, null]"}));
}

}  // namespace
}  // namespace tidegate
