// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "dataflow/graph.h"
#include "state/state_table.h"
#include "tidegate/status.h"

namespace tidegate {

/// The state tables that a node's operator asks for, with their schemas: it is opened beside any
/// job. None for sources and sinks.
Result<std::vector<StateTableSpec>> probe_state(const Graph& graph, const Node& node);

}  // namespace tidegate
