// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/sink.h"
#include "dataflow/source.h"
#include "dataflow/watermark_strategy.h"
#include "tidegate/windows.h"
#include "types/schema.h"

namespace tidegate {

/// How rows go from the tasks of one node to those of the next.
enum class Exchange : std::uint8_t {
  kForward,    ///< subtask i to subtask i (chained when parallelism is equal)
  kHash,       ///< by key group of the key columns; sets Batch::key_hashes
  kRebalance,  ///< batches in turn
  kBroadcast,  ///< everything to everyone
};

/// An edge of the graph: the output (or side output) of a node into an input of another.
struct Edge {
  int from = -1;  ///< node index
  int side = -1;  ///< -1: main output, else the index of the side output
  int input = 0;  ///< input of the node that holds this edge
  Exchange exchange = Exchange::kForward;
  std::vector<int> keys;  ///< kHash: key columns of the rows that flow here
};

/// A step of the dataflow before it is cut into tasks. Exactly one of the factories is set.
struct Node {
  std::string name;     ///< for people: metrics, errors, explain
  std::string uid;      ///< identity of its state: stable over changes of the plan elsewhere
  int parallelism = 0;  ///< 0: the job's
  SchemaPtr schema;     ///< of the rows it emits; null for sinks
  std::vector<SchemaPtr> side_schemas;  ///< of its side outputs
  std::vector<Edge> inputs;

  std::shared_ptr<Source> source;
  WatermarkStrategy watermark;  ///< of a source
  std::function<Result<std::unique_ptr<Operator>>()> make_operator;
  std::shared_ptr<Sink> sink;

  /// What an operator can tell apart in event time; the runtime passes it on to the sources.
  TimeGrain time_grain{0, 0};
  /// Windows that the clock closes, not the rows: at the end of the input (Barrier::at_end) those
  /// that would close soon are closed, as far as wake() with that time does.
  std::optional<Window> clock_window = std::nullopt;
};

/// A dataflow: nodes in topological order (inputs come before those who read them).
struct Graph {
  std::string job_name;
  std::vector<Node> nodes;
  int key_groups = 128;

  /// Finds edges to later nodes or missing sides, sinks with readers, sources with inputs, nodes
  /// with more than one factory or none, and inputs that no edge feeds.
  Status validate() const;
};

}  // namespace tidegate
