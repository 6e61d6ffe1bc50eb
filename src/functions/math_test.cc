// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "functions/test_evaluation.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

TEST(MathTest, RoundsDoublesByTheirText) {
  const auto round = [](double value, std::int32_t digits) {
    return evaluate(call("ROUND", {lit(value), lit(digits)}));
  };
  EXPECT_EQ(round(2.675, 2), "2.68");
  EXPECT_EQ(round(-2.5, 0), "-3.0");
  EXPECT_EQ(round(1234.5, -2), "1200.0");
  EXPECT_EQ(round(14.5, -1), "10.0");
  EXPECT_EQ(round(0.0000049999999999999995, 5), "0.0");
  EXPECT_EQ(round(1e300, 2), "1.0E300");
  EXPECT_EQ(round(0.1, 17), "0.1");
  EXPECT_EQ(round(123456789012345678.0, 1), "1.2345678901234568E17");
  EXPECT_EQ(round(std::numeric_limits<double>::infinity(), 1), "Infinity");
  EXPECT_EQ(evaluate(call("TRUNCATE", {lit(-2.999), lit(2)})), "-2.99");
  EXPECT_EQ(evaluate(call("ROUND", {lit(2.5)})), "3.0");
}

TEST(MathTest, RoundsDecimalsAndWholeNumbers) {
  const ExprPtr decimal = *lit_text("99.995", LogicalType::decimal(5, 3));
  EXPECT_EQ(evaluate(call("ROUND", {decimal, lit(2)})), "100.00");
  EXPECT_EQ(type_text(call("ROUND", {decimal, lit(2)})), "DECIMAL(5, 2)");
  EXPECT_EQ(evaluate(call("ROUND", {decimal, lit(-1)})), "100");
  EXPECT_EQ(evaluate(call("ROUND", {decimal, lit(9)})), "99.995");
  EXPECT_EQ(evaluate(call("TRUNCATE", {decimal, lit(1)})), "99.9");
  EXPECT_EQ(over(call("ROUND", {col(0), col(1)}), {"a DECIMAL(5, 3)", "n INT"},
                 R"([["12.345", 2], ["12.345", 0], ["12.345", null], [null, 1]])"),
            Texts({"12.350", "12.000", "NULL", "NULL"}));
  EXPECT_EQ(over(call("ROUND", {col(0), lit(-1)}), {"a INT"}, "[[15], [14], [-15], [null]]"),
            Texts({"20", "10", "-20", "NULL"}));
  EXPECT_EQ(over(call("ROUND", {col(0), lit(2)}), {"a INT"}, "[[15]]"), Texts({"15"}));
}

TEST(MathTest, FloorAndCeilOfNumbers) {
  const auto both = [](const ExprPtr& number) {
    return Texts({evaluate(call("FLOOR", {number})), evaluate(call("CEIL", {number}))});
  };
  EXPECT_EQ(both(lit(-1.5)), Texts({"-2.0", "-1.0"}));
  EXPECT_EQ(both(lit(7)), Texts({"7", "7"}));
  EXPECT_EQ(both(*lit_text("-1.50", LogicalType::decimal(3, 2))), Texts({"-2", "-1"}));
  EXPECT_EQ(both(*lit_text("9.99", LogicalType::decimal(3, 2))), Texts({"9", "10"}));
  EXPECT_EQ(both(*lit_text("2.00", LogicalType::decimal(3, 2))), Texts({"2", "2"}));
}

TEST(MathTest, SignsAndAbsoluteValues) {
  EXPECT_EQ(over(call("ABS", {col(0)}), {"a INT"}, "[[-5], [5], [-2147483648], [null]]"),
            Texts({"5", "5", "-2147483648", "NULL"}));
  EXPECT_EQ(over(call("ABS", {col(0)}), {"a TINYINT"}, "[[-128], [-1]]"), Texts({"-128", "1"}));
  EXPECT_EQ(over(call("ABS", {col(0)}), {"a DECIMAL(4, 2)"}, R"([["-1.50"]])"), Texts({"1.50"}));
  EXPECT_EQ(over(call("SIGN", {col(0)}), {"a DOUBLE"}, "[[-5.5], [0], [3], [NaN]]"),
            Texts({"-1.0", "0.0", "1.0", "NaN"}));
  EXPECT_EQ(over(call("SIGN", {col(0)}), {"a DECIMAL(4, 2)"}, R"([["-1.50"], ["0.00"]])"),
            Texts({"-1.00", "0.00"}));
}

TEST(MathTest, FloatingPoint) {
  EXPECT_EQ(over(call("SQRT", {col(0)}), {"a INT"}, "[[16], [-1], [null]]"),
            Texts({"4.0", "NaN", "NULL"}));
  EXPECT_EQ(over(call("LN", {col(0)}), {"a DOUBLE"}, "[[1], [0], [-1]]"),
            Texts({"0.0", "-Infinity", "NaN"}));
  EXPECT_EQ(evaluate(call("POWER", {lit(2), lit(-1)})), "0.5");
  EXPECT_EQ(evaluate(call("POWER", {*lit_text("1.5", LogicalType::decimal(2, 1)), lit(2)})),
            "2.25");
  EXPECT_EQ(type_text(call("SQRT", {lit("4")})),
            "SQRT('4'): SQRT takes one number, not (CHAR(1) NOT NULL)");
}

TEST(MathTest, DigitsOfBase2And16) {
  EXPECT_EQ(over(call("BIN", {col(0)}), {"a BIGINT"}, "[[-1], [null], [9223372036854775807]]"),
            Texts({std::string(64, '1'), "NULL", std::string(63, '1')}));
  EXPECT_EQ(over(call("HEX", {col(0)}), {"a INT"}, "[[-1], [255], [0]]"),
            Texts({"FFFFFFFFFFFFFFFF", "FF", "0"}));
  EXPECT_EQ(over(call("HEX", {col(0)}), {"a STRING"}, R"([["ñ"], [""], [null]])"),
            Texts({"C3B1", "", "NULL"}));
  EXPECT_EQ(over(call("HEX", {cast(call("UNHEX", {col(0)}), LogicalType::string())}), {"a STRING"},
                 R"([["616"], ["4a4B"], [""], ["g1"], ["61f"], ["6g"], ["g"], [null]])"),
            Texts({"0016", "4A4B", "", "NULL", "001F", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(type_text(call("UNHEX", {lit("61")})), "BYTES");
}

/// Evaluated in pieces of these sizes by one and the same expression.
Texts in_pieces(const ExprPtr& expr, const std::vector<std::int64_t>& sizes) {
  const SchemaPtr schema = schema_of({"a INT"});
  const Batch rows = batch_of(*schema, "[[1], [1], [3], [1], [1]]");
  Result<CompiledExpr> compiled = CompiledExpr::compile(expr, *schema, builtin_functions());
  if (!compiled.is_ok()) return {compiled.status().message()};
  EvalContext context;
  Texts texts;
  std::int64_t done = 0;
  for (const std::int64_t size : sizes) {
    Result<ArrayPtr> array = compiled->evaluate(rows.slice(done, size), context);
    if (!array.is_ok()) return {array.status().message()};
    for (const std::string& text : to_texts(**array, compiled->type())) texts.push_back(text);
    done += size;
  }
  return texts;
}

TEST(MathTest, RandomNumbersOfASeedAreJavas) {
  // What java.util.Random(42) gives.
  const Texts reals = {"0.7275636800328681", "0.6832234717598454", "0.30871945533265976",
                       "0.27707849007413665", "0.6655489517945736"};
  EXPECT_EQ(in_pieces(call("RAND", {lit(42)}), {5}), reals);
  EXPECT_EQ(in_pieces(call("RAND", {lit(42)}), {1, 3, 1}), reals);
  const Texts below_ten = {"0", "3", "8", "4", "0"};
  EXPECT_EQ(in_pieces(call("RAND_INTEGER", {lit(42), lit(10)}), {2, 3}), below_ten);
  // Of a seed per row the first number each.
  const Texts first = in_pieces(call("RAND", {col(0)}), {5});
  EXPECT_EQ(first[0], first[4]);
  EXPECT_NE(first[0], first[2]);
  EXPECT_EQ(in_pieces(call("RAND", {lit_null()}), {1}), in_pieces(call("RAND", {lit(0)}), {1}));
}

TEST(MathTest, RandomNumbersWithoutASeedDiffer) {
  const Texts reals = in_pieces(call("RAND", {}), {5});
  EXPECT_NE(reals[0], reals[1]);
  EXPECT_NE(in_pieces(call("RAND", {}), {5}), reals);
  const Texts pairs = in_pieces(call("ARRAY", {call("UUID", {}), call("UUID", {})}), {1});
  ASSERT_EQ(pairs[0].size(), 76U);
  EXPECT_NE(pairs[0].substr(1, 36), pairs[0].substr(39, 36));
  EXPECT_EQ(pairs[0][15], '4');
  EXPECT_EQ(in_pieces(call("RAND_INTEGER", {lit(1)}), {2}), Texts({"0", "0"}));
  EXPECT_EQ(in_pieces(call("RAND_INTEGER", {lit_null()}), {1}), Texts({"null"}));
  EXPECT_EQ(in_pieces(call("RAND_INTEGER", {lit(0)}), {1}),
            Texts({"RAND_INTEGER: the bound 0 is not from 1 to 2147483647"}));
}

}  // namespace
}  // namespace tidegate
