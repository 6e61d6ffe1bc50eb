// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "expr/compiled_expr.h"

namespace tidegate {

/// Keeps the rows for which the condition is true; false and NULL drop a row. Row kinds, event
/// times and key hashes stay. `context` says what expressions may ask for; its clock becomes that
/// of the operator.
std::unique_ptr<Operator> make_filter(std::shared_ptr<const CompiledFilter> condition,
                                      EvalContext context = {});

/// Time does not matter to it.
inline constexpr TimeGrain kFilterTimeGrain{0, 0};

}  // namespace tidegate
