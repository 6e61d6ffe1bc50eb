// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "planner/stream_facts.h"

namespace tidegate {

/// The sets of columns of a node's output that tell its rows apart.
std::vector<ColumnSet> unique_keys_of(const plan::Node& node, InputFacts inputs);

/// The smallest key, that of fewer columns first; empty when there is none (or it is empty).
ColumnSet smallest_key(const std::vector<ColumnSet>& keys);
/// True when some key lies within `columns`.
bool has_key_within(const std::vector<ColumnSet>& keys, const ColumnSet& columns);

}  // namespace tidegate
