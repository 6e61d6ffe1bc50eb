// SPDX-License-Identifier: Apache-2.0
#include "dataflow/readable_state.h"

#include <memory>
#include <utility>

#include "base/check.h"
#include "dataflow/state_reader.h"

namespace tidegate {

Result<std::vector<ReadableState>> readable_states(const Graph& graph) {
  std::vector<ReadableState> states;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!node.make_operator) continue;
    TG_ASSIGN_OR_RETURN(const std::unique_ptr<Operator> made, node.make_operator());
    const auto* reader = dynamic_cast<const StateReader*>(made.get());
    if (reader == nullptr) continue;
    ReadableState state{node.uid, static_cast<int>(i), {}, node.schema, reader->answers_rows()};
    for (const Edge& edge : node.inputs) {
      const SchemaPtr& from = graph.nodes[static_cast<std::size_t>(edge.from)].schema;
      if (edge.keys.empty() || edge.side >= 0 || from == nullptr) continue;
      for (const int key : edge.keys) state.keys.push_back(from->field(key));
      break;  // the keys of all inputs are of the same types
    }
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace tidegate
