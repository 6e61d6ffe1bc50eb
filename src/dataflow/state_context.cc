// SPDX-License-Identifier: Apache-2.0
#include "dataflow/state_context.h"

namespace tidegate {
namespace {

StateColumn column_of(const Field& field) { return {field.name, field.type.to_string(), {}}; }

}  // namespace

StateContext state_context_of(const Graph& graph, const Node& node) {
  StateContext context;
  for (const Edge& edge : node.inputs) {
    const Node& from = graph.nodes[static_cast<std::size_t>(edge.from)];
    const SchemaPtr& schema =
        edge.side < 0 ? from.schema : from.side_schemas[static_cast<std::size_t>(edge.side)];
    if (schema == nullptr) continue;
    const auto input = static_cast<std::size_t>(edge.input);
    if (context.inputs.size() <= input) context.inputs.resize(input + 1);
    std::vector<StateColumn>& columns = context.inputs[input];
    // Several edges into one input bring the same columns; so do the keys of all inputs.
    for (int i = 0; i < schema->num_fields() && std::ssize(columns) < schema->num_fields(); ++i) {
      columns.push_back(column_of(schema->field(i)));
    }
    if (edge.exchange != Exchange::kHash || !context.keys.empty()) continue;
    for (const int key : edge.keys) context.keys.push_back(column_of(schema->field(key)));
  }
  return context;
}

}  // namespace tidegate
