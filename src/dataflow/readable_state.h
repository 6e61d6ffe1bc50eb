// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dataflow/graph.h"
#include "tidegate/status.h"
#include "types/schema.h"

namespace tidegate {

/// State of a job that can be looked into by its name.
struct ReadableState {
  std::string name;  ///< uid of the operator
  int node = 0;      ///< of the graph
  std::vector<Field> keys;
  SchemaPtr columns;         ///< keys, for windows their start and end, results
  bool answers_rows = true;  ///< false: of a process function
};

/// In the order of the graph.
Result<std::vector<ReadableState>> readable_states(const Graph& graph);

}  // namespace tidegate
