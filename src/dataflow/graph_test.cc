// SPDX-License-Identifier: Apache-2.0
#include "dataflow/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "dataflow/operator.h"

namespace tidegate {
namespace {

using ::testing::HasSubstr;

class NoSource final : public Source {
 public:
  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return true; }
  Status open(SourceContext&) override { return Status::ok(); }
  Result<Discovery> discover(const std::vector<std::string>&) override { return Discovery{}; }
  Result<std::unique_ptr<SplitReader>> open_split(const Split&, const std::optional<std::string>&,
                                                  SourceContext&) override {
    return Status(ErrorCode::kInternal, "not called");
  }

 private:
  SchemaPtr schema_;
};

class NoSink final : public Sink {
 public:
  SinkGuarantee guarantee() const override { return SinkGuarantee::kAtLeastOnce; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return Status(ErrorCode::kInternal, "not called");
  }
};

Edge edge(int from, int side = -1, int input = 0) {
  Edge edge;
  edge.from = from;
  edge.side = side;
  edge.input = input;
  return edge;
}

// source -> operator with one side output -> sink
Graph valid_graph() {
  const auto schema =
      std::make_shared<Schema>(std::vector<Field>{{"k", LogicalType(TypeKind::kBigInt)}});
  Graph graph;
  graph.job_name = "test";
  graph.nodes.resize(3);
  graph.nodes[0].name = "in";
  graph.nodes[0].source = std::make_shared<NoSource>();
  graph.nodes[0].schema = schema;
  graph.nodes[1].name = "step";
  graph.nodes[1].make_operator = []() -> Result<std::unique_ptr<Operator>> {
    return Status(ErrorCode::kInternal, "not called");
  };
  graph.nodes[1].schema = schema;
  graph.nodes[1].side_schemas = {schema};
  graph.nodes[1].inputs = {edge(0)};
  graph.nodes[2].name = "out";
  graph.nodes[2].sink = std::make_shared<NoSink>();
  graph.nodes[2].inputs = {edge(1)};
  return graph;
}

TEST(GraphTest, AValidGraph) { EXPECT_TRUE(valid_graph().validate().is_ok()); }

TEST(GraphTest, AnEmptyGraphIsNone) {
  EXPECT_EQ(Graph{}.validate().code(), ErrorCode::kInvalidPlan);
}

TEST(GraphTest, SidesAndSeveralInputs) {
  Graph graph = valid_graph();
  graph.nodes[2].inputs = {edge(1, 0), edge(0, -1, 1), edge(1, -1, 1)};
  EXPECT_TRUE(graph.validate().is_ok());
}

struct Broken {
  const char* name;
  std::function<void(Graph&)> breaks;
  const char* says;
};

class GraphErrorTest : public ::testing::TestWithParam<Broken> {};

TEST_P(GraphErrorTest, IsFound) {
  Graph graph = valid_graph();
  GetParam().breaks(graph);
  const Status status = graph.validate();
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kInvalidPlan);
  EXPECT_THAT(status.message(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, GraphErrorTest,
    ::testing::Values(
        Broken{"later", [](Graph& g) { g.nodes[1].inputs = {edge(2)}; },
               "'step' (node 1) reads from node 2"},
        Broken{"itself", [](Graph& g) { g.nodes[1].inputs = {edge(1)}; }, "reads from node 1"},
        Broken{"nowhere", [](Graph& g) { g.nodes[1].inputs = {edge(-1)}; }, "reads from node -1"},
        Broken{"side", [](Graph& g) { g.nodes[2].inputs = {edge(1, 1)}; },
               "side output 1 of 'step', which has 1"},
        Broken{"sink_read",
               [](Graph& g) {
                 g.nodes.push_back(g.nodes[2]);
                 g.nodes[3].inputs = {edge(2)};
               },
               "reads from the sink 'out'"},
        Broken{"fed_source",
               [](Graph& g) {
                 g.nodes[1].make_operator = nullptr;
                 g.nodes[1].source = g.nodes[0].source;
               },
               "source 'step' has an input"},
        Broken{"two", [](Graph& g) { g.nodes[1].sink = g.nodes[2].sink; }, "2 of source, operator"},
        Broken{"none", [](Graph& g) { g.nodes[1].make_operator = nullptr; }, "0 of source"},
        Broken{"unfed", [](Graph& g) { g.nodes[2].inputs.clear(); }, "nothing feeds 'out'"},
        Broken{"gap", [](Graph& g) { g.nodes[1].inputs = {edge(0, -1, 1)}; },
               "no edge feeds input 0 of 'step'"},
        Broken{"negative_input", [](Graph& g) { g.nodes[1].inputs = {edge(0, -1, -2)}; },
               "input -2"},
        Broken{"key", [](Graph& g) { g.nodes[1].inputs[0].keys = {1}; }, "keyed by column 1"},
        Broken{"schema", [](Graph& g) { g.nodes[1].schema = nullptr; }, "'step' has no schema"},
        Broken{"groups", [](Graph& g) { g.key_groups = 0; }, "0 key groups"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace tidegate
