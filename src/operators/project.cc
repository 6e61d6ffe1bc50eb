// SPDX-License-Identifier: Apache-2.0
#include "operators/project.h"

#include <utility>

#include "base/check.h"
#include "operators/failing_row.h"

namespace tidegate {
namespace {

class Project final : public Operator {
 public:
  Project(std::shared_ptr<const CompiledProjection> columns, EvalContext context)
      : columns_(std::move(columns)), eval_context_(std::move(context)) {}

  Status open(OperatorContext& context) override {
    eval_context_.clock = &context.clock();
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    auto columns = columns_->evaluate(batch, eval_context_);
    if (!columns) {
      return with_failing_row(batch, std::move(columns).status(), [this](const Batch& row) {
        return columns_->evaluate(row, eval_context_).status();
      });
    }
    out.emit(batch.with_columns(*std::move(columns)));
    return Progress::kDone;
  }

 private:
  const std::shared_ptr<const CompiledProjection> columns_;
  EvalContext eval_context_;
};

}  // namespace

std::unique_ptr<Operator> make_project(std::shared_ptr<const CompiledProjection> columns,
                                       EvalContext context) {
  return std::make_unique<Project>(std::move(columns), std::move(context));
}

}  // namespace tidegate
