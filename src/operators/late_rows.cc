// SPDX-License-Identifier: Apache-2.0
#include "operators/late_rows.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/metrics.h"

namespace tidegate {

LateRows::LateRows(MetricGroup& metrics, int time_column, int late_output)
    : late_(&metrics.counter("rows_late")),
      null_time_(&metrics.counter("rows_null_time")),
      time_column_(time_column),
      late_output_(late_output) {}

Result<Batch> LateRows::remove(Batch batch, EventTime watermark, Output& out) {
  TG_RETURN_IF_ERROR(times_.read(batch, time_column_));
  std::vector<std::int32_t> kept;
  std::vector<std::int32_t> late;
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    if (times_.has_nulls() && times_.is_null(row)) continue;
    (time(row) < watermark ? late : kept).push_back(static_cast<std::int32_t>(row));
  }
  if (std::ssize(kept) == batch.num_rows()) return batch;
  late_->add(std::ssize(late));
  null_time_->add(batch.num_rows() - std::ssize(kept) - std::ssize(late));
  if (late_output_ >= 0 && !late.empty()) {
    TG_ASSIGN_OR_RETURN(Batch late_rows, batch.take(late));
    out.emit_side(late_output_, std::move(late_rows));
  }
  TG_ASSIGN_OR_RETURN(batch, batch.take(kept));
  TG_RETURN_IF_ERROR(times_.read(batch, time_column_));
  return batch;
}

}  // namespace tidegate
