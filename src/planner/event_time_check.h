// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "planner/stream_facts.h"

namespace tidegate {

/// kInvalidPlan unless column `column` of the input still is event time: `feature` (an interval
/// join, OVER ordered by time, ...) needs watermarks that are about it.
Status check_event_time(std::string_view feature, const plan::Input& input, int column,
                        PlanFacts& facts);
/// kNotSupported when the windows of the input are local times of a zone other than UTC: watermarks
/// are about instants, and `feature` compares the two.
Status check_window_zone(std::string_view feature, const plan::Input& input,
                         const std::string& time_zone, PlanFacts& facts);
/// What a column is to time, where it may have lost it.
TimeAttribute time_of(const plan::Input& input, int column, PlanFacts& facts);

}  // namespace tidegate
