// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "planner/lowering.h"

namespace tidegate {

/// Looks at a plan that has been lowered.
std::vector<LintWarning> lint(const std::vector<plan::NodePtr>& roots, Lowering& lowering);

/// As it is shown: lines, the last one ended.
std::string to_string(const LintWarning& warning);

}  // namespace tidegate
