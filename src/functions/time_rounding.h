// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "expr/function_registry.h"
#include "types/column.h"

namespace tidegate {

/// FLOOR(moment TO unit) and CEIL(moment TO unit): arguments are the moment and the unit's name.
Result<BoundFunction> bind_time_rounding(const char* function, bool up,
                                         std::span<const LogicalType> arguments,
                                         std::span<const ArrayPtr> constants);

}  // namespace tidegate
