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
#include "expr/function_registry.h"
#include "plan/node.h"
#include "planner/explain.h"
#include "planner/plan_settings.h"
#include "tidegate/status.h"

namespace tidegate {

/// Something about a plan that works but may not be meant.
struct LintWarning {
  std::string code;     ///< "unbounded-state"
  std::string message;  ///< which step, and why
  std::string remedy;
  std::string place = {};  ///< "at f.sql, line 3, column 5:", the line and a caret; may be empty
};

/// What lowering needs from outside.
struct LoweringOptions {
  std::string job_name;
  int parallelism = 1;
  const ConnectorRegistry* connectors = nullptr;
  const FormatRegistry* formats = nullptr;
  FileSystem* files = nullptr;
  Options settings;  ///< what the job was started with
  /// False: the job stops at the end of a bounded input without draining, so nothing may wait for
  /// that end.
  bool drains = true;
  /// Needed by plans that hold expressions or aggregates by name.
  const FunctionRegistry* functions = nullptr;
  /// Says when the query starts (CURRENT_TIMESTAMP of a bounded query); null: the machine's.
  const Clock* clock = nullptr;
  /// Sources and sinks by node name that take the place of the plan's: the test driver's.
  std::map<std::string, std::shared_ptr<Source>> sources;
  std::map<std::string, std::shared_ptr<Sink>> sinks;
  /// Rules to leave out, by name; for tests.
  std::vector<std::string> disabled_rules;
};

class PlanFacts;

/// Builds a dataflow from a plan, node by node.
class Lowering {
 public:
  Lowering(const LoweringOptions& options, PlanSettings settings);
  ~Lowering();

  const LoweringOptions& options() const { return options_; }
  const PlanSettings& settings() const { return settings_; }
  PlanFacts& facts() { return *facts_; }
  /// kInvalidArgument when there are none but the plan needs them.
  Result<const FunctionRegistry*> functions() const;
  /// What expressions may ask for.
  EvalContext eval_context() const;
  Graph& graph() { return graph_; }

  /// Where rows of a plan output come out of the graph.
  Edge edge_from(const plan::Input& input, Exchange exchange, std::vector<int> keys = {}) const;
  /// Adds a node for `node` with name, uid, schemas and parallelism filled in.
  Node make_node(const plan::Node& node) const;
  /// Gives the node a uid (and a name) that none of those added has.
  void tell_apart(Node& node) const;
  int add(Node node);
  /// The outputs of `node` come out of graph node `index`; `side` of side output 0.. likewise.
  void set_output(const plan::Node& node, int index, int side_index = -1);
  /// What is known of each graph node that is the whole of a plan node.
  const std::vector<NodeNotes>& notes() const { return notes_; }

  /// An edge for rows that stay in their task: `node` takes on the parallelism of its input.
  void feed_in_place(Node& node, const plan::Input& input) const;
  /// An edge for rows of equal keys; without keys `node` is a single task.
  void feed_by_key(Node& node, const plan::Input& input, std::vector<int> keys,
                   int input_index = 0) const;
  /// An edge for rows of any kind from a node of maybe other parallelism: the changes of one row
  /// stay in order.
  void feed_in_order(Node& node, const plan::Input& input, int input_index = 0);
  /// Adds `node` as the whole of what `of` becomes.
  Status finish(const plan::Node& of, Node node);

 private:
  const LoweringOptions& options_;
  const PlanSettings settings_;
  const std::int64_t start_ms_;
  std::unique_ptr<PlanFacts> facts_;
  void take_note(const plan::Node& node, int index);

  Graph graph_;
  std::vector<NodeNotes> notes_;
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

/// A dataflow with what the planner has found out about it.
struct LoweredPlan {
  Graph graph;
  std::vector<NodeNotes> notes;       ///< per node of the graph, for explain_graph()
  std::vector<LintWarning> warnings;  ///< lint.h
};
Result<LoweredPlan> lower_with_notes(const std::vector<plan::NodePtr>& roots,
                                     const LoweringOptions& options);

}  // namespace tidegate
