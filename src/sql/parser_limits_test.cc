// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "sql/parser.h"
#include "sql/parser_cases.h"

namespace tidegate::sql {
namespace {

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(ParserLimitsTest, DeepAndLongTextsEndInALimitOrParse) {
  const std::string deep[] = {
      "SELECT " + repeat("(", 10000) + "1" + repeat(")", 10000),
      "SELECT " + repeat("NOT ", 10000) + "a",
      "SELECT " + repeat("- ", 10000) + "a",
      "SELECT a" + repeat("[1]", 10000),
      "SELECT a" + repeat(" + a", 10000),
      "SELECT " + repeat("f(", 10000),
      "SELECT " + repeat("CASE WHEN a THEN ", 10000),
      "SELECT * FROM " + repeat("(SELECT * FROM ", 10000),
      "SELECT * FROM " + repeat("f(TABLE(", 10000),
      "SELECT 1" + repeat(" UNION ALL SELECT 1", 10000),
      "SELECT * FROM t" + repeat(" JOIN t ON a", 10000),
      "SELECT a FROM t GROUP BY " + repeat("GROUPING SETS (", 10000),
      "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (" + repeat("(", 10000),
      repeat("WITH a AS (", 10000),
      "CREATE TABLE t (a " + repeat("ARRAY<", 10000) + "INT" + repeat(">", 10000) + ")",
  };
  for (const std::string& text : deep) {
    const Status status = parse_script({"", text}).status();
    ASSERT_FALSE(status.is_ok()) << text.substr(0, 40);
    EXPECT_EQ(status.code(), ErrorCode::kLimitExceeded) << status.to_string();
  }
  for (const char* word : {" OR a", " AND a", ", a"})
    EXPECT_TRUE(parse_script({"", "SELECT a" + repeat(word, 100000)}).is_ok());
  const Status long_one = parse_script({"", "SELECT a" + repeat(", a", 500'000)}).status();
  EXPECT_EQ(long_one.code(), ErrorCode::kLimitExceeded) << long_one.to_string();
  EXPECT_TRUE(parse_script({"", repeat("SELECT a, a, a;", 100'000)}).is_ok());
  const std::string chain = "SELECT a" + repeat(" + a * b", 1000);
  EXPECT_EQ(canonical(canonical(chain)), canonical(chain));
}

// Texts with parts left out, doubled or exchanged: never a crash, and what parses has a canonical
// form that parses to itself.
TEST(ParserLimitsTest, MutatedTextsNeverCrash) {
  std::vector<std::string> seeds;
  for (const TextCase& c : cases_of(kStatements)) seeds.push_back(c.text);
  for (const TextCase& c : cases_of(kExpressions)) seeds.push_back("SELECT " + c.text + " FROM t");
  Random random(20240517);
  int parsed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seeds[random.below(seeds.size())];
    const std::string& other = seeds[random.below(seeds.size())];
    for (std::uint64_t changes = 1 + random.below(3); changes > 0 && !text.empty(); --changes) {
      const std::size_t at = random.below(text.size());
      const std::size_t length = 1 + random.below(8);
      const std::size_t from = random.below(other.size());
      switch (random.below(4)) {
        case 0:
          text.erase(at, length);
          break;
        case 1:
          text.insert(at, other.substr(from, 4 * length));
          break;
        case 2:
          text[at] = static_cast<char>(random.below(256));
          break;
        default:
          text.replace(at, length, other.substr(from, length));
          break;
      }
    }
    const Result<std::vector<Statement>> statements = parse_script({"", text});
    if (!statements.is_ok()) {
      EXPECT_FALSE(statements.status().message().empty());
      continue;
    }
    ++parsed;
    const std::string once = canonical(text);
    ASSERT_EQ(canonical(once), once) << text;
  }
  EXPECT_GT(parsed, 1000);
}

}  // namespace
}  // namespace tidegate::sql
