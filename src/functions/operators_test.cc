// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "functions/test_evaluation.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

ExprPtr decimal(std::string_view text, int precision, int scale) {
  return *lit_text(text, LogicalType::decimal(precision, scale));
}

TEST(ArithmeticTest, NumbersWidenAsInFlink) {
  const auto type = [](const char* op, const char* a, const char* b) {
    return type_text(call(op, {col(0), col(1)}),
                     *schema_of({std::string("a ") + a, std::string("b ") + b}));
  };
  EXPECT_EQ(type("+", "INT", "BIGINT"), "BIGINT");
  EXPECT_EQ(type("+", "TINYINT", "TINYINT"), "TINYINT");
  EXPECT_EQ(type("*", "INT NOT NULL", "INT NOT NULL"), "INT NOT NULL");
  EXPECT_EQ(type("/", "INT", "INT"), "INT");
  EXPECT_EQ(type("+", "INT", "FLOAT"), "FLOAT");
  EXPECT_EQ(type("+", "FLOAT", "DOUBLE"), "DOUBLE");
  EXPECT_EQ(type("+", "DECIMAL(10, 2)", "DOUBLE"), "DOUBLE");
  EXPECT_EQ(type("+", "DECIMAL(10, 2)", "DECIMAL(5, 4)"), "DECIMAL(13, 4)");
  EXPECT_EQ(type("+", "DECIMAL(10, 2)", "INT"), "DECIMAL(13, 2)");
  EXPECT_EQ(type("*", "DECIMAL(10, 2)", "DECIMAL(5, 4)"), "DECIMAL(16, 6)");
  EXPECT_EQ(type("*", "DECIMAL(38, 10)", "DECIMAL(38, 10)"), "DECIMAL(38, 6)");
  EXPECT_EQ(type("/", "DECIMAL(10, 2)", "DECIMAL(5, 4)"), "DECIMAL(20, 8)");
  EXPECT_EQ(type("%", "DECIMAL(10, 2)", "DECIMAL(5, 4)"), "DECIMAL(5, 4)");
  EXPECT_EQ(type("%", "BIGINT", "INT"), "INT");
  EXPECT_EQ(type("+", "INT", "STRING"),
            "(a + b): + takes two numbers, or a date or time and an interval, not (INT, STRING)");
}

TEST(ArithmeticTest, WholeNumbersWrap) {
  EXPECT_EQ(evaluate(call("+", {lit(2147483647), lit(1)})), "-2147483648");
  EXPECT_EQ(evaluate(call("*", {typed("127", "TINYINT"), typed("2", "TINYINT")})), "-2");
  EXPECT_EQ(evaluate(call("*", {typed("32767", "SMALLINT"), typed("32767", "SMALLINT")})), "1");
  EXPECT_EQ(evaluate(call("-", {lit(std::numeric_limits<std::int64_t>::min()), lit(1)})),
            "9223372036854775807");
  EXPECT_EQ(evaluate(call("-", {lit(std::numeric_limits<std::int32_t>::min())})), "-2147483648");
  EXPECT_EQ(evaluate(call("/", {lit(std::numeric_limits<std::int32_t>::min()), lit(-1)})),
            "-2147483648");
  EXPECT_EQ(evaluate(call("%", {lit(std::numeric_limits<std::int32_t>::min()), lit(-1)})), "0");
}

TEST(ArithmeticTest, DivisionCutsAndZeroIsAnError) {
  EXPECT_EQ(over(call("/", {col(0), lit(2)}), {"a INT"}, "[[7], [-7], [null]]"),
            Texts({"3", "-3", "NULL"}));
  EXPECT_EQ(over(call("/", {lit(1), col(0)}), {"a INT"}, "[[1], [0]]"),
            Texts({"'/': the divisor is zero"}));
  // A null divisor, or one behind a null, is no division by zero.
  EXPECT_EQ(over(call("/", {col(0), col(1)}), {"a INT", "b INT"}, "[[1, null], [null, 0]]"),
            Texts({"NULL", "NULL"}));
  EXPECT_EQ(evaluate(call("/", {decimal("1.0", 2, 1), decimal("0.0", 2, 1)})),
            "'/': the divisor is zero");
  EXPECT_EQ(over(call("/", {col(0), lit(0.0)}), {"a DOUBLE"}, "[[1], [-1], [0]]"),
            Texts({"Infinity", "-Infinity", "NaN"}));
  EXPECT_EQ(evaluate(call("%", {lit(1), lit(0)})), "'%': the divisor is zero");
  EXPECT_EQ(over(call("%", {col(0), lit(3)}), {"a BIGINT"}, "[[7], [-7]]"), Texts({"1", "-1"}));
}

TEST(ArithmeticTest, Decimals) {
  EXPECT_EQ(evaluate(call("+", {decimal("1.5", 2, 1), decimal("2.25", 3, 2)})), "3.75");
  EXPECT_EQ(evaluate(call("-", {decimal("1.5", 2, 1), decimal("2.25", 3, 2)})), "-0.75");
  EXPECT_EQ(evaluate(call("*", {decimal("-1.5", 2, 1), decimal("2.25", 3, 2)})), "-3.375");
  EXPECT_EQ(evaluate(call("/", {decimal("1", 1, 0), decimal("3", 1, 0)})), "0.333333");
  EXPECT_EQ(evaluate(call("/", {decimal("-2", 1, 0), decimal("3", 1, 0)})), "-0.666667");
  EXPECT_EQ(evaluate(call("%", {decimal("-7.5", 2, 1), lit(2)})), "-1.5");
  const std::string most(38, '9');
  // Past 38 digits: NULL, not a wrong number.
  EXPECT_EQ(evaluate(call("+", {decimal(most, 38, 0), decimal(most, 38, 0)})), "NULL");
  EXPECT_EQ(evaluate(call("*", {decimal(most, 38, 0), decimal(most, 38, 0)})), "NULL");
  EXPECT_EQ(evaluate(call(
                "*", {decimal(most, 38, 0), decimal("0." + std::string(37, '0') + "1", 38, 38)})),
            "1.000000");
  EXPECT_EQ(evaluate(call("/", {decimal(most, 38, 0), decimal(most, 38, 0)})), "1.000000");
  EXPECT_EQ(
      evaluate(call("+", {decimal(most, 38, 0), decimal("0." + std::string(38, '9'), 38, 38)})),
      "NULL");
}

TEST(ArithmeticTest, DatesAndIntervals) {
  const ExprPtr month = typed("1", "INTERVAL YEAR TO MONTH");
  const ExprPtr hour = typed("3600000", "INTERVAL DAY TO SECOND");
  const ExprPtr day = typed("86400000", "INTERVAL DAY TO SECOND");
  EXPECT_EQ(evaluate(call("+", {typed("2020-01-31", "DATE"), month})), "2020-02-29");
  EXPECT_EQ(evaluate(call("-", {typed("2020-03-31", "DATE"), month})), "2020-02-29");
  EXPECT_EQ(evaluate(call("+", {typed("2020-01-31", "DATE"), day})), "2020-02-01");
  EXPECT_EQ(evaluate(call("+", {typed("2020-01-31", "DATE"), hour})), "2020-01-31 01:00:00.000");
  EXPECT_EQ(evaluate(call("+", {hour, typed("2020-01-31 23:30:00.123456", "TIMESTAMP(6)")})),
            "2020-02-01 00:30:00.123456");
  EXPECT_EQ(evaluate(call("-", {typed("2020-01-31 00:30:00", "TIMESTAMP(0)"), month})),
            "2019-12-31 00:30:00");
  EXPECT_EQ(evaluate(call("-", {typed("00:30:00", "TIME"), hour})), "23:30:00");
  EXPECT_EQ(evaluate(call("+", {month, month})), "+0-02");
  EXPECT_EQ(evaluate(call("*", {hour, lit(25)})), "+1 01:00:00.000");
  EXPECT_EQ(evaluate(call("-", {month})), "-0-01");
  EXPECT_EQ(evaluate(call("-", {typed("2020-01-01 00:00:01", "TIMESTAMP(3)"),
                                typed("2020-01-02 00:00:00", "TIMESTAMP(6)")})),
            "-0 23:59:59.000");
  EXPECT_EQ(over(call("+", {col(0), col(1)}), {"t TIMESTAMP_LTZ(3)", "i INTERVAL DAY TO SECOND"},
                 "[[1000, 500], [null, 1], [1000, null]]"),
            Texts({"1970-01-01 00:00:01.500", "NULL", "NULL"}));
}

TEST(ComparisonTest, EveryTypeCompares) {
  const auto less = [](const char* type, const char* rows) {
    return over(call("<", {col(0), col(1)}), {std::string("a ") + type, std::string("b ") + type},
                rows);
  };
  const Texts expected = {"TRUE", "FALSE", "FALSE", "NULL"};
  EXPECT_EQ(less("BOOLEAN", "[[false, true], [true, false], [true, true], [null, true]]"),
            expected);
  EXPECT_EQ(less("TINYINT", "[[-1, 1], [1, -1], [1, 1], [1, null]]"), expected);
  EXPECT_EQ(less("BIGINT", "[[-1, 1], [1, -1], [1, 1], [1, null]]"), expected);
  EXPECT_EQ(less("DOUBLE", "[[-1, 1], [1, NaN], [NaN, NaN], [1, null]]"), expected);
  EXPECT_EQ(less("DECIMAL(20, 1)",
                 R"([["-1.5", "1.5"], ["1.5", "-1.5"], ["1.5", "1.5"], ["1.0", null]])"),
            expected);
  EXPECT_EQ(less("STRING", R"([["a", "ab"], ["b", "a"], ["", ""], ["a", null]])"), expected);
  EXPECT_EQ(less("TIMESTAMP(3)", "[[1, 2], [2, 1], [1, 1], [1, null]]"), expected);
}

TEST(ComparisonTest, MixedTypesMeet) {
  EXPECT_EQ(over(call("=", {col(0), lit(5)}), {"a BIGINT"}, "[[5], [6], [null]]"),
            Texts({"TRUE", "FALSE", "NULL"}));
  EXPECT_EQ(over(call(">=", {col(0), lit("2020-10-10")}), {"d DATE"}, "[[18545], [18544]]"),
            Texts({"TRUE", "FALSE"}));
  EXPECT_EQ(over(call("<", {lit(1.5), col(0)}), {"a INT"}, "[[1], [2]]"), Texts({"FALSE", "TRUE"}));
  EXPECT_EQ(over(call("=", {col(0), lit("7")}), {"a INT"}, "[[7], [8]]"), Texts({"TRUE", "FALSE"}));
  EXPECT_EQ(evaluate(call("=", {lit(true), lit(1.5)})),
            "(TRUE = 1.5): = takes two values of comparable types, not (BOOLEAN NOT NULL, DOUBLE "
            "NOT NULL)");
}

TEST(ComparisonTest, NestedEquality) {
  EXPECT_EQ(over(call("=", {col(0), col(1)}), {"a ARRAY<INT>", "b ARRAY<INT>"},
                 "[[[1, null], [1, null]], [[1], [2]], [null, [1]]]"),
            Texts({"TRUE", "FALSE", "NULL"}));
  EXPECT_EQ(over(call("<>", {col(0), col(0)}), {"m MAP<STRING NOT NULL, INT>"},
                 R"([[[["a", 1]]], [null]])"),
            Texts({"FALSE", "NULL"}));
}

TEST(ComparisonTest, BitsOfManyRows) {
  // More than one word of bits, with an odd rest, in slices that are not aligned.
  std::string rows = "[";
  Texts expected;
  for (int i = 0; i < 200; ++i) {
    rows += (i > 0 ? ", [" : "[") + (i % 7 == 0 ? std::string("null") : std::to_string(i)) + "]";
    expected.push_back(i % 7 == 0 ? "NULL" : i % 3 == 0 ? "TRUE" : "FALSE");
  }
  rows += "]";
  const SchemaPtr schema = schema_of({"a INT"});
  const ExprPtr expr = call("=", {call("%", {col(0), lit(3)}), lit(0)});
  const Batch batch = batch_of(*schema, rows);
  EXPECT_EQ(evaluate_over(expr, *schema, batch), expected);
  EXPECT_EQ(evaluate_over(expr, *schema, batch.slice(13, 150)),
            Texts(expected.begin() + 13, expected.begin() + 163));
}

TEST(LogicTest, ThreeValues) {
  constexpr const char* kRows =
      "[[true, true], [true, false], [true, null], [false, false], [false, null], [null, null]]";
  const std::vector<std::string> columns = {"a BOOLEAN", "b BOOLEAN"};
  EXPECT_EQ(over(logical_and({col(0), col(1)}), columns, kRows),
            Texts({"TRUE", "FALSE", "NULL", "FALSE", "FALSE", "NULL"}));
  EXPECT_EQ(over(logical_and({col(1), col(0)}), columns, kRows),
            Texts({"TRUE", "FALSE", "NULL", "FALSE", "FALSE", "NULL"}));
  EXPECT_EQ(over(logical_or({col(0), col(1)}), columns, kRows),
            Texts({"TRUE", "TRUE", "TRUE", "FALSE", "NULL", "NULL"}));
  EXPECT_EQ(over(call("NOT", {col(1)}), columns, kRows),
            Texts({"FALSE", "TRUE", "NULL", "TRUE", "NULL", "NULL"}));
  EXPECT_EQ(over(call("IS TRUE", {col(1)}), columns, kRows),
            Texts({"TRUE", "FALSE", "FALSE", "FALSE", "FALSE", "FALSE"}));
  EXPECT_EQ(over(call("IS NOT TRUE", {col(1)}), columns, kRows),
            Texts({"FALSE", "TRUE", "TRUE", "TRUE", "TRUE", "TRUE"}));
  EXPECT_EQ(over(call("IS FALSE", {col(1)}), columns, kRows),
            Texts({"FALSE", "TRUE", "FALSE", "TRUE", "FALSE", "FALSE"}));
  EXPECT_EQ(over(call("IS NOT FALSE", {col(1)}), columns, kRows),
            Texts({"TRUE", "FALSE", "TRUE", "FALSE", "TRUE", "TRUE"}));
}

TEST(LogicTest, NullChecks) {
  const std::vector<std::string> columns = {"a INT", "b INT"};
  constexpr const char* kRows = "[[1, 1], [1, 2], [1, null], [null, null]]";
  EXPECT_EQ(over(call("IS NULL", {col(1)}), columns, kRows),
            Texts({"FALSE", "FALSE", "TRUE", "TRUE"}));
  EXPECT_EQ(over(call("IS NOT NULL", {col(1)}), columns, kRows),
            Texts({"TRUE", "TRUE", "FALSE", "FALSE"}));
  EXPECT_EQ(over(call("IS DISTINCT FROM", {col(0), col(1)}), columns, kRows),
            Texts({"FALSE", "TRUE", "TRUE", "FALSE"}));
  EXPECT_EQ(over(call("IS NOT DISTINCT FROM", {col(0), col(1)}), columns, kRows),
            Texts({"TRUE", "FALSE", "FALSE", "TRUE"}));
}

TEST(LogicTest, BetweenAndIn) {
  EXPECT_EQ(
      over(call("BETWEEN", {col(0), lit(2), lit(3)}), {"a INT"}, "[[1], [2], [3], [4], [null]]"),
      Texts({"FALSE", "TRUE", "TRUE", "FALSE", "NULL"}));
  EXPECT_EQ(over(call("IN", {col(0), lit(1), col(1)}), {"a INT", "b INT"},
                 "[[1, 5], [5, 5], [2, 5], [2, null], [1, null], [null, 1]]"),
            Texts({"TRUE", "TRUE", "FALSE", "NULL", "TRUE", "NULL"}));
}

TEST(LogicTest, LongListsAreSets) {
  std::vector<ExprPtr> args = {col(0)};
  for (int i = 0; i < 100; ++i) args.push_back(lit(i * 2));
  constexpr const char* kRows = "[[4], [5], [null], [198], [200]]";
  EXPECT_EQ(over(call("IN", args), {"a BIGINT"}, kRows),
            Texts({"TRUE", "FALSE", "NULL", "TRUE", "FALSE"}));
  args.push_back(lit_null());
  EXPECT_EQ(over(call("IN", args), {"a BIGINT"}, kRows),
            Texts({"TRUE", "NULL", "NULL", "TRUE", "NULL"}));
  std::vector<ExprPtr> texts = {col(0)};
  for (int i = 0; i < 20; ++i) texts.push_back(lit(std::to_string(i)));
  EXPECT_EQ(over(call("IN", texts), {"a STRING"}, R"([["7"], ["77"], [null]])"),
            Texts({"TRUE", "FALSE", "NULL"}));
}

TEST(ConditionalTest, OnlyTheChosenBranchIsEvaluated) {
  const ExprPtr guarded =
      case_when({{call("<>", {col(0), lit(0)}), call("/", {lit(100), col(0)})}}, lit(-1));
  EXPECT_EQ(over(guarded, {"a INT"}, "[[5], [0], [null], [10]]"), Texts({"20", "-1", "-1", "10"}));
  EXPECT_EQ(over(logical_and({call("<>", {col(0), lit(0)}),
                              call(">", {call("/", {lit(100), col(0)}), lit(10)})}),
                 {"a INT"}, "[[5], [0], [20], [null]]"),
            Texts({"TRUE", "FALSE", "FALSE", "NULL"}));
  EXPECT_EQ(over(logical_or({call("=", {col(0), lit(0)}),
                             call(">", {call("/", {lit(100), col(0)}), lit(10)})}),
                 {"a INT"}, "[[5], [0], [20], [null]]"),
            Texts({"TRUE", "TRUE", "FALSE", "NULL"}));
  // A constant that fails, where nobody asks.
  const ExprPtr never =
      case_when({{call(">", {col(0), lit(100)}), call("/", {lit(1), lit(0)})}}, lit(7));
  EXPECT_EQ(over(never, {"a INT"}, "[[1], [2]]"), Texts({"7", "7"}));
  EXPECT_EQ(over(never, {"a INT"}, "[[101]]"), Texts({"'/': the divisor is zero"}));
}

TEST(ConditionalTest, BranchesNestAndMeetInOneType) {
  const ExprPtr size = case_when(
      {{call("<", {col(0), lit(10)}), lit("s")},
       {call("<", {col(0), lit(100)}), case_when({{call("<", {col(0), lit(50)}), lit("m")}},
                                                 call("CONCAT", {lit("m"), lit("l")}))}},
      lit("large"));
  EXPECT_EQ(over(size, {"a INT"}, "[[1], [20], [70], [500], [null]]"),
            Texts({"s", "m", "ml", "large", "large"}));
  EXPECT_EQ(type_text(case_when({{lit(true), lit("a")}}, lit("abc"))), "VARCHAR(3) NOT NULL");
  EXPECT_EQ(type_text(case_when({{lit(true), lit(1)}}, lit(2.5))), "DOUBLE NOT NULL");
  EXPECT_EQ(type_text(case_when({{lit(true), lit(1)}})), "INT");
  EXPECT_EQ(type_text(case_when({{lit(true), lit(1)}}, lit("a"))),
            "CASE WHEN TRUE THEN 1 ELSE 'a' END: the results are of types INT NOT NULL, "
            "CHAR(1) NOT NULL with none in common");
}

TEST(ConditionalTest, Shorthands) {
  EXPECT_EQ(over(call("COALESCE", {col(0), col(1), lit(9)}), {"a INT", "b BIGINT"},
                 "[[1, 2], [null, 2], [null, null]]"),
            Texts({"1", "2", "9"}));
  EXPECT_EQ(over(call("IFNULL", {col(0), lit("-")}), {"a STRING"}, R"([["x"], [null]])"),
            Texts({"x", "-"}));
  EXPECT_EQ(over(call("NULLIF", {col(0), lit(0)}), {"a INT"}, "[[1], [0], [null]]"),
            Texts({"1", "NULL", "NULL"}));
  EXPECT_EQ(over(call("IF", {call(">", {col(0), lit(0)}), lit("+"), lit("-")}), {"a INT"},
                 "[[1], [0], [null]]"),
            Texts({"+", "-", "-"}));
  EXPECT_EQ(over(call("GREATEST", {col(0), lit(2), lit(3L)}), {"a INT"}, "[[1], [9], [null]]"),
            Texts({"3", "9", "NULL"}));
}

// What rewriting shares must not be bound and evaluated again and again.
TEST(ConditionalTest, DeepCoalesceStaysSmall) {
  ExprPtr expr = col(0);
  for (int i = 0; i < 60; ++i) expr = call("COALESCE", {expr, lit(i)});
  EXPECT_EQ(over(expr, {"a INT"}, "[[5], [null]]"), Texts({"5", "0"}));
}

TEST(ExpressionTest, DepthIsLimited) {
  ExprPtr expr = col(0);
  for (int i = 0; i < 100'000; ++i) expr = call("+", {expr, lit(1)});
  EXPECT_EQ(type_of(expr, *schema_of({"a INT"}), builtin_functions()).status().code(),
            ErrorCode::kLimitExceeded);
}

TEST(FilterTest, SelectsRows) {
  const SchemaPtr schema = schema_of({"a INT"});
  Result<CompiledFilter> filter = CompiledFilter::compile(
      call(">", {call("/", {lit(100), call("NULLIF", {col(0), lit(0)})}), lit(10)}), *schema,
      builtin_functions());
  ASSERT_TRUE(filter.is_ok()) << filter.status().to_string();
  EvalContext context;
  std::vector<std::int32_t> rows = {99};
  const Batch batch = batch_of(*schema, "[[5], [0], [50], [null], [9]]");
  ASSERT_TRUE(filter->select(batch, context, rows).is_ok());
  EXPECT_EQ(rows, std::vector<std::int32_t>({0, 4}));
  ASSERT_TRUE(filter->select(batch.slice(1, 0), context, rows).is_ok());
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(CompiledFilter::compile(col(0), *schema, builtin_functions()).status().code(),
            ErrorCode::kTypeMismatch);
}

}  // namespace
}  // namespace tidegate
