// SPDX-License-Identifier: Apache-2.0
#include "cli/statement_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

/// The statements, and the rest behind a "...", of text that comes in pieces of `size` bytes.
Texts split(std::string_view text, std::size_t size = std::string_view::npos) {
  StatementSplitter splitter;
  Texts statements;
  const auto take = [&] {
    while (auto statement = splitter.next()) statements.push_back(*std::move(statement));
  };
  while (!text.empty()) {
    splitter.add(text.substr(0, size));
    text.remove_prefix(std::min(size, text.size()));
    take();
  }
  if (std::string rest = splitter.rest(); !rest.empty()) statements.push_back("..." + rest);
  return statements;
}

TEST(StatementSplitter, CutsWhereAStatementEndsHoweverTheTextComes) {
  const struct {
    const char* text;
    Texts statements;
  } cases[] = {
      {"", {}},
      {" ; ;\n;", {}},
      {"SELECT 1; SELECT\n 2 ;", {"SELECT 1", "SELECT\n 2"}},
      {"a ';' b; `;` c", {"a ';' b", "...`;` c"}},
      {"'it''s; so'; 'x''", {"'it''s; so'", "...'x''"}},
      {"a -- ; ' not\n b; // ;`\n c;", {"a -- ; ' not\n b", "// ;`\n c"}},
      {"a /* ; ' -- */ b; /**/ c; d /***/;/", {"a /* ; ' -- */ b", "/**/ c", "d /***/", ".../"}},
      {"a - b / c; a -", {"a - b / c", "...a -"}},
      {"-- nothing\n /* but\n words */", {}},
      {"/* not closed ; ", {}},
      {"EXECUTE STATEMENT SET\nBEGIN\nINSERT INTO a SELECT CASE x WHEN 1 THEN 2 END;\n"
       "INSERT INTO b SELECT 1;\nend ; SELECT 2;",
       {"EXECUTE STATEMENT SET\nBEGIN\nINSERT INTO a SELECT CASE x WHEN 1 THEN 2 END;\n"
        "INSERT INTO b SELECT 1;\nend",
        "SELECT 2"}},
      {"begin /*;*/ statement set; insert; end; SET 'a' = 'b';",
       {"begin /*;*/ statement set; insert; end", "SET 'a' = 'b'"}},
      {"EXPLAIN STATEMENT SET BEGIN x; END; y;", {"EXPLAIN STATEMENT SET BEGIN x; END", "y"}},
      {"SELECT statement set; END;", {"SELECT statement set", "END"}},
      {"SELECT 'EXECUTE STATEMENT SET'; x;", {"SELECT 'EXECUTE STATEMENT SET'", "x"}},
  };
  for (const auto& test : cases) {
    for (const std::size_t size : {std::string_view::npos, std::size_t{1}, std::size_t{3}})
      EXPECT_EQ(split(test.text, size), test.statements) << test.text << " by " << size;
  }
}

TEST(StatementSplitter, KnowsWhetherItWaitsForMore) {
  StatementSplitter splitter;
  const auto waits_after = [&](std::string_view text) {
    splitter.add(text);
    while (splitter.next()) {
    }
    return splitter.in_statement();
  };
  EXPECT_FALSE(waits_after("\n -- comment\n"));
  EXPECT_TRUE(waits_after("/* a\n"));
  EXPECT_FALSE(waits_after("*/\n"));
  EXPECT_TRUE(waits_after("SELECT '\n"));
  EXPECT_TRUE(waits_after(";\n"));
  EXPECT_FALSE(waits_after("';\n"));
}

TEST(StatementSplitter, PutsAStatementOnOneLine) {
  EXPECT_EQ(on_one_line("SELECT a, -- the first\n  'x\ny -- z' /* c */ FROM\n\t`t\n`  "),
            "SELECT a, 'x\ny -- z' FROM `t\n`");
  EXPECT_EQ(on_one_line("a /*+ hint */ b // c"), "a /*+ hint */ b");
  EXPECT_EQ(on_one_line("'open"), "'open");
}

}  // namespace
}  // namespace tidegate
