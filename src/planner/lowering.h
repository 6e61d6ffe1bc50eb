// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <typeindex>
#include <unordered_map>
#include <vector>

#include "base/options.h"
#include "dataflow/connector.h"
#include "dataflow/graph.h"
#include "plan/node.h"
#include "tidegate/status.h"

namespace tidegate {

/// What lowering needs from outside.
struct LoweringOptions {
  std::string job_name;
  int parallelism = 1;
  const ConnectorRegistry* connectors = nullptr;
  const FormatRegistry* formats = nullptr;
  FileSystem* files = nullptr;
  Options settings;  ///< what the job was started with
  /// Sources and sinks by node name that take the place of the plan's: the test driver's.
  std::map<std::string, std::shared_ptr<Source>> sources;
  std::map<std::string, std::shared_ptr<Sink>> sinks;
  /// Rules to leave out, by name; for tests.
  std::vector<std::string> disabled_rules;
};

/// Builds a dataflow from a plan, node by node.
class Lowering {
 public:
  explicit Lowering(const LoweringOptions& options) : options_(options) {}

  const LoweringOptions& options() const { return options_; }
  Graph& graph() { return graph_; }

  /// Where rows of a plan output come out of the graph.
  Edge edge_from(const plan::Input& input, Exchange exchange, std::vector<int> keys = {}) const;
  /// Adds a node for `node` with name, uid, schemas and parallelism filled in.
  Node make_node(const plan::Node& node) const;
  int add(Node node);
  /// The outputs of `node` come out of graph node `index`; `side` of side output 0.. likewise.
  void set_output(const plan::Node& node, int index, int side_index = -1);

 private:
  const LoweringOptions& options_;
  Graph graph_;
  struct Place {
    int main = -1;
    int sides = -1;
  };
  std::unordered_map<const plan::Node*, Place> places_;
};

/// Lowers one node, whose inputs have been lowered.
using LowerNode = std::function<Status(const plan::Node& node, Lowering& lowering)>;

/// How each kind of plan node is lowered.
class LoweringRegistry {
 public:
  template <typename N>
  void add(Status (*lower)(const N&, Lowering&)) {
    by_type_[typeid(N)] = [lower](const plan::Node& node, Lowering& lowering) {
      return lower(static_cast<const N&>(node), lowering);
    };
  }
  const LowerNode* find(const plan::Node& node) const;

 private:
  std::unordered_map<std::type_index, LowerNode> by_type_;
};

/// Rewrites the plan by all rules, then lowers it. The nodes may be changed: a plan is lowered
/// once.
Result<Graph> lower(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options);

}  // namespace tidegate
