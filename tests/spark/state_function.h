// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "plan/node.h"
#include "tidegate/status.h"

namespace tidegate {

/// A function with state per group that a case says as data: what Spark's applyInPandasWithState
/// and transformWithState are given as a program. Of `rows`: the first `keys` columns are the key.
///
///   {"keys": 1, "time": 1,                      the row-time column, or -1: rows are never late
///    "state": [["n", "count", -1], ["s", "sum", 2]],        also max, min, last
///    "emit": ["k", "n", "timed_out"],           keys by name, state, timed_out
///    "timeout_ms": 10000, "from": "m",          at the state's value and so much more; "": none
///    "strict": true,                            goes off behind that time, not at it
///    "emits": "both" | "rows" | "timeouts", "clears": true}
///
/// It gets the rows of a key of a batch together, and the timeout once rows have been handled.
Result<plan::Input> add_state_function(const plan::Input& rows, std::string_view spec);

}  // namespace tidegate
