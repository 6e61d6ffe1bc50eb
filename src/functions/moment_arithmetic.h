// SPDX-License-Identifier: Apache-2.0
//
// Dates, times and timestamps plus and minus intervals.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "expr/function_registry.h"
#include "types/column.h"

namespace tidegate {

/// The day `months` later; the last day of the month where the month is too short.
std::int64_t add_months(std::int64_t days, std::int64_t months);

/// `value` of TIMESTAMP(precision), `months` later at the same time of the day.
std::int64_t add_months_to_timestamp(std::int64_t value, int precision, std::int64_t months);

/// moment + interval, interval + moment, interval + interval (sign 1); moment - interval, interval
/// - interval, timestamp - timestamp (sign -1). None when the arguments are none of these. A DATE
/// plus a constant part of a day is a TIMESTAMP(3).
std::optional<BoundFunction> bind_moment_sum(std::span<const LogicalType> arguments,
                                             std::span<const ArrayPtr> constants, int sign);

}  // namespace tidegate
