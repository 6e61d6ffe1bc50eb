// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "dataflow/operator.h"
#include "operators/event_times.h"
#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/batch.h"

namespace tidegate {

class Counter;  // base/metrics.h

/// Keeps rows that are behind the watermark out of an operator (counter rows_late, and a side
/// output if there is one), and rows without event time (counter rows_null_time).
class LateRows {
 public:
  /// `time_column` -1: attached times; `late_output` -1: late rows are only counted.
  LateRows(MetricGroup& metrics, int time_column, int late_output);

  /// The rows that remain, in order.
  Result<Batch> remove(Batch batch, EventTime watermark, Output& out);
  /// Event time of a row of what remove() answered last, as long as that is there.
  EventTime time(std::int64_t row) const { return times_.times()[static_cast<std::size_t>(row)]; }

 private:
  Counter* late_;
  Counter* null_time_;
  int time_column_;
  int late_output_;
  EventTimes times_;
};

}  // namespace tidegate
