// SPDX-License-Identifier: Apache-2.0
#include "planner/event_time_check.h"

#include <fmt/format.h>

#include "base/check.h"

namespace tidegate {

TimeAttribute time_of(const plan::Input& input, int column, PlanFacts& facts) {
  const std::vector<TimeAttribute>& times = facts.of(input).times;
  const auto at = static_cast<std::size_t>(column);
  return at < times.size() ? times[at] : TimeAttribute::kNone;
}

Status check_event_time(std::string_view feature, const plan::Input& input, int column,
                        PlanFacts& facts) {
  if (time_of(input, column, facts) == TimeAttribute::kRowtime) return Status::ok();
  const Field& field = input.schema()->field(column);
  if (field.time == TimeAttribute::kRowtime) {
    return Status(
        ErrorCode::kNotSupported,
        fmt::format("{} on column '{}' is not supported: it is no time attribute any more behind a "
                    "regular join, an aggregation or a Top-N",
                    feature, field.name),
        "Put the operation in front, or use an interval, window or temporal join.");
  }
  return Status(ErrorCode::kInvalidPlan,
                fmt::format("{} requires a time attribute, but column '{}' ({}) is none", feature,
                            field.name, field.type.to_string()),
                "Declare a WATERMARK FOR the column in the table that it comes from.");
}

}  // namespace tidegate
