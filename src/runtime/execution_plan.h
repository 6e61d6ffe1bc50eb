// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "dataflow/graph.h"
#include "dataflow/watermark_strategy.h"
#include "tidegate/status.h"

namespace tidegate {

/// Nodes that run in one task, one after another, in as many subtasks as `parallelism` says.
struct ChainPlan {
  std::vector<int> nodes;  ///< the first one may be a source
  int parallelism = 1;
};

/// An edge between two chains; from any node of one into the first node of the other.
struct ChannelPlan {
  const Edge* edge = nullptr;
  int from_chain = 0;
  int to_chain = 0;
  /// As in the edge, but that a forward edge between different parallelisms becomes kRebalance
  /// when it goes from fewer to more tasks. From more to fewer it stays kForward.
  Exchange exchange = Exchange::kForward;
  /// Channels into a chain that have the same number bring rows of the same sources, and somebody
  /// behind them can tell whether a row comes before or after a watermark; -1: no such.
  int order = -1;
};

/// What the runtime knows about a node beyond the graph.
struct NodePlan {
  std::string uid;    ///< unique; the name where the graph gives none
  std::string label;  ///< unique; the name, numbered where several nodes have the same
  int parallelism = 1;
  int chain = 0;
  TimeGrain grain{0, 0};        ///< of all operators behind it
  bool keyed_in_chain = false;  ///< its only edge is a kHash one inside the chain
  std::set<int> sources;        ///< whose rows get to it
};

/// A graph cut into chains. Pointers lead into the graph.
struct ExecutionPlan {
  std::vector<ChainPlan> chains;
  std::vector<ChannelPlan> channels;
  std::vector<NodePlan> nodes;  ///< by index in the graph
};

/// Validates the graph and cuts it. Two nodes share a chain when the second has this one input, the
/// first one this one reader, and their tasks correspond one to one. Also kInvalidPlan for uids
/// that appear twice and for more tasks than key groups behind a kHash edge.
Result<ExecutionPlan> cut_into_chains(const Graph& graph, int default_parallelism);

}  // namespace tidegate
