// SPDX-License-Identifier: Apache-2.0
//
// Every example of every function, built by hand: the SQL text says what the expression should look
// like, and the registry what it should give. An example that is not here fails the test.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "functions/test_collection_examples.h"
#include "functions/test_evaluation.h"
#include "functions/test_text_examples.h"

namespace tidegate {
namespace {

ExprPtr dec(std::string_view text) {
  const std::size_t point = text.find('.');
  const int digits = static_cast<int>(text.size()) - (point == std::string_view::npos ? 0 : 1) -
                     (text[0] == '-' ? 1 : 0);
  const int scale = point == std::string_view::npos ? 0 : static_cast<int>(text.size() - point - 1);
  return *lit_text(text, LogicalType::decimal(digits, scale, false));
}
ExprPtr date(std::string_view text) { return typed(text, "DATE"); }
ExprPtr ts0(std::string_view text) { return typed(text, "TIMESTAMP(0)"); }
ExprPtr null_text() { return lit_null(LogicalType::string()); }
ExprPtr months(int n) { return typed(std::to_string(n), "INTERVAL YEAR TO MONTH"); }
ExprPtr hours(int n) { return typed(std::to_string(n * 3'600'000), "INTERVAL DAY TO SECOND"); }

std::map<std::string, ExprPtr> operator_examples() {
  const LogicalType boolean(TypeKind::kBoolean);
  return {
      {"1 + 2", call("+", {lit(1), lit(2)})},
      {"+(5)", call("+", {lit(5)})},
      {"2147483647 + 1", call("+", {lit(2147483647), lit(1)})},
      {"1.5 + 2.25", call("+", {dec("1.5"), dec("2.25")})},
      {"DATE '2020-01-31' + INTERVAL '1' MONTH", call("+", {date("2020-01-31"), months(1)})},
      {"1 - 2", call("-", {lit(1), lit(2)})},
      {"-(5)", call("-", {lit(5)})},
      {"TIMESTAMP '2020-01-01 00:00:01' - TIMESTAMP '2020-01-01 00:00:00'",
       call("-", {ts0("2020-01-01 00:00:01"), ts0("2020-01-01 00:00:00")})},
      {"6 * 7", call("*", {lit(6), lit(7)})},
      {"1.5 * 2.5", call("*", {dec("1.5"), dec("2.5")})},
      {"INTERVAL '1' HOUR * 3", call("*", {hours(1), lit(3)})},
      {"7 / 2", call("/", {lit(7), lit(2)})},
      {"-7 / 2", call("/", {lit(-7), lit(2)})},
      {"7.0 / 2", call("/", {dec("7.0"), lit(2)})},
      {"7 % 3", call("%", {lit(7), lit(3)})},
      {"-7 % 3", call("%", {lit(-7), lit(3)})},
      {"7.5 % 2", call("%", {dec("7.5"), lit(2)})},
      {"'a' = 'a'", call("=", {lit("a"), lit("a")})},
      {"1 <> 1", call("<>", {lit(1), lit(1)})},
      {"1 < 1.5", call("<", {lit(1), dec("1.5")})},
      {"2 <= 1", call("<=", {lit(2), lit(1)})},
      {"'b' > 'abc'", call(">", {lit("b"), lit("abc")})},
      {"DATE '2020-10-10' >= '2020-01-01'", call(">=", {date("2020-10-10"), lit("2020-01-01")})},
      {"NULL IS NULL", call("IS NULL", {lit_null()})},
      {"1 IS NOT NULL", call("IS NOT NULL", {lit(1)})},
      {"1 IS DISTINCT FROM NULL", call("IS DISTINCT FROM", {lit(1), lit_null()})},
      {"NULL IS NOT DISTINCT FROM NULL", call("IS NOT DISTINCT FROM", {lit_null(), lit_null()})},
      {"5 BETWEEN 1 AND 5", call("BETWEEN", {lit(5), lit(1), lit(5)})},
      {"2 IN (1, 2)", call("IN", {lit(2), lit(1), lit(2)})},
      {"3 IN (1, NULL)", call("IN", {lit(3), lit(1), lit_null()})},
      {"TRUE AND NULL", call("AND", {lit(true), lit_null()})},
      {"FALSE AND NULL", call("AND", {lit(false), lit_null()})},
      {"TRUE OR NULL", call("OR", {lit(true), lit_null()})},
      {"FALSE OR NULL", call("OR", {lit(false), lit_null()})},
      {"NOT TRUE", call("NOT", {lit(true)})},
      {"CAST(NULL AS BOOLEAN) IS TRUE", call("IS TRUE", {cast(lit_null(), boolean)})},
      {"CAST(NULL AS BOOLEAN) IS NOT TRUE", call("IS NOT TRUE", {cast(lit_null(), boolean)})},
      {"FALSE IS FALSE", call("IS FALSE", {lit(false)})},
      {"FALSE IS NOT FALSE", call("IS NOT FALSE", {lit(false)})},
      {"CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'b' ELSE 'c' END",
       call("CASE", {call(">", {lit(1), lit(2)}), lit("a"), call(">", {lit(2), lit(1)}), lit("b"),
                     lit("c")})},
      {"CASE WHEN FALSE THEN 1 / 0 END", call("CASE", {lit(false), call("/", {lit(1), lit(0)})})},
      {"COALESCE(NULL, 5, 6)", call("COALESCE", {lit_null(), lit(5), lit(6)})},
      {"IF(1 = 1, 'yes', 'no')", call("IF", {call("=", {lit(1), lit(1)}), lit("yes"), lit("no")})},
      {"IFNULL(NULL, 5)", call("IFNULL", {lit_null(), lit(5)})},
      {"NULLIF(5, 5)", call("NULLIF", {lit(5), lit(5)})},
      {"NULLIF(5, 0)", call("NULLIF", {lit(5), lit(0)})},
      {"GREATEST(3, 1, 2)", call("GREATEST", {lit(3), lit(1), lit(2)})},
      {"GREATEST(3, NULL)", call("GREATEST", {lit(3), lit_null()})},
      {"LEAST('b', 'abc')", call("LEAST", {lit("b"), lit("abc")})},
      {"CAST('42' AS INT)", cast(lit("42"), LogicalType(TypeKind::kInt))},
      {"CAST(3.7 AS INT)", cast(dec("3.7"), LogicalType(TypeKind::kInt))},
      {"CAST(TIMESTAMP '2020-10-10 12:00:00' AS DATE)",
       cast(ts0("2020-10-10 12:00:00"), LogicalType(TypeKind::kDate))},
      {"CAST(TRUE AS STRING)", cast(lit(true), LogicalType::string())},
      {"TRY_CAST('abc' AS INT)", try_cast(lit("abc"), LogicalType(TypeKind::kInt))},
      {"TRY_CAST('42' AS INT)", try_cast(lit("42"), LogicalType(TypeKind::kInt))},
  };
}

std::map<std::string, ExprPtr> text_examples() {
  return {
      {"UPPER('äbc 7b')", call("UPPER", {lit("äbc 7b")})},
      {"LOWER('ÄBc')", call("LOWER", {lit("ÄBc")})},
      {"INITCAP('hELLO wORLD')", call("INITCAP", {lit("hELLO wORLD")})},
      {"SUBSTRING('hello', 2, 3)", call("SUBSTRING", {lit("hello"), lit(2), lit(3)})},
      {"SUBSTRING('hello', -3)", call("SUBSTRING", {lit("hello"), lit(-3)})},
      {"SUBSTRING('hello', 1, -1)", call("SUBSTRING", {lit("hello"), lit(1), lit(-1)})},
      {"LEFT('hello', 2)", call("LEFT", {lit("hello"), lit(2)})},
      {"LEFT('hello', -1)", call("LEFT", {lit("hello"), lit(-1)})},
      {"RIGHT('hello', 2)", call("RIGHT", {lit("hello"), lit(2)})},
      {"RIGHT('hello', 0)", call("RIGHT", {lit("hello"), lit(0)})},
      {"CHAR_LENGTH('abc')", call("CHAR_LENGTH", {lit("abc")})},
      {"CHAR_LENGTH('äöü')", call("CHAR_LENGTH", {lit("äöü")})},
      {"POSITION('l' IN 'hello')", call("POSITION", {lit("l"), lit("hello")})},
      {"POSITION('x' IN 'hello')", call("POSITION", {lit("x"), lit("hello")})},
      {"LOCATE('l', 'hello')", call("LOCATE", {lit("l"), lit("hello")})},
      {"LOCATE('l', 'hello', 4)", call("LOCATE", {lit("l"), lit("hello"), lit(4)})},
      {"INSTR('hello', 'l')", call("INSTR", {lit("hello"), lit("l")})},
      {"ASCII('abc')", call("ASCII", {lit("abc")})},
      {"ASCII('')", call("ASCII", {lit("")})},
      {"CHR(97)", call("CHR", {lit(97)})},
      {"CHR(353)", call("CHR", {lit(353)})},
      {"TRIM('  a b ')", call("TRIM", {lit("  a b ")})},
      {"TRIM(BOTH 'x' FROM 'xaxx')", call("TRIM", {lit("BOTH"), lit("x"), lit("xaxx")})},
      {"TRIM(LEADING 'x' FROM 'xax')", call("TRIM", {lit("LEADING"), lit("x"), lit("xax")})},
      {"TRIM(TRAILING 'x' FROM 'xax')", call("TRIM", {lit("TRAILING"), lit("x"), lit("xax")})},
      {"BTRIM('yxaxy', 'xy')", call("BTRIM", {lit("yxaxy"), lit("xy")})},
      {"LTRIM('  a ')", call("LTRIM", {lit("  a ")})},
      {"RTRIM('axy', 'yx')", call("RTRIM", {lit("axy"), lit("yx")})},
      {"CONCAT('a', 'b', 'c')", call("CONCAT", {lit("a"), lit("b"), lit("c")})},
      {"'a' || NULL", call("||", {lit("a"), null_text()})},
      {"CONCAT_WS('-', 'a', NULL, 'b')",
       call("CONCAT_WS", {lit("-"), lit("a"), null_text(), lit("b")})},
      {"REPLACE('hello world', 'world', 'you')",
       call("REPLACE", {lit("hello world"), lit("world"), lit("you")})},
      {"REPLACE('aaa', 'aa', 'b')", call("REPLACE", {lit("aaa"), lit("aa"), lit("b")})},
      {"REVERSE('añb')", call("REVERSE", {lit("añb")})},
      {"REPEAT('ab', 3)", call("REPEAT", {lit("ab"), lit(3)})},
      {"REPEAT('ab', -1)", call("REPEAT", {lit("ab"), lit(-1)})},
      {"LPAD('hi', 5, '?!')", call("LPAD", {lit("hi"), lit(5), lit("?!")})},
      {"LPAD('hi', 1, '?')", call("LPAD", {lit("hi"), lit(1), lit("?")})},
      {"RPAD('hi', 5, '?!')", call("RPAD", {lit("hi"), lit(5), lit("?!")})},
      {"RPAD('hi', -1, '?')", call("RPAD", {lit("hi"), lit(-1), lit("?")})},
      {"SPLIT_INDEX('a,b,c', ',', 1)", call("SPLIT_INDEX", {lit("a,b,c"), lit(","), lit(1)})},
      {"SPLIT_INDEX('a,b', ',', 2)", call("SPLIT_INDEX", {lit("a,b"), lit(","), lit(2)})},
      {"STARTSWITH('hello', 'he')", call("STARTSWITH", {lit("hello"), lit("he")})},
      {"ENDSWITH('hello', 'he')", call("ENDSWITH", {lit("hello"), lit("he")})},
      {"'hello' LIKE 'h_l%'", call("LIKE", {lit("hello"), lit("h_l%")})},
      {"'100%' LIKE '%!%' ESCAPE '!'", call("LIKE", {lit("100%"), lit("%!%"), lit("!")})},
      {"'hello' LIKE 'ell'", call("LIKE", {lit("hello"), lit("ell")})},
      {"REGEXP('hello 42', '[0-9]+')", call("REGEXP", {lit("hello 42"), lit("[0-9]+")})},
      {"'abc' SIMILAR TO '(a|b)%c'", call("SIMILAR TO", {lit("abc"), lit("(a|b)%c")})},
      {"'abd' SIMILAR TO '(a|b)%c'", call("SIMILAR TO", {lit("abd"), lit("(a|b)%c")})},
      {"REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)",
       call("REGEXP_EXTRACT", {lit("foothebar"), lit("foo(.*?)(bar)"), lit(2)})},
      {"REGEXP_EXTRACT('abc', '[0-9]')", call("REGEXP_EXTRACT", {lit("abc"), lit("[0-9]")})},
      {"REGEXP_REPLACE('foobar', 'oo|ar', '')",
       call("REGEXP_REPLACE", {lit("foobar"), lit("oo|ar"), lit("")})},
  };
}

std::map<std::string, ExprPtr> time_examples() {
  std::map<std::string, ExprPtr> examples = {
      {"EXTRACT(HOUR FROM TIMESTAMP '2020-10-15 12:34:56')",
       call("EXTRACT", {lit("HOUR"), ts0("2020-10-15 12:34:56")})},
      {"EXTRACT(WEEK FROM DATE '2021-01-03')", call("EXTRACT", {lit("WEEK"), date("2021-01-03")})},
      {"EXTRACT(DOW FROM DATE '2020-10-11')", call("EXTRACT", {lit("DOW"), date("2020-10-11")})},
      {"TIMESTAMPADD(WEEK, 1, DATE '2003-01-02')",
       call("TIMESTAMPADD", {lit("WEEK"), lit(1), date("2003-01-02")})},
      {"TIMESTAMPADD(MONTH, 1, TIMESTAMP '2020-01-31 12:00:00')",
       call("TIMESTAMPADD", {lit("MONTH"), lit(1), ts0("2020-01-31 12:00:00")})},
      {"TIMESTAMPDIFF(DAY, TIMESTAMP '2003-01-02 10:00:00', TIMESTAMP '2003-01-03 10:00:00')",
       call("TIMESTAMPDIFF", {lit("DAY"), ts0("2003-01-02 10:00:00"), ts0("2003-01-03 10:00:00")})},
      {"TIMESTAMPDIFF(MONTH, DATE '2020-01-31', DATE '2020-02-29')",
       call("TIMESTAMPDIFF", {lit("MONTH"), date("2020-01-31"), date("2020-02-29")})},
      {"FROM_UNIXTIME(44)", call("FROM_UNIXTIME", {lit(44)})},
      {"FROM_UNIXTIME(44, 'mm:ss')", call("FROM_UNIXTIME", {lit(44), lit("mm:ss")})},
      {"TO_TIMESTAMP('2020-10-10 12:34:56')", call("TO_TIMESTAMP", {lit("2020-10-10 12:34:56")})},
      {"TO_TIMESTAMP('10/10/20 1:05 PM', 'dd/MM/yy h:mm a')",
       call("TO_TIMESTAMP", {lit("10/10/20 1:05 PM"), lit("dd/MM/yy h:mm a")})},
      {"TO_TIMESTAMP('soon')", call("TO_TIMESTAMP", {lit("soon")})},
      {"TO_DATE('2020-10-10')", call("TO_DATE", {lit("2020-10-10")})},
      {"TO_DATE('20201010', 'yyyyMMdd')", call("TO_DATE", {lit("20201010"), lit("yyyyMMdd")})},
      {"DATE_FORMAT(TIMESTAMP '2020-10-10 12:34:56.789', 'yyyy/MM/dd HH:mm:ss.SSS')",
       call("DATE_FORMAT",
            {typed("2020-10-10 12:34:56.789", "TIMESTAMP(3)"), lit("yyyy/MM/dd HH:mm:ss.SSS")})},
      {"DATE_FORMAT(DATE '2020-10-10', 'EEE d MMMM')",
       call("DATE_FORMAT", {date("2020-10-10"), lit("EEE d MMMM")})},
      {"UNIX_TIMESTAMP('1970-01-01 00:01:00')",
       call("UNIX_TIMESTAMP", {lit("1970-01-01 00:01:00")})},
      {"TO_TIMESTAMP_LTZ(100, 0)", call("TO_TIMESTAMP_LTZ", {lit(100), lit(0)})},
      {"TO_TIMESTAMP_LTZ('10/10/2020', 'dd/MM/yyyy')",
       call("TO_TIMESTAMP_LTZ", {lit("10/10/2020"), lit("dd/MM/yyyy")})},
      {"CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')",
       call("CONVERT_TZ", {lit("1970-01-01 00:00:00"), lit("UTC"), lit("America/Los_Angeles")})},
      {"FLOOR(TIMESTAMP '2020-10-10 12:34:56' TO HOUR)",
       call("FLOOR", {ts0("2020-10-10 12:34:56"), lit("HOUR")})},
      {"CEIL(DATE '2020-10-10' TO MONTH)", call("CEIL", {date("2020-10-10"), lit("MONTH")})},
  };
  for (const char* name : {"YEAR", "QUARTER", "MONTH", "WEEK", "DAYOFYEAR", "DAYOFMONTH",
                           "DAYOFWEEK", "HOUR", "MINUTE", "SECOND"}) {
    examples[std::string(name) + "(TIMESTAMP '2020-10-15 12:34:56')"] =
        call(name, {ts0("2020-10-15 12:34:56")});
  }
  return examples;
}

std::map<std::string, ExprPtr> math_examples() {
  return {
      {"FLOOR(-1.5)", call("FLOOR", {dec("-1.5")})},
      {"CEIL(1.2)", call("CEIL", {dec("1.2")})},
      {"ROUND(2.675, 2)", call("ROUND", {dec("2.675"), lit(2)})},
      {"ROUND(-15, -1)", call("ROUND", {lit(-15), lit(-1)})},
      {"TRUNCATE(42.345, 2)", call("TRUNCATE", {dec("42.345"), lit(2)})},
      {"SQRT(16)", call("SQRT", {lit(16)})},
      {"EXP(0)", call("EXP", {lit(0)})},
      {"LN(1)", call("LN", {lit(1)})},
      {"LOG10(1000)", call("LOG10", {lit(1000)})},
      {"LOG2(8)", call("LOG2", {lit(8)})},
      {"LOG(2, 8)", call("LOG", {lit(2), lit(8)})},
      {"SIN(0)", call("SIN", {lit(0)})},
      {"COS(0)", call("COS", {lit(0)})},
      {"TAN(0)", call("TAN", {lit(0)})},
      {"COT(0)", call("COT", {lit(0)})},
      {"ASIN(0)", call("ASIN", {lit(0)})},
      {"ACOS(1)", call("ACOS", {lit(1)})},
      {"ATAN(0)", call("ATAN", {lit(0)})},
      {"SINH(0)", call("SINH", {lit(0)})},
      {"COSH(0)", call("COSH", {lit(0)})},
      {"TANH(0)", call("TANH", {lit(0)})},
      {"DEGREES(PI())", call("DEGREES", {call("PI", {})})},
      {"RADIANS(0)", call("RADIANS", {lit(0)})},
      {"POWER(2, 10)", call("POWER", {lit(2), lit(10)})},
      {"ATAN2(0, 1)", call("ATAN2", {lit(0), lit(1)})},
      {"PI()", call("PI", {})},
      {"E()", call("E", {})},
      {"BIN(4)", call("BIN", {lit(4)})},
      {"BIN(0)", call("BIN", {lit(0)})},
      {"HEX(20)", call("HEX", {lit(20)})},
      {"HEX('hello,world')", call("HEX", {lit("hello,world")})},
      {"UNHEX('466C696E6B')", call("UNHEX", {lit("466C696E6B")})},
      {"UNHEX('xy')", call("UNHEX", {lit("xy")})},
      {"ABS(-1.5)", call("ABS", {dec("-1.5")})},
      {"SIGN(-7)", call("SIGN", {lit(-7)})},
  };
}

TEST(ExamplesTest, EveryExampleGivesWhatItSays) {
  std::map<std::string, ExprPtr> built = operator_examples();
  built.merge(text_examples());
  built.merge(time_examples());
  built.merge(math_examples());
  built.merge(collection_examples());
  built.merge(more_text_examples());
  built.merge(json_examples());
  for (const ScalarFunction* function : builtin_functions().all()) {
    EXPECT_FALSE(function->description.empty()) << function->name;
    EXPECT_TRUE(!function->examples.empty() || !function->deterministic) << function->name;
    for (const ScalarFunction::Example& example : function->examples) {
      const auto found = built.find(example.expression);
      if (found == built.end()) {
        ADD_FAILURE() << "no expression for the example " << example.expression;
        continue;
      }
      EXPECT_EQ(evaluate(found->second), example.result) << example.expression;
      built.erase(found);
    }
  }
  for (const auto& [text, expr] : built) ADD_FAILURE() << "no function has the example " << text;
}

}  // namespace
}  // namespace tidegate
