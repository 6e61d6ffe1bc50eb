// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "functions/test_evaluation.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

LogicalType type(std::string_view text) { return *LogicalType::parse(text); }

Texts cast_rows(const char* from, const char* to, std::string_view rows, EvalContext context = {}) {
  return over(cast(col(0), type(to)), {std::string("a ") + from}, rows, context);
}
Texts try_cast_rows(const char* from, const char* to, std::string_view rows) {
  return over(try_cast(col(0), type(to)), {std::string("a ") + from}, rows);
}

TEST(CastTest, Numbers) {
  EXPECT_EQ(cast_rows("BIGINT", "INT", "[[1], [4294967297], [null]]"), Texts({"1", "1", "NULL"}));
  EXPECT_EQ(cast_rows("INT", "TINYINT", "[[300]]"), Texts({"44"}));
  EXPECT_EQ(cast_rows("DOUBLE", "INT", "[[3.99], [-3.99], [1e20], [-1e20], [NaN]]"),
            Texts({"3", "-3", "2147483647", "-2147483648", "0"}));
  EXPECT_EQ(cast_rows("DOUBLE", "TINYINT", "[[300.5]]"), Texts({"44"}));
  EXPECT_EQ(cast_rows("DOUBLE", "FLOAT", "[[0.1]]"), Texts({"0.1"}));
  EXPECT_EQ(cast_rows("FLOAT", "DOUBLE", "[[0.5]]"), Texts({"0.5"}));
  EXPECT_EQ(cast_rows("INT", "DECIMAL(4, 2)", "[[12], [100]]"), Texts({"12.00", "NULL"}));
  EXPECT_EQ(cast_rows("DOUBLE", "DECIMAL(4, 2)", "[[1.005], [99.999], [NaN]]"),
            Texts({"1.01", "NULL", "NULL"}));
  EXPECT_EQ(cast_rows("DECIMAL(5, 3)", "DECIMAL(3, 1)", R"([["1.250"], ["-1.250"], ["99.950"]])"),
            Texts({"1.3", "-1.3", "NULL"}));
  EXPECT_EQ(cast_rows("DECIMAL(5, 3)", "INT", R"([["1.999"], ["-1.999"]])"), Texts({"1", "-1"}));
  EXPECT_EQ(cast_rows("DECIMAL(5, 3)", "DOUBLE", R"([["1.999"]])"), Texts({"1.999"}));
  EXPECT_EQ(cast_rows("BOOLEAN", "INT", "[[true], [false]]"), Texts({"1", "0"}));
  EXPECT_EQ(cast_rows("INT", "BOOLEAN", "[[0], [-7]]"), Texts({"FALSE", "TRUE"}));
  EXPECT_EQ(cast_rows("DECIMAL(3, 1)", "BOOLEAN", R"([["0.0"], ["0.1"]])"),
            Texts({"FALSE", "TRUE"}));
  EXPECT_EQ(cast_rows("INTERVAL DAY TO SECOND", "BIGINT", "[[1500]]"), Texts({"1500"}));
}

TEST(CastTest, TextToNumbers) {
  EXPECT_EQ(
      cast_rows("STRING", "INT", R"([["42"], [" -7 "], ["+3"], ["1.9"], [".5"], ["1."], [null]])"),
      Texts({"42", "-7", "3", "1", "0", "1", "NULL"}));
  EXPECT_EQ(cast_rows("STRING", "INT", R"([["abc"]])"), Texts({"cannot cast 'abc' to INT"}));
  EXPECT_EQ(
      try_cast_rows(
          "STRING", "INT",
          R"([[""], [" "], ["abc"], ["12x"], ["2147483648"], ["1.x"], ["--1"], ["+-1"], ["7"]])"),
      Texts({"NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "7"}));
  EXPECT_EQ(try_cast_rows("STRING", "TINYINT", R"([["127"], ["128"]])"), Texts({"127", "NULL"}));
  EXPECT_EQ(
      try_cast_rows("STRING", "DOUBLE",
                    R"([["1e3"], ["NaN"], ["Infinity"], ["1e999"], ["x"], [""], ["1d"], ["0x1p3"],
                              ["inf"], ["nan"], [" 1.5 "], ["0x10"], ["1_0"]])"),
      Texts({"1000.0", "NaN", "Infinity", "Infinity", "NULL", "NULL", "1.0", "8.0", "NULL", "NULL",
             "1.5", "NULL", "NULL"}));
  EXPECT_EQ(try_cast_rows("STRING", "DECIMAL(4, 2)", R"([["12.345"], ["-1e1"], ["100"], ["x"]])"),
            Texts({"12.35", "-10.00", "NULL", "NULL"}));
  EXPECT_EQ(try_cast_rows("STRING", "BOOLEAN",
                          R"([["true"], ["NO"], ["T"], ["0"], ["maybe"], [" true"]])"),
            Texts({"TRUE", "FALSE", "TRUE", "FALSE", "NULL", "NULL"}));
}

TEST(CastTest, TextToTimes) {
  EXPECT_EQ(try_cast_rows("STRING", "DATE",
                          R"([["2020-10-10"], [" 2020-10-10 "], ["2020-10-10 12:00:00"],
                              ["2020-02-30"], ["2020-1-1"], ["2020"], ["2020-10"], ["20201010"],
                              ["2020-10-10T12:00:00"], ["-2020-10-10"], [""]])"),
            Texts({"2020-10-10", "2020-10-10", "2020-10-10", "NULL", "2020-01-01", "2020-01-01",
                   "2020-10-01", "NULL", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(try_cast_rows("STRING", "TIME",
                          R"([["12:30:15.7"], ["2020-10-10 12:30:15"], ["25:00"], ["12"],
                              ["1:2:3"], [" 12:30 "], ["12:30:"]])"),
            Texts({"12:30:15", "NULL", "NULL", "12:00:00", "01:02:03", "12:30:00", "NULL"}));
  EXPECT_EQ(try_cast_rows("STRING", "TIMESTAMP(3)",
                          R"([["2020-10-10 12:30:15.1239"], ["2020-10-10T12:30:15"],
                              ["2020-10-10"], ["soon"], ["2020-1-1 1:2:3"], ["2020-02-30"],
                              ["2020-10-10 24:00:00"], ["2020-10-10 25:00:00"],
                              [" 2020-10-10"], ["2020-10-10 12:30"]])"),
            Texts({"2020-10-10 12:30:15.123", "NULL", "2020-10-10 00:00:00.000", "NULL",
                   "2020-01-01 01:02:03.000", "2020-02-29 00:00:00.000", "2020-10-11 00:00:00.000",
                   "NULL", "NULL", "NULL"}));
  EXPECT_EQ(try_cast_rows("STRING", "TIMESTAMP(9)", R"([["9999-12-31"], ["2000-01-01"]])"),
            Texts({"NULL", "2000-01-01 00:00:00.000000000"}));
  EvalContext berlin{.time_zone = "Europe/Berlin"};
  EXPECT_EQ(cast_rows("STRING", "TIMESTAMP_LTZ(0)", R"([["2020-07-01 12:00:00"]])", berlin),
            Texts({"2020-07-01 12:00:00"}));
  EXPECT_EQ(try_cast_rows("STRING", "TIMESTAMP_LTZ(0)", R"([["2020-07-01 12:00:00Z"]])"),
            Texts({"NULL"}));
}

TEST(CastTest, ToText) {
  EXPECT_EQ(cast_rows("INT", "STRING", "[[-5], [null]]"), Texts({"-5", "NULL"}));
  EXPECT_EQ(cast_rows("DOUBLE", "STRING", "[[1e10]]"), Texts({"1.0E10"}));
  EXPECT_EQ(cast_rows("BOOLEAN", "STRING", "[[true]]"), Texts({"TRUE"}));
  EXPECT_EQ(cast_rows("TIMESTAMP(3)", "STRING", "[[1602288001000]]"),
            Texts({"2020-10-10 00:00:01.000"}));
  EXPECT_EQ(cast_rows("TIME(3)", "STRING", "[[45015500], [45015000]]"),
            Texts({"12:30:15.5", "12:30:15.0"}));
  EXPECT_EQ(cast_rows("BOOLEAN", "CHAR(2)", "[[true]]"), Texts({"TR"}));
  EXPECT_EQ(cast_rows("STRING", "CHAR(4)", R"([["ab"], ["abcdef"], ["äöüßé"]])"),
            Texts({"ab  ", "abcd", "äöüß"}));
  EXPECT_EQ(cast_rows("STRING", "VARCHAR(2)", R"([["abc"], ["é"]])"), Texts({"ab", "é"}));
  EXPECT_EQ(cast_rows("INT", "VARCHAR(2)", "[[12345]]"), Texts({"12"}));
  EXPECT_EQ(cast_rows("ARRAY<INT>", "STRING", "[[[1, null]]]"), Texts({"[1, NULL]"}));
  EXPECT_EQ(cast_rows("BYTES", "STRING", R"([["abc"]])"), Texts({"abc"}));
  EXPECT_EQ(over(call("CHAR_LENGTH", {cast(col(0), type("CHAR(5)"))}), {"a STRING"}, R"([["é"]])"),
            Texts({"5"}));
}

TEST(CastTest, Times) {
  EXPECT_EQ(cast_rows("TIMESTAMP(3)", "DATE", "[[-1], [86400000]]"),
            Texts({"1969-12-31", "1970-01-02"}));
  EXPECT_EQ(cast_rows("TIMESTAMP(3)", "TIME(3)", "[[-1]]"), Texts({"23:59:59.999"}));
  EXPECT_EQ(cast_rows("DATE", "TIMESTAMP(6)", "[[-1]]"), Texts({"1969-12-31 00:00:00.000000"}));
  EXPECT_EQ(cast_rows("TIMESTAMP(9)", "TIMESTAMP(3)", "[[-1], [1999999]]"),
            Texts({"1969-12-31 23:59:59.999", "1970-01-01 00:00:00.001"}));
  EXPECT_EQ(cast_rows("TIMESTAMP(3)", "TIMESTAMP(0)", "[[1999]]"), Texts({"1970-01-01 00:00:01"}));
  EXPECT_EQ(cast_rows("TIMESTAMP(3)", "TIMESTAMP(9)", "[[9999999999999]]"), Texts({"NULL"}));
  EXPECT_EQ(cast_rows("TIME(9)", "TIME(0)", "[[1999999999]]"), Texts({"00:00:01"}));
  EvalContext berlin{.time_zone = "Europe/Berlin"};
  EXPECT_EQ(cast_rows("TIMESTAMP_LTZ(3)", "TIMESTAMP(3)", "[[1593597600000]]", berlin),
            Texts({"2020-07-01 12:00:00.000"}));
  EXPECT_EQ(cast_rows("TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", "[[1593604800000]]", berlin),
            Texts({"2020-07-01 12:00:00.000"}));
  EXPECT_EQ(cast_rows("TIMESTAMP_LTZ(3)", "DATE", "[[1593640800000]]", berlin),
            Texts({"2020-07-02"}));
}

TEST(CastTest, Nested) {
  EXPECT_EQ(cast_rows("ARRAY<INT>", "ARRAY<STRING>", "[[[1, null]], [null], [[]]]"),
            Texts({"[1, NULL]", "NULL", "[]"}));
  EXPECT_EQ(cast_rows("ROW<a INT, b STRING>", "ROW<x BIGINT, y INT>", R"([[[1, "2"]], [null]])"),
            Texts({"(1, 2)", "NULL"}));
  EXPECT_EQ(
      cast_rows("MAP<STRING NOT NULL, INT>", "MAP<STRING NOT NULL, DOUBLE>", R"([[[["a", 1]]]])"),
      Texts({"{a=1.0}"}));
  EXPECT_EQ(
      try_cast_rows("ARRAY<STRING>", "ARRAY<INT>", R"([[["1", "x"]], [["2", null]], [null]])"),
      Texts({"NULL", "[2, NULL]", "NULL"}));
  EXPECT_EQ(try_cast_rows("MAP<STRING, STRING>", "MAP<INT, INT>",
                          R"([[[["1", "2"]]], [[["x", "2"]]], [[["1", "x"]]], [[["1", null]]]])"),
            Texts({"{1=2}", "NULL", "NULL", "{1=NULL}"}));
  EXPECT_EQ(try_cast_rows("ROW<a STRING, b ARRAY<STRING>>", "ROW<a INT, b ARRAY<INT>>",
                          R"([[["1", ["2"]]], [["x", ["2"]]], [["1", ["x"]]], [[null, null]]])"),
            Texts({"(1, [2])", "NULL", "NULL", "(NULL, NULL)"}));
}

TEST(CastTest, PairsWithoutACastAreErrors) {
  EXPECT_EQ(type_text(cast(col(0), type("DATE")), *schema_of({"a INT"})),
            "CAST(a AS DATE): INT cannot be cast to DATE");
  EXPECT_EQ(type_text(cast(col(0), type("INT")), *schema_of({"a ARRAY<INT>"})),
            "CAST(a AS INT): ARRAY<INT> cannot be cast to INT");
}

TEST(CastTest, TypesOfResults) {
  EXPECT_EQ(type_text(cast(lit(1), type("BIGINT"))), "BIGINT NOT NULL");
  EXPECT_EQ(type_text(try_cast(lit("1"), type("BIGINT"))), "BIGINT");
  EXPECT_EQ(type_text(cast(lit(1), type("DECIMAL(5, 2)"))), "DECIMAL(5, 2)");
}

}  // namespace
}  // namespace tidegate
