// SPDX-License-Identifier: Apache-2.0
#include "runtime/execution_plan.h"

#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OperatorFactory nothing() {
  return map_rows([](Row row) { return row; });
}
std::shared_ptr<Source> empty_source() { return std::make_shared<ListSource>(std::vector<Rows>{}); }

std::vector<std::vector<int>> chains_of(const Graph& graph, int parallelism) {
  Result<ExecutionPlan> plan = cut_into_chains(graph, parallelism);
  EXPECT_THAT(plan.status(), IsOk());
  std::vector<std::vector<int>> chains;
  for (const ChainPlan& chain : plan->chains) chains.push_back(chain.nodes);
  return chains;
}

TEST(ExecutionPlanTest, ForwardEdgesChain) {
  GraphBuilder graph;
  const int source = graph.source(empty_source());
  const int map = graph.operate("map", nothing(), {edge(source)});
  const int keyed = graph.operate("keyed", nothing(), {edge(map, Exchange::kHash)});
  graph.sink(std::make_shared<CollectSink>(), {edge(keyed)});
  EXPECT_THAT(chains_of(graph.build(), 2), ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3)));
  // With one task on both sides an exchange moves nothing, but still sets the keys.
  EXPECT_THAT(chains_of(graph.build(), 1), ElementsAre(ElementsAre(0, 1, 2, 3)));
  EXPECT_TRUE(cut_into_chains(graph.build(), 1)->nodes[2].keyed_in_chain);
}

TEST(ExecutionPlanTest, BranchesUnionsSidesAndOtherParallelismsDoNotChain) {
  GraphBuilder graph;
  const int source = graph.source(empty_source());
  const int left = graph.operate("left", nothing(), {edge(source)}, 0, 1);
  const int right = graph.operate("right", nothing(), {edge(source)});
  const int both = graph.operate("both", nothing(), {edge(left), edge(right)});
  const int side = graph.operate("side", nothing(), {edge(left, Exchange::kForward, 0, 0)});
  const int one = graph.operate("one", nothing(), {edge(both)}, 1);
  graph.operate("last", nothing(), {edge(side)});
  graph.operate("wide", nothing(), {edge(one)}, 3);
  const Graph built = graph.build();
  EXPECT_THAT(chains_of(built, 2),
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2), ElementsAre(3),
                          ElementsAre(4, 6), ElementsAre(5), ElementsAre(7)));
  const Result<ExecutionPlan> plan = cut_into_chains(built, 2);
  EXPECT_EQ(plan->channels.back().exchange, Exchange::kRebalance) << "from 1 to 3 tasks";
  EXPECT_EQ(plan->nodes[7].parallelism, 3);
}

TEST(ExecutionPlanTest, GrainsReachTheSources) {
  GraphBuilder graph;
  const int a = graph.source(empty_source());
  const int b = graph.source(empty_source());
  const int window = graph.operate("window", nothing(), {edge(a)}, 0, 0, {60, 10});
  graph.operate("join", nothing(), {edge(window), edge(b, Exchange::kForward, 1)}, 0, 0, {40, 0});
  const Graph built = graph.build();
  const Result<ExecutionPlan> plan = cut_into_chains(built, 1);
  EXPECT_EQ(plan->nodes[0].grain.step_ms, 10);
  EXPECT_EQ(plan->nodes[1].grain.step_ms, 40);
}

TEST(ExecutionPlanTest, NamesAndUidsAreUnique) {
  GraphBuilder graph;
  const int source = graph.source(empty_source());
  const int map = graph.operate("map", nothing(), {edge(source)});
  graph.operate("map", nothing(), {edge(map)});
  Graph built = graph.build();
  EXPECT_EQ(cut_into_chains(built, 1)->nodes[2].label, "map 2");
  EXPECT_EQ(cut_into_chains(built, 1)->nodes[2].uid, "map 2");
  built.nodes[1].uid = built.nodes[2].uid = "same";
  const Status status = cut_into_chains(built, 1).status();
  EXPECT_EQ(status.code(), ErrorCode::kInvalidPlan);
  EXPECT_THAT(status.message(), HasSubstr("'same'"));
}

TEST(ExecutionPlanTest, MoreTasksThanKeyGroups) {
  GraphBuilder graph;
  const int source = graph.source(empty_source());
  graph.operate("keyed", nothing(), {edge(source, Exchange::kHash)}, 129);
  EXPECT_THAT(cut_into_chains(graph.build(), 1).status().message(), HasSubstr("128 groups"));
}

}  // namespace
}  // namespace tidegate::runtime_test
