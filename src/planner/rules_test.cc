// SPDX-License-Identifier: Apache-2.0
//
// What the rules make of queries: whole plans, as text.
#include "planner/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "planner/test_sql_plan.h"

namespace tidegate {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Rules, MergeProjectsAndPruneColumns) {
  EXPECT_EQ(
      planned("SELECT p + 1 FROM (SELECT price * 2 AS p, url FROM bids WHERE TRUE)", "x BIGINT"),
      R"(
Project[((price * 2) + 1) AS x]
  Source[connector=test, columns=[price, ts]]
)");
}

TEST(Rules, PushFiltersMakesEquiJoins) {
  EXPECT_EQ(planned("SELECT price, seller FROM bids, auctions WHERE auction = id AND price > 5 AND "
                    "category = 'x'",
                    "x BIGINT, y INT"),
            R"(
Project[price AS x, seller AS y]
  Join[inner, on=(auction = id)]
    Project[auction, price]
      Filter[(price > 5)]
        Source[connector=test, columns=[auction, price, ts]]
    Project[id, seller]
      Filter[(category = 'x')]
        Source[connector=test, columns=[id, seller, category, ts]]
)");
}

TEST(Rules, OuterJoinsBecomeInner) {
  EXPECT_EQ(planned("SELECT price, seller FROM bids LEFT JOIN auctions ON auction = id WHERE "
                    "seller > 3",
                    "x BIGINT, y INT"),
            R"(
Project[price AS x, seller AS y]
  Join[inner, on=(auction = id)]
    Project[auction, price]
      Source[connector=test, columns=[auction, price, ts]]
    Project[id, seller]
      Filter[(seller > 3)]
        Source[connector=test, columns=[id, seller, ts]]
)");
  // A null may pass here.
  EXPECT_THAT(planned("SELECT price, seller FROM bids LEFT JOIN auctions ON auction = id WHERE "
                      "seller > 3 OR seller IS NULL",
                      "x BIGINT, y INT"),
              HasSubstr("Join[left"));
}

TEST(Rules, JoinKeysGetOneType) {
  EXPECT_EQ(planned("SELECT price FROM bids JOIN auctions ON bidder = seller AND url IS NOT "
                    "DISTINCT FROM category",
                    "x BIGINT"),
            R"(
Project[price AS x]
  Join[inner, on=((bidder = key_4) AND IS NOT DISTINCT FROM(url, category))]
    Project[bidder, price, url]
      Source[connector=test, columns=[bidder, price, url, ts]]
    Project[category, CAST(seller AS BIGINT) AS key_4]
      Source[connector=test, columns=[seller, category, ts]]
)");
}

TEST(Rules, SplitsDistinctValues) {
  Options split;
  split.set("table.optimizer.distinct-agg.split.enabled", "true");
  const std::string query = "SELECT url, COUNT(DISTINCT bidder) FROM bids GROUP BY url";
  const std::string columns = "u STRING, n BIGINT";
  const std::string whole = "Aggregate[keys=[url], calls=[COUNT(DISTINCT bidder)]]";
  EXPECT_THAT(planned(query, columns, {}, split),
              AllOf(HasSubstr("Aggregate[keys=[url], calls=[COUNT(bidder)]]\n"),
                    HasSubstr("  Aggregate[keys=[url, bidder], calls=[]]\n")));
  EXPECT_THAT(planned(query, columns), HasSubstr(whole));
  EXPECT_THAT(planned(query, columns, {"split-distinct"}, split), HasSubstr(whole));
  // Of two columns, or beside what is not distinct.
  EXPECT_THAT(planned("SELECT COUNT(DISTINCT bidder), COUNT(DISTINCT url) FROM bids",
                      "n BIGINT, m BIGINT", {}, split),
              HasSubstr("COUNT(DISTINCT bidder), COUNT(DISTINCT url)"));
  EXPECT_THAT(
      planned("SELECT COUNT(DISTINCT bidder), COUNT(*) FROM bids", "n BIGINT, m BIGINT", {}, split),
      HasSubstr("COUNT(DISTINCT bidder), COUNT(*)"));
}

TEST(Rules, TellsSourcesWhichRowsAreNeeded) {
  const std::string plain =
      "SELECT i FROM plain WHERE i > 5 AND 7 >= i AND s = 'x' AND d < DATE '2020-01-01' AND s < "
      "'y' "
      "AND i + 1 > 3 AND i = 2.5";
  const std::string told = "where=[i > 5, i <= 7, s = 'x', d < 18262]";
  EXPECT_THAT(planned(plain, "x INT"), HasSubstr(told));
  EXPECT_THAT(planned(plain, "x INT"), HasSubstr("Filter["));
  EXPECT_THAT(planned(plain, "x INT", {"push-conditions"}), Not(HasSubstr("where=")));
  // Rows that nobody needs move a watermark.
  EXPECT_THAT(planned("SELECT price FROM bids WHERE price > 5", "x BIGINT"),
              Not(HasSubstr("where=")));
}

/// Whether the node that makes the changes of `INSERT INTO outcome query` tells -U.
bool tells_before(const std::string& query, const std::string& out_columns, bool sink_ignores,
                  const std::vector<std::string>& disabled = {}) {
  ConnectorRegistry connectors;
  Connector connector;
  connector.name = "test";
  connector.takes_changes = true;
  connector.ignores_update_before = sink_ignores;
  connectors.add(std::move(connector));
  LoweringOptions options;
  options.functions = &builtin_functions();
  options.connectors = &connectors;
  options.disabled_rules = disabled;
  auto roots = plan_of(kTestTables + "CREATE TABLE outcome (" + out_columns +
                       ") WITH ('connector' = 'test'); INSERT INTO outcome " + query + ";");
  EXPECT_TRUE(roots.is_ok()) << roots.status().to_string();
  EXPECT_TRUE(rewrite_plan(*roots, options).is_ok());
  PlanFacts facts(options);
  EXPECT_TRUE(facts.of((*roots)[0]->inputs[0]).retracts);
  return facts.of((*roots)[0]->inputs[0]).tells_before;
}

TEST(Rules, TellsNoUpdateBeforeThatNobodyNeeds) {
  const std::string count = "SELECT url, COUNT(*) FROM bids GROUP BY url";
  const std::string keyed = "u STRING, n BIGINT, PRIMARY KEY (u) NOT ENFORCED";
  EXPECT_TRUE(tells_before(count, "u STRING, n BIGINT", false));
  EXPECT_FALSE(tells_before(count, "u STRING, n BIGINT", true));
  EXPECT_FALSE(tells_before(count, keyed, false));
  EXPECT_TRUE(tells_before(count, keyed, false, {"update-before"}));
  // Updates that move a row to another key, or go on to what needs them.
  EXPECT_TRUE(tells_before(count, "u STRING, n BIGINT, PRIMARY KEY (n) NOT ENFORCED", false));
  EXPECT_TRUE(tells_before("SELECT url, n FROM (" + count + ") AS t (url, n) WHERE n > 3",
                           "u STRING, n BIGINT", true));
  EXPECT_FALSE(tells_before("SELECT n, COUNT(*) FROM (" + count + ") AS t (url, n) GROUP BY n",
                            "n BIGINT, m BIGINT", true));
  const std::string top =
      "SELECT auction, price, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY "
      "price DESC) AS rn FROM bids) WHERE rn <= 3";
  EXPECT_FALSE(tells_before(top, "a BIGINT, p BIGINT, rn BIGINT", true));
  EXPECT_TRUE(tells_before(top, "a BIGINT, p BIGINT, rn BIGINT", false));
}

TEST(Rules, FindsWindowAggregates) {
  EXPECT_EQ(planned("SELECT window_start, url, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, "
                    "DESCRIPTOR(ts), INTERVAL '1' MINUTE)) WHERE price > 1 GROUP BY window_start, "
                    "window_end, url",
                    "s TIMESTAMP(3), u STRING, n BIGINT"),
            R"(
Project[window_start AS s, url AS u, EXPR$0 AS n]
  WindowAggregate[keys=[url], calls=[COUNT(*)], window=TUMBLE(1 min), time=ts]
    Project[url, ts]
      Filter[(price > 1)]
        Source[connector=test, columns=[price, url, ts]]
)");
}

TEST(Rules, WindowsThatSomethingDependsOnAreAttached) {
  EXPECT_EQ(planned("SELECT window_end, d, COUNT(*) FROM (SELECT window_start, window_end, "
                    "DATE_FORMAT(window_start, 'yyyy') AS d FROM TABLE(TUMBLE(TABLE bids, "
                    "DESCRIPTOR(ts), INTERVAL '1' MINUTE))) GROUP BY window_start, window_end, d",
                    "s TIMESTAMP(3), u STRING, n BIGINT"),
            R"(
Project[window_end AS s, d AS u, EXPR$0 AS n]
  WindowAggregate[keys=[d], calls=[COUNT(*)], window=[window_start, window_end]]
    Project[window_start, window_end, DATE_FORMAT(window_start, 'yyyy') AS d]
      WindowFunction[TUMBLE(1 min), time=ts]
        Project[ts]
          Source[connector=test, columns=[ts]]
)");
}

TEST(Rules, WindowsWithoutTheirEndAreNoWindowAggregation) {
  EXPECT_THAT(planned("SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, "
                      "DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start",
                      "s TIMESTAMP(3), n BIGINT"),
              HasSubstr("Aggregate[keys=[window_start], calls=[COUNT(*)]]"));
}

TEST(Rules, FindsCascadesOfWindows) {
  const std::string counts =
      "(SELECT window_start, window_end, auction, COUNT(*) AS n FROM TABLE(HOP(TABLE bids, "
      "DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '2' MINUTE)) GROUP BY window_start, "
      "window_end, auction)";
  EXPECT_EQ(planned("SELECT c.auction, c.n FROM " + counts +
                        " c JOIN (SELECT window_start, window_end, MAX(n) AS m FROM " + counts +
                        " GROUP BY window_start, window_end) x ON c.window_start = x.window_start "
                        "AND c.window_end = x.window_end WHERE c.n >= x.m",
                    "a BIGINT, n BIGINT"),
            R"(
Project[auction AS a, n]
  WindowJoin[inner, on=(n >= m)]
    Project[window_start, window_end, auction, EXPR$0 AS n]
      WindowAggregate[keys=[auction], calls=[COUNT(*)], window=HOP(2 min, slide 1 min), time=ts]
        Project[auction, ts]
          Source[connector=test, columns=[auction, ts]]
    Project[window_start, window_end, EXPR$0 AS m]
      WindowAggregate[keys=[], calls=[MAX(n)], window=[window_start, window_end]]
        Project[window_start, window_end, EXPR$0 AS n]
          WindowAggregate[keys=[auction], calls=[COUNT(*)], window=HOP(2 min, slide 1 min), time=ts]
            Project[auction, ts]
              Source[connector=test, columns=[auction, ts]]
)");
}

TEST(Rules, FindsIntervalJoins) {
  EXPECT_EQ(planned("SELECT price, seller FROM bids b JOIN auctions a ON auction = id AND b.ts >= "
                    "a.ts AND b.ts < a.ts + INTERVAL '10' SECOND",
                    "x BIGINT, y INT"),
            R"(
Project[price AS x, seller AS y]
  IntervalJoin[inner, ts in (ts -10000 ms, ts +0 ms], on=(auction = id)]
    Project[auction, price, ts]
      Source[connector=test, columns=[auction, price, ts]]
    Source[connector=test, columns=[id, seller, ts]]
)");
  EXPECT_THAT(planned("SELECT price FROM bids b JOIN auctions a ON auction = id AND b.ts >= a.ts",
                      "x BIGINT"),
              Not(HasSubstr("IntervalJoin")));
}

std::string top(const std::string& order, const std::string& condition,
                const std::string& columns = "auction, price", const std::string& more = "") {
  return "SELECT " + columns +
         " FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY " + order +
         ") AS rn FROM bids) WHERE " + condition + more;
}

TEST(Rules, FindsTopN) {
  EXPECT_EQ(planned(top("price DESC", "rn <= 3"), "a BIGINT, p BIGINT"), R"(
Project[auction AS a, price AS p]
  Rank[partition=[auction], order=[price DESC], rank=1..3]
    Project[auction, price]
      Source[connector=test, columns=[auction, price, ts]]
)");
  EXPECT_EQ(planned(top("price DESC", "rn < 4 AND rn > 1 AND price > 7", "auction, rn"),
                    "a BIGINT, n BIGINT"),
            R"(
Project[auction AS a, w0$o0 AS n]
  Filter[(price > 7)]
    Rank[partition=[auction], order=[price DESC], rank=2..3, with number]
      Project[auction, price]
        Source[connector=test, columns=[auction, price, ts]]
)");
  EXPECT_THAT(planned(top("price DESC", "rn >= 2"), "a BIGINT, p BIGINT"), HasSubstr("Over["));
}

TEST(Rules, FindsDeduplication) {
  EXPECT_EQ(planned(top("ts DESC", "rn = 1"), "a BIGINT, p BIGINT"), R"(
Project[auction AS a, price AS p]
  Deduplicate[keys=[auction], keep=last, by=ts]
    Project[auction, price, ts]
      Source[connector=test, columns=[auction, price, ts]]
)");
  EXPECT_THAT(planned(top("pt", "1 = rn"), "a BIGINT, p BIGINT"),
              HasSubstr("Deduplicate[keys=[auction], keep=first, by=arrival]"));
}

TEST(Rules, FindsWindowTopN) {
  EXPECT_EQ(planned("SELECT auction, price FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "
                    "window_start, window_end ORDER BY price DESC) AS rn FROM TABLE(TUMBLE(TABLE "
                    "bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE))) WHERE rn <= 2",
                    "a BIGINT, p BIGINT"),
            R"(
Project[auction AS a, price AS p]
  WindowRank[partition=[], window=[window_start, window_end], order=[price DESC], rank=1..2]
    Project[auction, price, window_start, window_end]
      WindowFunction[TUMBLE(1 min), time=ts]
        Project[auction, price, ts]
          Source[connector=test, columns=[auction, price, ts]]
)");
}

TEST(Rules, ReadTablesOnce) {
  const std::string query =
      "SELECT a.price FROM bids a JOIN (SELECT MAX(price) AS m, url AS u FROM bids GROUP BY url) b "
      "ON a.price = b.m AND a.url = b.u WHERE a.price > 1";
  const auto sources = [&](std::vector<std::string> disabled) {
    auto roots = plan_of(kTestTables +
                         "CREATE TABLE outcome (x BIGINT) WITH ('connector' = "
                         "'test'); INSERT INTO outcome " +
                         query + ";");
    LoweringOptions options;
    options.functions = &builtin_functions();
    options.disabled_rules = std::move(disabled);
    EXPECT_TRUE(rewrite_plan(*roots, options).is_ok());
    int count = 0;
    for (const plan::Node* node : plan::topological_order(*roots)) {
      count += node->kind() == "Source" ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(sources({}), 1);
  EXPECT_EQ(sources({"reuse-subplans"}), 2);
  // The condition is checked for one reader only.
  EXPECT_THAT(planned(query, "x BIGINT"), HasSubstr("Filter[(price > 1)]"));
}

TEST(Rules, ReadOnlyTheFieldsThatAreUsed) {
  auto roots = plan_of(
      "CREATE TABLE events (kind INT, bid ROW<auction BIGINT, price BIGINT, extra STRING>, person "
      "ROW<id BIGINT, name STRING>) WITH ('connector' = 'test', 'format' = 'json'); CREATE TABLE "
      "outcome (a BIGINT, p BIGINT) WITH ('connector' = 'test'); INSERT INTO outcome SELECT "
      "bid.auction, person.id FROM events WHERE bid.price > 1 AND person IS NOT NULL;");
  ASSERT_TRUE(roots.is_ok()) << roots.status().to_string();
  LoweringOptions options;
  options.functions = &builtin_functions();
  ASSERT_TRUE(rewrite_plan(*roots, options).is_ok());
  const plan::Node* source = plan::topological_order(*roots)[0];
  // The whole of `person` is asked about.
  EXPECT_EQ(source->schema->to_string(),
            "(bid ROW<`auction` BIGINT, `price` BIGINT>, person ROW<`id` BIGINT, `name` STRING>)");
}

TEST(Rules, CanBeLeftOut) {
  EXPECT_THAT(planned(top("price DESC", "rn <= 3"), "a BIGINT, p BIGINT", {"top-n"}),
              HasSubstr("Over["));
  EXPECT_THAT(planned("SELECT price FROM bids WHERE price > 1", "x BIGINT", {"prune-columns"}),
              HasSubstr("columns=[auction, bidder, price, url, ts]"));
}

TEST(Rules, RefuseWhatCannotBe) {
  EXPECT_THAT(planned("SELECT auction FROM (SELECT auction, RANK() OVER (PARTITION BY auction "
                      "ORDER BY price) AS r FROM bids) WHERE r <= 2",
                      "a BIGINT"),
              HasSubstr("RANK() in a Top-N query is not supported"));
  EXPECT_THAT(planned("SELECT window_end, COUNT(*) FROM TABLE(TUMBLE(DATA => TABLE "
                      "joined, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE)) GROUP BY "
                      "window_start, window_end",
                      "s TIMESTAMP(3), n BIGINT"),
              HasSubstr("it is no time attribute any more behind a regular join"));
}

std::string planned_for(const std::string& query, const std::string& columns,
                        const std::string& mode, bool per_batch = false) {
  auto roots = plan_of(kTestTables + "CREATE TABLE outcome (" + columns +
                       ") WITH ('connector' = 'test'); INSERT INTO outcome " + query + ";");
  if (!roots.is_ok()) return "binder: " + roots.status().message();
  LoweringOptions options;
  options.functions = &builtin_functions();
  options.settings.set("output.mode", mode);
  if (per_batch) options.settings.set("watermark.rule", "per-batch");
  const Status status = rewrite_plan(*roots, options);
  return status.is_ok() ? "\n" + explain_plan({(*roots)[0]->inputs[0].node}) : status.message();
}

TEST(Rules, OutputModesSayWhatTheyCannotTell) {
  const std::string by_key = "SELECT url, COUNT(*) FROM bids GROUP BY url";
  const std::string columns = "u STRING, n BIGINT";
  EXPECT_THAT(planned_for(by_key, columns, "append"),
              HasSubstr("output mode append: Aggregate is not supported without a watermark"));
  EXPECT_THAT(planned_for(by_key, columns, "update"), Not(HasSubstr("output mode")));
  EXPECT_THAT(planned_for(by_key, columns, "complete"), Not(HasSubstr("output mode")));
  EXPECT_THAT(planned_for("SELECT url, price FROM bids", columns, "complete"),
              HasSubstr("without an aggregation"));
  EXPECT_THAT(planned_for("SELECT url, price FROM bids LIMIT 3", columns, "update"),
              HasSubstr("Limit is not supported"));
  EXPECT_THAT(planned_for("SELECT url, seller FROM bids LEFT JOIN auctions ON auction = id",
                          "u STRING, s INT", "append"),
              HasSubstr("Join of type left is not supported without a watermark"));
  EXPECT_THAT(planned_for("SELECT url, COUNT(DISTINCT price) FROM bids GROUP BY url", columns,
                          "update", /*per_batch=*/true),
              HasSubstr("with DISTINCT is not supported"));
  EXPECT_THAT(
      planned_for("SELECT url, COUNT(*) FROM (SELECT url, price, COUNT(*) FROM bids GROUP BY "
                  "url, price) GROUP BY url",
                  columns, "update"),
      HasSubstr("behind another aggregation"));
}

TEST(Rules, OutputModeAppendGroupsByEventTime) {
  EXPECT_THAT(
      planned_for("SELECT ts, COUNT(*) FROM bids GROUP BY ts", "t TIMESTAMP(3), n BIGINT",
                  "append"),
      HasSubstr("WindowAggregate[keys=[], calls=[COUNT(*)], window=[window_start, window_end]]"));
}

TEST(Rules, PerBatchJoinsOfWindowsAreIntervalJoins) {
  const std::string windowed =
      "(SELECT window_start, window_end, auction FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), "
      "INTERVAL '10' SECOND)))";
  const std::string query = "SELECT a.auction, b.auction FROM " + windowed + " a JOIN " + windowed +
                            " b ON a.window_start = b.window_start AND a.window_end = b.window_end";
  EXPECT_THAT(planned_for(query, "x BIGINT, y BIGINT", "append"), HasSubstr("WindowJoin"));
  EXPECT_THAT(planned_for(query, "x BIGINT, y BIGINT", "append", /*per_batch=*/true),
              HasSubstr("IntervalJoin"));
}

}  // namespace
}  // namespace tidegate
