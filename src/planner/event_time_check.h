// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "planner/stream_facts.h"

namespace tidegate {

/// kInvalidPlan unless column `column` of the input still is event time: `feature` (an interval
/// join, OVER ordered by time, ...) needs watermarks that are about it.
Status check_event_time(std::string_view feature, const plan::Input& input, int column,
                        PlanFacts& facts);
/// What a column is to time, where it may have lost it.
TimeAttribute time_of(const plan::Input& input, int column, PlanFacts& facts);

}  // namespace tidegate
