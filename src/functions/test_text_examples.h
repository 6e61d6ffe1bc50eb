// SPDX-License-Identifier: Apache-2.0
//
// For examples_test.cc: the examples of functions of strings, hashes, JSON and types.
#pragma once

#include <map>
#include <string>

#include "functions/test_evaluation.h"

namespace tidegate {

inline std::map<std::string, ExprPtr> more_text_examples() {
  return {
      {"TO_BASE64('hello world')", call("TO_BASE64", {lit("hello world")})},
      {"FROM_BASE64('aGVsbG8gd29ybGQ=')", call("FROM_BASE64", {lit("aGVsbG8gd29ybGQ=")})},
      {"MD5('abc')", call("MD5", {lit("abc")})},
      {"SHA1('abc')", call("SHA1", {lit("abc")})},
      {"SHA224('abc')", call("SHA224", {lit("abc")})},
      {"SHA256('abc')", call("SHA256", {lit("abc")})},
      {"SHA384('abc')", call("SHA384", {lit("abc")})},
      {"SHA512('abc')", call("SHA512", {lit("abc")})},
      {"SHA2('abc', 224)", call("SHA2", {lit("abc"), lit(224)})},
      {"OVERLAY('This is an old string' PLACING ' new' FROM 10 FOR 5)",
       call("OVERLAY", {lit("This is an old string"), lit(" new"), lit(10), lit(5)})},
      {"OVERLAY('abcdef' PLACING 'xy' FROM 2)",
       call("OVERLAY", {lit("abcdef"), lit("xy"), lit(2)})},
      {"TRANSLATE('www.apache.org', 'wapcheorg', ' APCHEcom')",
       call("TRANSLATE", {lit("www.apache.org"), lit("wapcheorg"), lit(" APCHEcom")})},
      {"TRANSLATE('abc', 'ab', 'x')", call("TRANSLATE", {lit("abc"), lit("ab"), lit("x")})},
      {"ELT(2, 'a', 'b')", call("ELT", {lit(2), lit("a"), lit("b")})},
      {"ELT(3, 'a', 'b')", call("ELT", {lit(3), lit("a"), lit("b")})},
      {"STR_TO_MAP('k1=v1,k2=v2')", call("STR_TO_MAP", {lit("k1=v1,k2=v2")})},
      {"STR_TO_MAP('k1:v1;k2', ';', ':')",
       call("STR_TO_MAP", {lit("k1:v1;k2"), lit(";"), lit(":")})},
      {"ENCODE('hello', 'US-ASCII')", call("ENCODE", {lit("hello"), lit("US-ASCII")})},
      {"DECODE(X'e4e9', 'ISO-8859-1')",
       call("DECODE", {call("ENCODE", {lit("äé"), lit("ISO-8859-1")}), lit("ISO-8859-1")})},
      {"URL_ENCODE('a b/c?d')", call("URL_ENCODE", {lit("a b/c?d")})},
      {"URL_DECODE('a+b%2Fc')", call("URL_DECODE", {lit("a+b%2Fc")})},
      {"URL_DECODE('%zz')", call("URL_DECODE", {lit("%zz")})},
      {"PARSE_URL('http://me@flink.apache.org:80/a?b=1#c', 'HOST')",
       call("PARSE_URL", {lit("http://me@flink.apache.org:80/a?b=1#c"), lit("HOST")})},
      {"PARSE_URL('http://flink.apache.org/a?b=1&c=2', 'QUERY', 'c')",
       call("PARSE_URL", {lit("http://flink.apache.org/a?b=1&c=2"), lit("QUERY"), lit("c")})},
      {"IS_ALPHA('abc')", call("IS_ALPHA", {lit("abc")})},
      {"IS_ALPHA('ab1')", call("IS_ALPHA", {lit("ab1")})},
      {"IS_DIGIT('42')", call("IS_DIGIT", {lit("42")})},
      {"IS_DIGIT('-1')", call("IS_DIGIT", {lit("-1")})},
      {"IS_DECIMAL('-1.5e3')", call("IS_DECIMAL", {lit("-1.5e3")})},
      {"IS_DECIMAL('abc')", call("IS_DECIMAL", {lit("abc")})},
      {"TYPEOF('abc')", call("TYPEOF", {lit("abc")})},
      {"TYPEOF(NULL)", call("TYPEOF", {lit_null()})},
      {"CURRENT_DATABASE()", call("CURRENT_DATABASE", {})},
      {"5 BETWEEN SYMMETRIC 10 AND 1", call("BETWEEN SYMMETRIC", {lit(5), lit(10), lit(1)})},
      {"(TIME '2:55:00', INTERVAL '1' HOUR) OVERLAPS (TIME '3:30:00', INTERVAL '2' HOUR)",
       call("OVERLAPS", {typed("02:55:00", "TIME"), typed("3600000", "INTERVAL DAY TO SECOND"),
                         typed("03:30:00", "TIME"), typed("7200000", "INTERVAL DAY TO SECOND")})},
      {"(DATE '2020-10-10', DATE '2020-10-12') OVERLAPS (DATE '2020-10-13', DATE '2020-10-14')",
       call("OVERLAPS", {typed("2020-10-10", "DATE"), typed("2020-10-12", "DATE"),
                         typed("2020-10-13", "DATE"), typed("2020-10-14", "DATE")})},
      {"'100%' SIMILAR TO '1+0+!%' ESCAPE '!'",
       call("SIMILAR TO", {lit("100%"), lit("1+0+!%"), lit("!")})},
      {"REGEXP_COUNT('abcabc', 'b.')", call("REGEXP_COUNT", {lit("abcabc"), lit("b.")})},
      {"REGEXP_INSTR('hello', 'l+')", call("REGEXP_INSTR", {lit("hello"), lit("l+")})},
      {"REGEXP_SUBSTR('hello 42', '[0-9]+')",
       call("REGEXP_SUBSTR", {lit("hello 42"), lit("[0-9]+")})},
      {"REGEXP_EXTRACT_ALL('a1b2', '[a-z]([0-9])')",
       call("REGEXP_EXTRACT_ALL", {lit("a1b2"), lit("[a-z]([0-9])")})},
      {"REGEXP_EXTRACT_ALL('a1b2', '[a-z][0-9]', 0)",
       call("REGEXP_EXTRACT_ALL", {lit("a1b2"), lit("[a-z][0-9]"), lit(0)})},
      {"PRINTF('%s has %05.1f%%', 'Bob', CAST(42 AS DOUBLE))",
       call("PRINTF", {lit("%s has %05.1f%%"), lit("Bob"), lit(42.0)})},
      {"PRINTF('%d', 'x')", call("PRINTF", {lit("%d"), lit("x")})},
  };
}

inline std::map<std::string, ExprPtr> json_examples() {
  const auto value = [](const char* json, const char* path, const char* type, const char* on_empty,
                        const ExprPtr& instead) {
    return call("JSON_VALUE",
                {lit(json), lit(path), lit(type), lit(on_empty), instead, lit("NULL"), lit_null()});
  };
  const auto query = [](const char* json, const char* path, const char* type, const char* wrapper,
                        const char* on_empty) {
    return call("JSON_QUERY",
                {lit(json), lit(path), lit(type), lit(wrapper), lit(on_empty), lit("NULL")});
  };
  const auto object = [](const char* key, const ExprPtr& of) {
    return call("JSON_OBJECT", {lit("NULL"), lit(key), of});
  };
  return {
      {"'{\"a\": 1}' IS JSON", call("IS JSON", {lit("{\"a\": 1}")})},
      {"'{}' IS JSON ARRAY", call("IS JSON", {lit("{}"), lit("ARRAY")})},
      {"'abc' IS JSON", call("IS JSON", {lit("abc")})},
      {"JSON_EXISTS('{\"a\": [{\"b\": 1}]}', '$.a[0].b')",
       call("JSON_EXISTS", {lit("{\"a\": [{\"b\": 1}]}"), lit("$.a[0].b")})},
      {"JSON_EXISTS('{\"a\": true}', 'strict $.b' TRUE ON ERROR)",
       call("JSON_EXISTS", {lit("{\"a\": true}"), lit("strict $.b"), lit("TRUE")})},
      {"JSON_VALUE('{\"a\": true}', '$.a')",
       value("{\"a\": true}", "$.a", "STRING", "NULL", lit_null())},
      {"JSON_VALUE('{\"a\": 7}', '$.a' RETURNING INT)",
       value("{\"a\": 7}", "$.a", "INT", "NULL", lit_null())},
      {"JSON_VALUE('{\"a\": 1}', 'lax $.b' DEFAULT 'none' ON EMPTY)",
       value("{\"a\": 1}", "lax $.b", "STRING", "DEFAULT", lit("none"))},
      {"JSON_VALUE('{\"a\": 1}', '$.b')", value("{\"a\": 1}", "$.b", "STRING", "NULL", lit_null())},
      {"JSON_QUERY('{\"a\": {\"c\": 1, \"b\": [1, 2]}}', '$.a')",
       query("{\"a\": {\"c\": 1, \"b\": [1, 2]}}", "$.a", "STRING", "WITHOUT", "NULL")},
      {"JSON_QUERY('{\"a\": 1}', '$.a' WITH WRAPPER)",
       query("{\"a\": 1}", "$.a", "STRING", "UNCONDITIONAL", "NULL")},
      {"JSON_QUERY('{\"a\": [1, \"x\"]}', '$.a' RETURNING ARRAY<STRING>)",
       query("{\"a\": [1, \"x\"]}", "$.a", "ARRAY<STRING>", "WITHOUT", "NULL")},
      {"JSON_QUERY('{}', 'lax $.a' EMPTY OBJECT ON EMPTY)",
       query("{}", "lax $.a", "STRING", "WITHOUT", "EMPTY OBJECT")},
      {"JSON_STRING('a\"b')", call("JSON_STRING", {lit("a\"b")})},
      {"JSON_STRING(ARRAY[1, NULL])", call("JSON_STRING", {call("ARRAY", {lit(1), lit_null()})})},
      {"JSON_ARRAY(JSON('{\"b\": 1, \"a\": 2}'))",
       call("JSON_ARRAY", {lit("ABSENT"), call("JSON", {lit("{\"b\": 1, \"a\": 2}")})})},
      {"JSON_OBJECT('b' VALUE 1, 'a' VALUE 'x')",
       call("JSON_OBJECT", {lit("NULL"), lit("b"), lit(1), lit("a"), lit("x")})},
      {"JSON_OBJECT('a' VALUE JSON_OBJECT('b' VALUE 1))", object("a", object("b", lit(1)))},
      {"JSON_ARRAY(1, 'a', JSON_ARRAY(2))",
       call("JSON_ARRAY",
            {lit("ABSENT"), lit(1), lit("a"), call("JSON_ARRAY", {lit("ABSENT"), lit(2)})})},
      {"JSON_PARTS('ARRAY', 'ABSENT', 'VR', 'a', '[1]')",
       call("JSON_PARTS", {lit("ARRAY"), lit("ABSENT"), lit("VR"), lit("a"), lit("[1]")})},
      {"JSON_QUOTE('a\"é')", call("JSON_QUOTE", {lit("a\"é")})},
      {"JSON_UNQUOTE('\"a\\u00e9\"')", call("JSON_UNQUOTE", {lit("\"a\\u00e9\"")})},
      {"JSON_UNQUOTE('[1]')", call("JSON_UNQUOTE", {lit("[1]")})},
  };
}

}  // namespace tidegate
