// SPDX-License-Identifier: Apache-2.0
#include "planner/window_instants.h"

#include <utility>

#include "base/check.h"
#include "planner/rewrite.h"

namespace tidegate {

Result<InstantWindows> windows_as_instants(const plan::Input& input, PlanFacts& facts) {
  const WindowColumns& windows = facts.of(input).windows;
  TG_ASSIGN_OR_RETURN(const PlanSettings settings, PlanSettings::from(facts.options().settings));
  if (windows.time_type.kind() != TypeKind::kTimestampLtz || settings.time_zone == "UTC") {
    return InstantWindows{input, windows.start, windows.end};
  }
  const LogicalType instant = LogicalType::timestamp_ltz(3);
  std::vector<ExprPtr> columns = all_columns(*input.schema());
  std::vector<Field> fields = input.schema()->fields();
  const int width = static_cast<int>(fields.size());
  columns.push_back(cast(col(windows.start), instant));
  columns.push_back(cast(col(windows.end), instant));
  fields.push_back({"window_start_instant", instant});
  fields.push_back({"window_end_instant", instant});
  auto project = std::make_shared<plan::ProjectNode>(input, std::move(columns),
                                                     std::make_shared<Schema>(std::move(fields)));
  return InstantWindows{{std::move(project)}, width, width + 1};
}

}  // namespace tidegate
