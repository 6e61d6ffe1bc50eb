// SPDX-License-Identifier: Apache-2.0
#include "types/logical_type.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "types/schema.h"

namespace tidegate {
namespace {

LogicalType type_of(std::string_view text) {
  Result<LogicalType> type = LogicalType::parse(text);
  EXPECT_TRUE(type.is_ok()) << type.status().to_string();
  return type.is_ok() ? *type : LogicalType();
}

std::string message_of(std::string_view text) {
  Result<LogicalType> type = LogicalType::parse(text);
  return type.is_ok() ? "parsed as " + type->to_string() : type.status().message();
}

TEST(LogicalTypeTest, PrintsWhatItReads) {
  for (const char* text : {"NULL",
                           "BOOLEAN",
                           "TINYINT",
                           "SMALLINT",
                           "INT",
                           "BIGINT",
                           "FLOAT",
                           "DOUBLE",
                           "DECIMAL(38, 38)",
                           "CHAR(3)",
                           "VARCHAR(20)",
                           "STRING",
                           "BINARY(4)",
                           "VARBINARY(7)",
                           "BYTES",
                           "DATE",
                           "TIME(0)",
                           "TIME(9)",
                           "TIMESTAMP(3)",
                           "TIMESTAMP_LTZ(9)",
                           "INTERVAL YEAR TO MONTH",
                           "INTERVAL DAY TO SECOND",
                           "BIGINT NOT NULL",
                           "ARRAY<INT NOT NULL> NOT NULL",
                           "MULTISET<STRING>",
                           "MAP<STRING NOT NULL, ARRAY<DOUBLE>>",
                           "ROW<`a` INT, `b` ROW<`c``d` STRING NOT NULL>>",
                           "ROW<>"}) {
    EXPECT_EQ(type_of(text).to_string(), text);
    EXPECT_EQ(type_of(type_of(text).to_string()), type_of(text));
  }
}

TEST(LogicalTypeTest, ReadsOtherSpellings) {
  const std::vector<std::pair<const char*, const char*>> spellings = {
      {"integer", "INT"},
      {"double precision not null", "DOUBLE NOT NULL"},
      {"DEC", "DECIMAL(10, 0)"},
      {"NUMERIC(5)", "DECIMAL(5, 0)"},
      {"CHARACTER VARYING(3)", "VARCHAR(3)"},
      {"VARCHAR", "STRING"},
      {"VARCHAR(2147483647)", "STRING"},
      {"BINARY VARYING", "BYTES"},
      {"CHAR", "CHAR(1)"},
      {"TIME", "TIME(0)"},
      {"TIME(3) WITHOUT TIME ZONE", "TIME(3)"},
      {"TIMESTAMP", "TIMESTAMP(6)"},
      {"TIMESTAMP(3) WITHOUT TIME ZONE", "TIMESTAMP(3)"},
      {"TIMESTAMP(3) WITH LOCAL TIME ZONE NOT NULL", "TIMESTAMP_LTZ(3) NOT NULL"},
      {"INT NULL", "INT"},
      {"INT NOT NULL ARRAY", "ARRAY<INT NOT NULL>"},
      {"STRING ARRAY MULTISET NOT NULL", "MULTISET<ARRAY<STRING>> NOT NULL"},
      {"ROW(a INT 'the first', `select` STRING)", "ROW<`a` INT, `select` STRING>"},
      {"INTERVAL YEAR(4)", "INTERVAL YEAR TO MONTH"},
      {"INTERVAL DAY(2) TO SECOND(3)", "INTERVAL DAY TO SECOND"},
      {"INTERVAL HOUR TO MINUTE", "INTERVAL DAY TO SECOND"},
      {"  \n MAP < INT , INT > ", "MAP<INT, INT>"}};
  for (const auto& [text, canonical] : spellings) EXPECT_EQ(type_of(text).to_string(), canonical);
}

TEST(LogicalTypeTest, ErrorsNameThePlaceAndTheRange) {
  EXPECT_EQ(message_of("DECIMAL(39, 1)"),
            "type 'DECIMAL(39, 1)': DECIMAL precision is 39, not from 1 to 38");
  EXPECT_EQ(message_of("DECIMAL(5, 6)"),
            "type 'DECIMAL(5, 6)': DECIMAL scale is 6, not from 0 to 5");
  EXPECT_EQ(message_of("TIMESTAMP(10)"),
            "type 'TIMESTAMP(10)': TIMESTAMP precision is 10, not from 0 to 9");
  EXPECT_EQ(message_of("VARCHAR(0)"), "type 'VARCHAR(0)': length is 0, not from 1 to 2147483647");
  EXPECT_EQ(message_of("VARCHAR(2147483648)"),
            "type 'VARCHAR(2147483648)', column 9: number 2147483648 is too large");
  EXPECT_EQ(message_of(""), "type '', column 1: a type name expected");
  EXPECT_EQ(message_of("INT INT"), "type 'INT INT', column 5: unexpected 'INT' behind the type");
  EXPECT_EQ(message_of("ARRAY<INT"), "type 'ARRAY<INT', column 10: '>' expected");
  EXPECT_EQ(message_of("INT NOT"), "type 'INT NOT', column 8: NULL expected");
  EXPECT_EQ(message_of("ROW<a INT, a INT>"), "type 'ROW<a INT, a INT>': field 'a' is there twice");
  EXPECT_EQ(message_of("ROW<`a INT>"), "type 'ROW<`a INT>', column 5: no closing `");
  EXPECT_EQ(
      message_of("INTERVAL SECOND TO DAY"),
      "type 'INTERVAL SECOND TO DAY', column 23: these two fields do not make an interval type");
  EXPECT_EQ(message_of("TIMESTAMP WITH TIME ZONE"),
            "type 'TIMESTAMP WITH TIME ZONE': TIMESTAMP WITH TIME ZONE is not supported");
}

TEST(LogicalTypeTest, UnknownTypeSuggestsTheNearest) {
  const Status status = LogicalType::parse("BIGINTT").status();
  EXPECT_EQ(status.code(), ErrorCode::kUnknownName);
  EXPECT_EQ(status.remedy(), "Did you mean BIGINT?");
}

TEST(LogicalTypeTest, NestingIsLimited) {
  std::string fits = "INT";
  for (int i = 0; i < 63; ++i) fits = "ARRAY<" + fits + ">";
  EXPECT_TRUE(LogicalType::parse(fits).is_ok());
  EXPECT_EQ(LogicalType::parse("ARRAY<" + fits + ">").status().code(), ErrorCode::kLimitExceeded);
  std::string suffixes = "INT";
  for (int i = 0; i < 100000; ++i) suffixes += " ARRAY";
  EXPECT_EQ(LogicalType::parse(suffixes).status().code(), ErrorCode::kLimitExceeded);
  EXPECT_EQ(LogicalType::parse(std::string(100000, '<')).status().code(),
            ErrorCode::kInvalidSyntax);
}

TEST(LogicalTypeTest, ComparesNullabilityAtEveryLevel) {
  EXPECT_NE(type_of("INT"), type_of("INT NOT NULL"));
  EXPECT_TRUE(type_of("INT").same_but_nullability(type_of("INT NOT NULL")));
  EXPECT_FALSE(type_of("ARRAY<INT>").same_but_nullability(type_of("ARRAY<INT NOT NULL>")));
  EXPECT_FALSE(type_of("TIMESTAMP(3)").same_but_nullability(type_of("TIMESTAMP(6)")));
  EXPECT_EQ(type_of("ROW<a INT>").with_nullable(false), type_of("ROW<a INT> NOT NULL"));
}

TEST(LogicalTypeTest, ArrowTypesGoBothWays) {
  for (const char* text : {"NULL",
                           "BOOLEAN",
                           "TINYINT",
                           "SMALLINT",
                           "INT",
                           "BIGINT",
                           "FLOAT",
                           "DOUBLE",
                           "DECIMAL(20, 3)",
                           "STRING",
                           "BYTES",
                           "DATE",
                           "TIME(3)",
                           "TIME(9)",
                           "TIMESTAMP(3)",
                           "TIMESTAMP(6)",
                           "TIMESTAMP(9)",
                           "TIMESTAMP_LTZ(3)",
                           "ARRAY<INT>",
                           "MAP<STRING NOT NULL, BIGINT>",
                           "ROW<`a` INT, `b` ARRAY<STRING>>"}) {
    const LogicalType type = type_of(text);
    Result<LogicalType> back = LogicalType::from_arrow(*type.arrow_type());
    ASSERT_TRUE(back.is_ok()) << text << ": " << back.status().to_string();
    EXPECT_EQ(*back, type) << text << " became " << back->to_string();
  }
  EXPECT_TRUE(type_of("TIME(4)").arrow_type()->Equals(*arrow::time64(arrow::TimeUnit::NANO)));
  EXPECT_TRUE(
      type_of("TIMESTAMP(0)").arrow_type()->Equals(*arrow::timestamp(arrow::TimeUnit::MILLI)));
  EXPECT_EQ(LogicalType::from_arrow(*arrow::dictionary(arrow::int32(), arrow::utf8()))->to_string(),
            "STRING");
  EXPECT_EQ(LogicalType::from_arrow(*arrow::uint64())->to_string(), "DECIMAL(20, 0)");
  EXPECT_FALSE(LogicalType::from_arrow(*arrow::decimal256(50, 2)).is_ok());
}

TEST(SchemaTest, FindsFieldsAndPrints) {
  Schema schema({{"url", LogicalType::string()}, {"ts", LogicalType::timestamp(3, false)}});
  schema.rowtime = 1;
  schema.primary_key = {0};
  EXPECT_EQ(schema.index_of("ts"), 1);
  EXPECT_EQ(schema.index_of("TS"), -1);
  EXPECT_EQ(schema.to_string(),
            "(url STRING, ts TIMESTAMP(3) NOT NULL *ROWTIME*, PRIMARY KEY (url))");
  EXPECT_FALSE(schema.to_arrow()->field(1)->nullable());
}

}  // namespace
}  // namespace tidegate
