// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tidegate/app.h"

namespace tidegate {

/// What is shown while a job runs.
enum class ProgressStyle : std::uint8_t {
  kAuto,  ///< a live line on a terminal, and a summary at the end
  kJson,  ///< a JSON object per second and one at the end
  kNone,
};

/// Waits for the job, shows its progress on stderr, and stops it at Ctrl-C. Returns its outcome.
Status watch(RunningJob& job, ProgressStyle style);

/// 0 ok, 1 failed, 2 usage, 3 invalid or not supported, 4 cannot reach.
int exit_code_of(const Status& status);

}  // namespace tidegate
