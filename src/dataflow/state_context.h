// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataflow/graph.h"
#include "state/state_schema.h"

namespace tidegate {

/// By what keys rows come to a node, and what columns its inputs have.
StateContext state_context_of(const Graph& graph, const Node& node);

}  // namespace tidegate
