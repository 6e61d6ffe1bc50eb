// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "sql/parser.h"

namespace tidegate::sql {
namespace {

// Typical mistakes: each text, and indented below it the column and the message.
constexpr std::string_view kMistakes = R"sql(
SELCT a FROM t
  1 expected a statement (SELECT, INSERT, CREATE, SET, ...) but found 'SELCT'; did you mean SELECT?
SELECT a FORM t
  15 expected ; or another clause of the statement but found 't'; 'FORM' was read as an alias, did you mean FROM?
SELECT a FROM t WHER a = 1
  22 expected ; or another clause of the statement but found 'a'; 'WHER' was read as an alias, did you mean WHERE?
SELECT a FROM t GRUOP BY a
  23 expected ; or another clause of the statement but found the reserved word BY; 'GRUOP' was read as an alias, did you mean GROUP?
SELECT a FROM t GROUP a
  23 expected BY but found 'a'
SELECT a FROM t ORDER BT a
  23 expected BY but found 'BT'
SELECT a, FROM t
  11 expected an expression but found the reserved word FROM
SELECT FROM t
  8 expected an expression but found the reserved word FROM
SELECT a FROM
  14 expected a table name, a query in brackets or a table function but found the end of the text
SELECT a b c FROM t
  12 expected ; or another clause of the statement but found 'c'
SELECT a FROM t WHERE
  22 expected an expression but found the end of the text
SELECT a FROM t WHERE a == 1
  26 expected a value (equality is written with one =) but found '='
SELECT a FROM t WHERE a = 'x
  27 the text is not closed with '
SELECT a FROM t WHERE a = "x"
  27 double quotes have no meaning here; write 'text' for text and `name` for names
SELECT a FROM t WHERE (a = 1
  29 expected , or ) but found the end of the text
SELECT a FROM t WHERE a = 1)
  28 expected ; or another clause of the statement but found ')'
SELECT a FROM t WHERE a IN 1, 2
  28 expected ( and a list of values or a query but found '1'
SELECT a FROM t WHERE a BETWEEN 1 OR 2
  35 expected AND but found the reserved word OR
SELECT a FROM t WHERE a IS EMPTY
  28 expected NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON but found 'EMPTY'
SELECT a FROM t LIMIT
  22 expected an expression but found the end of the text
SELECT order FROM t
  8 expected an expression but found the reserved word order
SELECT a AS select FROM t
  13 expected a column name but found the reserved word select
SELECT 1abc FROM t
  8 a name must not begin with a digit, and no letters follow a number
SELECT a FROM t JOIN u
  23 expected ON or USING but found the end of the text
SELECT a FROM t JION u ON t.a = u.a
  22 expected ; or another clause of the statement but found 'u'; 'JION' was read as an alias, did you mean JOIN?
SELECT a FROM t LEFT u ON t.a = u.a
  22 expected JOIN but found 'u'
SELECT COUNT(* FROM t
  16 expected , or ) but found the reserved word FROM
SELECT CASE WHEN a THEN 1 FROM t
  27 expected WHEN, ELSE or END but found the reserved word FROM
SELECT CASE a END FROM t
  15 expected WHEN but found the reserved word END
SELECT CAST(a, INT) FROM t
  14 expected AS but found ','
SELECT CAST(a AS INTT) FROM t
  18 type 'INTT', column 1: there is no type INTT
SELECT CAST(a AS DECIMAL(50, 2)) FROM t
  18 type 'DECIMAL(50, 2)': DECIMAL precision is 50, not from 1 to 38
SELECT INTERVAL '1' FORTNIGHT
  21 expected a unit (YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND) but found 'FORTNIGHT'
SELECT INTERVAL 'x' DAY
  8 'x' is no interval of DAY
SELECT INTERVAL '1:75' HOUR TO MINUTE
  8 '1:75' is no interval of HOUR TO MINUTE
SELECT INTERVAL '1' MONTH TO DAY
  8 MONTH TO DAY is no interval
SELECT EXTRACT(a FROM b)
  16 expected a unit (YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND) but found 'a'
SELECT ROW_NUMBER() OVER (PARTITION a ORDER BY b) FROM t
  37 expected BY but found 'a'
SELECT SUM(x) OVER (ORDER BY t ROWS 5) FROM t
  38 expected PRECEDING or FOLLOWING but found ')'
SELECT SUM(x) OVER (ORDER BY t ROWS BETWEEN CURRENT ROW) FROM t
  56 expected AND but found ')'
SELECT * FROM (SELECT 1
  24 expected ) or another clause of the query but found the end of the text
SELECT * FROM t AS
  19 expected an alias of the table (a name) but found the end of the text
SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts) INTERVAL '1' MINUTE))
  52 expected , or ) but found the reserved word INTERVAL
SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(), INTERVAL '1' MINUTE))
  48 expected a column name but found ')'
SELECT * FROM t TABLESAMPLE BERNOULLI(10)
  17 TABLESAMPLE is not supported
CREATE TABEL t (a INT)
  8 expected TABLE, VIEW, FUNCTION, CATALOG, DATABASE or MODEL but found 'TABEL'; did you mean TABLE?
CREATE TABLE t (a INT, b)
  24 column 'b' has no type
CREATE TABLE t (a INT b STRING)
  23 expected , or ) but found 'b'
CREATE TABLE t (a INT,) WITH ('a' = 'b')
  23 expected a column name but found ')'
CREATE TABLE t (a TEXT)
  19 type 'TEXT', column 1: there is no type TEXT
CREATE TABLE t (a INT PRIMARY KEY)
  34 a PRIMARY KEY that is enforced is not supported
CREATE TABLE t (a INT) WITH (connector = 'kafka')
  30 expected an option in quotes, 'key' = 'value' but found 'connector'
CREATE TABLE t (a INT) WITH ('connector' 'kafka')
  42 expected = but found a text in quotes
CREATE TABLE t (a INT) WITH ('rows' = 5)
  39 expected a value in quotes but found '5'
CREATE TABLE t (a INT) WITH ('connector' = 'kafka' 'topic' = 'x')
  52 expected , or ) but found a text in quotes
CREATE TABLE t (a INT, WATERMARK a AS a)
  34 expected FOR but found 'a'
CREATE TABLE t (a INT, WATERMARK FOR a)
  39 expected AS but found ')'
CREATE TABLE t (order INT)
  17 expected a column name but found the reserved word order
CREATE TABLE t
  15 expected ( and columns, WITH, LIKE or AS but found the end of the text
CREATE VIEW v SELECT 1
  15 expected AS but found the reserved word SELECT
CREATE MATERIALIZED TABLE t AS SELECT 1
  8 CREATE MATERIALIZED TABLE is not supported
INSERT t SELECT 1
  8 expected INTO or OVERWRITE but found 't'
INSERT INTO t
  14 expected a query (SELECT, VALUES, WITH or TABLE) or a list of columns but found the end of the text
INSERT INTO t (a, b VALUES (1, 2)
  21 expected , or ) but found the reserved word VALUES
INSERT INTO t VALUES 1, 2,
  27 expected an expression but found the end of the text
EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;
  52 expected INSERT or END but found the end of the text
EXECUTE STATEMENT SET BEGIN SELECT 1; END
  29 expected INSERT or END but found the reserved word SELECT
SET 'a' 'b'
  9 expected = and a value in quotes but found a text in quotes
SET 'a' =
  10 expected a value but found the end of the text
SHOW TABELS
  6 expected TABLES, VIEWS, FUNCTIONS, COLUMNS, DATABASES, CATALOGS, CREATE TABLE ... but found 'TABELS'; did you mean TABLES?
SHOW COLUMNS t
  14 expected FROM and a table name but found 't'
DROP t
  6 expected TABLE, VIEW, FUNCTION, CATALOG, DATABASE or MODEL but found 't'
DROP TABLE IF EXIST t
  15 expected EXISTS but found 'EXIST'; did you mean EXISTS?
ALTER TABLE t ADD COLUMN
  25 expected a type but found the end of the text
ALTER TABLE t FOO
  15 expected ADD, MODIFY, DROP, RENAME, SET or RESET but found 'FOO'
EXPLAIN t
  9 expected PLAN FOR, CHANGELOG_MODE, JSON_EXECUTION_PLAN, a query or INSERT but found 't'
EXPLAIN CHANGELOG_MOD SELECT 1
  9 expected PLAN FOR, CHANGELOG_MODE, JSON_EXECUTION_PLAN, a query or INSERT but found 'CHANGELOG_MOD'; did you mean CHANGELOG_MODE?
USE
  4 expected a database name but found the end of the text
DELETE FROM t
  1 DELETE is not supported
UPDATE t SET a = 1
  1 UPDATE is not supported
ADD JAR 'x.jar'
  1 ADD JAR is not supported
LOAD MODULE hive
  1 LOAD MODULE is not supported
SELECT a::INT FROM t
  9 expected ; or another clause of the statement but found ':'; casts are written CAST(value AS type)
SELECT a -> b FROM t
  11 expected an expression but found '>'
SELECT `a FROM t
  8 the name is not closed with `
SELECT `` FROM t
  8 a name must not be empty
SELECT a /* b FROM t
  10 the comment is not closed with */
SELECT /*+ X('a'='b' */ a FROM t
  22 expected , or ) but found the end of the hint
SELECT “a” FROM t
  8 “ is not a character of SQL; write '
SELECT a FROM t; SELECT b FORM u
  32 expected ; or another clause of the statement but found 'u'; 'FORM' was read as an alias, did you mean FROM?
SELECT X'1' FROM t
  8 X'...' needs an even number of hexadecimal digits
SELECT U&'\00' FROM t
  8 \ in U&'...' needs four hexadecimal digits
SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A B DEFINE A AS TRUE)
  56 expected a pattern variable or ) but found the reserved word AS
SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A{3,2}) DEFINE A AS TRUE)
  44 this quantifier allows no number of rows
SELECT TRIM(BOTH FROM) FROM t
  22 expected an expression but found ')'
SELECT JSON_VALUE(a) FROM t
  20 expected a value, a comma and a path but found ')'
SELECT JSON_VALUE(a, '$' EMPTY ON EMPTY) FROM t
  26 JSON_VALUE takes NULL, ERROR or DEFAULT ON EMPTY and ON ERROR
SELECT (a, b) OVERLAPS (c) FROM t
  8 OVERLAPS compares two periods: (start, end) OVERLAPS (start, end)
WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x
  6 WITH RECURSIVE is not supported
WITH x AS SELECT 1 SELECT * FROM x
  11 expected ( and a query but found the reserved word SELECT
SELECT ? FROM t
  8 a parameter '?' is not supported
SELECT a FROM t WHERE a NOT 1
  29 expected IN, BETWEEN, LIKE or SIMILAR TO but found '1'
SELECT a FROM t FETCH FIRST 5 ROWS WITH TIES
  36 FETCH ... WITH TIES is not supported
SELECT a FROM t1 UNOIN SELECT b FROM t2
  24 expected ; or another clause of the statement but found the reserved word SELECT; 'UNOIN' was read as an alias, did you mean UNION?
CREATE TABLE k (a INT) WITH ('properties.sasl.password' = 'hunter2', 'x' 'y')
  74 expected = but found a text in quotes
CREATE TABLE k (a INT) WITH ('connector' = 'kafka, 'properties.sasl.password' = 'hunter2')
  53 expected , or ) but found 'properties'
CREATE TABLE k (a INT) WITH ('password' 'hunter2')
  41 expected = but found a text in quotes
SET 'my.password' = 'hunter2' x
  31 expected ; or another clause of the statement but found 'x'
SET my.password = hunter2 'x
  27 the text is not closed with '
SELECT * FROM t PIVOT (sum(a) FOR b IN (1))
  17 PIVOT is not supported
SELECT a FROM t WHERE a LIKE
  29 expected an expression but found the end of the text
SELECT f(a => 1, 2 FROM t
  20 expected , or ) but found the reserved word FROM
SELECT a[1 FROM t
  12 expected ] but found the reserved word FROM
SELECT t. FROM t
  11 expected a field name but found the reserved word FROM
SELECT a FROM db.
  18 expected a table name but found the end of the text
)sql";

TEST(ParserErrorTest, TypicalMistakesAreNamedWhereTheyAre) {
  std::string_view rest = kMistakes.substr(1);
  while (!rest.empty()) {
    const std::string_view text = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(text.size() + 1);
    const std::string_view expected = rest.substr(2, rest.find('\n') - 2);
    rest.remove_prefix(expected.size() + 3);
    const Status status = parse_script({"", text}).status();
    ASSERT_FALSE(status.is_ok()) << text;
    const std::string& message = status.message();
    constexpr std::string_view kAt = "\nat line 1, column ";
    const std::size_t at = message.find(kAt);
    ASSERT_NE(at, std::string::npos) << message;
    const std::size_t column = at + kAt.size();
    EXPECT_EQ(
        message.substr(column, message.find(':', column) - column) + ' ' + message.substr(0, at),
        expected)
        << text;
  }
}

TEST(ParserErrorTest, WhatFlinkHasAndThisEngineDoesNotIsNotSupported) {
  for (const char* text : {
           "ADD JAR 'a.jar'",
           "ALTER DATABASE d SET ('a' = 'b')",
           "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a = 1)",
           "ALTER TABLE t ADD (a.b INT)",
           "ALTER TABLE t DROP (a, b.c)",
           "ALTER TABLE t DROP PARTITION (a = 1)",
           "ALTER TABLE t MODIFY a.b INT FIRST",
           "ALTER TABLE t RENAME a.b TO a.c",
           "ANALYZE TABLE t COMPUTE STATISTICS",
           "CALL sys.f()",
           "COMPILE PLAN 'p' FOR INSERT INTO t SELECT 1",
           "CREATE MATERIALIZED TABLE t AS SELECT 1",
           "CREATE TABLE t (a INT, PRIMARY KEY (a))",
           "CREATE TABLE t (a INT, UNIQUE (a))",
           "CREATE TABLE t (a INT CONSTRAINT c UNIQUE)",
           "CREATE TABLE t (a INT) USING CONNECTION c WITH ('a' = 'b')",
           "CREATE TABLE t (a db.UserType)",
           "CREATE TABLE t (a ROW<b VARIANT>)",
           "DELETE FROM t",
           "DESCRIBE CATALOG c",
           "EXECUTE PLAN 'p'",
           "INSERT INTO t (a.b) SELECT 1",
           "LOAD MODULE hive",
           "SELECT * FROM t PIVOT (SUM(a) FOR b IN (1))",
           "SELECT * FROM t TABLESAMPLE SYSTEM (10)",
           "REPLACE TABLE t WITH ('a' = 'b') AS SELECT 1",
           "SELECT ?",
           "SELECT a = ANY (1, 2)",
           "SELECT CAST(a AS TIMESTAMP WITH TIME ZONE)",
           "TRUNCATE TABLE t",
           "UPDATE t SET a = 1",
           "WITH RECURSIVE a AS (SELECT 1) SELECT 1",
       }) {
    const Status status = parse_script({"", text}).status();
    ASSERT_FALSE(status.is_ok()) << text;
    EXPECT_EQ(status.code(), ErrorCode::kNotSupported) << text << "\n" << status.to_string();
  }
}

TEST(ParserErrorTest, ReservedWordsAreShownInBackQuotes) {
  for (const char* text : {"SELECT order FROM t", "CREATE TABLE t (order INT)", "SELECT t.order",
                           "SELECT a AS order"}) {
    const Status status = parse_script({"", text}).status();
    ASSERT_FALSE(status.is_ok()) << text;
    EXPECT_EQ(status.remedy(), "Put reserved words that are names in back quotes: `order`.");
  }
}

TEST(ParserErrorTest, TheFirstErrorOfTheTextIsShown) {
  const Status status = parse_script({"q.sql", "SELECT 1;\nSELECT a FORM t;\nSELECT 'x"}).status();
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.message(),
            "expected ; or another clause of the statement but found 't'; 'FORM' was read as an "
            "alias, did you mean FROM?\nat q.sql, line 2, column 15:\n"
            "  SELECT a FORM t;\n"
            "                ^");
}

}  // namespace
}  // namespace tidegate::sql
