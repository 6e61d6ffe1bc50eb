// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "functions/json_document.h"
#include "functions/test_evaluation.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

std::string is_json(const char* text, const char* kind = "VALUE") {
  return evaluate(call("IS JSON", {lit(text), lit(kind)}));
}

TEST(IsJsonTest, OfAnyKind) {
  for (const char* json : {"{\"a\":1}", "1", "null", "[]", " {\"a\" : [1, 2.5e-3, true] } ",
                           "\"x\"", "123456789012345678901234567890", "{\"a\":1,\"a\":2}",
                           // What stands behind the first value does not matter.
                           "{} x", "1 2", "[1] ]", "-0"})
    EXPECT_EQ(is_json(json), "TRUE") << json;
  for (const char* other :
       {"abc",        "",          "01",    "-",        ".5",  "1.",    "1e",      "NaN",
        "{\"a\":1,}", "\"a",       "{a:1}", "[1,2",     "tru", "truex", "\"\\x\"", "\"\\u12\"",
        "[1 2]",      "{\"a\" 1}", "1x",    "\"a\nb\"", "[",   "{",     "{\"a\":", "+1"})
    EXPECT_EQ(is_json(other), "FALSE") << other;
  EXPECT_EQ(is_json("{}", "OBJECT"), "TRUE");
  EXPECT_EQ(is_json("{}", "ARRAY"), "FALSE");
  EXPECT_EQ(is_json("[]", "ARRAY"), "TRUE");
  EXPECT_EQ(is_json("null", "SCALAR"), "TRUE");
  EXPECT_EQ(is_json("[]", "SCALAR"), "FALSE");
  EXPECT_EQ(over(call("IS JSON", {col(0)}), {"s STRING"}, R"([["1"], [null], ["x"]])"),
            Texts({"TRUE", "FALSE", "FALSE"}));
}

TEST(IsJsonTest, DeepNestingEnds) {
  EXPECT_EQ(is_json((std::string(999, '[') + std::string(999, ']')).c_str()), "TRUE");
  EXPECT_EQ(is_json(std::string(100'000, '[').c_str()), "FALSE");
}

TEST(JsonDocumentTest, NumbersAsBigDecimalPrintsThem) {
  const auto number = [](const char* token) {
    std::string out;
    append_json_number(token, out);
    return out;
  };
  EXPECT_EQ(number("1.50"), "1.50");
  EXPECT_EQ(number("1e3"), "1E+3");
  EXPECT_EQ(number("1E400"), "1E+400");
  EXPECT_EQ(number("-0"), "0");
  EXPECT_EQ(number("-0.0"), "0.0");
  EXPECT_EQ(number("0.00001"), "0.00001");
  EXPECT_EQ(number("0.0000001"), "1E-7");
  EXPECT_EQ(number("-12.5e-3"), "-0.0125");
  EXPECT_EQ(number("12.5e3"), "1.25E+4");
  EXPECT_EQ(number("1.0E-10"), "1.0E-10");
  EXPECT_EQ(number("12345678901234567890123"), "12345678901234567890123");
}

TEST(JsonExistsTest, ModesAndErrors) {
  const auto exists = [](const char* json, const char* path, const char* on_error) {
    return evaluate(call("JSON_EXISTS", {lit(json), lit(path), lit(on_error)}));
  };
  constexpr const char* kJson = "{\"a\": true, \"n\": null, \"e\": []}";
  EXPECT_EQ(exists(kJson, "$.a", "FALSE"), "TRUE");
  EXPECT_EQ(exists(kJson, "a", "FALSE"), "TRUE");
  EXPECT_EQ(exists(kJson, "$.n", "FALSE"), "FALSE");
  EXPECT_EQ(exists(kJson, "$.e[*]", "FALSE"), "TRUE");
  EXPECT_EQ(exists(kJson, "$.b", "TRUE"), "TRUE");
  EXPECT_EQ(exists(kJson, "lax $.b", "TRUE"), "FALSE");
  EXPECT_EQ(exists(kJson, "strict $.b", "UNKNOWN"), "NULL");
  EXPECT_EQ(exists(kJson, "strict $.b", "ERROR"),
            "JSON_EXISTS: path 'strict $.b': the path finds nothing");
  EXPECT_EQ(exists("invalid", "$.b", "TRUE"), "TRUE");
  EXPECT_EQ(exists("invalid", "lax $.b", "TRUE"), "FALSE");
  EXPECT_EQ(exists(kJson, "$[", "FALSE"), "FALSE");
  EXPECT_EQ(over(call("JSON_EXISTS", {col(0), col(1)}), {"j STRING", "p STRING"},
                 R"([["{\"a\":1}", "$.a"], [null, "$.a"], ["{}", null], ["{}", "$.a"]])"),
            Texts({"TRUE", "NULL", "NULL", "FALSE"}));
}

struct ValueCase {
  const char* json;
  const char* path;
  std::string result;
};

std::string json_value(const char* json, const char* path, const char* type = "STRING",
                       const char* on_empty = "NULL", const char* on_error = "NULL",
                       const ExprPtr& instead = lit_null()) {
  return evaluate(call("JSON_VALUE", {lit(json), lit(path), lit(type), lit(on_empty), instead,
                                      lit(on_error), instead}));
}

TEST(JsonValueTest, Scalars) {
  const std::vector<ValueCase> cases = {
      {"{\"a\": true}", "$.a", "true"},
      {"{\"a\": 1.50}", "$.a", "1.50"},
      {"{\"a\": \"x\\\"y\\u00e9\\ud83d\\ude00\"}", "$.a", "x\"yé😀"},
      {"{\"a\": \"\\ud800\"}", "$.a", "?"},
      {"{\"a\": [1, \"b\", null]}", "$.a[1]", "b"},
      {"{\"a\": [1, \"b\"]}", "$.a[-1]", "b"},
      {"{\"a\": [1, \"b\"]}", "$.a[5]", "NULL"},
      {"{\"a\": [1, \"b\"]}", "$.a.length()", "2"},
      {"{\"a\": [1, 2.5]}", "$.a.sum()", "3.5"},
      {"{\"a\": [1, 2]}", "$.a.max()", "2.0"},
      {"{\"a.b\": 1}", "$['a.b']", "1"},
      {"{\"a\": 1, \"a\": 2}", "$.a", "2"},
      {"{\"a\\u0062\": 1}", "$.ab", "1"},
      {"5", "$", "5"},
      {"\"x\"", "$", "x"},
      {"[1,2]", "$[1]", "2"},
      {"{\"a-b\":\"c\"}", "$.a-b", "c"},
      {"{\"ä\":\"c\"}", "$.ä", "c"},
      {"{\"a\":\"b\"}", "LAX   $.a", "b"},
      {"{\"a\":{\"b\":5}}", "a.b", "5"},
      {"{\"a\":\"b\"} trailing", "$.a", "b"},
      {"{\"a\": 1}", "$.A", "NULL"},
      {"{\"a\":\"b\"}", "", "NULL"},
      {"{\"a\":\"b\"}", " $.a ", "NULL"},
      {"{\"a\": [{\"b\": 1}, {\"b\": 2}]}", "$.a[*].b", "NULL"},
  };
  for (const ValueCase& one : cases)
    EXPECT_EQ(json_value(one.json, one.path), one.result) << one.json << " " << one.path;
  EXPECT_EQ(evaluate(call("JSON_VALUE", {lit("{\"a\": 1}"), lit("$.a")})), "1");
}

TEST(JsonValueTest, WhatStandsForNothing) {
  const ExprPtr d = lit("d");
  constexpr const char* kDefault = "DEFAULT";
  EXPECT_EQ(json_value("{\"a\": 1}", "$.b", "STRING", kDefault, "NULL", d), "NULL");
  EXPECT_EQ(json_value("{\"a\": 1}", "lax $.b", "STRING", kDefault, "NULL", d), "d");
  EXPECT_EQ(json_value("{\"a\": 1}", "$.b", "STRING", "NULL", kDefault, d), "d");
  EXPECT_EQ(json_value("{\"a\": {}}", "lax $.a", "STRING", kDefault, "NULL", d), "d");
  EXPECT_EQ(json_value("{\"a\": {}}", "strict $.a", "STRING", "NULL", kDefault, d), "d");
  EXPECT_EQ(json_value("{\"a\": null}", "$.a", "STRING", "NULL", kDefault, d), "d");
  EXPECT_EQ(json_value("{\"a\": null}", "lax $.a", "STRING", kDefault, "NULL", d), "d");
  EXPECT_EQ(json_value("invalid", "$.a", "STRING", "NULL", kDefault, d), "d");
  EXPECT_EQ(json_value("invalid", "lax $.a", "STRING", kDefault, "NULL", d), "d");
  EXPECT_EQ(json_value("null", "lax $", "STRING", "NULL", kDefault, d), "d");
  EXPECT_EQ(json_value("{}", "lax $.a", "STRING", "ERROR"),
            "JSON_VALUE: path 'lax $.a': it finds nothing");
  EXPECT_EQ(json_value("x", "$.a", "STRING", "NULL", "ERROR"),
            "JSON_VALUE: path '$.a': not JSON at byte 0: an unexpected character");
  EXPECT_EQ(json_value("{}", "$[", "STRING", "NULL", kDefault, d), "d");
}

TEST(JsonValueTest, Types) {
  const auto as = [](const char* json, const char* type) { return json_value(json, "$", type); };
  EXPECT_EQ(as("true", "BOOLEAN"), "TRUE");
  EXPECT_EQ(as("\" Yes\"", "BOOLEAN"), "TRUE");
  EXPECT_EQ(as("1", "BOOLEAN"), "NULL");
  EXPECT_EQ(as("5", "INTEGER"), "5");
  EXPECT_EQ(as("\"5\"", "INT"), "5");
  EXPECT_EQ(as("1.9", "INT"), "1");
  EXPECT_EQ(as("-1.9e1", "INT"), "-19");
  EXPECT_EQ(as("1e-5", "INT"), "0");
  EXPECT_EQ(as("1e9", "INT"), "1000000000");
  EXPECT_EQ(as("1e99", "BIGINT"), "NULL");
  EXPECT_EQ(as("3000000000", "INT"), "NULL");
  EXPECT_EQ(as("3000000000", "BIGINT"), "3000000000");
  EXPECT_EQ(as("128", "TINYINT"), "NULL");
  EXPECT_EQ(as("\"x\"", "INT"), "NULL");
  EXPECT_EQ(as("true", "INT"), "NULL");
  EXPECT_EQ(as("5", "DOUBLE"), "5.0");
  EXPECT_EQ(as("1e999", "DOUBLE"), "NULL");
  EXPECT_EQ(as("\"NaN\"", "DOUBLE"), "NULL");
  EXPECT_EQ(as("1.25", "DECIMAL(5, 1)"), "1.3");
  EXPECT_EQ(as("123456", "DECIMAL(5, 1)"), "NULL");
  EXPECT_EQ(json_value("{\"a\":\"x\"}", "$.a", "INT", "NULL", "DEFAULT", lit(7)), "7");
  EXPECT_EQ(json_value("\"x\"", "$", "INT", "NULL", "ERROR"),
            "JSON_VALUE: path '$': 'x' is not a value of INT");
  EXPECT_EQ(type_text(call("JSON_VALUE", {lit("1"), lit("$"), lit("DATE"), lit("NULL"), lit_null(),
                                          lit("NULL"), lit_null()}))
                    .find("JSON_VALUE returning DATE") != std::string::npos,
            true);
}

std::string json_query(const char* json, const char* path, const char* wrapper = "WITHOUT",
                       const char* on_empty = "NULL", const char* on_error = "NULL",
                       const char* type = "STRING") {
  return evaluate(call(
      "JSON_QUERY", {lit(json), lit(path), lit(type), lit(wrapper), lit(on_empty), lit(on_error)}));
}

TEST(JsonQueryTest, Paths) {
  constexpr const char* kNumbers = "{\"a\":[1,2,3,4,5]}";
  constexpr const char* kObjects = "{\"a\":[{\"b\":\"x\"},{\"b\":2},{\"c\":3}]}";
  const std::vector<ValueCase> cases = {
      {"{\"a\": { \"b\" : 1 , \"a\":[1, 2.0, null, \"x\\/y\"] } }", "$",
       "{\"a\":{\"a\":[1,2.0,null,\"x/y\"],\"b\":1}}"},
      {"{\"z\": 1.50, \"y\": 1e3, \"é\": \"\\n\\u0001\\u00e9/\"}", "$",
       "{\"y\":1E+3,\"z\":1.50,\"é\":\"\\n\\u0001é/\"}"},
      {kNumbers, "$.a[1:3]", "[2,3]"},
      {kNumbers, "$.a[-2:]", "[4,5]"},
      {kNumbers, "$.a[:2]", "[1,2]"},
      {kNumbers, "$.a[7:9]", "[]"},
      {kNumbers, "$.a[0, 1]", "[1,2]"},
      {kNumbers, "$.a[?(@ > 3)]", "[4,5]"},
      {kNumbers, "$.a[?(@ == 2 || @ == \"3\")]", "[2,3]"},
      {kNumbers, "$.a[?(!(@ < 3) && @ != 4)]", "[3,5]"},
      {kNumbers, "$.a[?(@ >= $.a[3])]", "[4,5]"},
      {kObjects, "$.a[*].b", "[\"x\",2]"},
      {kObjects, "lax $.a[*].b", "[\"x\",2]"},
      {kObjects, "$.a[?(@.b)]", "[{\"b\":\"x\"},{\"b\":2}]"},
      {kObjects, "$.a[?(@.b == 'x' || @.c == 3)]", "[{\"b\":\"x\"},{\"c\":3}]"},
      {kObjects, "$..b", "[\"x\",2]"},
      {kObjects, "$.x[*].b", "NULL"},
      {kObjects, "lax $.x[*].b", "[]"},
      {"{\"a\":1,\"b\":2,\"c\":{\"a\":3}}", "$.*", "[1,2,{\"a\":3}]"},
      {"{\"a\":1,\"b\":2,\"c\":{\"a\":3}}", "$['a','b']", "{\"a\":1,\"b\":2}"},
      {"{\"a\":1,\"b\":2}", "$['b','a','x']", "{\"a\":1,\"b\":2}"},
      {"{\"a\":[{\"b\":1,\"c\":2},{\"c\":4},{}]}", "$.a[*]['c','b']",
       "[{\"b\":1,\"c\":2},{\"c\":4},{}]"},
      {"{\"a\":[[1,2],[3]]}", "$.a[*][0]", "[1,3]"},
      {"{\"a\":[[1,2],[3]]}", "$..[0]", "[[1,2],1,3]"},
      {"{\"a\":{\"b\":[1,{\"b\":2}]}}", "$..b", "[[1,{\"b\":2}],2]"},
      {"{\"a\":{\"b\":[1,{\"b\":2}]}}", "$..*",
       "[{\"b\":[1,{\"b\":2}]},[1,{\"b\":2}],1,{\"b\":2},2]"},
      {"{\"a\":1}", "$.a", "NULL"},
      {"null", "$", "NULL"},
  };
  for (const ValueCase& one : cases)
    EXPECT_EQ(json_query(one.json, one.path), one.result) << one.json << " " << one.path;
}

TEST(JsonQueryTest, PathsThatAreNotSupportedAreErrors) {
  for (const char* path : {"$.a.keys()", "$.a[?(@ =~ /x/)]", "$.a[::2]", "$.a[*].length()"}) {
    EXPECT_EQ(type_of(call("JSON_QUERY", {lit("{}"), lit(path)}), Schema(), builtin_functions())
                  .status()
                  .code(),
              ErrorCode::kNotSupported)
        << path;
  }
}

TEST(JsonQueryTest, Wrappers) {
  EXPECT_EQ(json_query("{\"a\": 1}", "$.a", "UNCONDITIONAL"), "[1]");
  EXPECT_EQ(json_query("{\"a\": [1]}", "$.a", "CONDITIONAL"), "[1]");
  EXPECT_EQ(json_query("{\"a\": [1]}", "$.a", "UNCONDITIONAL"), "[[1]]");
  EXPECT_EQ(json_query("{\"a\": {\"b\":1}}", "$.a", "CONDITIONAL"), "[{\"b\":1}]");
  EXPECT_EQ(json_query("{\"a\":[{\"c\":1},{\"c\":2}]}", "$.a[*].c", "UNCONDITIONAL"), "[[1,2]]");
  EXPECT_EQ(json_query("{\"a\": null}", "lax $.a", "UNCONDITIONAL", "EMPTY OBJECT"), "{}");
}

TEST(JsonQueryTest, WhatStandsForNothing) {
  EXPECT_EQ(json_query("{\"a\":\"x\"}", "lax $.a", "WITHOUT", "EMPTY ARRAY"), "[]");
  EXPECT_EQ(json_query("{\"a\":\"x\"}", "strict $.a", "WITHOUT", "NULL", "EMPTY OBJECT"), "{}");
  EXPECT_EQ(json_query("{\"a\":\"x\"}", "$.b", "WITHOUT", "NULL", "EMPTY ARRAY"), "[]");
  EXPECT_EQ(json_query("invalid", "lax $.b", "WITHOUT", "EMPTY ARRAY"), "[]");
  EXPECT_EQ(json_query("{}", "lax $.b", "WITHOUT", "ERROR"),
            "JSON_QUERY: path 'lax $.b': it finds nothing");
  EXPECT_EQ(json_query("{\"a\":\"x\"}", "$.a", "WITHOUT", "NULL", "ERROR"),
            "JSON_QUERY: path '$.a': it finds a scalar, not an array or object");
}

TEST(JsonQueryTest, Arrays) {
  constexpr const char* kType = "ARRAY<STRING>";
  const auto array = [](const char* json, const char* wrapper, const char* on_error) {
    return json_query(json, "$.a", wrapper, "NULL", on_error, kType);
  };
  EXPECT_EQ(array("{\"a\":[1,\"x\",{\"b\":2},null]}", "WITHOUT", "NULL"),
            "[1, x, {\"b\":2}, NULL]");
  EXPECT_EQ(array("{\"a\":1}", "UNCONDITIONAL", "NULL"), "[1]");
  EXPECT_EQ(json_query("[{\"b\":1},{\"b\":2}]", "$[*]['b','c']", "WITHOUT", "NULL", "NULL", kType),
            "[{\"b\":1}, {\"b\":2}]");
  EXPECT_EQ(array("{\"a\":{\"b\":1}}", "WITHOUT", "NULL"), "NULL");
  EXPECT_EQ(array("{\"a\":{\"b\":1}}", "WITHOUT", "EMPTY ARRAY"), "[]");
  EXPECT_EQ(array("{\"a\":[]}", "WITHOUT", "NULL"), "[]");
}

ExprPtr object(std::vector<ExprPtr> parts, const char* on_null = "NULL") {
  parts.insert(parts.begin(), lit(on_null));
  return call("JSON_OBJECT", std::move(parts));
}
ExprPtr json_array(std::vector<ExprPtr> parts, const char* on_null = "ABSENT") {
  parts.insert(parts.begin(), lit(on_null));
  return call("JSON_ARRAY", std::move(parts));
}

TEST(JsonConstructTest, Nesting) {
  const ExprPtr inner = object({lit("b"), lit(1)});
  EXPECT_EQ(evaluate(object({lit("a"), inner})), "{\"a\":{\"b\":1}}");
  EXPECT_EQ(evaluate(object({lit("a"), call("JSON_STRING", {inner})})),
            "{\"a\":\"{\\\"b\\\":1}\"}");
  EXPECT_EQ(evaluate(object({lit("a"), cast(inner, LogicalType::string())})), "{\"a\":{\"b\":1}}");
  EXPECT_EQ(evaluate(json_array({lit(1), json_array({lit(2)}), inner})), "[1,[2],{\"b\":1}]");
  EXPECT_EQ(evaluate(json_array({call("JSON", {lit(" {\"b\": [1 , 2]}")})})), "[{\"b\":[1,2]}]");
  EXPECT_EQ(evaluate(object({lit("a"), lit("{\"b\":1}")})), "{\"a\":\"{\\\"b\\\":1}\"}");
  EXPECT_TRUE(evaluate(call("JSON", {lit("x")})).starts_with("JSON: not JSON"));
}

TEST(JsonConstructTest, NullsAndKeys) {
  EXPECT_EQ(evaluate(object({})), "{}");
  EXPECT_EQ(evaluate(json_array({})), "[]");
  EXPECT_EQ(evaluate(object({lit("a"), lit(1), lit("a"), lit(2)})), "{\"a\":2}");
  EXPECT_EQ(over(object({lit("b"), col(0), col(1), lit(1)}), {"v STRING", "k STRING"},
                 R"([["x\"", "a"], [null, "c"]])"),
            Texts({"{\"a\":1,\"b\":\"x\\\"\"}", "{\"b\":null,\"c\":1}"}));
  EXPECT_EQ(over(object({lit("b"), col(0)}, "ABSENT"), {"v INT"}, "[[1], [null]]"),
            Texts({"{\"b\":1}", "{}"}));
  EXPECT_EQ(over(json_array({col(0), lit(2)}, "NULL"), {"v INT"}, "[[1], [null]]"),
            Texts({"[1,2]", "[null,2]"}));
  EXPECT_EQ(over(object({col(0), lit(1)}), {"k STRING"}, "[[null]]"),
            Texts({"JSON_OBJECT: a key is NULL"}));
  EXPECT_EQ(type_of(object({lit("a")}), Schema(), builtin_functions()).status().code(),
            ErrorCode::kTypeMismatch);
}

TEST(JsonConstructTest, ValuesAsFlinkWritesThem) {
  const auto json = [](const ExprPtr& value) { return evaluate(call("JSON_STRING", {value})); };
  EXPECT_EQ(json(typed("1.50", "DECIMAL(3, 2)")), "1.50");
  EXPECT_EQ(json(typed("0.0000000001", "DECIMAL(20, 15)")), "1.00000E-10");
  EXPECT_EQ(json(lit(1.0)), "1.0");
  EXPECT_EQ(json(lit(1e10)), "1.0E+10");
  EXPECT_EQ(json(lit(123456789.125)), "123456789.125");
  EXPECT_EQ(json(cast(lit(0.1), LogicalType(TypeKind::kFloat))), "0.10000000149011612");
  EXPECT_EQ(json(cast(lit("NaN"), LogicalType(TypeKind::kDouble))), "\"NaN\"");
  EXPECT_EQ(json(lit(true)), "true");
  EXPECT_EQ(json(lit("é\"\\/\n")), "\"é\\\"\\\\/\\n\"");
  EXPECT_EQ(json(typed("2020-10-10 10:11:12", "TIMESTAMP(6)")), "\"2020-10-10T10:11:12\"");
  EXPECT_EQ(json(typed("2020-10-10 10:11:12.5", "TIMESTAMP(6)")), "\"2020-10-10T10:11:12.5\"");
  EXPECT_EQ(json(typed("2020-10-10 10:11:12.123Z", "TIMESTAMP_LTZ(3)")),
            "\"2020-10-10T10:11:12.123Z\"");
  EXPECT_EQ(json(call("ENCODE", {lit("abc"), lit("UTF-8")})), "\"YWJj\"");
  EXPECT_EQ(json(call("MAP", {lit("b"), lit(1), lit("a"), lit(2)})), "{\"a\":2,\"b\":1}");
  EXPECT_EQ(over(call("JSON_STRING", {col(0)}), {"r ROW<z INT, a ARRAY<STRING>>"},
                 R"([[[1, ["x", null]]], [null], [[null, null]]])"),
            Texts({"{\"a\":[\"x\",null],\"z\":1}", "NULL", "{\"a\":null,\"z\":null}"}));
  for (const ExprPtr& value : {typed("2020-10-10", "DATE"), call("MAP", {lit(1), lit(2)})})
    EXPECT_EQ(type_of(call("JSON_STRING", {value}), Schema(), builtin_functions()).status().code(),
              ErrorCode::kTypeMismatch);
}

TEST(JsonQuoteTest, QuotesAndUnquotes) {
  const auto both = [](const char* text) {
    const std::string quoted = evaluate(call("JSON_QUOTE", {lit(text)}));
    EXPECT_EQ(evaluate(call("JSON_UNQUOTE", {lit(quoted)})), text);
    return quoted;
  };
  EXPECT_EQ(both("a\"b\\c/d\n"), "\"a\\\"b\\\\c\\/d\\n\"");
  EXPECT_EQ(both("é😀"), "\"\\u00e9\\ud83d\\ude00\"");
  EXPECT_EQ(both(""), "\"\"");
  EXPECT_EQ(over(call("JSON_UNQUOTE", {col(0)}), {"s STRING"},
                 R"([["abc"], ["[1]"], ["\""], ["\"a\" b\""], ["\"a\\x\""], [null]])"),
            Texts({"abc", "[1]", "\"", "a\" b", "\"a\\x\"", "NULL"}));
}

}  // namespace
}  // namespace tidegate
