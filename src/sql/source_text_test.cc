// SPDX-License-Identifier: Apache-2.0
#include "sql/source_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "sql/parser.h"

namespace tidegate::sql {
namespace {

std::string shown(std::string_view text, std::size_t place, std::string name = {}) {
  return error_at({std::move(name), text}, {place, place + 1}, ErrorCode::kInvalidSyntax, "wrong")
      .message();
}

TEST(SourceTextTest, ShowsLineColumnAndCaret) {
  EXPECT_EQ(shown("SELECT x", 7), "wrong\nat line 1, column 8:\n  SELECT x\n         ^");
  EXPECT_EQ(shown("a\r\nb c\r\n", 5, "q.sql"), "wrong\nat q.sql, line 2, column 3:\n  b c\n    ^");
  EXPECT_EQ(shown("ab\n", 3), "wrong\nat line 2, column 1:\n  \n  ^");
  EXPECT_EQ(shown("", 0), "wrong\nat line 1, column 1:\n  \n  ^");
  EXPECT_EQ(shown("ab", 99), "wrong\nat line 1, column 3:\n  ab\n    ^");
}

TEST(SourceTextTest, CountsCharactersAndKeepsTabs) {
  EXPECT_EQ(shown("\t'\xC3\xA9' x", 6), "wrong\nat line 1, column 6:\n  \t'\xC3\xA9' x\n  \t    ^");
}

TEST(SourceTextTest, ShowsBytesThatAreNoTextAsQuestionMarks) {
  EXPECT_EQ(shown(std::string_view("a\0\xFF\x1B[1m b", 9), 8),
            "wrong\nat line 1, column 9:\n  a???[1m b\n          ^");
}

TEST(SourceTextTest, ShowsPartOfLongLines) {
  const std::string text = std::string(1000, 'a') + "!" + std::string(1000, 'b');
  EXPECT_EQ(shown(text, 1000), "wrong\nat line 1, column 1001:\n  ... " + std::string(100, 'a') +
                                   "!" + std::string(99, 'b') + " ...\n  " + std::string(104, ' ') +
                                   "^");
}

TEST(SourceTextTest, NeverShowsSecrets) {
  const char* kScripts[] = {
      "CREATE TABLE t (a INT) WITH ('password' = 'hunter2' !)",
      "CREATE TABLE t (a INT) WITH ('password' 'hunter2')",
      "CREATE TABLE t (a INT) WITH ('password' =\n'hunter2' 'x')",
      "CREATE TABLE t (a INT) WITH ('password' = 'it''s hunter2' 'x')",
      "CREATE TABLE t (a INT) WITH ('password' = 'hunter2",
      "CREATE TABLE t (a INT) WITH ('a' = 'kafka, 'properties.sasl.password' = 'hunter2')",
      "CREATE TABLE t (a INT) WITH ('a' = 'b, 'api-key' = 'x, hunter2' )",
      "CREATE TABLE t (a INT) WITH ('a.token' = 'hunter2', 'b' = 'c' 'd')",
      "CREATE TABLE t (a INT) WITH ('token' /* 'x' */ = /* y */ 'hunter2' 'd')",
      "ALTER TABLE t SET ('secret' = 'hunter2' !",
      "CREATE TABLE t (a INT) WITH ('password' = hunter2)",
      "CREATE TABLE t (a INT) WITH ('password' hunter2)",
      "CREATE TABLE t (a INT) WITH ('password' = 5hunter2)",
      "-- don't\n// it's\nCREATE TABLE `it's` (a INT) WITH ('password' =\n'hunter2' 'x')",
      "SET my.password hunter2",
      "SET 'my.password' hunter2",
      "SET 'my.password' = 'hunter2' !",
      "SET 'my.password' 'hunter2'",
      "SET my.password = hunter2 'x",
      "SELECT 1; set my.password = 'hunter2' !",
      "SELECT * FROM t /*+ OPTIONS('token' = 'hunter2' !) */",
      "SELECT * FROM t /*+ OPTIONS('token'='hunter2') */ !",
  };
  for (const char* script : kScripts) {
    const Status status = parse_script({"", script}).status();
    ASSERT_FALSE(status.is_ok()) << script;
    EXPECT_EQ(status.to_string().find("hunter2"), std::string::npos) << status.to_string();
  }
  EXPECT_EQ(
      shown("WITH ('password' = 'hunter2') !", 30),
      "wrong\nat line 1, column 31:\n  WITH ('password' = '***') !\n                            ^");
}

}  // namespace
}  // namespace tidegate::sql
