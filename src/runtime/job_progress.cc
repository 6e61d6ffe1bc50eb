// SPDX-License-Identifier: Apache-2.0
#include "tidegate/job_progress.h"

namespace tidegate {

std::string_view job_state_name(JobState state) {
  constexpr std::string_view kNames[] = {"created",    "starting",  "running",
                                         "restarting", "stopping",  "finished",
                                         "stopped",    "cancelled", "failed"};
  return kNames[static_cast<std::uint8_t>(state)];
}

}  // namespace tidegate
