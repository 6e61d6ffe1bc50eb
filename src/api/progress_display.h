// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "tidegate/job_progress.h"

namespace tidegate {

/// What is shown while a job runs.
enum class ProgressStyle : std::uint8_t {
  kAuto,  ///< on a terminal a live line once the job takes long; everywhere a summary at the end
  kJson,  ///< a JSON object per second and one at the end
  kNone,
};

/// Puts a job's progress into words. Belongs to the thread that waits for the job, which calls
/// update() now and then (a second apart for kJson) and finish() once.
class ProgressDisplay {
 public:
  /// Takes text for stderr.
  using Output = std::function<void(std::string_view)>;

  /// `live`: lines can be written over and nobody else writes there.
  ProgressDisplay(ProgressStyle style, bool live, const Clock& clock, Output output);

  void update(const JobProgress& progress);
  void finish(const JobProgress& progress);

 private:
  struct Totals;
  /// What keeps event time, and so windows, from going on.
  struct Hold {
    std::string source;
    std::string split;
    EventTime watermark = kMinWatermark;
    std::int64_t since_ns = 0;
  };

  void look(const JobProgress& progress);
  double seconds() const;
  std::string live_line(const Totals& totals) const;
  std::string summary(const Totals& totals, JobState state) const;
  std::string json(const Totals& totals, const JobProgress& progress);
  std::string holds_json() const;
  std::string epochs_json(const JobProgress& progress);

  ProgressStyle style_;
  bool live_;
  bool line_shown_ = false;
  const Clock& clock_;
  Output output_;
  std::int64_t start_ns_;
  std::vector<Hold> holds_;  // one per source that has a split that holds time back
  EpochId epochs_told_ = 0;  // json: those up to this one have been in a line
};

}  // namespace tidegate
