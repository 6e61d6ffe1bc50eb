// SPDX-License-Identifier: Apache-2.0
#include "expr/expr.h"

#include <gtest/gtest.h>

#include "expr/type_rules.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

TEST(ExprTest, PrintsAsSql) {
  const SchemaPtr schema = schema_of({"url STRING", "n INT"});
  const ExprPtr expr =
      case_when({{logical_and({call(">", {col(1), lit(5)}), call("IS NOT NULL", {col(0)})}),
                  call("UPPER", {col(0)})}},
                cast(lit("it's"), LogicalType::string()));
  EXPECT_EQ(
      expr->to_string(schema.get()),
      "CASE WHEN ((n > 5) AND (url IS NOT NULL)) THEN UPPER(url) ELSE CAST('it''s' AS STRING) "
      "END");
  EXPECT_EQ(call("-", {col(3)})->to_string(), "-$3");
  EXPECT_EQ((*lit_text("2020-10-10", LogicalType(TypeKind::kDate)))->to_string(),
            "DATE '2020-10-10'");
  EXPECT_EQ(lit_null()->to_string(), "NULL");
}

TEST(ExprTest, LiteralsHaveFlinksTypes) {
  EXPECT_EQ(lit("äb")->type().to_string(), "CHAR(2) NOT NULL");
  EXPECT_EQ(lit(1)->type().to_string(), "INT NOT NULL");
  EXPECT_EQ(lit(std::int64_t{1})->type().to_string(), "BIGINT NOT NULL");
  EXPECT_EQ(lit(1.5)->type().to_string(), "DOUBLE NOT NULL");
  EXPECT_EQ(lit_null(LogicalType(TypeKind::kInt, false))->type().to_string(), "INT");
}

TEST(ExprTest, TextsOfLiteralsAreChecked) {
  for (const auto& [text, type] :
       {std::pair("2020-02-30", "DATE"), std::pair("1.5", "INT"), std::pair("300", "TINYINT"),
        std::pair("100", "DECIMAL(2, 0)"), std::pair("yes", "BOOLEAN"), std::pair("", "BIGINT"),
        std::pair("1", "ARRAY<INT>")}) {
    EXPECT_EQ(lit_text(text, *LogicalType::parse(type)).status().code(), ErrorCode::kCastFailed)
        << text << " as " << type;
  }
}

TEST(TypeRulesTest, CommonTypes) {
  const auto common = [](const char* a, const char* b) {
    const auto type = common_type(*LogicalType::parse(a), *LogicalType::parse(b));
    return type ? type->to_string() : std::string("none");
  };
  EXPECT_EQ(common("INT NOT NULL", "BIGINT NOT NULL"), "BIGINT NOT NULL");
  EXPECT_EQ(common("INT NOT NULL", "BIGINT"), "BIGINT");
  EXPECT_EQ(common("NULL", "INT NOT NULL"), "INT");
  EXPECT_EQ(common("INT", "DECIMAL(5, 2)"), "DECIMAL(12, 2)");
  EXPECT_EQ(common("DECIMAL(38, 0)", "DECIMAL(38, 38)"), "DECIMAL(38, 0)");
  EXPECT_EQ(common("DECIMAL(5, 2)", "FLOAT"), "DOUBLE");
  EXPECT_EQ(common("CHAR(1)", "CHAR(1)"), "CHAR(1)");
  EXPECT_EQ(common("CHAR(1)", "STRING"), "STRING");
  EXPECT_EQ(common("BINARY(2)", "VARBINARY(3)"), "VARBINARY(3)");
  EXPECT_EQ(common("DATE", "TIMESTAMP(3)"), "TIMESTAMP(3)");
  EXPECT_EQ(common("TIMESTAMP(6)", "TIMESTAMP_LTZ(3)"), "TIMESTAMP_LTZ(6)");
  EXPECT_EQ(common("TIME(0)", "TIME(3)"), "TIME(3)");
  EXPECT_EQ(common("ARRAY<INT>", "ARRAY<BIGINT>"), "ARRAY<BIGINT>");
  EXPECT_EQ(common("ROW<a INT>", "ROW<b DOUBLE>"), "ROW<`a` DOUBLE>");
  EXPECT_EQ(common("MAP<INT, INT>", "ARRAY<INT>"), "none");
  EXPECT_EQ(common("INT", "STRING"), "none");
  EXPECT_EQ(common("DATE", "TIME"), "none");
}

}  // namespace
}  // namespace tidegate
