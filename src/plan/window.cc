// SPDX-License-Identifier: Apache-2.0
#include "plan/window.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate::plan {
namespace {

std::string frame_text(const OverFrame& frame) {
  const auto bound = [](std::int64_t distance, std::string_view direction) {
    if (distance < 0) return fmt::format("UNBOUNDED {}", direction);
    return distance == 0 ? std::string("CURRENT ROW") : fmt::format("{} {}", distance, direction);
  };
  return fmt::format("{} {} .. {}", frame.rows ? "ROWS" : "RANGE",
                     bound(frame.preceding, "PRECEDING"), bound(frame.following, "FOLLOWING"));
}

}  // namespace

WindowFunctionNode::WindowFunctionNode(Input input, Window window, int time_column,
                                       std::vector<int> partition)
    : Node({std::move(input)}),
      window(window),
      time_column(time_column),
      partition(std::move(partition)) {
  std::vector<Field> fields = inputs[0].schema()->fields();
  // Bounds of windows are local times, also over TIMESTAMP_LTZ; only window_time goes on as time.
  const Field time = fields[static_cast<std::size_t>(time_column)];
  for (Field& field : fields) {
    // Rows carry one notion of event time: from here on that of their window.
    if (field.time == TimeAttribute::kRowtime) field.time = TimeAttribute::kNone;
  }
  fields.push_back({"window_start", LogicalType::timestamp(3, false)});
  fields.push_back({"window_end", LogicalType::timestamp(3, false)});
  fields.push_back({"window_time", time.type.with_nullable(false), time.time});
  schema = std::make_shared<Schema>(std::move(fields));
}

std::string WindowFunctionNode::details() const {
  const Schema& in = *inputs[0].schema();
  std::string text = fmt::format("{}, time={}", window_text(window), in.field(time_column).name);
  if (!partition.empty()) text += fmt::format(", partition=[{}]", column_names(in, partition));
  return text;
}

OverNode::OverNode(Input input, std::vector<int> partition, std::vector<SortKey> order,
                   std::vector<OverCall> calls)
    : Node({std::move(input)}),
      partition(std::move(partition)),
      order(std::move(order)),
      calls(std::move(calls)) {
  std::vector<Field> fields = inputs[0].schema()->fields();
  for (const OverCall& each : this->calls) {
    fields.push_back({each.call.result_name, each.call.result_type});
  }
  schema = std::make_shared<Schema>(std::move(fields));
}

std::string OverNode::details() const {
  const Schema& in = *inputs[0].schema();
  std::string text;
  for (const OverCall& each : calls) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", each.call.text, frame_text(each.frame));
  }
  return fmt::format("partition=[{}], order=[{}], calls=[{}]", column_names(in, partition),
                     sort_text(in, order), text);
}

}  // namespace tidegate::plan
