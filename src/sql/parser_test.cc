// SPDX-License-Identifier: Apache-2.0
#include "sql/parser.h"

#include <gtest/gtest.h>

#include "sql/parser_cases.h"
#include "sql/print_syntax.h"

namespace tidegate::sql {
namespace {

TEST(ParserTest, ExpressionsHaveACanonicalFormThatParsesToItself) {
  for (const TextCase& c : cases_of(kExpressions)) {
    const Result<ExpressionPtr> value = parse_expression({"", c.text});
    ASSERT_TRUE(value.is_ok()) << c.text << "\n" << value.status().to_string();
    EXPECT_EQ(print(**value), c.canonical) << c.text;
    const Result<ExpressionPtr> again = parse_expression({"", c.canonical});
    ASSERT_TRUE(again.is_ok()) << c.canonical << "\n" << again.status().to_string();
    EXPECT_EQ(print(**again), c.canonical);
  }
}

TEST(ParserTest, StatementsHaveACanonicalFormThatParsesToItself) {
  for (const TextCase& c : cases_of(kStatements)) {
    EXPECT_EQ(canonical(c.text), c.canonical) << c.text;
    EXPECT_EQ(canonical(c.canonical), c.canonical);
  }
}

TEST(ParserTest, ScriptsMayHaveEmptyStatementsAndComments) {
  EXPECT_EQ(canonical(""), "");
  EXPECT_EQ(canonical(" ;; /* a; */ ; -- b;"), "");
  EXPECT_EQ(canonical("\xEF\xBB\xBFSELECT 1;SELECT 2"), "SELECT 1;\nSELECT 2");
}

}  // namespace
}  // namespace tidegate::sql
