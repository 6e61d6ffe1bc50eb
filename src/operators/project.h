// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "expr/compiled_expr.h"

namespace tidegate {

/// Computes the columns of each output row from the input row. Row kinds, event times and key
/// hashes stay. `context` says what expressions may ask for; its clock becomes that of the
/// operator.
std::unique_ptr<Operator> make_project(std::shared_ptr<const CompiledProjection> columns,
                                       EvalContext context = {});

/// Time does not matter to it.
inline constexpr TimeGrain kProjectTimeGrain{0, 0};

}  // namespace tidegate
