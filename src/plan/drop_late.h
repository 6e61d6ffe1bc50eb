// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "plan/node.h"

namespace tidegate::plan {

/// Rows ahead of the watermark: those whose time is at or behind it are left out. What the planner
/// puts in front of operators that do not look at time themselves, for the rule per-batch.
class DropLateNode final : public Node {
 public:
  DropLateNode(Input input, int time_column) : Node({std::move(input)}), time_column(time_column) {
    schema = inputs[0].schema();
  }
  std::string_view kind() const override { return "DropLate"; }
  std::string details() const override { return column_names(*schema, {time_column}); }

  int time_column;  ///< a row-time column
};

}  // namespace tidegate::plan
