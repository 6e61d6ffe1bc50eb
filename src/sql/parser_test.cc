// SPDX-License-Identifier: Apache-2.0
#include "sql/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sql/print_syntax.h"

namespace tidegate::sql {
namespace {

// Each text, and indented below it its canonical form where that is another one.

constexpr std::string_view kExpressions = R"sql(
a OR b AND NOT c OR d
  a OR (b AND (NOT c)) OR d
NOT a = b
  NOT (a = b)
NOT a IS NULL
  NOT (a IS NULL)
a = b IS NULL
  (a = b) IS NULL
a IS NULL = TRUE
  (a IS NULL) = TRUE
a + b * c - d / e % f
  a + (b * c) - (d / e % f)
a || b * c
  (a || b) * c
'x' || 1 + 2
  ('x' || 1) + 2
- a * + b
  (-a) * (+b)
-a[1]
- - 1
  -(-1)
a < b = c
  (a < b) = c
a <> b AND c != d
  (a <> b) AND (c <> d)
x BETWEEN 1 AND 2 AND y
  (x BETWEEN 1 AND 2) AND y
x NOT BETWEEN SYMMETRIC 1 + 1 AND 2
  NOT (x BETWEEN SYMMETRIC (1 + 1) AND 2)
x BETWEEN ASYMMETRIC 1 AND 2
  x BETWEEN 1 AND 2
x LIKE 'a!%' ESCAPE '!' OR x NOT LIKE 'b'
  (x LIKE 'a!%' ESCAPE '!') OR (NOT (x LIKE 'b'))
x SIMILAR TO '(a|b)*'
x NOT SIMILAR TO 'c' ESCAPE '\'
  NOT (x SIMILAR TO 'c' ESCAPE '\')
a IN (1, 2) AND a NOT IN (b)
  (a IN (1, 2)) AND (NOT (a IN (b)))
(a, b) IN ((1, 2), (3, 4))
  ROW(a, b) IN (ROW(1, 2), ROW(3, 4))
a IN (SELECT b FROM t)
(a, b) NOT IN (SELECT c, d FROM t)
  NOT (ROW(a, b) IN (SELECT c, d FROM t))
a > ALL (SELECT b FROM t) OR a = SOME (SELECT c FROM t)
  (a > ALL (SELECT b FROM t)) OR (a = ANY (SELECT c FROM t))
EXISTS (SELECT 1) AND NOT EXISTS (VALUES 1)
  (EXISTS (SELECT 1)) AND (NOT (EXISTS (VALUES (1))))
(SELECT max(a) FROM t) + 1
a IS NOT TRUE OR b IS NOT FALSE OR c IS UNKNOWN
  (a IS NOT TRUE) OR (b IS NOT FALSE) OR (c IS UNKNOWN)
a IS DISTINCT FROM b + 1 AND c IS NOT DISTINCT FROM NULL
  (a IS DISTINCT FROM (b + 1)) AND (c IS NOT DISTINCT FROM NULL)
j IS JSON AND j IS NOT JSON OBJECT
  (j IS JSON) AND (NOT (j IS JSON OBJECT))
(a, b) OVERLAPS (c, d)
PERIOD (a, b) OVERLAPS PERIOD (c, d)
  (a, b) OVERLAPS (c, d)
DATE '2020-01-01' < TIMESTAMP '2020-01-01 00:00:00.5'
TIME '10:00:00'
INTERVAL '5' MINUTES + INTERVAL '1:30' MINUTE TO SECOND
  INTERVAL '5' MINUTE + INTERVAL '90' SECOND
INTERVAL '1-6' YEAR TO MONTH
  INTERVAL '18' MONTH
INTERVAL -'1' DAY - INTERVAL '-2 03:04:05.678' DAY(3) TO SECOND(3)
  INTERVAL '-1' DAY - INTERVAL '-183845.678' SECOND
INTERVAL '2' WEEK + INTERVAL '1' QUARTER
  INTERVAL '14' DAY + INTERVAL '3' MONTH
INTERVAL '1.5' SECOND
  INTERVAL '1.500' SECOND
INTERVAL 10 SECOND
  INTERVAL '10' SECOND
INTERVAL n DAY
  n * INTERVAL '1' DAY
INTERVAL (a + 1) HOURS
  (a + 1) * INTERVAL '1' HOUR
X'0aFF'
U&'\0041\00e9' || U&'!0042' UESCAPE '!'
  'Aé' || 'B'
_UTF8'caf' || N'x'
  'caf' || 'x'
'it''s'
12345678901234567890.5e-10
.5 + 1.
CAST(a AS DECIMAL(10, 2))
TRY_CAST(a AS ROW<x INT NOT NULL, y ARRAY<ARRAY<STRING>>>)
  TRY_CAST(a AS ROW<`x` INT NOT NULL, `y` ARRAY<ARRAY<STRING>>>)
CAST(a AS TIMESTAMP(3) WITH LOCAL TIME ZONE)
  CAST(a AS TIMESTAMP_LTZ(3))
CAST(a AS MAP<STRING, TIMESTAMP(3)>)
CAST(a AS INTERVAL DAY(2) TO SECOND(3))
  CAST(a AS INTERVAL DAY TO SECOND)
CAST(a AS DOUBLE PRECISION)
  CAST(a AS DOUBLE)
CAST(a AS INT ARRAY)
  CAST(a AS ARRAY<INT>)
EXTRACT(YEAR FROM ts)
EXTRACT(epoch FROM ts)
  EXTRACT(EPOCH FROM ts)
CEIL(x) + CEILING(x TO HOUR)
  CEIL(x) + CEIL(x TO HOUR)
FLOOR(ts TO MONTH)
TRIM(x)
  TRIM(BOTH ' ' FROM x)
TRIM(LEADING FROM x)
  TRIM(LEADING ' ' FROM x)
TRIM(TRAILING 'a' FROM x)
TRIM('a' FROM x)
  TRIM(BOTH 'a' FROM x)
POSITION('a' IN x || y)
SUBSTRING(x FROM 2 FOR 3)
  SUBSTRING(x, 2, 3)
SUBSTRING(x, 2)
OVERLAY(x PLACING y FROM 2 FOR 3)
  OVERLAY(x, y, 2, 3)
TIMESTAMPADD(DAY, 1, ts)
TIMESTAMPDIFF(SQL_TSI_MINUTE, a, b)
  TIMESTAMPDIFF(MINUTE, a, b)
CASE x WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE 'c' END
CASE WHEN a THEN 1 END
IF(a, 1, 2) + COALESCE(b, 3)
ROW(1, 'a')
(1, 'a', NULL)
  ROW(1, 'a', NULL)
ARRAY[1, 2][1]
ARRAY[]
MAP['a', 1, 'b', 2]['a']
ARRAY(SELECT a FROM t)
COUNT(*)
COUNT(DISTINCT a, b) FILTER (WHERE c > 1)
SUM(ALL a)
  SUM(a)
LISTAGG(a, ',') WITHIN GROUP (ORDER BY b DESC NULLS LAST, c ASC NULLS FIRST)
  LISTAGG(a, ',') WITHIN GROUP (ORDER BY b DESC NULLS LAST, c NULLS FIRST)
ARRAY_AGG(a ORDER BY b)
  ARRAY_AGG(a) WITHIN GROUP (ORDER BY b)
ROW_NUMBER() OVER (PARTITION BY a, b ORDER BY c)
SUM(x) OVER w
SUM(x) OVER (w ROWS 5 PRECEDING)
  SUM(x) OVER (w ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)
SUM(x) OVER (ORDER BY t RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)
LAG(x, 1) IGNORE NULLS OVER (ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
LAST_VALUE(x) RESPECT NULLS OVER (ORDER BY t)
  LAST_VALUE(x) OVER (ORDER BY t)
f(a => 1, b => DEFAULT)
cat.db.f(x)
a.b.c
(a).b.c
a[1].b[2].c
f(x).y
`my col`.`from`.`a``b`
value + `user` + rank
  `value` + `user` + rank
date + time
  `date` + `time`
LEFT(a, 1) || RIGHT(b, 2)
CURRENT_DATE < CURRENT_TIMESTAMP AND LOCALTIME = CURRENT_TIME AND LOCALTIMESTAMP IS NULL
  (CURRENT_DATE < CURRENT_TIMESTAMP) AND (LOCALTIME = CURRENT_TIME) AND (LOCALTIMESTAMP IS NULL)
NOW() - PROCTIME()
JSON_VALUE(j, '$.a')
JSON_VALUE(j, '$.a' RETURNING INTEGER DEFAULT 1 ON EMPTY ERROR ON ERROR)
  JSON_VALUE(j, '$.a' RETURNING INT DEFAULT 1 ON EMPTY ERROR ON ERROR)
JSON_VALUE(j, 'lax $.a' NULL ON EMPTY DEFAULT 'x' || 'y' ON ERROR)
  JSON_VALUE(j, 'lax $.a' DEFAULT 'x' || 'y' ON ERROR)
JSON_QUERY(j, '$.a')
JSON_QUERY(j, '$' RETURNING ARRAY<STRING> WITH CONDITIONAL ARRAY WRAPPER EMPTY ARRAY ON EMPTY EMPTY OBJECT ON ERROR)
JSON_QUERY(j, '$' WITHOUT ARRAY WRAPPER ERROR ON ERROR)
  JSON_QUERY(j, '$' ERROR ON ERROR)
JSON_QUERY(j, '$' WITH WRAPPER)
  JSON_QUERY(j, '$' WITH UNCONDITIONAL ARRAY WRAPPER)
JSON_EXISTS(j, '$.a') OR JSON_EXISTS(j, '$.a' TRUE ON ERROR)
JSON_OBJECT()
JSON_OBJECT('a' VALUE 1, KEY 'b' VALUE c ABSENT ON NULL)
  JSON_OBJECT(KEY 'a' VALUE 1, KEY 'b' VALUE c ABSENT ON NULL)
JSON_OBJECT('a': 1, 'b': JSON_ARRAY(1, NULL))
  JSON_OBJECT(KEY 'a' VALUE 1, KEY 'b' VALUE JSON_ARRAY(1, NULL))
JSON_ARRAY(1, 2 NULL ON NULL)
JSON_ARRAY(NULL ON NULL)
JSON_OBJECTAGG(KEY k VALUE v ABSENT ON NULL) FILTER (WHERE k IS NOT NULL)
JSON_ARRAYAGG(v NULL ON NULL)
FINAL LAST(A.price) - RUNNING SUM(B.price)
t.* IS NULL
f(1).*
  (f(1)).*
GROUPING(a) + GROUPING_ID(a, b)
year(ts) + month(ts)
)sql";

constexpr std::string_view kStatements = R"sql(
SELECT 1
select all a, b as c, t.*, * from db.t as t where a > 1 group by a, b having count(*) > 1
  SELECT a, b AS c, t.*, * FROM db.t AS t WHERE a > 1 GROUP BY a, b HAVING count(*) > 1
SELECT DISTINCT a x FROM t1, t2 AS u (c, d), LATERAL TABLE(f(a)) AS g(h)
  SELECT DISTINCT a AS x FROM t1 CROSS JOIN t2 AS u (c, d) CROSS JOIN LATERAL TABLE(f(a)) AS g (h)
SELECT a FROM t WINDOW w AS (PARTITION BY a ORDER BY b), v AS (w ROWS 2 PRECEDING) QUALIFY ROW_NUMBER() OVER w = 1
  SELECT a FROM t WINDOW w AS (PARTITION BY a ORDER BY b), v AS (w ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) QUALIFY ROW_NUMBER() OVER w = 1
SELECT a FROM t GROUP BY ()
SELECT a FROM t GROUP BY (a, b), (a + b) * 2
SELECT a FROM t GROUP BY DISTINCT GROUPING SETS ((a, b), a, (), ROLLUP(a, (b, c)), GROUPING SETS ((a))), CUBE(a, b)
  SELECT a FROM t GROUP BY DISTINCT GROUPING SETS ((a, b), a, (), ROLLUP(a, (b, c)), GROUPING SETS (a)), CUBE(a, b)
SELECT * FROM a JOIN b ON a.x = b.x LEFT OUTER JOIN c USING (x, y) RIGHT JOIN d ON TRUE FULL OUTER JOIN e ON e.x = d.x CROSS JOIN f NATURAL JOIN g NATURAL LEFT JOIN h
  SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x, y) RIGHT JOIN d ON TRUE FULL JOIN e ON e.x = d.x CROSS JOIN f NATURAL JOIN g NATURAL LEFT JOIN h
SELECT * FROM a LEFT SEMI JOIN b ON a.x = b.x LEFT ANTI JOIN c ON a.x = c.x
SELECT * FROM a JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x
SELECT * FROM ((SELECT 1) UNION (SELECT 2)) AS t (x)
  SELECT * FROM (SELECT 1 UNION SELECT 2) AS t (x)
SELECT * FROM (a CROSS JOIN b)
  SELECT * FROM a CROSS JOIN b
SELECT * FROM ((SELECT 1) AS a CROSS JOIN b)
  SELECT * FROM (SELECT 1) AS a CROSS JOIN b
SELECT * FROM t FOR SYSTEM_TIME AS OF t.p AS x JOIN d FOR SYSTEM_TIME AS OF x.proctime ON x.id = d.id
SELECT /*+ STATE_TTL('a' = '1d', 'b' = '2d'), BROADCAST(t1) */ * FROM t1 /*+ OPTIONS('k' = 'v') */ AS x
SELECT /*+ LOOKUP('table'='d', 'async'='true') */ 1 -- comment
  SELECT /*+ LOOKUP('table' = 'd', 'async' = 'true') */ 1
SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTES))
  SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTE))
SELECT * FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTES) AS w
  SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '5' MINUTE)) AS w
SELECT * FROM TABLE(HOP(DATA => TABLE db.bid, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '1' MINUTE, SIZE => INTERVAL '5' MINUTE))
SELECT * FROM SESSION((SELECT * FROM bid WHERE a) PARTITION BY item, DESCRIPTOR(ts), INTERVAL '2' MINUTES)
  SELECT * FROM TABLE(SESSION((SELECT * FROM bid WHERE a) PARTITION BY (item), DESCRIPTOR(ts), INTERVAL '2' MINUTE))
SELECT * FROM TABLE(f(TABLE t PARTITION BY (a, b) ORDER BY (c DESC, d), TABLE (SELECT 1), 3, x => 'y', uid => 'z'))
  SELECT * FROM TABLE(f(TABLE t PARTITION BY (a, b) ORDER BY (c DESC, d), (SELECT 1), 3, x => 'y', uid => 'z'))
SELECT * FROM ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a, b))
  SELECT * FROM TABLE(ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a, b)))
SELECT * FROM t CROSS JOIN UNNEST(t.tags) WITH ORDINALITY AS u (tag, n)
SELECT * FROM t LEFT JOIN LATERAL TABLE(f(t.a, 1)) AS x(y) ON TRUE
  SELECT * FROM t LEFT JOIN LATERAL TABLE(f(t.a, 1)) AS x (y) ON TRUE
SELECT * FROM t, LATERAL (SELECT b FROM u WHERE u.a = t.a ORDER BY b LIMIT 3)
  SELECT * FROM t CROSS JOIN LATERAL (SELECT b FROM u WHERE u.a = t.a ORDER BY b LIMIT 3)
WITH a AS (SELECT 1), b (x, y) AS (VALUES (1, 2), (3, 4)) SELECT * FROM a, b
  WITH a AS (SELECT 1), b (x, y) AS (VALUES (1, 2), (3, 4)) SELECT * FROM a CROSS JOIN b
SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4 UNION ALL SELECT 5 ORDER BY 1 DESC NULLS LAST LIMIT 10 OFFSET 5 ROWS
  SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3) EXCEPT ALL SELECT 4 UNION ALL SELECT 5 ORDER BY 1 DESC NULLS LAST LIMIT 10 OFFSET 5
(SELECT 1) UNION ALL (SELECT 2 ORDER BY 1 LIMIT 1) ORDER BY 1
  SELECT 1 UNION ALL (SELECT 2 ORDER BY 1 LIMIT 1) ORDER BY 1
(SELECT a FROM t ORDER BY a LIMIT 3) ORDER BY b
  SELECT * FROM (SELECT a FROM t ORDER BY a LIMIT 3) ORDER BY b
((SELECT 1))
  SELECT 1
SELECT a FROM t ORDER BY a OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY
  SELECT a FROM t ORDER BY a LIMIT 3 OFFSET 2
SELECT a FROM t FETCH FIRST ROW ONLY
  SELECT a FROM t LIMIT 1
SELECT a FROM t LIMIT ALL
  SELECT a FROM t
VALUES (1, 'a'), ROW(2, 'b'), 3
  VALUES (1, 'a'), (2, 'b'), (3)
TABLE t
  SELECT * FROM t
SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a, b ORDER BY ts MEASURES FIRST(A.x) AS f, MATCH_ROWTIME() AS r ONE ROW PER MATCH AFTER MATCH SKIP TO FIRST C PATTERN (A B+? (C | D){2,3} E* F{2} G{,3}? {- H -} PERMUTE(I, J)) WITHIN INTERVAL '1' HOUR SUBSET U = (A, B) DEFINE A AS A.x > 1, B AS PREV(B.x) < LAST(A.x, 1)) AS m
  SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a, b ORDER BY ts MEASURES FIRST(A.x) AS f, MATCH_ROWTIME() AS r ONE ROW PER MATCH AFTER MATCH SKIP TO FIRST C PATTERN (A B+? (C | D){2,3} E* F{2} G{0,3}? {- H -} PERMUTE(I, J)) WITHIN INTERVAL '1' HOUR SUBSET U = (A, B) DEFINE A AS A.x > 1, B AS PREV(B.x) < LAST(A.x, 1)) AS m
SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts ALL ROWS PER MATCH AFTER MATCH SKIP TO B PATTERN ((A B)+ | ()) DEFINE B AS TRUE)
  SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts ALL ROWS PER MATCH AFTER MATCH SKIP TO LAST B PATTERN ((A B)+ | ()) DEFINE B AS TRUE)
SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts AFTER MATCH SKIP PAST LAST ROW PATTERN (A (B+)*) DEFINE B AS TRUE)
  SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A (B+)*) DEFINE B AS TRUE)
CREATE TABLE t (a INT NOT NULL PRIMARY KEY NOT ENFORCED COMMENT 'key', b AS a + 1 COMMENT 'c', c TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL, d STRING METADATA, e ROW<x INT, y ARRAY<STRING NOT NULL>>, WATERMARK FOR c AS c - INTERVAL '5' SECOND) COMMENT 'it''s' PARTITIONED BY (a, e) WITH ('connector' = 'kafka', 'a.b' = 'c')
  CREATE TABLE t (a INT NOT NULL COMMENT 'key', b AS a + 1 COMMENT 'c', c TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL, d STRING METADATA, e ROW<`x` INT, `y` ARRAY<STRING NOT NULL>>, WATERMARK FOR c AS c - INTERVAL '5' SECOND, PRIMARY KEY (a) NOT ENFORCED) COMMENT 'it''s' PARTITIONED BY (a, e) WITH ('connector' = 'kafka', 'a.b' = 'c')
CREATE TEMPORARY TABLE IF NOT EXISTS cat.db.t (a INT, `order` BIGINT, WATERMARK FOR e.ts AS e.ts, CONSTRAINT pk PRIMARY KEY (a, `order`) NOT ENFORCED) DISTRIBUTED BY HASH(a) INTO 4 BUCKETS WITH ()
  CREATE TEMPORARY TABLE IF NOT EXISTS cat.db.t (a INT, `order` BIGINT, WATERMARK FOR e.ts AS e.ts, PRIMARY KEY (a, `order`) NOT ENFORCED)
CREATE TABLE t WITH ('a' = 'b') LIKE s (INCLUDING ALL EXCLUDING OPTIONS OVERWRITING WATERMARKS)
CREATE TABLE t (x STRING) LIKE db.s
CREATE OR REPLACE TABLE t WITH ('a' = 'b') AS SELECT 1 AS x
CREATE TABLE t (b, a) WITH ('a' = 'b') AS SELECT a, b FROM s
CREATE TEMPORARY VIEW IF NOT EXISTS v (a, b) COMMENT 'x' AS SELECT 1, 2
CREATE OR REPLACE VIEW v AS WITH x AS (SELECT 1) SELECT * FROM x UNION ALL SELECT 2
CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS f AS 'com.x.F' LANGUAGE JAVA USING JAR 'a.jar', JAR 'b.jar'
  CREATE TEMPORARY FUNCTION IF NOT EXISTS f AS 'com.x.F' LANGUAGE JAVA
CREATE CATALOG c COMMENT 'x' WITH ('type' = 'generic_in_memory')
CREATE DATABASE IF NOT EXISTS c.d COMMENT 'x' WITH ('a' = 'b')
CREATE MODEL m INPUT (a STRING) OUTPUT (b DOUBLE) WITH ('provider' = 'openai')
ALTER TABLE IF EXISTS t RENAME TO db.u
ALTER TABLE t RENAME a TO b
ALTER TABLE t SET ('a' = 'b', 'c' = 'd')
ALTER TABLE t RESET ('a', 'b')
ALTER TABLE t ADD a INT COMMENT 'x' AFTER b
  ALTER TABLE t ADD (a INT COMMENT 'x' AFTER b)
ALTER TABLE t ADD (a INT FIRST, b AS a + 1, PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR ts AS ts)
  ALTER TABLE t ADD (a INT FIRST, b AS a + 1, WATERMARK FOR ts AS ts, PRIMARY KEY (a) NOT ENFORCED)
ALTER TABLE t MODIFY (a BIGINT, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
ALTER TABLE t DROP a
  ALTER TABLE t DROP (a)
ALTER TABLE t DROP (a, b)
ALTER TABLE t DROP PRIMARY KEY
ALTER TABLE t DROP WATERMARK
ALTER VIEW v RENAME TO w
ALTER VIEW v AS SELECT 1
DROP TEMPORARY TABLE IF EXISTS a.b.c
DROP VIEW v
DROP TEMPORARY SYSTEM FUNCTION IF EXISTS f
  DROP TEMPORARY FUNCTION IF EXISTS f
DROP DATABASE d CASCADE
DROP CATALOG c
DROP MODEL m
INSERT INTO t SELECT * FROM s
INSERT OVERWRITE db.t /*+ OPTIONS('a' = 'b') */ PARTITION (p = 'x', q) (a, b) SELECT 1, 2
INSERT INTO t VALUES (1, DEFAULT), (NULL, 'x')
INSERT INTO t (SELECT 1)
  INSERT INTO t SELECT 1
INSERT INTO t (a, b) (SELECT 1, 2) UNION ALL SELECT 3, 4
  INSERT INTO t (a, b) SELECT 1, 2 UNION ALL SELECT 3, 4
EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END
BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END
  EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END
EXECUTE INSERT INTO t SELECT 1
  INSERT INTO t SELECT 1
SET
SET 'table.exec.state.ttl' = '1 h'
SET execution.runtime-mode = batch
  SET 'execution.runtime-mode' = 'batch'
SET a.interval = 10s
  SET 'a.interval' = '10s'
SET a.dir=file:///data/x-1
  SET 'a.dir' = 'file:///data/x-1'
SET table.local-time-zone = America/Los_Angeles
  SET 'table.local-time-zone' = 'America/Los_Angeles'
RESET
RESET 'a.b'
RESET a.b-c
  RESET 'a.b-c'
SHOW TABLES
SHOW TABLES FROM c.d LIKE 'a%'
SHOW TABLES IN d NOT LIKE 'a%'
  SHOW TABLES FROM d NOT LIKE 'a%'
SHOW VIEWS
SHOW COLUMNS FROM t ILIKE 'a%'
SHOW CREATE TABLE a.b
SHOW CREATE VIEW v
SHOW USER FUNCTIONS LIKE 'x'
SHOW FULL MODULES
SHOW CURRENT DATABASE
SHOW CURRENT CATALOG
SHOW PARTITIONS t
SHOW JOBS
DESCRIBE t
DESC EXTENDED db.t
  DESCRIBE db.t
USE CATALOG c
USE c.d
USE MODULES core, hive
EXPLAIN SELECT 1
  EXPLAIN PLAN FOR SELECT 1
EXPLAIN PLAN FOR INSERT INTO t SELECT 1
EXPLAIN CHANGELOG_MODE, ESTIMATED_COST, JSON_EXECUTION_PLAN SELECT 1
EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT 1; END
  EXPLAIN EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END
EXPLAIN EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END
EXPLAIN PLAN_ADVICE INSERT INTO t SELECT 1
SELECT a, /* c1 */ b // c2
  SELECT a, b
)sql";

struct Case {
  std::string text;
  std::string canonical;
};

std::vector<Case> cases_of(std::string_view table) {
  std::vector<Case> out;
  while (!table.empty()) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(line.size() + 1);
    if (line.starts_with("  ")) {
      out.back().canonical = line.substr(2);
    } else if (!line.empty()) {
      out.push_back({std::string(line), std::string(line)});
    }
  }
  return out;
}

/// The statements of a text in canonical form, or the error.
std::string canonical(std::string_view text) {
  const Result<std::vector<Statement>> statements = parse_script({"", text});
  if (!statements.is_ok()) return statements.status().to_string();
  std::string out;
  for (const Statement& statement : *statements)
    out += (out.empty() ? "" : ";\n") + print(statement);
  return out;
}

TEST(ParserTest, ExpressionsHaveACanonicalFormThatParsesToItself) {
  for (const Case& c : cases_of(kExpressions)) {
    const Result<ExpressionPtr> value = parse_expression({"", c.text});
    ASSERT_TRUE(value.is_ok()) << c.text << "\n" << value.status().to_string();
    EXPECT_EQ(print(**value), c.canonical) << c.text;
    const Result<ExpressionPtr> again = parse_expression({"", c.canonical});
    ASSERT_TRUE(again.is_ok()) << c.canonical << "\n" << again.status().to_string();
    EXPECT_EQ(print(**again), c.canonical);
  }
}

TEST(ParserTest, StatementsHaveACanonicalFormThatParsesToItself) {
  for (const Case& c : cases_of(kStatements)) {
    EXPECT_EQ(canonical(c.text), c.canonical) << c.text;
    EXPECT_EQ(canonical(c.canonical), c.canonical);
  }
}

TEST(ParserTest, ScriptsMayHaveEmptyStatementsAndComments) {
  EXPECT_EQ(canonical(""), "");
  EXPECT_EQ(canonical(" ;; /* a; */ ; -- b;"), "");
  EXPECT_EQ(canonical("\xEF\xBB\xBFSELECT 1;SELECT 2"), "SELECT 1;\nSELECT 2");
}

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(ParserTest, DeepAndLongTextsEndInALimitOrParse) {
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
  const std::string chain = "SELECT a" + repeat(" + a * b", 1000);
  EXPECT_EQ(canonical(canonical(chain)), canonical(chain));
}

// Texts with parts left out, doubled or exchanged: never a crash, and what parses has a canonical
// form that parses to itself.
TEST(ParserTest, MutatedTextsNeverCrash) {
  std::vector<std::string> seeds;
  for (const Case& c : cases_of(kStatements)) seeds.push_back(c.text);
  for (const Case& c : cases_of(kExpressions)) seeds.push_back("SELECT " + c.text + " FROM t");
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
