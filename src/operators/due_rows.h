// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "dataflow/operator.h"
#include "state/state_bytes.h"
#include "tidegate/time.h"

namespace tidegate {

/// Of rows that wait in the namespace of their time: those whose time is over, on their way out.
/// One time after the other, as many rows as make a batch, as long as there is credit.
template <typename Row = std::byte*>
class DueRows {
 public:
  /// Goes on where it stopped. While `is_due(time)` holds for the first namespace of `waiting`:
  /// `line_up(time)` answers its rows in their order, `take(time, row)` puts one to `collector`,
  /// which has full() and flush(out). A namespace whose rows have all been taken is dropped.
  template <typename IsDue, typename LineUp, typename Collector, typename Take>
  Result<Progress> resume(StateTable& waiting, const IsDue& is_due, const LineUp& line_up,
                          Collector& collector, Output& out, const Take& take) {
    while (true) {
      const std::optional<EventTime> time = waiting.first_namespace();
      if (!time || !is_due(*time)) break;
      if (rows_.empty()) {
        Result<std::vector<Row>> rows = line_up(*time);
        if (!rows.is_ok()) return std::move(rows).status();
        rows_ = *std::move(rows);
      }
      while (next_ < rows_.size() && !collector.full()) {
        TG_RETURN_IF_ERROR(take(*time, rows_[next_++]));
      }
      if (next_ == rows_.size()) {
        waiting.drop(*time);
        rows_.clear();
        next_ = 0;
      }
      if (!collector.full()) continue;
      TG_RETURN_IF_ERROR(collector.flush(out));
      if (!out.has_credit()) return Progress::kMore;
    }
    TG_RETURN_IF_ERROR(collector.flush(out));
    return Progress::kDone;
  }

 private:
  std::vector<Row> rows_;  // of the first namespace
  std::size_t next_ = 0;
};

/// For rows that leave once `bound` has passed their time: all of them at the end.
inline bool is_over(EventTime time, EventTime bound) {
  return time < bound || bound == kMaxWatermark;
}

}  // namespace tidegate
