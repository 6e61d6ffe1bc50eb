// SPDX-License-Identifier: Apache-2.0
#include "sql/catalog.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "sql/parser.h"

namespace tidegate::sql {
namespace {

class CatalogTest : public testing::Test {
 protected:
  /// Applies all statements; the first error.
  Status apply(const std::string& script) {
    const auto text = std::make_shared<const std::string>(script);
    auto statements = parse_script({"", *text});
    if (!statements.is_ok()) return statements.status();
    for (const Statement& statement : *statements) {
      Status status;
      if (const auto* create = std::get_if<CreateTable>(&statement.node)) {
        status = catalog_.apply(*create, text);
      } else if (const auto* view = std::get_if<CreateView>(&statement.node)) {
        status = catalog_.apply(*view, text);
      } else if (const auto* alter = std::get_if<AlterTable>(&statement.node)) {
        status = catalog_.apply(*alter, text);
      } else if (const auto* drop = std::get_if<Drop>(&statement.node)) {
        status = catalog_.apply(*drop);
      } else if (const auto* other = std::get_if<CreateOther>(&statement.node)) {
        status = catalog_.apply(*other);
      } else if (const auto* use = std::get_if<Use>(&statement.node)) {
        status = catalog_.apply(*use);
      }
      if (!status.is_ok()) return status;
    }
    return Status::ok();
  }
  const TableDefinition* table(const std::string& name) const {
    return catalog_.find_table({{name, {}}});
  }
  std::string sql(const std::string& name) const { return to_sql(*table(name)); }

  Catalog catalog_;
};

constexpr const char* kClicks =
    "CREATE TABLE clicks (url STRING, id INT, up AS UPPER(url), ts TIMESTAMP(3) METADATA FROM "
    "'timestamp' VIRTUAL, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT "
    "ENFORCED) PARTITIONED BY (url) WITH ('connector' = 'kafka', 'topic' = 'it''s', "
    "'properties.sasl.password' = 'hunter2');";

TEST_F(CatalogTest, TablesAsText) {
  ASSERT_TRUE(apply(kClicks).is_ok());
  EXPECT_EQ(sql("clicks"), R"(CREATE TABLE clicks (
  url STRING,
  id INT NOT NULL,
  up AS UPPER(url),
  ts TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND,
  PRIMARY KEY (id) NOT ENFORCED
)
PARTITIONED BY (url)
WITH (
  'connector' = 'kafka',
  'properties.sasl.password' = '***',
  'topic' = 'it''s'
))");
}

TEST_F(CatalogTest, LikeTakesWhatIsNotExcluded) {
  ASSERT_TRUE(
      apply(std::string(kClicks) +
            "CREATE TABLE all_of WITH ('topic' = 'other') LIKE clicks;"
            "CREATE TABLE few (extra INT) WITH ('connector' = 'print') LIKE clicks "
            "(EXCLUDING OPTIONS EXCLUDING WATERMARKS EXCLUDING GENERATED EXCLUDING METADATA "
            "EXCLUDING CONSTRAINTS EXCLUDING PARTITIONS);")
          .is_ok());
  EXPECT_EQ(table("all_of")->options.get_string_or("topic", ""), "other");
  EXPECT_EQ(table("all_of")->options.get_string_or("connector", ""), "kafka");
  EXPECT_EQ(table("all_of")->watermarks.size(), 1u);
  EXPECT_EQ(sql("few"), R"(CREATE TABLE few (
  url STRING,
  id INT NOT NULL,
  extra INT
)
WITH (
  'connector' = 'print'
))");
}

TEST_F(CatalogTest, AlterChangesATable) {
  ASSERT_TRUE(apply(std::string(kClicks) + "ALTER TABLE clicks ADD (extra INT);"
                                           "ALTER TABLE clicks RENAME id TO number;"
                                           "ALTER TABLE clicks SET ('topic' = 't');"
                                           "ALTER TABLE clicks RESET ('properties.sasl.password');"
                                           "ALTER TABLE clicks DROP (up);"
                                           "ALTER TABLE clicks RENAME TO visits;")
                  .is_ok());
  EXPECT_EQ(table("clicks"), nullptr);
  const std::string text = sql("visits");
  EXPECT_NE(text.find("number INT NOT NULL"), std::string::npos) << text;
  EXPECT_NE(text.find("extra INT"), std::string::npos) << text;
  EXPECT_NE(text.find("PRIMARY KEY (number)"), std::string::npos) << text;
  EXPECT_NE(text.find("'topic' = 't'"), std::string::npos) << text;
  EXPECT_EQ(text.find("UPPER"), std::string::npos) << text;
  EXPECT_EQ(text.find("password"), std::string::npos) << text;
}

TEST_F(CatalogTest, AlterPutsColumnsInTheirPlaces) {
  ASSERT_TRUE(
      apply("CREATE TABLE t (a INT, b STRING, c AS a + 1, PRIMARY KEY (a) NOT ENFORCED) "
            "WITH ('connector' = 'print');"
            "ALTER TABLE t ADD (d INT FIRST, e INT AFTER a, f INT);"
            "ALTER TABLE t MODIFY (b BIGINT, c AS a + 2 AFTER d, f STRING COMMENT 'f' FIRST);"
            "ALTER TABLE t DROP CONSTRAINT PK_1;")
          .is_ok());
  EXPECT_EQ(sql("t"), R"(CREATE TABLE t (
  f STRING COMMENT 'f',
  d INT,
  c AS a + 2,
  a INT NOT NULL,
  e INT,
  b BIGINT
)
WITH (
  'connector' = 'print'
))");
  EXPECT_EQ(apply("ALTER TABLE t ADD a INT;").code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(apply("ALTER TABLE t MODIFY z INT;").code(), ErrorCode::kUnknownName);
  EXPECT_EQ(apply("ALTER TABLE t ADD z INT AFTER y;").code(), ErrorCode::kUnknownName);
}

TEST_F(CatalogTest, NamesAreTakenOnce) {
  ASSERT_TRUE(apply(kClicks).is_ok());
  EXPECT_EQ(apply(kClicks).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(apply("CREATE VIEW clicks AS SELECT 1;").code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(apply("CREATE TABLE IF NOT EXISTS clicks (a INT);").is_ok());
  EXPECT_EQ(table("clicks")->columns.size(), 4u);
  EXPECT_TRUE(apply("DROP TABLE clicks; DROP TABLE IF EXISTS clicks;").is_ok());
  EXPECT_EQ(apply("DROP TABLE clicks;").code(), ErrorCode::kUnknownName);
  ASSERT_TRUE(apply("CREATE TABLE click (a INT);").is_ok());
  EXPECT_EQ(catalog_.unknown_table({{"clicks", {}}}).remedy(), "Did you mean 'click'?");
}

TEST_F(CatalogTest, DatabasesKeepNamesApart) {
  ASSERT_TRUE(apply("CREATE DATABASE other; CREATE TABLE t (a INT); USE other;").is_ok());
  EXPECT_EQ(table("t"), nullptr);
  EXPECT_NE(catalog_.find_table({{"default_database", {}}, {"t", {}}}), nullptr);
  EXPECT_NE(catalog_.find_table({{"default_catalog", {}}, {"default_database", {}}, {"t", {}}}),
            nullptr);
  EXPECT_EQ(apply("USE nowhere;").code(), ErrorCode::kUnknownName);
}

TEST_F(CatalogTest, Models) {
  constexpr const char* kModel =
      "CREATE MODEL m INPUT (a FLOAT) OUTPUT (b DOUBLE, `c d` ARRAY<FLOAT>) COMMENT 'it''s' "
      "WITH ('provider' = 'onnx', 'model-path' = 'm.onnx');";
  const auto model = [&](const char* name) { return catalog_.find_model({{name, {}}}); };
  ASSERT_TRUE(apply(kModel).is_ok());
  EXPECT_EQ(apply(kModel).code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(apply("CREATE MODEL IF NOT EXISTS m WITH ('a' = 'b');").is_ok());
  ASSERT_TRUE(apply("ALTER MODEL m SET ('threads' = '2', 'nulls' = 'nan');"
                    "ALTER MODEL m RESET ('nulls'); ALTER MODEL m RENAME TO n;")
                  .is_ok());
  EXPECT_EQ(model("m"), nullptr);
  EXPECT_EQ(catalog_.models(), std::vector<std::string>{"n"});
  EXPECT_EQ(to_sql(*model("n")), R"(CREATE MODEL n
INPUT (a FLOAT)
OUTPUT (b DOUBLE, `c d` ARRAY<FLOAT>)
COMMENT 'it''s'
WITH (
  'model-path' = 'm.onnx',
  'provider' = 'onnx',
  'threads' = '2'
))");
  EXPECT_EQ(apply("ALTER MODEL m RESET ('a');").code(), ErrorCode::kUnknownName);
  EXPECT_TRUE(apply("ALTER MODEL IF EXISTS m RESET ('a'); DROP MODEL IF EXISTS m;").is_ok());
  EXPECT_EQ(apply("DROP MODEL m;").code(), ErrorCode::kUnknownName);
  EXPECT_TRUE(apply("DROP MODEL n;").is_ok());
  EXPECT_TRUE(catalog_.models().empty());
  EXPECT_FALSE(
      apply("CREATE MODEL m INPUT (a FLOAT, a INT) OUTPUT (b INT) WITH ('a' = 'b');").is_ok());
}

}  // namespace
}  // namespace tidegate::sql
