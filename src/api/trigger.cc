// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"
#include "base/options.h"
#include "tidegate/app.h"

namespace tidegate {

Result<Trigger> Trigger::parse(std::string_view text) {
  if (text == "available-now") return Trigger{Kind::kAvailableNow};
  if (text == "once") return Trigger{Kind::kOnce};
  if (text == "continuous") return Trigger{Kind::kContinuous};
  const auto interval = parse_duration(std::string(text));
  if (!interval.is_ok()) {
    return Status(ErrorCode::kInvalidOption,
                  fmt::format("'{}' is no trigger: {}", text, interval.status().message()),
                  "Use available-now, once, continuous, or a time between batches such as 5s.");
  }
  // No time between batches: one after the other.
  if (interval->count() == 0) return Trigger{};
  return Trigger{Kind::kInterval, *interval};
}

}  // namespace tidegate
