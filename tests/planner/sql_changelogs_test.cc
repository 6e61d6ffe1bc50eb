// SPDX-License-Identifier: Apache-2.0
//
// Random changelogs through queries that send the changes of a row different ways: by one key, by
// another, through unions and joins, into sinks with a key of their own. Whatever the parallelism,
// the order in which tasks run and the batches, the answer is that of one task; and where event
// time does not matter, that of the query over the rows that are left in the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/planner/sql_run.h"

namespace tidegate {
namespace {

using testing::ElementsAreArray;

constexpr const char* kTwoTables = R"(
  CREATE TABLE t (k BIGINT, g BIGINT, v BIGINT, ts TIMESTAMP(3),
                  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND, PRIMARY KEY (k) NOT ENFORCED)
    WITH ('connector' = 'test');
  CREATE TABLE r (k BIGINT, g BIGINT, v BIGINT, ts TIMESTAMP(3),
                  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
    WITH ('connector' = 'test');
)";

struct Shape {
  const char* columns;
  const char* query;
  /// The answer depends on what is late, so the rows that are left in the end do not say it.
  bool by_time = false;
};

const Shape kShapes[] = {
    // By another key, and back by the first.
    {"g BIGINT, n BIGINT, s BIGINT", "SELECT g, COUNT(*), SUM(v) FROM t GROUP BY g"},
    {"n BIGINT, c BIGINT, s BIGINT",
     "SELECT n, COUNT(*), SUM(s) FROM (SELECT g, COUNT(*) AS n, SUM(v) AS s FROM t GROUP BY g) "
     "GROUP BY n"},
    {"k BIGINT, m BIGINT, c BIGINT",
     "SELECT k, MAX(v), COUNT(*) FROM (SELECT a.k, b.v FROM t a JOIN t b ON a.g = b.g) GROUP BY "
     "k"},
    {"k BIGINT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT a.k, b.n FROM t a JOIN (SELECT g, COUNT(*) AS n FROM t GROUP BY g) b ON a.g = b.g"},
    {"k BIGINT, v BIGINT, w BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT a.k, a.v, b.v FROM t a LEFT JOIN t b ON a.v = b.k"},
    {"k BIGINT, g BIGINT", "SELECT k, g FROM t a WHERE EXISTS (SELECT 1 FROM t b WHERE b.v = a.g)"},
    {"k BIGINT, g BIGINT",
     "SELECT k, g FROM t a WHERE NOT EXISTS (SELECT 1 FROM t b WHERE b.v = a.g AND b.k <> a.k)"},
    {"k BIGINT, g BIGINT, w BIGINT",
     "SELECT a.k, a.g, b.v FROM t a FULL JOIN r b ON a.g = b.g AND a.v = b.v"},
    // Unions and sets.
    {"g BIGINT, n BIGINT",
     "SELECT g, COUNT(*) FROM (SELECT g, v FROM t UNION ALL SELECT v, g FROM t) GROUP BY g"},
    {"a BIGINT, b BIGINT", "SELECT g, v FROM t UNION SELECT v, g FROM t"},
    {"a BIGINT", "SELECT g FROM t INTERSECT SELECT v FROM t"},
    {"a BIGINT", "SELECT g FROM t EXCEPT SELECT v FROM r"},
    {"g BIGINT, n BIGINT",
     "SELECT g, SUM(n) FROM (SELECT g, COUNT(*) AS n FROM t GROUP BY g UNION ALL SELECT v, "
     "COUNT(*) "
     "FROM t GROUP BY v) GROUP BY g"},
    // Top-N, distinct, extremes.
    {"g BIGINT, k BIGINT, v BIGINT",
     "SELECT g, k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY g ORDER BY v DESC, k) AS n "
     "FROM t) WHERE n <= 2"},
    {"g BIGINT, k BIGINT, n BIGINT, PRIMARY KEY (g, n) NOT ENFORCED",
     "SELECT g, k, n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY g ORDER BY v, k) AS n FROM t) "
     "WHERE n <= 3"},
    {"k BIGINT, g BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT k, g FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY g ORDER BY v, k) AS n FROM t) "
     "WHERE n = 1"},
    {"v BIGINT, n BIGINT",
     "SELECT v, COUNT(*) FROM (SELECT g, v, ROW_NUMBER() OVER (PARTITION BY g ORDER BY v, k) AS n "
     "FROM t) WHERE n <= 2 GROUP BY v"},
    {"g BIGINT, d BIGINT, lo BIGINT, hi BIGINT",
     "SELECT g, COUNT(DISTINCT v), MIN(v), MAX(DISTINCT v) FROM t GROUP BY g"},
    {"g BIGINT, v BIGINT, n BIGINT",
     "SELECT g, v, COUNT(*) FROM t GROUP BY GROUPING SETS ((g), (v), ())"},
    {"k BIGINT, v BIGINT", "SELECT k, v FROM t ORDER BY v, k LIMIT 3"},
    {"k BIGINT, v BIGINT, PRIMARY KEY (k) NOT ENFORCED", "SELECT k, v FROM t WHERE v > 2"},
    {"k BIGINT, v BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT k, v FROM (SELECT a.k, a.v, a.g FROM t a JOIN (SELECT DISTINCT v FROM r) b ON a.g = "
     "b.v) WHERE g <> v"},
    // Keys that rows have of their own, below operators that update one row by another.
    {"k BIGINT, g BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT k, g FROM (SELECT k, g FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY g ORDER BY v, "
     "k) AS n FROM t) WHERE n <= 2) WHERE k > 1"},
    {"k BIGINT, v BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT k, v FROM t ORDER BY v, k LIMIT 3"},
    {"k BIGINT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT k, c FROM (SELECT k, g FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY g ORDER BY v, "
     "k) AS n FROM t) WHERE n = 1) AS a JOIN (SELECT v, COUNT(*) AS c FROM r GROUP BY v) AS b ON "
     "a.g = b.v"},
    {"k BIGINT, x BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT k, MAX(m) FROM (SELECT a.k, b.m FROM t a JOIN (SELECT g, MAX(v) AS m FROM t GROUP BY "
     "g) b ON a.v = b.m) GROUP BY k"},
    {"k BIGINT, g BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT k, g FROM t WHERE g IN (SELECT v FROM r) UNION ALL SELECT k, g FROM t WHERE g NOT IN "
     "(SELECT v FROM r)"},
    {"k BIGINT, p BIGINT, PRIMARY KEY (k) NOT ENFORCED",
     "SELECT k, LAG(k) OVER (PARTITION BY g ORDER BY v, k) FROM t"},
    // Insert-only: partial results in front of exchanges, distinct values by themselves.
    {"g BIGINT, n BIGINT, s BIGINT, lo BIGINT, hi BIGINT, a BIGINT",
     "SELECT g, COUNT(*), SUM(v), MIN(v), MAX(k), AVG(v) FROM r WHERE k <> 1 GROUP BY g"},
    {"n BIGINT, s BIGINT", "SELECT COUNT(*), SUM(v) FROM r"},
    {"n BIGINT, s BIGINT", "SELECT COUNT(*), SUM(v) FROM r WHERE v > 100"},
    {"g BIGINT, v BIGINT", "SELECT DISTINCT g, v FROM r"},
    {"g BIGINT, d BIGINT, s BIGINT",
     "SELECT g, COUNT(DISTINCT v), SUM(DISTINCT v) FROM r GROUP BY g"},
    {"d BIGINT, m BIGINT", "SELECT COUNT(DISTINCT v), MAX(DISTINCT v) FROM r WHERE g > 1"},
    {"n BIGINT, c BIGINT",
     "SELECT n, COUNT(*) FROM (SELECT g, COUNT(*) FILTER (WHERE v > 1) AS n FROM r GROUP BY g) "
     "GROUP BY n"},
    {"g BIGINT, d BIGINT", "SELECT g, COUNT(DISTINCT v) FROM t GROUP BY g"},
    // Event time: late changes do not count.
    {"s TIMESTAMP(3), g BIGINT, n BIGINT, x BIGINT",
     "SELECT window_start, g, COUNT(*), SUM(v) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL "
     "'5' SECOND)) GROUP BY window_start, window_end, g",
     true},
    {"s TIMESTAMP(3), n BIGINT, x BIGINT",
     "SELECT window_start, COUNT(*), SUM(v) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL "
     "'5' "
     "SECOND)) GROUP BY window_start, window_end",
     true},
    {"s TIMESTAMP(3), g BIGINT, n BIGINT, x BIGINT",
     "SELECT window_start, g, COUNT(*), MAX(v) FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL "
     "'2' "
     "SECOND, INTERVAL '6' SECOND)) GROUP BY window_start, window_end, g",
     true},
    {"s TIMESTAMP(3), v BIGINT, n BIGINT",
     "SELECT TUMBLE_START(ts, INTERVAL '5' SECOND), v, COUNT(*) FROM (SELECT *, ROW_NUMBER() OVER "
     "(PARTITION BY k ORDER BY ts DESC) AS n FROM r) WHERE n = 1 GROUP BY TUMBLE(ts, INTERVAL '5' "
     "SECOND), v",
     true},
    {"s TIMESTAMP(3), n BIGINT, x BIGINT",
     "SELECT window_start, COUNT(*), SUM(m) FROM (SELECT window_start, window_end, window_time, g, "
     "MAX(v) AS m FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY "
     "window_start, window_end, window_time, g) GROUP BY window_start, window_end",
     true},
    {"s TIMESTAMP(3), n BIGINT, x BIGINT",
     "WITH d AS (SELECT k, g, v, ts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts "
     "DESC) AS n FROM r) WHERE n = 1), e AS (SELECT k, g, v, ts FROM (SELECT *, ROW_NUMBER() OVER "
     "(PARTITION BY g ORDER BY ts DESC) AS n FROM r) WHERE n = 1), u AS (SELECT * FROM d UNION ALL "
     "SELECT * FROM e) SELECT window_start, COUNT(*), SUM(v) FROM TABLE(TUMBLE(TABLE u, "
     "DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end",
     true},
    {"s TIMESTAMP(3), n BIGINT, x BIGINT",
     "WITH u AS (SELECT * FROM t UNION ALL SELECT * FROM t WHERE v > 2) SELECT window_start, "
     "COUNT(*), SUM(v) FROM TABLE(TUMBLE(TABLE u, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY "
     "window_start, window_end",
     true},
    // Rows that are late without being taken back.
    {"s TIMESTAMP(3), g BIGINT, n BIGINT",
     "SELECT window_start, g, COUNT(*) FROM TABLE(TUMBLE(TABLE r, DESCRIPTOR(ts), INTERVAL '5' "
     "SECOND)) GROUP BY window_start, window_end, g",
     true},
    {"g BIGINT, v BIGINT, s BIGINT",
     "SELECT g, v, SUM(v) OVER (PARTITION BY g ORDER BY ts RANGE BETWEEN INTERVAL '3' SECOND "
     "PRECEDING AND CURRENT ROW) FROM r",
     true},
    {"k BIGINT, n BIGINT",
     "SELECT k, COUNT(*) OVER (PARTITION BY g ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT "
     "ROW) "
     "FROM r WHERE k <> 2",
     true},
};

std::string row(std::int64_t k, std::int64_t g, std::int64_t v, std::int64_t ts) {
  return "[" + std::to_string(k) + ", " + std::to_string(g) + ", " + std::to_string(v) + ", " +
         std::to_string(ts) + "]";
}

/// Small domains, so that keys meet; time goes on, with late rows in between.
class Inputs {
 public:
  explicit Inputs(std::uint64_t seed) : rng_(seed) {}

  Tables make(int changes) {
    std::map<std::int64_t, std::string> live;
    Rows table;
    Rows rows;
    for (int i = 0; i < changes; ++i) {
      now_ += below(2500);
      const std::int64_t k = below(6);
      const auto found = live.find(k);
      if (found != live.end()) take_back(table, found->second);
      if (found != live.end() && below(4) == 0) {
        table.kinds.back() = RowKind::kDelete;
        live.erase(found);
      } else {
        const std::string now = row(k, below(4), below(5), time());
        table.json.push_back(now);
        table.kinds.push_back(found == live.end() ? RowKind::kInsert : RowKind::kUpdateAfter);
        live[k] = now;
      }
      rows.json.push_back(row(below(6), below(4), below(5), time()));
    }
    left_ = {};
    for (const auto& [k, last] : live) left_.json.push_back(last);
    return {{"t", std::move(table)}, {"r", std::move(rows)}};
  }
  /// What the changes of `t` leave, as rows that are only inserted.
  const Rows& left() const { return left_; }

 private:
  std::int64_t below(std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, limit - 1)(rng_);
  }
  std::int64_t time() { return now_ - below(below(5) == 0 ? 12'000 : 4'000); }
  static void take_back(Rows& rows, const std::string& row) {
    rows.json.push_back(row);
    rows.kinds.push_back(RowKind::kUpdateBefore);
  }

  std::mt19937_64 rng_;
  std::int64_t now_ = 20'000;
  Rows left_;
};

/// The table that the sink holds in the end, by its primary key where it has one: the first column,
/// or (g, n) of three.
std::vector<std::string> answer(const Shape& shape, const Tables& tables, const How& how,
                                const Options& settings = {}) {
  const std::string script = std::string(kTwoTables) + "CREATE TABLE outcome (" + shape.columns +
                             ") WITH ('connector' = 'test'); INSERT INTO outcome " + shape.query +
                             ";";
  const std::vector<std::string> all = changes(script, tables, how, settings);
  const std::string columns = shape.columns;
  const auto at = columns.find("PRIMARY KEY (");
  if (at == std::string::npos) return folded(all);
  const bool two = columns.find("(g, n)") != std::string::npos;
  std::map<std::string, std::string> by_key;
  for (const std::string& change : all) {
    if (change.size() < 2 || (change[0] != '+' && change[0] != '-')) return all;
    const std::string text = change.substr(2);
    const std::string key = two ? text.substr(0, text.find(',')) + text.substr(text.rfind(','))
                                : text.substr(0, text.find(','));
    if (change[0] == '+') {
      by_key[key] = text;
    } else {
      by_key.erase(key);
    }
  }
  std::vector<std::string> rows;
  for (const auto& [key, text] : by_key) rows.push_back(text);
  std::sort(rows.begin(), rows.end());
  return rows;
}

Options of_batches() {
  Options settings;
  settings.set("table.exec.mini-batch.enabled", "true");
  settings.set("table.optimizer.agg-phase-strategy", "TWO_PHASE");
  settings.set("table.optimizer.distinct-agg.split.enabled", "true");
  return settings;
}

class SqlChangelogs : public testing::TestWithParam<std::size_t> {};

TEST_P(SqlChangelogs, AnswerTheSameOnAnyNumberOfTasks) {
  const Shape& shape = kShapes[GetParam()];
  const char* const seeds = std::getenv("SEEDS");
  const std::uint64_t count = seeds == nullptr ? 12 : std::stoul(seeds);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    Inputs inputs(seed);
    const Tables tables = inputs.make(24);
    const std::vector<std::string> expected = answer(shape, tables, {});
    if (!shape.by_time) {
      Tables left = tables;
      left["t"] = inputs.left();
      ASSERT_THAT(expected, ElementsAreArray(answer(shape, left, {}))) << shape.query;
    }
    for (int parallelism = 1; parallelism <= 3; ++parallelism) {
      for (const std::size_t batch_rows : {1UL, 3UL, 100UL}) {
        const How how{
            .parallelism = parallelism, .batch_rows = batch_rows, .seed = seed * 31 + batch_rows};
        ASSERT_THAT(answer(shape, tables, how), ElementsAreArray(expected))
            << shape.query << "\ninput " << seed << ", parallelism " << parallelism
            << ", batches of " << batch_rows;
        ASSERT_THAT(answer(shape, tables, how, of_batches()), ElementsAreArray(expected))
            << shape.query << "\ninput " << seed << ", parallelism " << parallelism
            << ", batches of " << batch_rows << ", changes told per batch";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, SqlChangelogs, testing::Range<std::size_t>(0, std::size(kShapes)));

}  // namespace
}  // namespace tidegate
