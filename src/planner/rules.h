// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plan/node.h"
#include "planner/lowering.h"
#include "tidegate/status.h"

namespace tidegate {

/// Rewrites a plan in place without changing what it answers.
struct Rule {
  std::string name;
  std::function<Status(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options)>
      rewrite;
};

/// All rules in the order in which they run.
const std::vector<Rule>& all_rules();

/// Sources read only the columns that some reader needs.
Status prune_source_columns(const std::vector<plan::NodePtr>& roots,
                            const LoweringOptions& options);

}  // namespace tidegate
