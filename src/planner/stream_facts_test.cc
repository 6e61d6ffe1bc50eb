// SPDX-License-Identifier: Apache-2.0
#include "planner/stream_facts.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "plan/source.h"
#include "planner/test_sql_plan.h"

namespace tidegate {
namespace {

/// What is known of a query's rows, its columns by their places: "changelog; kept key {0}; time
/// 1". `changing`: a table whose rows are taken back.
std::string facts_of(const std::string& query, const std::string& columns,
                     const std::string& changing = {}) {
  auto roots = plan_of(kTestTables + "CREATE TABLE outcome (" + columns +
                       ") WITH ('connector' = 'test'); INSERT INTO outcome " + query + ";");
  if (!roots.is_ok()) return roots.status().message();
  for (plan::Node* node : plan::topological_order(*roots)) {
    auto* source = dynamic_cast<plan::SourceNode*>(node);
    if (source != nullptr && source->name == changing) source->changelog = true;
  }
  LoweringOptions options;
  options.functions = &builtin_functions();
  const Status status = rewrite_plan(*roots, options);
  if (!status.is_ok()) return status.message();
  PlanFacts facts(options);
  const StreamFacts& known = facts.of((*roots)[0]->inputs[0]);
  std::string text = known.retracts ? "changelog" : "insert-only";
  for (const ColumnSet& key : known.keys) {
    const bool kept =
        known.retracts && std::ranges::find(known.kept_keys, key) != known.kept_keys.end();
    text += fmt::format("; {}key {{{}}}", kept ? "kept " : "", fmt::join(key, ","));
  }
  for (std::size_t i = 0; i < known.times.size(); ++i) {
    if (known.times[i] != TimeAttribute::kNone) text += fmt::format("; time {}", i);
  }
  return text;
}

TEST(StreamFacts, RowsThatComeAndGo) {
  EXPECT_EQ(facts_of("SELECT price, ts FROM bids", "p BIGINT, t TIMESTAMP(3)"),
            "insert-only; time 1");
  EXPECT_EQ(facts_of("SELECT DISTINCT url FROM bids", "u STRING"), "insert-only; key {0}");
  EXPECT_EQ(facts_of("SELECT url, COUNT(*) FROM bids GROUP BY url", "u STRING, n BIGINT"),
            "changelog; kept key {0}");
  // A wider type still tells rows apart; a computed value does not.
  EXPECT_EQ(facts_of("SELECT seller, COUNT(*) FROM auctions GROUP BY seller", "s BIGINT, n BIGINT"),
            "changelog; kept key {0}");
  EXPECT_EQ(
      facts_of("SELECT seller / 2, COUNT(*) FROM auctions GROUP BY seller", "s INT, n BIGINT"),
      "changelog");
}

TEST(StreamFacts, FiltersBreakPairsUnlessTheyAreAboutKeys) {
  const std::string counts =
      "SELECT auction, n FROM (SELECT auction, COUNT(*) AS n, MAX(price) AS "
      "m FROM bids GROUP BY auction) WHERE ";
  EXPECT_EQ(facts_of(counts + "n > 2", "a BIGINT, n BIGINT"), "changelog; key {0}");
  EXPECT_EQ(facts_of(counts + "auction > 2", "a BIGINT, n BIGINT"), "changelog; kept key {0}");
}

TEST(StreamFacts, KeysOfJoins) {
  // At most one auction per bid; bids have no key.
  EXPECT_EQ(
      facts_of("SELECT price, id FROM bids JOIN auctions ON auction = id", "p BIGINT, i BIGINT"),
      "insert-only");
  EXPECT_EQ(facts_of("SELECT a.id, n FROM auctions a JOIN (SELECT auction, COUNT(*) AS n FROM bids "
                     "GROUP BY auction) b ON a.id = b.auction",
                     "i BIGINT, n BIGINT"),
            "changelog; kept key {0}");
  EXPECT_EQ(
      facts_of("SELECT a.id, b.id FROM auctions a LEFT JOIN auctions b ON a.seller = b.seller",
               "i BIGINT, n BIGINT"),
      "changelog; kept key {0,1}");
  // Spread by the seller, changes of one auction may come from two tasks.
  EXPECT_EQ(facts_of("SELECT a.id, b.price FROM auctions a JOIN bids b ON a.seller = b.price",
                     "i BIGINT, n BIGINT", "auctions"),
            "changelog");
}

TEST(StreamFacts, WhoKeepsTheTime) {
  EXPECT_EQ(facts_of("SELECT b.ts FROM bids b JOIN auctions a ON auction = id", "t TIMESTAMP(3)"),
            "insert-only");
  EXPECT_EQ(facts_of("SELECT b.ts, a.ts FROM bids b JOIN auctions a ON auction = id AND b.ts "
                     "BETWEEN a.ts AND a.ts + INTERVAL '1' SECOND",
                     "t TIMESTAMP(3), u TIMESTAMP(3)"),
            "insert-only; time 0; time 1");
  EXPECT_EQ(facts_of("SELECT window_time, window_end, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, "
                     "DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, "
                     "window_time",
                     "t TIMESTAMP(3), e TIMESTAMP(3), n BIGINT"),
            "insert-only; time 0");
  EXPECT_EQ(facts_of("SELECT b.ts, a.ts FROM bids AS b JOIN auctions FOR SYSTEM_TIME AS OF b.ts AS "
                     "a ON auction = id",
                     "t TIMESTAMP(3), u TIMESTAMP(3)"),
            "insert-only; time 0");
}

TEST(StreamFacts, TopNKeys) {
  const auto top = [](const std::string& columns, const std::string& condition) {
    return "SELECT " + columns +
           " FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY "
           "price DESC) AS rn FROM bids) WHERE " +
           condition;
  };
  EXPECT_EQ(facts_of(top("auction, rn", "rn <= 3"), "a BIGINT, n BIGINT"),
            "changelog; kept key {0,1}");
  EXPECT_EQ(facts_of(top("auction, price", "rn = 1"), "a BIGINT, p BIGINT"),
            "changelog; kept key {0}");
  EXPECT_EQ(facts_of(top("auction, price", "rn <= 3"), "a BIGINT, p BIGINT"), "changelog");
  // A row has its own key as well, but an update is by another row.
  EXPECT_EQ(facts_of("SELECT seller, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY seller "
                     "ORDER BY category) AS rn FROM auctions) WHERE rn = 1",
                     "s INT, i BIGINT"),
            "changelog; kept key {0}; key {1}");
}

}  // namespace
}  // namespace tidegate
