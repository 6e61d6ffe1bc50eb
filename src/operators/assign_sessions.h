// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "operators/assign_windows.h"
#include "operators/window_clock.h"

namespace tidegate {

/// SESSION of assign_windows.h, but for window_time: output columns are those of the input,
/// window_start and window_end. `time_column` -1: attached times.
Result<std::unique_ptr<WindowOperator>> make_assign_sessions(AssignWindowsOptions options);

}  // namespace tidegate
