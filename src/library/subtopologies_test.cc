// SPDX-License-Identifier: Apache-2.0
#include "library/subtopologies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "types/logical_type.h"

namespace tidegate::library {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SchemaPtr schema() {
  return std::make_shared<Schema>(std::vector<Field>{{"k", LogicalType(TypeKind::kBigInt)},
                                                     {"v", LogicalType(TypeKind::kBigInt)}});
}

class Topic final : public Source {
 public:
  explicit Topic(std::string topic) : topic_(std::move(topic)) {}
  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return false; }
  Status open(SourceContext&) override { return Status::ok(); }
  Result<Discovery> discover(const std::vector<std::string>&) override { return Discovery(); }
  Result<std::unique_ptr<SplitReader>> open_split(const Split&, const std::optional<std::string>&,
                                                  SourceContext&) override {
    return error(ErrorCode::kInternal, "not read");
  }
  std::optional<LogTopics> log_topics() const override {
    if (topic_.empty()) return std::nullopt;
    return LogTopics{{topic_}, {}, "b:1"};
  }

 private:
  const std::string topic_;
  const SchemaPtr schema_ = library::schema();
};

class AnySink final : public Sink {
 public:
  explicit AnySink(SinkGuarantee guarantee) : guarantee_(guarantee) {}
  SinkGuarantee guarantee() const override { return guarantee_; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return error(ErrorCode::kInternal, "not written");
  }

 private:
  const SinkGuarantee guarantee_;
};

/// Builds graphs: each call adds a node and answers its index.
struct Builder {
  int source(const std::string& topic, const std::string& name = "source") {
    Node node;
    node.source = std::make_shared<Topic>(topic);
    return add(std::move(node), name, {});
  }
  int step(const std::string& name, std::vector<Edge> inputs, int parallelism = 0,
           TimeGrain grain = {0, 0}) {
    Node node;
    node.parallelism = parallelism;
    node.time_grain = grain;
    node.make_operator = []() -> Result<std::unique_ptr<Operator>> {
      return error(ErrorCode::kInternal, "not run");
    };
    return add(std::move(node), name, std::move(inputs));
  }
  int sink(int from, Exchange exchange = Exchange::kForward, int parallelism = 0,
           SinkGuarantee guarantee = SinkGuarantee::kAtLeastOnce) {
    Node node;
    node.parallelism = parallelism;
    node.sink = std::make_shared<AnySink>(guarantee);
    const int index = add(std::move(node), "sink", {edge(from, exchange)});
    graph.nodes.back().schema = nullptr;
    return index;
  }
  static Edge edge(int from, Exchange exchange = Exchange::kForward, std::vector<int> keys = {},
                   int input = 0) {
    Edge edge;
    edge.from = from;
    edge.exchange = exchange;
    edge.keys = std::move(keys);
    edge.input = input;
    return edge;
  }
  static Edge by_key(int from, int input = 0) { return edge(from, Exchange::kHash, {0}, input); }

  Graph graph;

 private:
  int add(Node node, const std::string& name, std::vector<Edge> inputs) {
    node.name = name;
    node.uid = fmt::format("{}{}", name, graph.nodes.size());
    node.schema = schema();
    node.inputs = std::move(inputs);
    graph.nodes.push_back(std::move(node));
    return static_cast<int>(graph.nodes.size()) - 1;
  }
};

Topology cut(const Graph& graph, std::map<std::string, int> partitions) {
  auto topology = Topology::cut(graph, "app");
  TG_CHECK(topology.is_ok(), "{}", topology.status().to_string());
  const Status set = topology->set_partitions(
      [&](const std::string& topic) -> Result<int> { return partitions.at(topic); });
  TG_CHECK(set.is_ok(), "{}", set.to_string());
  return *topology;
}

std::vector<int> partitions_of(const Topology& topology) {
  std::vector<int> all;
  for (const Subtopology& part : topology.subtopologies()) all.push_back(part.partitions);
  return all;
}

/// The nodes of a part by name, with where they read from.
std::vector<std::string> nodes_of(const Topology& topology, int part, const Graph& graph) {
  Topology::Ends ends;
  ends.make_sink = [](const Repartition&) {
    return std::make_shared<AnySink>(SinkGuarantee::kTransactional);
  };
  ends.make_source = [](const Repartition&) { return std::make_shared<Topic>(""); };
  const Result<Graph> cut = topology.graph_of(part, graph, ends);
  TG_CHECK(cut.is_ok(), "{}", cut.status().to_string());
  std::vector<std::string> names;
  for (const Node& node : cut->nodes) {
    std::string text = node.name;
    for (const Edge& edge : node.inputs)
      text += fmt::format(" {}{}", edge.from, edge.exchange == Exchange::kHash ? "#" : "");
    names.push_back(text);
  }
  return names;
}

TEST(SubtopologiesTest, TwoStages) {
  Builder b;
  const int source = b.source("clicks");
  const int partial = b.step("partial", {Builder::edge(source)});
  const int count = b.step("count", {Builder::by_key(partial)}, 0, TimeGrain{1000, 0});
  b.sink(count);
  const Topology topology = cut(b.graph, {{"clicks", 4}});
  EXPECT_THAT(partitions_of(topology), ElementsAre(4, 4));
  ASSERT_EQ(topology.repartitions().size(), 1u);
  const Repartition& each = topology.repartitions()[0];
  EXPECT_THAT(each.topic, testing::MatchesRegex("app-count2-[0-9a-f]{8}-repartition"));
  EXPECT_EQ(each.grain.step_ms, 1000);
  EXPECT_THAT(nodes_of(topology, 0, b.graph),
              ElementsAre("source", "partial 0", each.topic + " 1"));
  EXPECT_THAT(nodes_of(topology, 1, b.graph), ElementsAre(each.topic, "count 0#", "sink 1"));
  EXPECT_EQ(topology.anchor_of(0), "clicks");
  EXPECT_EQ(topology.anchor_of(1), each.topic);
}

TEST(SubtopologiesTest, JoinOfTwoTopicsAndOfATopicWithItself) {
  Builder b;
  const int left = b.source("l");
  const int right = b.source("r");
  const int join = b.step("join", {Builder::by_key(left), Builder::by_key(right, 1)});
  b.sink(join);
  const Topology two = cut(b.graph, {{"l", 3}, {"r", 2}});
  EXPECT_THAT(partitions_of(two), ElementsAre(3, 2, 3));
  ASSERT_EQ(two.repartitions().size(), 2u);
  EXPECT_NE(two.repartitions()[0].topic, two.repartitions()[1].topic);
  EXPECT_EQ(nodes_of(two, 2, b.graph)[2], "join 0# 1#");

  Builder self;
  const int source = self.source("t");
  self.sink(self.step("join", {Builder::by_key(source), Builder::by_key(source, 1)}));
  const Topology topology = cut(self.graph, {{"t", 3}});
  EXPECT_THAT(partitions_of(topology), ElementsAre(3, 3));
  EXPECT_EQ(nodes_of(topology, 0, self.graph).size(), 3u);
  EXPECT_EQ(nodes_of(topology, 1, self.graph)[2], "join 0# 1#");
}

TEST(SubtopologiesTest, UnionsNeedTheSamePartitions) {
  Builder b;
  const int left = b.source("l");
  const int right = b.source("r");
  b.sink(b.step("union", {Builder::edge(left), Builder::edge(right)}), Exchange::kRebalance, 1);
  EXPECT_THAT(partitions_of(cut(b.graph, {{"l", 3}, {"r", 3}})), ElementsAre(3));
  auto topology = Topology::cut(b.graph, "app");
  ASSERT_TRUE(topology.is_ok());
  const Status differ = topology->set_partitions(
      [&](const std::string& topic) -> Result<int> { return topic == "l" ? 3 : 2; });
  EXPECT_EQ(differ.code(), ErrorCode::kNotSupported);
  EXPECT_THAT(differ.message(), HasSubstr("topic 'r' has 2 partitions"));
}

TEST(SubtopologiesTest, WithoutAKeyThereIsOneTask) {
  Builder b;
  const int source = b.source("t");
  const int global = b.step("global", {Builder::edge(source, Exchange::kHash)}, 1);
  const int again = b.step("again", {Builder::by_key(global)});
  b.sink(again);
  EXPECT_THAT(partitions_of(cut(b.graph, {{"t", 3}})), ElementsAre(3, 1, 1));
}

TEST(SubtopologiesTest, APartMayReadWhatItWrites) {
  Builder b;
  const int source = b.source("t");
  const int count = b.step("count", {Builder::by_key(source)});
  b.sink(b.step("union", {Builder::edge(count), Builder::edge(source)}));
  const Topology topology = cut(b.graph, {{"t", 5}});
  EXPECT_THAT(partitions_of(topology), ElementsAre(5));
  const std::string& topic = topology.repartitions()[0].topic;
  EXPECT_THAT(nodes_of(topology, 0, b.graph),
              ElementsAre(topic, "source", "count 0#", "union 2 1", "sink 3", topic + " 1"));
}

TEST(SubtopologiesTest, WhatIsNotThereIsSaid) {
  const auto message = [](const Builder& b) {
    const auto topology = Topology::cut(b.graph, "app");
    TG_CHECK(!topology.is_ok() && topology.status().code() == ErrorCode::kNotSupported, "is there");
    return topology.status().message();
  };
  Builder files;
  files.sink(files.source("", "files"));
  EXPECT_THAT(message(files), HasSubstr("the source 'files' in library mode"));
  Builder commits;
  commits.sink(commits.source("t"), Exchange::kForward, 0, SinkGuarantee::kTransactional);
  EXPECT_THAT(message(commits), HasSubstr("the sink 'sink' in library mode"));
  Builder broadcast;
  const int rules = broadcast.source("t");
  broadcast.sink(broadcast.step("match", {Builder::edge(rules, Exchange::kBroadcast)}));
  EXPECT_THAT(message(broadcast), HasSubstr("broadcast to 'match'"));
}

TEST(SubtopologiesTest, NamesOfTopics) {
  EXPECT_THAT(topic_part("WindowAggregate[keys=[url]]"),
              testing::MatchesRegex("windowaggregate-[0-9a-f]{8}"));
  EXPECT_NE(topic_part("a[x]"), topic_part("a[y]"));
  EXPECT_EQ(topic_part("[]").size(), 8u);
}

TEST(Subtopologies, AKeyThatHasOnePartitionIsNotRepartitioned) {
  Builder b;
  const int source = b.source("clicks");
  const int count = b.step("count", {b.edge(source, Exchange::kForward, {0})});
  const int top = b.step("top", {b.by_key(count)});
  b.sink(top);
  const Topology topology = cut(b.graph, {{"clicks", 3}});
  EXPECT_THAT(partitions_of(topology), ElementsAre(3, 3));
  EXPECT_TRUE(topology.subtopologies()[0].keyed);
  EXPECT_FALSE(topology.subtopologies()[1].keyed);
  EXPECT_THAT(nodes_of(topology, 0, b.graph),
              ElementsAre("source", "count 0#", HasSubstr("-repartition 1")));
}

TEST(Subtopologies, TwoTopicsWithKeysAreRepartitionedForAJoin) {
  Builder b;
  const int left = b.source("left"), right = b.source("right");
  b.sink(b.step(
      "join", {b.edge(left, Exchange::kForward, {0}), b.edge(right, Exchange::kForward, {0}, 1)}));
  const Topology topology = cut(b.graph, {{"left", 2}, {"right", 2}});
  EXPECT_EQ(topology.repartitions().size(), 2u);
  const int join = topology.repartitions()[0].to;
  EXPECT_FALSE(topology.subtopologies()[static_cast<std::size_t>(join)].keyed);
  EXPECT_THAT(nodes_of(topology, join, b.graph).at(2), HasSubstr("join 0# 1#"));
}

}  // namespace
}  // namespace tidegate::library
