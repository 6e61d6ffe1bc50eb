// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "api/progress_display.h"
#include "tidegate/app.h"

namespace tidegate {

struct WatchOptions {
  ProgressStyle progress = ProgressStyle::kAuto;
  /// The job prints on stdout while it runs. When that and stderr are terminals there is no live
  /// line then, which would get between the rows.
  bool prints_rows = false;
  /// Called some times a second while the job runs.
  std::function<void()> every_step;
};

/// Waits for the job, shows its progress on stderr, and stops it at Ctrl-C. Returns its outcome.
Status watch(RunningJob& job, const WatchOptions& options);
Status watch(RunningJob& job, ProgressStyle style);

/// In micro-batch mode progress as JSON is a line per batch, which is set up in `options`; the
/// answer is what is left to be shown by watch().
ProgressStyle report_batches(RunOptions& options, ProgressStyle style);

/// 0 ok, 1 failed, 2 usage, 3 invalid or not supported, 4 cannot reach.
int exit_code_of(const Status& status);

}  // namespace tidegate
