// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"

namespace tidegate {

/// Keeps out rows whose time in `time_column` is at or behind the watermark (counted as rows_late)
/// or null (rows_null_time): Spark's rule in front of operators that do not look at time
/// themselves.
std::unique_ptr<Operator> make_drop_late(int time_column);

/// To the millisecond.
inline constexpr TimeGrain kDropLateTimeGrain{1, 0};

}  // namespace tidegate
