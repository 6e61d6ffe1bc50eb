// SPDX-License-Identifier: Apache-2.0
//
// Beyond the examples: nulls, types, constants beside columns, bounds, errors.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "functions/test_collection_examples.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

ExprPtr in_array(const char* function, std::vector<ExprPtr> more = {}) {
  more.insert(more.begin(), col(0));
  return call(function, std::move(more));
}

TEST(CollectionsTest, ConstructorsTakeWhatTheirValuesHaveInCommon) {
  EXPECT_EQ(type_text(ints({1, 2})), "ARRAY<INT NOT NULL> NOT NULL");
  EXPECT_EQ(type_text(array({lit(1), lit(2L), lit_null()})), "ARRAY<BIGINT> NOT NULL");
  EXPECT_EQ(type_text(texts({"a", "bcd"})), "ARRAY<VARCHAR(3) NOT NULL> NOT NULL");
  EXPECT_EQ(type_text(map({lit("a"), lit(1), lit("b"), lit_null()})),
            "MAP<CHAR(1) NOT NULL, INT> NOT NULL");
  EXPECT_EQ(type_text(call("ROW", {lit(1), lit_null(LogicalType::string())})),
            "ROW<`EXPR$0` INT NOT NULL, `EXPR$1` STRING> NOT NULL");
  EXPECT_EQ(evaluate(array({})), "[]");
  EXPECT_EQ(evaluate(cast(array({}), *LogicalType::parse("ARRAY<INT>"))), "[]");
  EXPECT_NE(evaluate(array({lit(1), lit("a")})).find("values with a type in common"),
            std::string::npos);
  EXPECT_NE(evaluate(map({lit(1)})).find("keys and values in turn"), std::string::npos);
}

TEST(CollectionsTest, ConstructorsOverColumns) {
  const std::string rows = R"([["x", 1], [null, 2], ["z", null]])";
  EXPECT_EQ(over(array({col(0), lit("c"), col(0)}), {"a STRING", "b INT"}, rows),
            (Texts{"[x, c, x]", "[NULL, c, NULL]", "[z, c, z]"}));
  EXPECT_EQ(over(call("ROW", {col(0), lit(7), col(1)}), {"a STRING", "b INT"}, rows),
            (Texts{"(x, 7, 1)", "(NULL, 7, 2)", "(z, 7, NULL)"}));
  EXPECT_EQ(over(map({lit("k"), col(1), lit("x"), lit(0)}), {"a STRING", "b INT"}, rows),
            (Texts{"{k=1, x=0}", "{k=2, x=0}", "{k=NULL, x=0}"}));
  EXPECT_EQ(over(map({col(0), col(1), lit("x"), lit(0)}), {"a STRING NOT NULL", "b INT"},
                 R"([["x", 1], ["y", 2]])"),
            (Texts{"{x=0}", "{y=2, x=0}"}));
  EXPECT_NE(over(map({col(0), col(1)}), {"a STRING", "b INT"}, rows)[0].find("a key is NULL"),
            std::string::npos);
  EXPECT_EQ(over(array({col(0), array({lit(2)})}), {"a ARRAY<INT>"}, "[[[1]], [null]]"),
            (Texts{"[[1], [2]]", "[NULL, [2]]"}));
}

TEST(CollectionsTest, LiteralsWithTheSameTextStayApart) {
  const ExprPtr one = call("ELEMENT_AT", {texts({"a, b", "c"}), col(0)});
  const ExprPtr other = call("ELEMENT_AT", {texts({"a", "b, c"}), col(0)});
  EXPECT_EQ(over(array({one, other}), {"i INT"}, "[[1], [2]]"), (Texts{"[a, b, a]", "[c, b, c]"}));
}

TEST(CollectionsTest, ElementsOfArraysAndMaps) {
  const std::vector<std::string> columns = {"a ARRAY<STRING>", "i BIGINT"};
  EXPECT_EQ(over(call("ELEMENT_AT", {col(0), col(1)}), columns,
                 R"([[["x", "y"], 1], [["x", null], 2], [["x"], 2], [["x"], 0], [["x"], -1],
                     [null, 1], [["x"], null], [[], 1], [["p", "q"], 2]])"),
            (Texts{"x", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "NULL", "q"}));
  EXPECT_NE(evaluate(call("ELEMENT_AT", {ints({1}), lit(0)})).find("count from 1, not 0"),
            std::string::npos);
  EXPECT_EQ(over(call("ELEMENT_AT", {col(0), col(1)}), {"m MAP<BIGINT, STRING>", "k INT"},
                 R"([[[[1, "a"], [2, "b"]], 2], [[[1, "a"]], 3], [null, 1], [[[1, "a"]], null],
                     [[[5, null]], 5], [[], 1]])"),
            (Texts{"b", "NULL", "NULL", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(over(call("ELEMENT_AT", {col(0), lit("k")}), {"m MAP<STRING, ROW<x INT>>"},
                 R"([[[["k", [1]]]], [[["j", [2]], ["k", [3]]]]])"),
            (Texts{"(1)", "(3)"}));
  EXPECT_EQ(over(call("ELEMENT_AT", {col(0), lit("2020-10-10")}), {"m MAP<DATE, INT>"},
                 "[[[[18545, 1]]]]"),
            (Texts{"1"}));
}

TEST(CollectionsTest, FieldsOfRows) {
  const std::vector<std::string> columns = {"r ROW<a INT NOT NULL, b ROW<c STRING>>"};
  const SchemaPtr schema = schema_of(columns);
  const std::string rows = R"([[[1, ["x"]]], [null], [[2, null]], [[3, [null]]]])";
  EXPECT_EQ(over(call("FIELD", {col(0), lit("a")}), columns, rows), (Texts{"1", "NULL", "2", "3"}));
  EXPECT_EQ(over(call("FIELD", {call("FIELD", {col(0), lit("b")}), lit("c")}), columns, rows),
            (Texts{"x", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(type_text(call("FIELD", {col(0), lit("a")}), *schema), "INT");
  EXPECT_EQ(
      type_text(call("FIELD", {col(0), lit("a")}), *schema_of({"r ROW<a INT NOT NULL> NOT NULL"})),
      "INT NOT NULL");
  EXPECT_NE(type_text(call("FIELD", {col(0), lit("A")}), *schema).find("has no field 'A'"),
            std::string::npos);
}

TEST(CollectionsTest, CardinalityAndElement) {
  EXPECT_EQ(over(in_array("CARDINALITY"), {"a ARRAY<INT>"}, "[[[1, null]], [[]], [null]]"),
            (Texts{"2", "0", "NULL"}));
  EXPECT_EQ(over(in_array("CARDINALITY"), {"m MAP<INT, INT> NOT NULL"}, "[[[[1, 2]]], [[]]]"),
            (Texts{"1", "0"}));
  EXPECT_EQ(over(in_array("ELEMENT"), {"a ARRAY<INT>"}, "[[[1]], [[]], [null], [[null]]]"),
            (Texts{"1", "NULL", "NULL", "NULL"}));
  EXPECT_NE(over(in_array("ELEMENT"), {"a ARRAY<INT>"}, "[[[1, 2]]]")[0].find("has 2 elements"),
            std::string::npos);
}

}  // namespace
}  // namespace tidegate
