// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/node.h"

namespace tidegate {

/// The plan as a tree per root: a line per node, inputs indented below their readers.
std::string explain_plan(const std::vector<plan::NodePtr>& roots);

}  // namespace tidegate
