// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/job.h"
#include "tidegate/app.h"
#include "tidegate/status.h"

namespace tidegate {

/// Fills in where the options of a run say that state is kept, and how much memory it may take.
Status choose_state_store(const RunOptions& options, JobOptions& job);

}  // namespace tidegate
