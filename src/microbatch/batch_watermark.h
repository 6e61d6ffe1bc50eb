// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "dataflow/graph.h"
#include "runtime/epoch_planner.h"
#include "tidegate/status.h"

namespace tidegate {

/// Spark's watermark ("watermark.rule" = "per-batch"): at the end of a batch it is raised to what
/// the batch's rows give (largest event time - delay), and holds for the next batch. Each source
/// with event time has one of its own; the query's is the lowest of them (or the highest). A source
/// that has not shown a row since the start counts as 0. Never goes back.
class BatchWatermark {
 public:
  enum class Policy : std::uint8_t { kMin, kMax };

  /// `uids` of the graph's sources, in its order. kNotSupported for a watermark of the program's
  /// own.
  static Result<BatchWatermark> make(const Graph& graph, const std::vector<std::string>& uids,
                                     Policy policy);

  /// What the query goes on from.
  void restore(EventTime watermark) { watermark_ = watermark; }
  /// A batch has read this.
  void add(const std::vector<SourceRead>& reads);
  EventTime watermark() const { return watermark_; }
  /// False: nobody reads event time, so there is no watermark.
  bool exists() const { return !sources_.empty(); }

 private:
  struct SourceTime {
    std::string uid;
    std::int64_t delay_ms = 0;
    EventTime watermark = 0;
  };
  Policy policy_ = Policy::kMin;
  std::vector<SourceTime> sources_;
  EventTime watermark_ = 0;
};

}  // namespace tidegate
