// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "planner/stream_facts.h"

namespace tidegate {

/// Fills in `times` and `windows` of a node's output: which columns still are the time of the
/// stream, and which say the window of a row. Regular joins, aggregates and what else holds rows
/// back without regard to watermarks lose the time; they do not lose windows, whose columns are
/// plain values, but rows of a window may then come behind its end, so windows go as well.
void infer_time_properties(const plan::Node& node, InputFacts inputs, StreamFacts& facts);

}  // namespace tidegate
