// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/progress_display.h"
#include "tidegate/app.h"

namespace tidegate {

/// Waits for the job, shows its progress on stderr, and stops it at Ctrl-C. Returns its outcome.
/// `prints_rows`: the job prints on stdout while it runs; when both are terminals there is no live
/// line then, which would get between the rows.
Status watch(RunningJob& job, ProgressStyle style, bool prints_rows = false);

/// 0 ok, 1 failed, 2 usage, 3 invalid or not supported, 4 cannot reach.
int exit_code_of(const Status& status);

}  // namespace tidegate
