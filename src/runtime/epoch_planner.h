// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/source.h"
#include "tidegate/status.h"
#include "tidegate/time.h"

namespace tidegate {

/// What a planned epoch reads of one split.
struct SplitRange {
  Split split;
  std::optional<std::string> end;  ///< a position; none: where the split ends
};

/// What a planned epoch reads of one source.
struct SourceRange {
  std::string uid;
  std::vector<SplitRange> splits;  ///< in the order in which they should be read
};

/// An epoch whose input is settled before it runs: a micro-batch.
struct PlannedEpoch {
  std::vector<SourceRange> sources;  ///< those that are left out read nothing
  /// Nothing follows: the job drains behind this input, and the epoch is its last one.
  bool ends_input = false;
  /// With JobOptions::watermark_per_epoch: event time for the rows of the epoch, and then, in front
  /// of its barrier, the time that operators emit by.
  EventTime watermark_before = kMinWatermark;
  EventTime watermark = kMinWatermark;
};

/// What was read of one source in a planned epoch.
struct SourceRead {
  std::string uid;
  std::int64_t rows = 0;
  // Event times, of rows that have one.
  std::int64_t times = 0;
  EventTime min_time = kMaxWatermark;
  EventTime max_time = kMinWatermark;
  double sum_of_times = 0;
};

/// Decides what each epoch of a job reads: the micro-batch mode's runner. All calls come from a
/// blocking thread of the job, one at a time; those marked otherwise must not block.
class EpochPlanner {
 public:
  struct Step {
    enum class Kind : std::uint8_t {
      kRun,   ///< `epoch` runs
      kWait,  ///< asked again at `until_ns` of the monotonic clock, or when a source was woken
      kStop,  ///< the job stops here, between two epochs
    };
    Kind kind = Kind::kWait;
    PlannedEpoch epoch;
    std::int64_t until_ns = 0;
  };

  virtual ~EpochPlanner() = default;
  /// What comes next. Called when the job runs, when it is time again, and when the epoch before is
  /// published.
  virtual Result<Step> next() = 0;
  /// Beside the epoch that runs: a chance to look for what the next one may read.
  virtual void prepare() {}
  /// Any thread: whether a job that is asked to stop may end the epoch where it is. Not if the plan
  /// is kept somewhere: then it is read to its end.
  virtual bool may_be_cut() const { return false; }
  /// Any thread; the epoch's input has been read, in the order of the graph's sources; its barrier
  /// follows. Must not block.
  virtual void input_read(const std::vector<SourceRead>&) {}
};

}  // namespace tidegate
