// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "planner/lowering.h"

namespace tidegate {

/// Where CURRENT_WATERMARK has become a column.
struct AttachedWatermark {
  int node = -1;     ///< of the graph: the input's columns and the watermark behind them
  SchemaPtr schema;  ///< of its rows
};

/// Where expressions over `input` ask for CURRENT_WATERMARK: adds a node that knows it, and lets
/// the expressions read it there.
Result<std::optional<AttachedWatermark>> attach_watermark(const plan::Node& of,
                                                          std::vector<ExprPtr>& exprs,
                                                          Lowering& lowering);

}  // namespace tidegate
