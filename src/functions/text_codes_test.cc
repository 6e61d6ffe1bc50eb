// SPDX-License-Identifier: Apache-2.0
//
// Strings to codes and back: base64, character sets, hashes, URLs, maps, formats.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "functions/test_evaluation.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

std::string of(const char* function, std::vector<ExprPtr> arguments) {
  return evaluate(call(function, std::move(arguments)));
}

TEST(Base64Test, PaddingMayBeLeftOutButNotWrong) {
  EXPECT_EQ(over(call("TO_BASE64", {col(0)}), {"s STRING"},
                 R"([["hello world"], ["a"], ["ab"], ["abc"], [""], [null]])"),
            Texts({"aGVsbG8gd29ybGQ=", "YQ==", "YWI=", "YWJj", "", "NULL"}));
  EXPECT_EQ(over(call("FROM_BASE64", {col(0)}), {"s STRING"},
                 R"([["aGVsbG8gd29ybGQ"], ["YQ=="], ["YQ"], ["YWJj"], [""], [null]])"),
            Texts({"hello world", "a", "a", "abc", "", "NULL"}));
  EXPECT_EQ(of("TO_BASE64", {call("ENCODE", {lit("ÿ"), lit("ISO-8859-1")})}), "/w==");
  for (const char* wrong : {"!!!", "a", "aG Vs", "aGVs=", "YQ=", "Y===", "=", "aGVs\n"}) {
    EXPECT_EQ(of("FROM_BASE64", {lit(wrong)}),
              std::string("FROM_BASE64: '") + wrong + "' is not base64");
  }
}

TEST(HashTest, KnownAnswers) {
  EXPECT_EQ(
      over(call("MD5", {col(0)}), {"s STRING"}, R"([["abc"], [""], [null]])"),
      Texts({"900150983cd24fb0d6963f7d28e17f72", "d41d8cd98f00b204e9800998ecf8427e", "NULL"}));
  EXPECT_EQ(of("MD5", {call("ENCODE", {lit("abc"), lit("UTF-8")})}), of("MD5", {lit("abc")}));
  EXPECT_EQ(type_text(call("SHA1", {lit("abc")})), "CHAR(40) NOT NULL");
  EXPECT_EQ(of("SHA2", {lit("abc"), lit(256)}), of("SHA256", {lit("abc")}));
  EXPECT_EQ(of("SHA2", {lit("abc"), lit(512)}), of("SHA512", {lit("abc")}));
  EXPECT_EQ(of("SHA2", {lit("abc"), lit_null(LogicalType(TypeKind::kInt))}), "NULL");
  EXPECT_EQ(of("SHA2", {lit("abc"), lit(100)}),
            "SHA2: there is no hash of 100 bits, but of 224, 256, 384 and 512");
}

/// Encoded and decoded again.
std::string through(const char* text, const char* charset) {
  return of("DECODE", {call("ENCODE", {lit(text), lit(charset)}), lit(charset)});
}

TEST(CharsetTest, WhatACharsetHasComesBack) {
  for (const char* charset : {"UTF-8", "utf8", "UTF-16", "UTF-16BE", "utf-16le"})
    EXPECT_EQ(through("aé€😀", charset), "aé€😀") << charset;
  EXPECT_EQ(through("aé€😀", "ISO-8859-1"), "aé??");
  EXPECT_EQ(through("aé", "US-ASCII"), "a?");
  EXPECT_EQ(through("", "UTF-16"), "");
  const ExprPtr latin = call("ENCODE", {lit("äé"), lit("latin1")});
  EXPECT_EQ(of("DECODE", {latin, lit("UTF-8")}), "\uFFFD\uFFFD");
  EXPECT_EQ(of("DECODE", {latin, lit("US-ASCII")}), "\uFFFD\uFFFD");
  EXPECT_EQ(of("DECODE", {call("ENCODE", {lit("abc"), lit("ASCII")}), lit("UTF-16BE")}),
            "\u6162\uFFFD");
  EXPECT_EQ(over(call("ENCODE", {col(0), col(1)}), {"s STRING", "c STRING"},
                 R"([["a", "UTF-8"], [null, "UTF-8"], ["a", null]])"),
            Texts({"a", "NULL", "NULL"}));
  EXPECT_TRUE(
      of("ENCODE", {lit("a"), lit("nope")}).starts_with("there is no character set 'nope'"));
}

TEST(UrlTest, Coding) {
  EXPECT_EQ(of("URL_ENCODE", {lit("a b/c?d=é&*-._~")}), "a+b%2Fc%3Fd%3D%C3%A9%26*-._%7E");
  EXPECT_EQ(over(call("URL_DECODE", {col(0)}), {"s STRING"},
                 R"([["a+b%2Fc%C3%A9"], ["%zz"], ["%"], ["%2"], ["%e4"], [""], [null]])"),
            Texts({"a b/cé", "NULL", "NULL", "NULL", "\uFFFD", "", "NULL"}));
}

TEST(UrlTest, Parts) {
  const auto part = [](const char* url, const char* name) {
    return of("PARSE_URL", {lit(url), lit(name)});
  };
  constexpr const char* kUrl = "http://userinfo@flink.apache.org:8080/path/to;p?query=1&b=2#Ref";
  EXPECT_EQ(part(kUrl, "HOST"), "flink.apache.org");
  EXPECT_EQ(part(kUrl, "PATH"), "/path/to;p");
  EXPECT_EQ(part(kUrl, "QUERY"), "query=1&b=2");
  EXPECT_EQ(part(kUrl, "REF"), "Ref");
  EXPECT_EQ(part(kUrl, "PROTOCOL"), "http");
  EXPECT_EQ(part(kUrl, "FILE"), "/path/to;p?query=1&b=2");
  EXPECT_EQ(part(kUrl, "AUTHORITY"), "userinfo@flink.apache.org:8080");
  EXPECT_EQ(part(kUrl, "USERINFO"), "userinfo");
  EXPECT_EQ(part(kUrl, "host"), "NULL");
  EXPECT_EQ(part("http://a.b", "PATH"), "");
  EXPECT_EQ(part("http://a.b", "QUERY"), "NULL");
  EXPECT_EQ(part("http://a.b?x=1", "FILE"), "?x=1");
  EXPECT_EQ(part("http://a.b?c/d", "PATH"), "");
  EXPECT_EQ(part("http://a.b/#", "REF"), "");
  EXPECT_EQ(part("http:a/b", "PATH"), "a/b");
  EXPECT_EQ(part("http:/x/y", "HOST"), "");
  EXPECT_EQ(part("HTTP://A.b/", "PROTOCOL"), "http");
  EXPECT_EQ(part("HTTP://A.b/", "HOST"), "A.b");
  EXPECT_EQ(part("mailto:a@b.c", "PATH"), "a@b.c");
  EXPECT_EQ(part("file:///a/b", "HOST"), "");
  EXPECT_EQ(part("http://[::1]:80/x", "HOST"), "[::1]");
  EXPECT_EQ(part("http://a.b/c?d#e?f", "QUERY"), "d");
  EXPECT_EQ(part("http://a.b/c#e?f", "QUERY"), "NULL");
  EXPECT_EQ(part(" http://a.b/c ", "PATH"), "/c");
  EXPECT_EQ(part("http://u@x@h/x", "HOST"), "");
  EXPECT_EQ(part("http://h:/x", "AUTHORITY"), "h:");
  for (const char* wrong : {"", "a.b/c", "foo://a.b/c", "http://h:abc/x", "http://[::1/x"})
    EXPECT_EQ(part(wrong, "HOST"), "NULL") << wrong;
}

TEST(UrlTest, Parameters) {
  EXPECT_EQ(over(call("PARSE_URL", {col(0), lit("QUERY"), lit("x")}), {"u STRING"},
                 R"([["http://a.b/c?x=1&x=2"], ["http://a.b/c?ax=1&x=2"], ["http://a.b/c?x"],
                     ["http://a.b/c"], [null]])"),
            Texts({"1", "2", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(of("PARSE_URL", {lit("http://a.b/c?x=1"), lit("HOST"), lit("x")}), "NULL");
}

TEST(StrToMapTest, SeparatorsAreRegularExpressions) {
  EXPECT_EQ(over(call("STR_TO_MAP", {col(0)}), {"s STRING"},
                 R"([["k1=v1,k2=v2"], ["a,b=1,b=2,=3,c="], ["a=1,,b=2,,"], ["a=b=c"], [""],
                     [null]])"),
            Texts({"{k1=v1, k2=v2}", "{a=NULL, b=2, =3, c=}", "{a=1, =NULL, b=2}", "{a=b=c}", "{}",
                   "NULL"}));
  EXPECT_EQ(of("STR_TO_MAP", {lit("a=1ZZb=2"), lit("Z+"), lit("=")}), "{a=1, b=2}");
  EXPECT_EQ(of("STR_TO_MAP", {lit("a=1"), lit(""), lit("=")}), "{a=NULL, =, 1=NULL}");
  EXPECT_TRUE(of("STR_TO_MAP", {lit("a"), lit("("), lit("=")}).starts_with("regular expression"));
}

TEST(TextEditTest, Overlay) {
  EXPECT_EQ(over(call("OVERLAY", {lit("äbcdef"), lit("xy"), col(0), col(1)}), {"f INT", "n INT"},
                 "[[5, 1], [5, 2], [2, 0], [2, -1], [0, 1], [7, 1], [6, 9], [null, 1]]"),
            Texts({"äbcdxyf", "äbcdxy", "äxy", "äxy", "äbcdef", "äbcdef", "äbcdexy", "NULL"}));
  EXPECT_EQ(of("OVERLAY", {lit("abcdef"), lit("xy"), lit(6)}), "abcdexy");
}

TEST(TextEditTest, Translate) {
  EXPECT_EQ(over(call("TRANSLATE", {col(0), col(1), col(2)}), {"s STRING", "f STRING", "t STRING"},
                 R"([["aba", "aa", "xy"], ["aäb", "äb", "ö"], ["abc", "", "x"],
                     ["abc", null, "x"], ["aabb", "a", null], [null, "a", "b"]])"),
            Texts({"xbx", "aö", "abc", "abc", "bb", "NULL"}));
}

TEST(TextEditTest, EltPicksAndMayFindNothing) {
  EXPECT_EQ(over(call("ELT", {col(0), lit("a"), col(1)}), {"n INT", "s STRING"},
                 R"([[1, "x"], [2, "x"], [2, null], [3, "x"], [0, "x"], [null, "x"]])"),
            Texts({"a", "x", "NULL", "NULL", "NULL", "NULL"}));
}

TEST(CharacterTestsTest, NullIsNone) {
  const std::vector<std::string> columns = {"s STRING"};
  constexpr const char* kRows =
      R"([["abc"], ["äö"], ["12"], ["٣"], ["-1"], ["1.5"], ["1d"], [" 1 "], ["NaN"], [""], [null]])";
  EXPECT_EQ(over(call("IS_ALPHA", {col(0)}), columns, kRows),
            Texts({"TRUE", "TRUE", "FALSE", "FALSE", "FALSE", "FALSE", "FALSE", "FALSE", "TRUE",
                   "FALSE", "FALSE"}));
  EXPECT_EQ(over(call("IS_DIGIT", {col(0)}), columns, kRows),
            Texts({"FALSE", "FALSE", "TRUE", "TRUE", "FALSE", "FALSE", "FALSE", "FALSE", "FALSE",
                   "FALSE", "FALSE"}));
  EXPECT_EQ(over(call("IS_DECIMAL", {col(0)}), columns, kRows),
            Texts({"FALSE", "FALSE", "TRUE", "FALSE", "TRUE", "TRUE", "TRUE", "TRUE", "TRUE",
                   "FALSE", "FALSE"}));
  EXPECT_EQ(of("IS_DIGIT", {lit(5)}), "TRUE");
  EXPECT_EQ(of("IS_DIGIT", {lit(1.5)}), "FALSE");
  EXPECT_EQ(of("IS_ALPHA", {lit(5)}), "FALSE");
}

TEST(PrintfTest, AsJavaFormats) {
  const auto format = [](const char* text, std::vector<ExprPtr> values) {
    values.insert(values.begin(), lit(text));
    return of("PRINTF", std::move(values));
  };
  const ExprPtr null = lit_null(LogicalType::string());
  EXPECT_EQ(format("%5.2f|%-5d|%05d|%+d|%x|%X|%o",
                   {lit(3.14159), lit(7), lit(42), lit(5), lit(255), lit(255), lit(8)}),
            " 3.14|7    |00042|+5|ff|FF|10");
  // Halves of the shortest digits are rounded up.
  EXPECT_EQ(format("%.2f %.0f %.1f %.2f", {lit(0.125), lit(0.5), lit(0.05), lit(1.005)}),
            "0.13 1 0.1 1.01");
  EXPECT_EQ(format("%e %g %g %g %g",
                   {lit(12345.678), lit(0.00012345), lit(0.0), lit(1234567.8), lit(99999.95)}),
            "1.234568e+04 0.000123450 0.00000 1.23457e+06 100000");
  EXPECT_EQ(format("%08.2f|%-8.2f|%(.1f|%,.2f",
                   {lit(-3.14159), lit(3.14159), lit(-2.25), lit(1234567.891)}),
            "-0003.14|3.14    |(2.3)|1,234,567.89");
  EXPECT_EQ(format("%x %x", {lit(-1), lit(std::int64_t{-1})}), "ffffffff ffffffffffffffff");
  EXPECT_EQ(format("%5s|%-5s|%.2s|%S", {null, lit(true), lit("äöü"), lit("abc")}),
            " null|true |äö|ABC");
  EXPECT_EQ(format("%2$s %1$s %<s %s", {lit("a"), lit("b")}), "b a a a");
  EXPECT_EQ(format("%b %b %c%%%n", {lit_null(LogicalType(TypeKind::kBoolean)), lit("x"), lit(65)}),
            "false true A%\n");
  EXPECT_EQ(format("%s %s", {typed("1.50", "DECIMAL(3, 2)"), lit(1e10)}), "1.50 1.0E10");
  EXPECT_EQ(format("%s", {typed("2020-10-10", "DATE")}), "18545");
  EXPECT_EQ(format("%f %s", {lit(-0.0), lit(0.5)}), "-0.000000 0.5");
  for (const char* wrong : {"%d", "%f", "%y", "%", "%s %s", "%-", "%.s"})
    EXPECT_EQ(format(wrong, {lit("x")}), "NULL") << wrong;
  EXPECT_EQ(format("%999999999999s", {lit("x")}), "NULL");
  EXPECT_EQ(over(call("PRINTF", {col(0), col(1)}), {"f STRING", "n INT"},
                 R"([["<%d>", 1], ["%d", null], ["%s%s", 1], [null, 1]])"),
            Texts({"<1>", "null", "NULL", "NULL"}));
}

TEST(BetweenTest, Symmetric) {
  EXPECT_EQ(over(call("BETWEEN SYMMETRIC", {col(0), col(1), col(2)}), {"a INT", "b INT", "c INT"},
                 "[[5, 10, 1], [5, 1, 10], [5, 6, 9], [null, 1, 2], [5, null, 3], [2, null, 3]]"),
            Texts({"TRUE", "TRUE", "FALSE", "NULL", "NULL", "NULL"}));
}

TEST(TypeofTest, SaysTheType) {
  EXPECT_EQ(of("TYPEOF", {lit(1.5)}), "DOUBLE NOT NULL");
  EXPECT_EQ(over(call("TYPEOF", {col(0)}), {"a ARRAY<INT>"}, "[[[1]], [null]]"),
            Texts({"ARRAY<INT>", "ARRAY<INT>"}));
}

}  // namespace
}  // namespace tidegate
