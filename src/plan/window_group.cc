// SPDX-License-Identifier: Apache-2.0
#include "plan/window_group.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate::plan {

WindowGroupNode::WindowGroupNode(Input input, std::vector<int> keys,
                                 std::vector<AggregateCall> calls, Windows windows,
                                 const LogicalType& time_type)
    : KeyedNode(std::move(input), std::move(keys), std::move(calls)),
      windows(windows),
      time_type(time_type) {
  const Schema& in = *inputs[0].schema();
  std::vector<Field> fields;
  for (int key : this->keys) {
    fields.push_back(in.field(key));
    fields.back().time = TimeAttribute::kNone;
  }
  const auto time = by_processing_time() ? TimeAttribute::kProctime : TimeAttribute::kRowtime;
  fields.push_back({"window_start", LogicalType::timestamp(3, false)});
  fields.push_back({"window_end", LogicalType::timestamp(3, false)});
  fields.push_back({"window_time", time_type.with_nullable(false), time});
  for (const AggregateCall& call : this->calls) {
    fields.push_back({call.result_name, call.result_type});
  }
  schema = std::make_shared<Schema>(std::move(fields));
}

std::string WindowGroupNode::windows_text() const {
  const Schema& in = *inputs[0].schema();
  if (!windows.window) {
    return fmt::format(", window=[{}]",
                       column_names(in, {windows.start_column, windows.end_column}));
  }
  return fmt::format(
      ", window={}, time={}", window_text(*windows.window),
      windows.time_column < 0 ? "processing time" : in.field(windows.time_column).name);
}

void WindowGroupNode::mark_columns_read(int input, std::vector<bool>& used) const {
  KeyedNode::mark_columns_read(input, used);
  for (int column :
       {windows.time_column, windows.gap_column, windows.start_column, windows.end_column}) {
    if (column >= 0) used[static_cast<std::size_t>(column)] = true;
  }
}

void WindowGroupNode::remap_columns(int input, const std::vector<int>& new_index) {
  KeyedNode::remap_columns(input, new_index);
  for (int* column :
       {&windows.time_column, &windows.gap_column, &windows.start_column, &windows.end_column}) {
    if (*column >= 0) *column = new_index[static_cast<std::size_t>(*column)];
  }
}

}  // namespace tidegate::plan
