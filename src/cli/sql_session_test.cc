// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_session.h"

#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace tidegate
