// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidegate {
namespace {

/// In a shell every statement is a text of its own.
TEST(SqlSessionTest, ErrorsPointIntoTheStatementThatMadeThem) {
  SqlSession session{SqlOptions{}};
  ASSERT_TRUE(session.run("", "CREATE TABLE t (a INT) WITH ('path' = 'x');").is_ok());
  const Status status = session.run("", "SELECT a, a, a, a, a, a, a, a, a, a, a, a FROM t;");
  EXPECT_EQ(status.code(), ErrorCode::kMissingOption);
  EXPECT_NE(status.message().find("SELECT a, a"), std::string::npos) << status.message();
}

TEST(SqlSessionTest, ErrorsOfATablesColumnsPointIntoTheTable) {
  SqlSession session{SqlOptions{}};
  ASSERT_TRUE(
      session.run("", "CREATE TABLE t (a INT, b AS nope + 1) WITH ('connector' = 'datagen');")
          .is_ok());
  const Status status = session.run("", "SELECT 1 FROM t;");
  EXPECT_EQ(status.code(), ErrorCode::kUnknownName);
  EXPECT_NE(status.message().find("b AS nope"), std::string::npos) << status.message();
}

TEST(SqlSessionTest, WarningsPointAtWhatTheyAreAbout) {
  SqlSession session{SqlOptions{}};
  const auto warnings = session.check("f.sql", R"(
CREATE TABLE g (k INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
SELECT k, COUNT(*)
FROM g
GROUP BY k, TUMBLE(ts, INTERVAL '1' MINUTE);
SELECT DISTINCT
  k
FROM g;
)");
  ASSERT_TRUE(warnings.is_ok()) << warnings.status().message();
  std::vector<std::string> found;
  for (const LintWarning& warning : *warnings) {
    found.push_back(warning.code + " " + warning.place.substr(0, warning.place.find(':')));
  }
  EXPECT_THAT(found, ::testing::ElementsAre("no-grace at f.sql, line 4, column 6",
                                            "idle-partition at f.sql, line 4, column 6",
                                            "state-per-key at f.sql, line 7, column 3"));
}

}  // namespace
}  // namespace tidegate
