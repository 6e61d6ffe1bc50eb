// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/aggregate.h"
#include "tidegate/windows.h"

namespace tidegate::plan {

/// SQL's window aggregation: what the planner makes of an aggregate by window_start and window_end.
/// Output: keys (without the window), window_start, window_end, window_time, results.
class WindowGroupNode final : public KeyedNode {
 public:
  /// From where rows have their windows.
  struct Windows {
    /// Made here; none: they stand in columns of the input.
    std::optional<Window> window = {};
    /// With `window`: the row-time column, or -1 for processing time.
    int time_column = -1;
    /// With `window`, a session: the column with each row's gap in ms, or -1.
    int gap_column = -1;
    /// Without: the columns.
    int start_column = -1;
    int end_column = -1;
  };
  /// `time_type`: of window_time.
  WindowGroupNode(Input input, std::vector<int> keys, std::vector<AggregateCall> calls,
                  Windows windows, const LogicalType& time_type);
  std::string_view kind() const override { return "WindowAggregate"; }
  std::string details() const override { return keyed_details() + windows_text(); }
  std::string identity() const override { return keyed_identity() + windows_text(); }
  void mark_columns_read(int input, std::vector<bool>& used) const override;
  void remap_columns(int input, const std::vector<int>& new_index) override;

  bool by_processing_time() const { return windows.window && windows.time_column < 0; }

  Windows windows;
  LogicalType time_type;
  /// Set by the planner for an output mode: on close, or on epoch.
  Emit emit = Emit::kOnClose;
  /// With on epoch: windows never close, and each epoch ends with all results.
  bool keeps_all = false;

 private:
  std::string windows_text() const;
};

}  // namespace tidegate::plan
