// SPDX-License-Identifier: Apache-2.0
#include "dataflow/operator.h"

namespace tidegate {

Result<Progress> Operator::advance(EventTime, Output&) { return Progress::kDone; }
Result<Progress> Operator::wake(std::int64_t, Output&) { return Progress::kDone; }
Result<Progress> Operator::seal(EpochId, Output&) { return Progress::kDone; }
Result<Progress> Operator::finish(Output&) { return Progress::kDone; }
Result<Progress> Operator::resume(Output&) { return Progress::kDone; }

}  // namespace tidegate
