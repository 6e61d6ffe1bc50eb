// SPDX-License-Identifier: Apache-2.0
#include "dataflow/sink.h"

namespace tidegate {

Status Sink::commit(EpochId, const std::string&) { return Status::ok(); }
Status Sink::abort(EpochId, const std::string&) { return Status::ok(); }

}  // namespace tidegate
