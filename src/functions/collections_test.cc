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

const std::vector<std::string> kArrayAndValue = {"a ARRAY<STRING>", "v STRING"};
constexpr const char* kArrayAndValueRows =
    R"([[["x", "y", "x"], "x"], [["x", null], null], [["x"], null], [[], "x"], [null, "x"]])";

TEST(CollectionsTest, ArrayAndValue) {
  const auto with_value = [](const char* function) {
    return over(call(function, {col(0), col(1)}), kArrayAndValue, kArrayAndValueRows);
  };
  EXPECT_EQ(with_value("ARRAY_APPEND"),
            (Texts{"[x, y, x, x]", "[x, NULL, NULL]", "[x, NULL]", "[x]", "NULL"}));
  EXPECT_EQ(with_value("ARRAY_PREPEND"),
            (Texts{"[x, x, y, x]", "[NULL, x, NULL]", "[NULL, x]", "[x]", "NULL"}));
  EXPECT_EQ(with_value("ARRAY_REMOVE"), (Texts{"[y]", "[x]", "[x]", "[]", "NULL"}));
  EXPECT_EQ(with_value("ARRAY_CONTAINS"), (Texts{"TRUE", "TRUE", "FALSE", "FALSE", "NULL"}));
  EXPECT_EQ(with_value("ARRAY_POSITION"), (Texts{"1", "NULL", "NULL", "0", "NULL"}));
  EXPECT_EQ(
      over(call("ARRAY_CONTAINS", {texts({"p", "x"}), col(1)}), kArrayAndValue, kArrayAndValueRows),
      (Texts{"TRUE", "FALSE", "FALSE", "TRUE", "TRUE"}));
}

TEST(CollectionsTest, ArrayAndValueMeetInACommonType) {
  const SchemaPtr schema = schema_of({"a ARRAY<INT NOT NULL> NOT NULL", "v BIGINT", "s STRING"});
  EXPECT_EQ(type_text(call("ARRAY_APPEND", {col(0), col(1)}), *schema), "ARRAY<BIGINT> NOT NULL");
  EXPECT_EQ(type_text(call("ARRAY_REMOVE", {col(0), lit(1)}), *schema),
            "ARRAY<INT NOT NULL> NOT NULL");
  EXPECT_EQ(type_text(call("ARRAY_CONTAINS", {col(0), col(1)}), *schema), "BOOLEAN NOT NULL");
  EXPECT_NE(type_text(call("ARRAY_CONTAINS", {col(0), col(2)}), *schema).find("a value for it"),
            std::string::npos);
  EXPECT_EQ(over(call("ARRAY_POSITION", {col(0), col(1)}), {"a ARRAY<DECIMAL(4, 2)>", "v INT"},
                 R"([[["1.50", "2.00"], 2]])"),
            (Texts{"2"}));
  EXPECT_EQ(over(call("ARRAY_CONTAINS", {col(0), col(1)}), {"a ARRAY<ROW<x INT>>", "v ROW<x INT>"},
                 "[[[[1], [2]], [2]], [[[1], null], [3]]]"),
            (Texts{"TRUE", "FALSE"}));
}

TEST(CollectionsTest, Sets) {
  const std::vector<std::string> columns = {"a ARRAY<INT>", "b ARRAY<INT>"};
  const std::string rows =
      "[[[3, 1, 3, null], [1, null]], [[], [1]], [null, [1]], [[1], null], [[2, 2], []]]";
  EXPECT_EQ(over(call("ARRAY_UNION", {col(0), col(1)}), columns, rows),
            (Texts{"[3, 1, NULL]", "[1]", "NULL", "NULL", "[2]"}));
  EXPECT_EQ(over(call("ARRAY_EXCEPT", {col(0), col(1)}), columns, rows),
            (Texts{"[3]", "[]", "NULL", "NULL", "[2]"}));
  EXPECT_EQ(over(call("ARRAY_INTERSECT", {col(0), col(1)}), columns, rows),
            (Texts{"[1, NULL]", "[]", "NULL", "NULL", "[]"}));
  EXPECT_EQ(over(in_array("ARRAY_DISTINCT"), columns, rows),
            (Texts{"[3, 1, NULL]", "[]", "NULL", "[1]", "[2]"}));
  EXPECT_EQ(over(in_array("ARRAY_CONCAT", {ints({9}), col(1)}), columns, rows),
            (Texts{"[3, 1, 3, NULL, 9, 1, NULL]", "[9, 1]", "NULL", "NULL", "[2, 2, 9]"}));
  EXPECT_EQ(over(in_array("ARRAY_REVERSE"), columns, rows),
            (Texts{"[NULL, 3, 1, 3]", "[]", "NULL", "[1]", "[2, 2]"}));
  EXPECT_EQ(over(in_array("ARRAY_UNION", {array({lit(5000000000L)})}), columns, rows)[4],
            "[2, 5000000000]");
}

TEST(CollectionsTest, Order) {
  EXPECT_EQ(over(in_array("ARRAY_SORT"), {"a ARRAY<DOUBLE>"},
                 "[[[2.5, null, -1, 10]], [null], [[]], [[NaN, 1, -Inf]]]"),
            (Texts{"[NULL, -1.0, 2.5, 10.0]", "NULL", "[]", "[-Infinity, 1.0, NaN]"}));
  EXPECT_EQ(over(in_array("ARRAY_SORT", {lit(true), lit(false)}), {"a ARRAY<STRING>"},
                 R"([[["b", null, "", "ab"]]])"),
            (Texts{"[, ab, b, NULL]"}));
  EXPECT_EQ(over(call("ARRAY_SORT", {col(0), col(1)}), {"a ARRAY<INT>", "up BOOLEAN"},
                 "[[[1, 2], false], [[2, 1], true], [[1], null]]"),
            (Texts{"[2, 1]", "[1, 2]", "NULL"}));
  EXPECT_EQ(
      over(in_array("ARRAY_MAX"), {"a ARRAY<DATE>"}, "[[[1, null, 3]], [[null]], [[]], [null]]"),
      (Texts{"1970-01-04", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(over(in_array("ARRAY_MIN"), {"a ARRAY<BOOLEAN>"}, "[[[true, false]]]"),
            (Texts{"FALSE"}));
  EXPECT_NE(evaluate(call("ARRAY_MAX", {array({ints({1})})})).find("values with an order"),
            std::string::npos);
}

TEST(CollectionsTest, Slices) {
  const auto slice = [](const std::string& bounds) {
    return over(call("ARRAY_SLICE", {texts({"a", "b", "c", "d"}), col(0), col(1)}),
                {"s INT", "e INT"}, "[" + bounds + "]")[0];
  };
  EXPECT_EQ(slice("[0, 2]"), "[a, b]");
  EXPECT_EQ(slice("[-3, -2]"), "[b, c]");
  EXPECT_EQ(slice("[2, 0]"), "[]");
  EXPECT_EQ(slice("[1, 0]"), "[a]");
  EXPECT_EQ(slice("[-9, 9]"), "[a, b, c, d]");
  EXPECT_EQ(slice("[3, 2]"), "[]");
  EXPECT_EQ(slice("[1, -9]"), "[]");
  EXPECT_EQ(slice("[-2147483648, 2147483647]"), "[a, b, c, d]");
  EXPECT_EQ(slice("[null, 1]"), "NULL");
  EXPECT_EQ(
      over(in_array("ARRAY_SLICE", {lit(1)}), {"a ARRAY<INT>"}, "[[[]], [null], [[1, null]]]"),
      (Texts{"[]", "NULL", "[1, NULL]"}));
}

TEST(CollectionsTest, TextsAndArrays) {
  EXPECT_EQ(over(call("SPLIT", {col(0), col(1)}), {"s STRING", "d STRING"},
                 R"([["abc", ";"], [";a;;b;", ";"], ["a<>b<>", "<>"], ["", ","], [null, ","],
                     ["a", null], ["añ", ""], ["aaa", "aa"]])"),
            (Texts{"[abc]", "[, a, , b, ]", "[a, b, ]", "[]", "NULL", "NULL", "[a, ñ]", "[, a]"}));
  EXPECT_EQ(over(call("ARRAY_JOIN", {col(0), col(1)}), {"a ARRAY<STRING>", "d STRING"},
                 R"([[["a", null, "b"], "-"], [[null], "-"], [[], "-"], [null, "-"], [["a"], null],
                     [["", ""], "-"]])"),
            (Texts{"a-b", "", "", "NULL", "NULL", "-"}));
  EXPECT_EQ(
      over(in_array("ARRAY_JOIN", {lit(","), lit_null()}), {"a ARRAY<STRING>"}, R"([[["a"]]])"),
      (Texts{"NULL"}));
}

TEST(CollectionsTest, Maps) {
  const std::vector<std::string> columns = {"m MAP<STRING NOT NULL, INT>"};
  const std::string rows = R"([[[["a", 1], ["b", null]]], [[]], [null]])";
  EXPECT_EQ(over(in_array("MAP_KEYS"), columns, rows), (Texts{"[a, b]", "[]", "NULL"}));
  EXPECT_EQ(over(in_array("MAP_VALUES"), columns, rows), (Texts{"[1, NULL]", "[]", "NULL"}));
  EXPECT_EQ(over(in_array("MAP_ENTRIES"), columns, rows),
            (Texts{"[(a, 1), (b, NULL)]", "[]", "NULL"}));
  EXPECT_EQ(type_text(in_array("MAP_ENTRIES"), *schema_of(columns)),
            "ARRAY<ROW<`key` STRING NOT NULL, `value` INT>>");
  EXPECT_EQ(over(in_array("MAP_UNION", {map({lit("b"), lit(7)})}), columns, rows),
            (Texts{"{a=1, b=7}", "{b=7}", "NULL"}));
  EXPECT_EQ(over(in_array("MAP_FROM_ARRAYS", {col(1)}), {"k ARRAY<STRING>", "v ARRAY<INT>"},
                 R"([[["a", "a", "b"], [1, 2, null]], [null, [1]], [[], []]])"),
            (Texts{"{a=2, b=NULL}", "NULL", "{}"}));
  EXPECT_NE(
      evaluate(call("MAP_FROM_ARRAYS", {ints({1}), ints({1, 2})})).find("1 keys and 2 values"),
      std::string::npos);
}

TEST(CollectionsTest, OfNothingButNull) {
  const ExprPtr null = lit_null();
  const ExprPtr nulls = array({null, null});
  EXPECT_EQ(evaluate(call("ARRAY_DISTINCT", {nulls})), "[NULL]");
  EXPECT_EQ(evaluate(call("ARRAY_SORT", {nulls})), "[NULL, NULL]");
  EXPECT_EQ(evaluate(call("ARRAY_MAX", {nulls})), "NULL");
  EXPECT_EQ(evaluate(call("ARRAY_CONCAT", {nulls, ints({1})})), "[NULL, NULL, 1]");
  EXPECT_EQ(evaluate(call("ARRAY_CONTAINS", {array({}), lit(1)})), "FALSE");
  EXPECT_EQ(evaluate(call("ELEMENT_AT", {array({}), lit(1)})), "NULL");
  EXPECT_EQ(evaluate(call("CARDINALITY", {array({})})), "0");
  EXPECT_EQ(evaluate(call("ELEMENT_AT", {map({lit("a"), null}), lit("a")})), "NULL");
  EXPECT_EQ(evaluate(call("MAP_ENTRIES", {map({lit("a"), null})})), "[(a, NULL)]");
  const ExprPtr no_array = cast(null, *LogicalType::parse("ARRAY<INT>"));
  for (const char* function : {"ARRAY_REVERSE", "ARRAY_DISTINCT", "ARRAY_MIN", "CARDINALITY"})
    EXPECT_EQ(evaluate(call(function, {no_array})), "NULL") << function;
  EXPECT_EQ(over(call("ARRAY_UNION", {no_array, array({col(0)})}), {"a INT"}, "[[1], [2]]"),
            (Texts{"NULL", "NULL"}));
}

}  // namespace
}  // namespace tidegate
