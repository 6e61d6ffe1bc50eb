// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataflow/graph.h"
#include "dataflow/source.h"
#include "runtime/split_enumerator.h"
#include "runtime/task_host.h"
#include "runtime/wake_point.h"
#include "runtime/watermark_assigner.h"
#include "tidegate/status.h"

namespace tidegate {

class MetricGroup;  // base/metrics.h

/// One split while a task reads it: its reader, its event time, its idleness. On the task's thread,
/// but for opening, which may block and so happens beside it.
class OpenSplit final : private SourceContext {
 public:
  /// `node` and `label` must outlive it.
  OpenSplit(const Node& node, const std::string& label, int subtask, SplitState from,
            TimeGrain grain, MetricGroup& metrics, TaskHost& host, Activation& task);

  /// Begins to open the reader; wakes the task when that is done.
  void start_opening();
  /// With a planner nothing is read before this: up to the position, or to the end.
  void admit(std::optional<std::string> end);
  /// True once the range that was admitted has been read; what it held is taken with it.
  std::optional<SourceRead> take_read();

  /// True when poll() may have something: it is open, admitted, and not waiting for its waker.
  bool is_ready();

  /// Reads once, with a budget that follows the load. Appends what it gets to `pieces`; the last
  /// one may have no rows, only a watermark.
  Status poll(std::int64_t max_rows, std::vector<WatermarkAssigner::Piece>& pieces);
  bool ended() const { return ended_; }
  bool admitted() const { return admitted_; }

  /// Turns idle when it has had nothing for the source's time-out.
  void check_idle();
  /// Nobody has looked whether it has something, so the time-out begins anew.
  void waited();
  std::optional<std::int64_t> idle_at_ns() const;
  bool idle() const { return idle_; }

  /// Behind the pieces that have been passed on.
  EventTime watermark() const { return watermark_; }
  void set_watermark(EventTime watermark) { watermark_ = watermark; }
  const std::string& id() const { return from_.split.id; }
  const std::shared_ptr<SplitGauge>& gauge() const { return gauge_; }

  /// What the epoch that ends here holds of it.
  Result<SplitState> snapshot(EpochId epoch);
  /// The epoch is durable.
  Status committed(EpochId epoch);

 private:
  const std::string& source_name() const override { return label_; }
  const Clock& clock() const override { return host_.clock(); }
  Executor& executor() override { return host_.executor(); }
  MetricGroup& metrics() override { return metrics_; }
  Waker waker() override { return wake_point_.waker(); }

  bool take_opened();
  Status set_limit();
  void adapt_budget(std::int64_t rows, std::int64_t max_rows);
  std::string place() const;

  const Node& node_;
  const std::string& label_;
  TaskHost& host_;
  MetricGroup& metrics_;
  WakePoint wake_point_;
  const SplitState from_;  // where it began
  WatermarkAssigner assigner_;
  std::shared_ptr<SplitGauge> gauge_;

  // Written by the thread that opens, handed over by opened_.
  std::optional<Result<std::unique_ptr<SplitReader>>> opening_;
  std::atomic<bool> opened_{false};

  std::unique_ptr<SplitReader> reader_;  // after what it may use
  std::int64_t budget_rows_;
  std::int64_t rows_;
  bool pending_ = false;
  bool ended_ = false;
  const bool planned_;
  bool admitted_;                   // may be read
  bool was_admitted_ = false;       // and take_read() has not told of it
  std::optional<std::string> end_;  // where to stop, for the reader to hear
  bool limited_ = false;            // the reader has heard of an end
  std::int64_t rows_before_ = 0;    // of the planned epoch
  bool idle_;
  EventTime watermark_;
  std::int64_t pending_since_ns_ = 0;
  std::deque<std::pair<EpochId, std::string>> uncommitted_;  // positions of epochs on their way
};

}  // namespace tidegate
