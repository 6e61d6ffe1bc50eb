// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "functions/test_evaluation.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

TEST(TextFunctionsTest, CaseMapping) {
  EXPECT_EQ(over(call("UPPER", {col(0)}), {"s STRING"}, R"([["abc"], [null], [""], ["ÿ é ж"]])"),
            Texts({"ABC", "NULL", "", "Ÿ É Ж"}));
  EXPECT_EQ(over(call("UPPER", {col(0)}), {"s STRING"}, R"([["Straße ß"], ["é"], [null]])"),
            Texts({"STRASSE SS", "É", "NULL"}));
  EXPECT_EQ(over(call("LOWER", {col(0)}), {"s STRING"}, R"([["ABC"], ["ÄÖ"]])"),
            Texts({"abc", "äö"}));
  EXPECT_EQ(over(call("INITCAP", {col(0)}), {"s STRING"}, R"([["a-b c1d"], ["éA"]])"),
            Texts({"A-B C1d", "éA"}));
  EXPECT_EQ(type_text(call("UPPER", {lit(1)})),
            "UPPER(1): UPPER takes one string, not (INT NOT NULL)");
}

TEST(TextFunctionsTest, Substring) {
  const auto at = [](std::int32_t start) {
    return over(call("SUBSTRING", {col(0), lit(start)}), {"s STRING"}, R"([["äbc"], [""]])");
  };
  EXPECT_EQ(at(1), Texts({"äbc", ""}));
  EXPECT_EQ(at(0), Texts({"äbc", ""}));
  EXPECT_EQ(at(2), Texts({"bc", ""}));
  EXPECT_EQ(at(9), Texts({"", ""}));
  EXPECT_EQ(at(-1), Texts({"c", ""}));
  EXPECT_EQ(at(-9), Texts({"", ""}));
  EXPECT_EQ(over(call("SUBSTRING", {col(0), col(1), col(2)}), {"s STRING", "a INT", "b INT"},
                 R"([["häuser", 2, 2], ["häuser", 2, 0], ["häuser", 2, -1], ["häuser", -2, 9],
                     ["häuser", null, 1], [null, 1, 1]])"),
            Texts({"äu", "", "NULL", "er", "NULL", "NULL"}));
  EXPECT_EQ(over(call("LEFT", {col(0), lit(2)}), {"s STRING"}, R"([["äöü"], ["a"]])"),
            Texts({"äö", "a"}));
  EXPECT_EQ(over(call("RIGHT", {col(0), lit(2)}), {"s STRING"}, R"([["äöü"], ["a"]])"),
            Texts({"öü", "a"}));
}

TEST(TextFunctionsTest, Positions) {
  EXPECT_EQ(
      over(call("POSITION", {lit("ö"), col(0)}), {"s STRING"}, R"([["äö"], ["ö"], ["x"], [""]])"),
      Texts({"2", "1", "0", "0"}));
  EXPECT_EQ(evaluate(call("POSITION", {lit(""), lit("abc")})), "1");
  EXPECT_EQ(evaluate(call("LOCATE", {lit("a"), lit("aäa"), lit(2)})), "3");
  EXPECT_EQ(evaluate(call("LOCATE", {lit("a"), lit("aäa"), lit(0)})), "1");
  EXPECT_EQ(evaluate(call("LOCATE", {lit(""), lit("abc"), lit(5)})), "1");
  EXPECT_EQ(evaluate(call("INSTR", {lit("hello"), lit("lo")})), "4");
  const auto instr = [](std::int32_t from, std::int32_t nth) {
    return evaluate(call("INSTR", {lit("Corporate Floor"), lit("or"), lit(from), lit(nth)}));
  };
  EXPECT_EQ(instr(3, 2), "14");
  EXPECT_EQ(instr(-3, 2), "2");
  EXPECT_EQ(instr(0, 1), "0");
  EXPECT_EQ(instr(1, 9), "0");
  EXPECT_EQ(instr(1, 0), "INSTR: occurrence 0 is not positive");
  EXPECT_EQ(over(call("CHAR_LENGTH", {col(0)}), {"s STRING"}, R"([["äöü"], [""], [null]])"),
            Texts({"3", "0", "NULL"}));
  EXPECT_EQ(evaluate(call("CHR", {lit(228)})), "ä");
  EXPECT_EQ(evaluate(call("CHR", {lit(-1)})), "");
}

TEST(TextFunctionsTest, Trimming) {
  EXPECT_EQ(over(call("TRIM", {col(0)}), {"s STRING"}, R"([["  a  "], ["   "], [""], ["\ta"]])"),
            Texts({"a", "", "", "\ta"}));
  EXPECT_EQ(evaluate(call("BTRIM", {lit("äxä"), lit("ä")})), "x");
  // One byte in common is not the same character.
  EXPECT_EQ(evaluate(call("BTRIM", {lit("äxö"), lit("ü")})), "äxö");
  EXPECT_EQ(evaluate(call("TRIM", {lit("LEADING"), lit("xy"), lit("yxayx")})), "ayx");
  EXPECT_EQ(
      type_text(call("TRIM", {lit("MIDDLE"), lit("x"), lit("x")})),
      "TRIM('MIDDLE', 'x', 'x'): TRIM takes a string, or BOTH, LEADING or TRAILING, characters "
      "and a string");
}

TEST(TextFunctionsTest, Changing) {
  EXPECT_EQ(over(call("REPLACE", {col(0), lit("a"), lit("bb")}), {"s STRING"},
                 R"([["aca"], [""], [null]])"),
            Texts({"bbcbb", "", "NULL"}));
  EXPECT_EQ(evaluate(call("REPLACE", {lit("aäc"), lit(""), lit("x")})), "xaxäxcx");
  EXPECT_EQ(over(call("REPEAT", {col(0), col(1)}), {"s STRING", "n INT"},
                 R"([["ab", 2], ["ab", 0], ["", 1000000000]])"),
            Texts({"abab", "", ""}));
  EXPECT_EQ(evaluate(call("REPEAT", {lit("ab"), lit(2'000'000'000)})),
            "REPEAT would make a string of more than 67108864 bytes");
  EXPECT_EQ(over(call("LPAD", {col(0), col(1), lit("äb")}), {"s STRING", "n INT"},
                 R"([["x", 4], ["xyz", 2], ["x", 0], ["x", -1], [null, 1]])"),
            Texts({"äbäx", "xy", "", "NULL", "NULL"}));
  EXPECT_EQ(evaluate(call("RPAD", {lit("x"), lit(3), lit("")})), "NULL");
  EXPECT_EQ(
      over(call("SPLIT_INDEX", {col(0), lit("::"), col(1)}), {"s STRING", "i INT"},
           R"([["a::b::", 0], ["a::b::", 1], ["a::b::", 2], ["a::b::", 3], ["a", 0], ["a", -1]])"),
      Texts({"a", "b", "", "NULL", "a", "NULL"}));
  EXPECT_EQ(evaluate(call("SPLIT_INDEX", {lit(""), lit(","), lit(0)})), "NULL");
  EXPECT_EQ(evaluate(call("SPLIT_INDEX", {lit("a b"), lit(""), lit(1)})), "b");
  EXPECT_EQ(evaluate(call("SPLIT_INDEX", {lit("a,b"), lit(44), lit(1)})), "b");
  EXPECT_EQ(evaluate(call("SPLIT_INDEX", {lit("a,b"), lit(0), lit(0)})), "NULL");
  EXPECT_EQ(over(call("STARTSWITH", {col(0), col(1)}), {"a BYTES", "b BYTES"},
                 R"([["abc", "ab"], ["abc", ""], ["a", "ab"], [null, "a"]])"),
            Texts({"TRUE", "TRUE", "FALSE", "NULL"}));
  EXPECT_EQ(evaluate(call("CONCAT_WS", {lit_null(LogicalType::string()), lit("a")})), "NULL");
  EXPECT_EQ(over(call("||", {col(0), lit("-"), col(1)}), {"a STRING", "b STRING"},
                 R"([["x", "y"], ["x", null]])"),
            Texts({"x-y", "NULL"}));
}

TEST(LikeTest, Patterns) {
  const auto like = [](const char* text, const char* pattern) {
    // Both as a constant and row by row.
    const std::string constant = evaluate(call("LIKE", {lit(text), lit(pattern)}));
    const SchemaPtr schema = schema_of({"p STRING"});
    const Batch batch = batch_of(*schema, std::string("[[\"") + pattern + "\"]]");
    EXPECT_EQ(evaluate_over(call("LIKE", {lit(text), col(0)}), *schema, batch)[0], constant);
    return constant == "TRUE";
  };
  EXPECT_TRUE(like("hello", "hello"));
  EXPECT_FALSE(like("hello", "hell"));
  EXPECT_TRUE(like("hello", "he%"));
  EXPECT_TRUE(like("hello", "%lo"));
  EXPECT_TRUE(like("hello", "%ell%"));
  EXPECT_TRUE(like("hello", "%"));
  EXPECT_TRUE(like("", "%"));
  EXPECT_TRUE(like("", ""));
  EXPECT_FALSE(like("a\nb", "a_b"));
  EXPECT_TRUE(like("a\nb", "a%b"));
  EXPECT_FALSE(like("", "_"));
  EXPECT_TRUE(like("é", "_"));
  EXPECT_TRUE(like("héllo", "h_l%o"));
  EXPECT_TRUE(like("aab", "%a_"));
  EXPECT_TRUE(like("abcabc", "%b%bc"));
  EXPECT_FALSE(like("abcabc", "%b%b"));
  EXPECT_TRUE(like("a%c", "a%c"));
  EXPECT_TRUE(like("aaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%a%a%b"));
  EXPECT_FALSE(like("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "%a%a%a%a%a%a%a%b"));
}

TEST(LikeTest, Escapes) {
  EXPECT_EQ(evaluate(call("LIKE", {lit("10%"), lit("10!%"), lit("!")})), "TRUE");
  EXPECT_EQ(evaluate(call("LIKE", {lit("10x"), lit("10!%"), lit("!")})), "FALSE");
  EXPECT_EQ(evaluate(call("LIKE", {lit("a!"), lit("a!!"), lit("!")})), "TRUE");
  EXPECT_EQ(
      type_text(call("LIKE", {lit("a"), lit("a!b"), lit("!")})),
      "LIKE('a', 'a!b', '!'): LIKE pattern 'a!b': behind the escape '!' stands neither %, _ nor "
      "it again");
  EXPECT_EQ(
      over(call("LIKE", {col(0), lit_null(LogicalType::string())}), {"s STRING"}, R"([["a"]])"),
      Texts({"NULL"}));
}

TEST(RegexTest, FindsExtractsReplaces) {
  EXPECT_EQ(over(call("REGEXP", {col(0), lit("^[a-z]+$")}), {"s STRING"},
                 R"([["abc"], ["ab1"], [""], [null]])"),
            Texts({"TRUE", "FALSE", "FALSE", "NULL"}));
  EXPECT_EQ(over(call("REGEXP_EXTRACT", {col(0), lit("(\\d+)-(\\d+)?"), lit(2)}), {"s STRING"},
                 R"([["10-20"], ["10-"], ["x"]])"),
            Texts({"20", "NULL", "NULL"}));
  EXPECT_EQ(evaluate(call("REGEXP_EXTRACT", {lit("ab"), lit("a"), lit(5)})), "NULL");
  EXPECT_EQ(evaluate(call("REGEXP_REPLACE", {lit("äöü"), lit("."), lit("$1")})), "$1$1$1");
  EXPECT_EQ(evaluate(call("REGEXP_REPLACE", {lit("äb"), lit("x*"), lit("-")})), "-ä-b-");
  EXPECT_EQ(evaluate(call("REGEXP_REPLACE", {lit(""), lit("x*"), lit("-")})), "-");
  EXPECT_EQ(evaluate(call("REGEXP", {lit("aéb"), lit("a.b")})), "TRUE");
}

TEST(RegexTest, WrongPatternsAreFalseOrNull) {
  EXPECT_EQ(over(call("REGEXP", {lit("a"), col(0)}), {"p STRING"},
                 R"([["("], ["a"], ["["], [""], [null]])"),
            Texts({"FALSE", "TRUE", "FALSE", "FALSE", "NULL"}));
  EXPECT_EQ(evaluate(call("REGEXP", {lit("a"), lit("(")})), "FALSE");
  for (const char* name :
       {"REGEXP_EXTRACT", "REGEXP_COUNT", "REGEXP_INSTR", "REGEXP_SUBSTR", "REGEXP_EXTRACT_ALL"})
    EXPECT_EQ(evaluate(call(name, {lit("a"), lit("(")})), "NULL") << name;
  EXPECT_EQ(evaluate(call("REGEXP_REPLACE", {lit("a"), lit("("), lit("b")})), "NULL");
}

TEST(RegexTest, OfJava) {
  const auto matches = [](const char* text, const char* pattern) {
    return evaluate(call("REGEXP", {lit(text), lit(pattern)}));
  };
  EXPECT_EQ(matches("é", "^\\p{IsAlphabetic}$"), "TRUE");
  EXPECT_EQ(matches("é", "\\p{L}"), "TRUE");
  EXPECT_EQ(matches("é", "\\u00e9"), "TRUE");
  EXPECT_EQ(matches("é", "\\p{Lower}"), "FALSE");
  EXPECT_EQ(matches("ab", "^[\\p{Lower}_]+$"), "TRUE");
  EXPECT_EQ(matches("7", "\\P{Alpha}"), "TRUE");
  EXPECT_EQ(matches("a.b", "\\Qa.b\\E"), "TRUE");
  EXPECT_EQ(matches("]", "^[]a]$"), "TRUE");
  EXPECT_EQ(matches("foo", "(?<x>o)\\k<x>"), "TRUE");
  EXPECT_EQ(matches("a\rb", "a.b"), "FALSE");
  for (const char* pattern : {"[a-z&&[^b]]", "[a[b]]"}) {
    EXPECT_EQ(
        type_of(call("REGEXP_EXTRACT", {lit("a"), lit(pattern)}), Schema(), builtin_functions())
            .status()
            .code(),
        ErrorCode::kNotSupported);
  }
}

TEST(RegexTest, Searches) {
  const std::vector<std::string> columns = {"s STRING", "p STRING"};
  constexpr const char* kRows =
      R"([["abcabc", "b"], ["aaa", ""], ["äöü", "ü"], ["äöü", "x*"], ["", "a"], [null, "a"]])";
  EXPECT_EQ(over(call("REGEXP_COUNT", {col(0), col(1)}), columns, kRows),
            Texts({"2", "4", "1", "4", "0", "NULL"}));
  EXPECT_EQ(over(call("REGEXP_INSTR", {col(0), col(1)}), columns, kRows),
            Texts({"2", "1", "3", "1", "0", "NULL"}));
  EXPECT_EQ(over(call("REGEXP_SUBSTR", {col(0), col(1)}), columns, kRows),
            Texts({"b", "", "ü", "", "NULL", "NULL"}));
  EXPECT_EQ(
      over(call("REGEXP_EXTRACT_ALL", {col(0), lit("ab((c)?)"), col(1)}), {"s STRING", "g INT"},
           R"([["abcdeabde", 2], ["abcdeabde", 0], ["x", 1], ["abc", 3], ["abc", -1],
                     ["abc", null]])"),
      Texts({"[c, NULL]", "[abc, ab]", "[]", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(evaluate(call("REGEXP_EXTRACT_ALL", {lit("ab1"), lit("[a-z]+")})), "NULL");
}

// A pattern that backtracks without end is an error and not a hang.
TEST(RegexTest, CatastrophicPatternsEnd) {
  const std::string text(100, 'a');
  const std::string outcome = evaluate(call("REGEXP", {lit(text), lit("(a+)+b$|(a|a)*c")}));
  EXPECT_TRUE(outcome == "FALSE" || outcome.starts_with("matching a regular expression"))
      << outcome;
}

TEST(RegexTest, SimilarTo) {
  const auto similar = [](const char* text, const char* pattern) {
    return evaluate(call("SIMILAR TO", {lit(text), lit(pattern)}));
  };
  EXPECT_EQ(similar("abc", "a_c"), "TRUE");
  EXPECT_EQ(similar("abc", "b"), "FALSE");
  EXPECT_EQ(similar("a.c", "a.c"), "TRUE");
  // The point is any character, as it is in Flink.
  EXPECT_EQ(similar("abc", "a.c"), "TRUE");
  EXPECT_EQ(similar("a.c", "a\\.c"), "FALSE");
  EXPECT_EQ(similar("a$", "a$"), "TRUE");
  EXPECT_EQ(similar("a-c", "a[[:ALPHA:]-]c"), "TRUE");
  EXPECT_EQ(similar("a5c", "a[[:DIGIT:]]c"), "TRUE");
  EXPECT_EQ(evaluate(call("SIMILAR TO", {lit("a%c"), lit("a!%c"), lit("!")})), "TRUE");
  EXPECT_EQ(evaluate(call("SIMILAR TO", {lit("abc"), lit("a!%c"), lit("!")})), "FALSE");
  for (const char* wrong : {"a[b", "a(b"}) {
    EXPECT_EQ(type_of(call("SIMILAR TO", {lit("a"), lit(wrong)}), Schema(), builtin_functions())
                  .status()
                  .code(),
              ErrorCode::kInvalidSyntax);
  }
  EXPECT_EQ(similar("aaa", "a{3}"), "TRUE");
  EXPECT_EQ(similar("ab", "a|b"), "FALSE");
  EXPECT_EQ(similar("a\nb", "a%b"), "TRUE");
  EXPECT_EQ(similar("_", "[%_]"), "TRUE");
}

}  // namespace
}  // namespace tidegate
