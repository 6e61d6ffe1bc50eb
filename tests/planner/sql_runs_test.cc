// SPDX-License-Identifier: Apache-2.0
//
// Queries from text to rows: what the planner makes of them must answer the same whatever rules
// are on, whatever the parallelism and however the input is cut into batches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/format.h"
#include "tests/planner/sql_run.h"

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kRules[] = {
    "fold-conditions", "merge-projects", "push-filters",     "outer-to-inner", "top-n",
    "interval-join",   "window-join",    "window-aggregate", "prune-columns"};

/// Checks that all ways of running agree.
void expect_rows(const std::string& script, const Tables& tables,
                 const std::vector<std::string>& expected) {
  EXPECT_THAT(folded(changes(script, tables)), ElementsAreArray(expected));
  EXPECT_THAT(folded(changes(script, tables, {.batch_rows = 1})), ElementsAreArray(expected));
  EXPECT_THAT(folded(changes(script, tables, {.parallelism = 3, .batch_rows = 2})),
              ElementsAreArray(expected));
  for (const char* rule : kRules) {
    EXPECT_THAT(folded(changes(script, tables, {.disabled = {rule}})), ElementsAreArray(expected))
        << "without rule " << rule;
  }
}

std::string into(const std::string& columns, const std::string& query) {
  return kTestTables + "CREATE TABLE outcome (" + columns +
         ") WITH ('connector' = 'test'); INSERT INTO outcome " + query + ";";
}

/// auction, bidder, price, url, time in ms.
const Tables kTables = {
    {"bids",
     {{R"([1, 10, 100, "/a", 1000])", R"([2, 11, 50, "/b", 2000])", R"([1, 12, 300, null, 4000])",
       R"([3, 10, 70, "/a", 11000])", R"([1, 11, 20, "/c", 12000])"}}},
    {"auctions", {{R"([1, 7, "x", 500])", R"([2, 8, "y", 1500])", R"([4, 7, "x", 3000])"}}},
};

TEST(SqlRuns, ProjectsAndFilters) {
  expect_rows(into("a BIGINT, b STRING", "SELECT price + 1, url FROM bids WHERE price > 50"),
              kTables, {"[101, /a]", "[301, null]", "[71, /a]"});
}

TEST(SqlRuns, AggregatesByKey) {
  expect_rows(into("a BIGINT, n BIGINT, s BIGINT, d BIGINT",
                   "SELECT auction, COUNT(*), SUM(price), COUNT(DISTINCT bidder) FROM bids "
                   "GROUP BY auction"),
              kTables, {"[1, 3, 420, 3]", "[2, 1, 50, 1]", "[3, 1, 70, 1]"});
  EXPECT_THAT(changes(into("n BIGINT", "SELECT COUNT(*) FROM bids WHERE price > 60"), kTables),
              ElementsAre("+I[1]", "-U[1]", "+U[2]", "-U[2]", "+U[3]"));
}

TEST(SqlRuns, AggregatesOfAggregatesTakeBack) {
  expect_rows(into("n BIGINT, c BIGINT, m BIGINT",
                   "SELECT n, COUNT(*), MAX(auction) FROM (SELECT auction, COUNT(*) AS n FROM bids "
                   "GROUP BY auction) GROUP BY n"),
              kTables, {"[1, 2, 3]", "[3, 1, 1]"});
}

TEST(SqlRuns, Windows) {
  const std::string columns = "s TIMESTAMP(3), e TIMESTAMP(3), a BIGINT, n BIGINT";
  expect_rows(into(columns,
                   "SELECT window_start, window_end, auction, COUNT(*) FROM TABLE(TUMBLE(TABLE "
                   "bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, "
                   "window_end, auction"),
              kTables,
              {"[1970-01-01 00:00:00.000, 1970-01-01 00:00:10.000, 1, 2]",
               "[1970-01-01 00:00:00.000, 1970-01-01 00:00:10.000, 2, 1]",
               "[1970-01-01 00:00:10.000, 1970-01-01 00:00:20.000, 1, 1]",
               "[1970-01-01 00:00:10.000, 1970-01-01 00:00:20.000, 3, 1]"});
}

TEST(SqlRuns, CascadingWindows) {
  expect_rows(into("e TIMESTAMP(3), m BIGINT",
                   "SELECT window_end, MAX(n) FROM (SELECT window_start, window_end, auction, "
                   "COUNT(*) AS n FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND, "
                   "INTERVAL '10' SECOND)) GROUP BY window_start, window_end, auction) GROUP BY "
                   "window_start, window_end"),
              kTables,
              {"[1970-01-01 00:00:05.000, 2]", "[1970-01-01 00:00:10.000, 2]",
               "[1970-01-01 00:00:15.000, 1]", "[1970-01-01 00:00:20.000, 1]"});
}

TEST(SqlRuns, Joins) {
  expect_rows(into("a BIGINT, p BIGINT, s INT",
                   "SELECT auction, price, seller FROM bids, auctions WHERE auction = id AND "
                   "price > 20"),
              kTables, {"[1, 100, 7]", "[1, 300, 7]", "[2, 50, 8]"});
  expect_rows(into("a BIGINT, p BIGINT, s INT",
                   "SELECT auction, price, seller FROM bids LEFT JOIN auctions ON auction = id"),
              kTables, {"[1, 100, 7]", "[1, 20, 7]", "[1, 300, 7]", "[2, 50, 8]", "[3, 70, null]"});
  expect_rows(into("a BIGINT", "SELECT id FROM auctions WHERE id IN (SELECT auction FROM bids)"),
              kTables, {"[1]", "[2]"});
  expect_rows(
      into("a BIGINT", "SELECT id FROM auctions WHERE id NOT IN (SELECT auction FROM bids)"),
      kTables, {"[4]"});
  // Keys of two types, and computed ones.
  expect_rows(into("a BIGINT, s INT",
                   "SELECT auction, seller FROM bids JOIN auctions ON bidder - 3 = seller WHERE "
                   "price > 60"),
              kTables, {"[1, 7]", "[1, 7]", "[3, 7]", "[3, 7]"});
}

TEST(SqlRuns, IntervalJoins) {
  expect_rows(into("a BIGINT, p BIGINT",
                   "SELECT auction, price FROM bids b JOIN auctions a ON auction = id AND b.ts "
                   "BETWEEN a.ts AND a.ts + INTERVAL '2' SECOND"),
              kTables, {"[1, 100]", "[2, 50]"});
}

TEST(SqlRuns, TopN) {
  expect_rows(into("a BIGINT, p BIGINT, n BIGINT",
                   "SELECT auction, price, rn FROM (SELECT auction, price, ROW_NUMBER() OVER "
                   "(PARTITION BY auction ORDER BY price DESC) AS rn FROM bids) WHERE rn <= 2"),
              kTables, {"[1, 100, 2]", "[1, 300, 1]", "[2, 50, 1]", "[3, 70, 1]"});
  expect_rows(into("a BIGINT, p BIGINT",
                   "SELECT auction, price FROM (SELECT auction, price, ROW_NUMBER() OVER "
                   "(PARTITION BY auction ORDER BY ts DESC) AS rn FROM bids) WHERE rn = 1"),
              kTables, {"[1, 20]", "[2, 50]", "[3, 70]"});
}

TEST(SqlRuns, WindowsOfInstantsEndByTheSessionsClock) {
  const std::string day = "TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' DAY))";
  const std::string tables =
      "CREATE TABLE t (v INT, ts TIMESTAMP_LTZ(3), WATERMARK FOR ts AS ts) WITH ('connector' = "
      "'test'); CREATE TABLE outcome (v INT, e TIMESTAMP(3)) WITH ('connector' = 'test'); INSERT "
      "INTO outcome ";
  // The second row is the first of the next day in Shanghai; the last one is late there, not in
  // UTC.
  const Tables rows = {{"t", {{"[1, 0]", "[2, 57600000]", "[3, 57599999]"}}}};
  Options settings;
  settings.set("table.local-time-zone", "Asia/Shanghai");
  const std::vector<std::string> expected = {"[1, 1970-01-02 00:00:00.000]",
                                             "[2, 1970-01-03 00:00:00.000]"};
  EXPECT_EQ(folded(changes(tables +
                               "SELECT v, window_end FROM (SELECT *, ROW_NUMBER() OVER "
                               "(PARTITION BY window_start, window_end ORDER BY v DESC) AS rn "
                               "FROM " +
                               day + ") WHERE rn = 1;",
                           rows, {}, settings)),
            expected);
  EXPECT_EQ(folded(changes(tables + "SELECT a.v, a.window_end FROM (SELECT * FROM " + day +
                               ") a JOIN (SELECT * FROM " + day +
                               ") b ON a.window_start = b.window_start AND a.window_end = "
                               "b.window_end AND a.v = b.v;",
                           rows, {}, settings)),
            expected);
}

TEST(SqlRuns, SortsBoundedInput) {
  EXPECT_THAT(
      changes(into("p BIGINT", "SELECT price FROM bids ORDER BY price DESC LIMIT 3"), kTables),
      ElementsAre("+I[300]", "+I[100]", "+I[70]"));
}

TEST(SqlRuns, KeysOfSinks) {
  const std::string query = "SELECT auction, COUNT(*) FROM bids WHERE auction = 1 GROUP BY auction";
  EXPECT_THAT(changes(into("a BIGINT, n BIGINT, PRIMARY KEY (a) NOT ENFORCED", query), kTables),
              ElementsAre("+I[1, 1]", "+U[1, 2]", "+U[1, 3]"));
  // By another key: the last one that has it is shown.
  EXPECT_THAT(
      changes(into("n BIGINT, a BIGINT, PRIMARY KEY (n) NOT ENFORCED",
                   "SELECT n, auction FROM (SELECT auction, COUNT(*) AS n FROM bids WHERE auction "
                   "< 3 GROUP BY auction)"),
              kTables),
      ElementsAre("+I[1, 1]", "+U[1, 2]", "+I[2, 1]", "-D[2, 1]", "+I[3, 1]"));
}

TEST(SqlRuns, TakesChangesOfSources) {
  Tables tables = kTables;
  tables["auctions"].kinds = {RowKind::kInsert, RowKind::kInsert, RowKind::kInsert};
  tables["auctions"].json.push_back(R"([1, 7, "x", 500])");
  tables["auctions"].kinds.push_back(RowKind::kDelete);
  expect_rows(into("s INT, n BIGINT", "SELECT seller, COUNT(*) FROM auctions GROUP BY seller"),
              tables, {"[7, 1]", "[8, 1]"});
}

/// A plan over tables that never end, or over one connector for all.
Result<LoweredPlan> lowered(const std::string& script, LoweringOptions options) {
  TG_ASSIGN_OR_RETURN(const std::vector<plan::NodePtr> roots, plan_of(script));
  options.functions = &builtin_functions();
  if (options.connectors != nullptr) return lower_with_notes(roots, options);
  for (plan::Node* node : plan::topological_order(roots)) {
    if (auto* source = dynamic_cast<plan::SourceNode*>(node)) {
      options.sources[source->name] = std::make_shared<MemorySource>(source->table, 1);
    }
  }
  options.sinks[roots[0]->name] = std::make_shared<CollectSink>();
  return lower_with_notes(roots, options);
}

std::vector<std::string> warnings_of(const std::string& script, LoweringOptions options = {}) {
  const Result<LoweredPlan> plan = lowered(script, std::move(options));
  if (!plan.is_ok()) return {plan.status().message()};
  std::vector<std::string> codes;
  for (const LintWarning& warning : plan->warnings) codes.push_back(warning.code);
  return codes;
}

TEST(SqlPlans, ExplainWhatIsKnown) {
  const Result<LoweredPlan> plan = lowered(
      into("a BIGINT, n BIGINT", "SELECT auction, COUNT(*) FROM bids GROUP BY auction"), {});
  ASSERT_TRUE(plan.is_ok()) << plan.status().to_string();
  const std::string text = explain_graph(plan->graph, plan->notes);
  EXPECT_THAT(text, HasSubstr("changelog:   changelog (+I, -U, +U, -D)"));
  EXPECT_THAT(text, HasSubstr("key:         auction"));
  EXPECT_THAT(text, HasSubstr("state:       one row per key"));
  EXPECT_THAT(text, HasSubstr("event time:  ts, watermark 4000 ms behind"));
  EXPECT_THAT(text, HasSubstr("end to end: exactly-once"));
  EXPECT_THAT(explain_json(plan->graph, plan->notes), HasSubstr("\"key\": \"auction\""));
}

TEST(SqlPlans, AggregateInTwoPhases) {
  const std::string counts =
      into("u STRING, n BIGINT", "SELECT url, COUNT(*) FROM bids GROUP BY url");
  const auto explained = [](const std::string& script, int parallelism, const char* phases,
                            bool per_batch = true) {
    LoweringOptions options;
    options.parallelism = parallelism;
    options.settings.set("table.exec.mini-batch.enabled", per_batch ? "true" : "false");
    options.settings.set("table.optimizer.agg-phase-strategy", phases);
    const Result<LoweredPlan> plan = lowered(script, options);
    return plan.is_ok() ? explain_graph(plan->graph, plan->notes) : plan.status().message();
  };
  const auto partial = HasSubstr("Aggregate[keys=[url], calls=[COUNT(*)]].partial");
  EXPECT_THAT(explained(counts, 2, "AUTO"), partial);
  EXPECT_THAT(explained(counts, 1, "TWO_PHASE"), partial);
  EXPECT_THAT(explained(counts, 1, "AUTO"), Not(partial));
  EXPECT_THAT(explained(counts, 2, "ONE_PHASE"), Not(partial));
  // Each change is told; rows are taken back; sets of values; the order counts.
  EXPECT_THAT(explained(counts, 2, "TWO_PHASE", false), Not(HasSubstr(".partial")));
  const auto whole = [&](const char* query) {
    EXPECT_THAT(explained(into("n BIGINT", query), 2, "TWO_PHASE"), Not(HasSubstr("[n].partial")));
  };
  whole("SELECT COUNT(DISTINCT bidder) FROM bids");
  whole("SELECT LAST_VALUE(bidder) FROM bids");
  EXPECT_THAT(explained(into("n BIGINT",
                             "SELECT SUM(n) FROM (SELECT COUNT(*) AS n FROM bids GROUP "
                             "BY url)"),
                        2, "TWO_PHASE"),
              Not(HasSubstr("calls=[SUM(n)]].partial")));
}

TEST(SqlPlans, ExplainWhatAJoinKeeps) {
  const Result<LoweredPlan> plan =
      lowered(into("a BIGINT, n BIGINT",
                   "SELECT id, n FROM auctions JOIN (SELECT auction, COUNT(*) AS n FROM bids GROUP "
                   "BY auction) ON id = auction"),
              {});
  ASSERT_TRUE(plan.is_ok()) << plan.status().to_string();
  EXPECT_THAT(explain_graph(plan->graph, plan->notes),
              HasSubstr("state:       all rows of the left, rows of the right by auction"));
}

TEST(SqlPlans, WarnOfTasksWithoutSplits) {
  ConnectorRegistry connectors;
  Connector connector;
  connector.name = "test";
  connector.make_source = [](const ConnectorRequest& request) -> Result<std::shared_ptr<Source>> {
    return std::make_shared<MemorySource>(request.schema, std::vector<std::vector<Batch>>{{}, {}});
  };
  connector.make_sink = [](const ConnectorRequest&) -> Result<std::shared_ptr<Sink>> {
    return std::make_shared<CollectSink>();
  };
  connectors.add(connector);
  LoweringOptions options;
  options.connectors = &connectors;
  const std::string script = into("p BIGINT", "SELECT price FROM bids");
  EXPECT_THAT(warnings_of(script, options), ElementsAre());
  options.settings.set("runtime.asked-parallelism", "3");
  EXPECT_THAT(warnings_of(script, options), ElementsAre("parallelism-above-splits"));
  options.settings.set("runtime.asked-parallelism", "2");
  EXPECT_THAT(warnings_of(script, options), ElementsAre());
  options.settings.set("parallelism.default", "5");
  EXPECT_THAT(lowered(script, options)->warnings[0].message,
              HasSubstr("5 tasks are to read table 'bids', which has 2 splits: 3 of them get no "
                        "rows"));
}

TEST(SqlPlans, WarnOfStateThatGrows) {
  const std::string join = into("p BIGINT", "SELECT price FROM bids JOIN auctions ON auction = id");
  EXPECT_THAT(warnings_of(join), ElementsAre("unbounded-state"));
  LoweringOptions with_ttl;
  with_ttl.settings.set("table.exec.state.ttl", "1 d");
  EXPECT_THAT(warnings_of(join, with_ttl), ElementsAre());
  EXPECT_THAT(warnings_of(into("u STRING", "SELECT DISTINCT url FROM bids")),
              ElementsAre("state-per-key"));
  EXPECT_THAT(warnings_of(into("n BIGINT",
                               "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), "
                               "INTERVAL '1' MINUTE)) GROUP BY window_start, window_end")),
              ElementsAre("idle-partition"));
}

TEST(SqlPlans, RefuseWhatASinkCannotTake) {
  ConnectorRegistry connectors;
  Connector connector;
  connector.name = "test";
  connector.make_source = [](const ConnectorRequest& request) -> Result<std::shared_ptr<Source>> {
    return std::make_shared<MemorySource>(request.schema, 1);
  };
  connector.make_sink = [](const ConnectorRequest&) -> Result<std::shared_ptr<Sink>> {
    return std::make_shared<CollectSink>();
  };
  connectors.add(connector);
  LoweringOptions options;
  options.connectors = &connectors;
  const auto error = lowered(
      into("a BIGINT, n BIGINT", "SELECT auction, COUNT(*) FROM bids GROUP BY auction"), options);
  ASSERT_FALSE(error.is_ok());
  EXPECT_EQ(error.status().code(), ErrorCode::kInvalidPlan);
  EXPECT_THAT(error.status().message(),
              HasSubstr("Table sink 'outcome' doesn't support consuming update and delete changes "
                        "which is produced by node Aggregate"));
  EXPECT_TRUE(lowered(into("a BIGINT", "SELECT DISTINCT auction FROM bids"), options).is_ok());
}

}  // namespace
}  // namespace tidegate
