// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "dataflow/operator.h"
#include "dataflow/sink.h"

namespace tidegate {

/// A sink's writer in the place of an operator: the tail of a chain.
class SinkOperator final : public Operator {
 public:
  explicit SinkOperator(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}

  Status open(OperatorContext& context) override;
  Result<Progress> process(int input, Batch batch, Output& out) override;
  Result<Progress> advance(EventTime watermark, Output& out) override;
  Result<Progress> seal(EpochId epoch, Output& out) override;
  Result<Progress> finish(Output& out) override;
  Result<Progress> resume(Output& out) override;

  void idle(bool idle) { writer_->idle(idle); }
  /// Once seal() or finish() is done.
  Result<std::string> prepare(EpochId epoch) { return writer_->prepare(epoch); }

 private:
  std::shared_ptr<Sink> sink_;
  std::unique_ptr<SinkWriter> writer_;
};

}  // namespace tidegate
