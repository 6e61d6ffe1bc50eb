// SPDX-License-Identifier: Apache-2.0
#include "dataflow/sink.h"

#include "base/check.h"

namespace tidegate {

Status Sink::commit(EpochId, const std::string&) { return Status::ok(); }
Status Sink::commit_all(EpochId epoch, std::span<const std::string> committables) {
  for (const std::string& committable : committables)
    TG_RETURN_IF_ERROR(commit(epoch, committable));
  return Status::ok();
}
Status Sink::abort(EpochId, const std::string&) { return Status::ok(); }

}  // namespace tidegate
