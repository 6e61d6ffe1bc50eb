// SPDX-License-Identifier: Apache-2.0
#include "runtime/sink_operator.h"

#include <utility>

#include "base/check.h"

namespace tidegate {

Status SinkOperator::open(OperatorContext& context) {
  TG_ASSIGN_OR_RETURN(writer_, sink_->open_writer(context));
  return Status::ok();
}

Result<Progress> SinkOperator::process(int, Batch batch, Output&) {
  return writer_->write(std::move(batch));
}

Result<Progress> SinkOperator::advance(EventTime watermark, Output&) {
  TG_RETURN_IF_ERROR(writer_->advance(watermark));
  return Progress::kDone;
}

Result<Progress> SinkOperator::seal(EpochId, Output&) { return writer_->flush(); }
Result<Progress> SinkOperator::finish(Output&) { return writer_->finish(); }
Result<Progress> SinkOperator::resume(Output&) { return writer_->resume(); }

}  // namespace tidegate
