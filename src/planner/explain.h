// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "dataflow/graph.h"

namespace tidegate {

/// The dataflow as text: a line per node, inputs first, with exchange, parallelism and schema.
std::string explain_graph(const Graph& graph);

}  // namespace tidegate
