// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tidegate/time.h"

namespace tidegate {

/// One source in one micro-batch.
struct BatchSourceProgress {
  std::string description;   ///< its name in the plan
  std::string start_offset;  ///< JSON: position by split, before the batch
  std::string end_offset;    ///< JSON: position by split, behind the batch
  std::int64_t num_input_rows = 0;
  double input_rows_per_second = 0;
  double processed_rows_per_second = 0;
};

/// The state of one operator behind a micro-batch.
struct BatchStateProgress {
  std::string operator_name;
  std::int64_t num_rows_total = 0;
  std::int64_t num_rows_updated = 0;
  std::int64_t num_rows_removed =
      0;  ///< at least; those that came and went in the batch are not counted
  std::int64_t memory_used_bytes = 0;
  std::int64_t num_rows_dropped_by_watermark = 0;
};

/// What one micro-batch did, with the field names of Spark's StreamingQueryProgress where they fit.
struct BatchProgress {
  std::string id;      ///< of the query, the same over restarts from its checkpoint
  std::string run_id;  ///< of this start
  std::string name;
  std::int64_t timestamp_ms = 0;  ///< when the batch began
  std::uint64_t batch_id = 0;
  std::int64_t num_input_rows = 0;
  double input_rows_per_second = 0;  ///< since the batch before began
  double processed_rows_per_second = 0;
  /// latestOffset, walCommit, addBatch, commitOffsets, triggerExecution.
  std::map<std::string, std::int64_t> duration_ms;
  /// In force at the end of the batch (rule per-batch), or where sources have got to (per-row).
  std::optional<EventTime> watermark;
  std::optional<EventTime> max_event_time;
  std::optional<EventTime> min_event_time;
  std::optional<EventTime> avg_event_time;
  std::vector<BatchStateProgress> state_operators;  ///< those downstream first
  std::vector<BatchSourceProgress> sources;
  std::vector<std::string> sinks;
  std::int64_t num_output_rows = 0;

  /// As one line of JSON.
  std::string to_json() const;
};

}  // namespace tidegate
