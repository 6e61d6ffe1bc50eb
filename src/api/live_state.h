// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/job.h"
#include "tidegate/live_state.h"

namespace tidegate {

/// Puts a question to a job and comes back with the answer: waits for it, or runs the simulation.
using AskJob = std::function<Result<std::vector<Batch>>(std::string_view name, StateQuery query)>;

/// The two questions of LiveState.
Status read_live_rows(const AskJob& ask, std::string_view name, BatchWriter* key,
                      const std::vector<ColumnSpec>& columns,
                      const std::function<void(const BatchView& rows)>& visit);
Result<std::optional<std::string>> read_live_bytes(const AskJob& ask, std::string_view name,
                                                   std::string_view state, BatchWriter& key);

/// Waits for the answer of a job that runs on threads.
Result<std::vector<Batch>> ask_and_wait(Job& job, std::string_view name, StateQuery query);

}  // namespace tidegate
