// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dataflow/graph.h"

namespace tidegate {

/// What the planner knows of a node of the dataflow; empty texts: nothing to say.
struct NodeNotes {
  std::string changelog;  ///< "insert-only" or "changelog"
  std::string key;        ///< the columns that tell rows apart
  std::string state;      ///< what bounds its state
  std::string time;       ///< its watermark, or the columns that still are event time
};

/// The dataflow as text: a line per node, inputs first, with exchange, parallelism, schema and what
/// is noted; last the guarantee from end to end. `notes`: one per node, or none.
std::string explain_graph(const Graph& graph, const std::vector<NodeNotes>& notes = {});
/// The same as JSON: {"nodes": [{"id": 0, "name": ..., "inputs": [...], ...}], "guarantee": ...}.
std::string explain_json(const Graph& graph, const std::vector<NodeNotes>& notes = {});

}  // namespace tidegate
