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
using AskJob = std::function<Result<StateReading>(std::string_view name, StateQuery query)>;

/// Which rows LiveState asks for.
struct LiveQuery {
  BatchWriter* key = nullptr;
  BatchWriter* from = nullptr;
  BatchWriter* to = nullptr;
  bool committed = false;
};

/// The two questions of LiveState. The rows have been visited, and are not in what is answered.
Result<StateReading> read_live_rows(const AskJob& ask, std::string_view name,
                                    const LiveQuery& wanted, const std::vector<ColumnSpec>& columns,
                                    const std::function<void(const BatchView& rows)>& visit);
Result<std::optional<std::string>> read_live_bytes(const AskJob& ask, std::string_view name,
                                                   std::string_view state, BatchWriter& key);

/// Waits for the answer of a job that runs on threads; `ends_epoch`: and ends an epoch for it.
Result<StateReading> ask_and_wait(Job& job, std::string_view name, StateQuery query,
                                  bool ends_epoch);

}  // namespace tidegate
