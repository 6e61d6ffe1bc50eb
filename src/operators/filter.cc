// SPDX-License-Identifier: Apache-2.0
#include "operators/filter.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "operators/failing_row.h"

namespace tidegate {
namespace {

class Filter final : public Operator {
 public:
  Filter(std::shared_ptr<const CompiledFilter> condition, EvalContext context)
      : condition_(std::move(condition)), eval_context_(std::move(context)) {}

  Status open(OperatorContext& context) override {
    eval_context_.clock = &context.clock();
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    if (Status status = condition_->select(batch, eval_context_, rows_); !status.is_ok()) {
      return with_failing_row(batch, std::move(status), [this](const Batch& row) {
        return condition_->select(row, eval_context_, rows_);
      });
    }
    if (rows_.empty()) return Progress::kDone;
    const auto count = std::ssize(rows_);
    if (count == batch.num_rows()) {
      out.emit(std::move(batch));
    } else if (rows_.back() - rows_.front() + 1 == count) {
      // Neighbours, as in sorted input: nothing has to be copied.
      out.emit(batch.slice(rows_.front(), count));
    } else {
      TG_ASSIGN_OR_RETURN(Batch kept, batch.take(rows_));
      out.emit(std::move(kept));
    }
    return Progress::kDone;
  }

 private:
  const std::shared_ptr<const CompiledFilter> condition_;
  EvalContext eval_context_;
  std::vector<std::int32_t> rows_;
};

}  // namespace

std::unique_ptr<Operator> make_filter(std::shared_ptr<const CompiledFilter> condition,
                                      EvalContext context) {
  return std::make_unique<Filter>(std::move(condition), std::move(context));
}

}  // namespace tidegate
