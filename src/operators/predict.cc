// SPDX-License-Identifier: Apache-2.0
#include "operators/predict.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

class Predict final : public Operator {
 public:
  explicit Predict(PredictOptions options) : options_(std::move(options)) {}

  Status open(OperatorContext& context) override {
    executor_ = &context.executor();
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    choose_model();
    std::vector<ArrayPtr> inputs;
    for (int column : options_.columns) inputs.push_back(batch.column(column));
    TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> scores, scorer_->score(inputs, batch.num_rows()));
    std::vector<ArrayPtr> columns = batch.columns();
    columns.insert(columns.end(), scores.begin(), scores.end());
    if (options_.with_version) {
      TG_ASSIGN_ARROW_OR_RETURN(
          auto version,
          arrow::MakeArrayFromScalar(arrow::StringScalar(model_->version()), batch.num_rows()),
          "the version of a model");
      columns.push_back(std::move(version));
    }
    out.emit(batch.with_columns(std::move(columns)));
    return Progress::kDone;
  }

  Result<Progress> seal(EpochId epoch, Output&) override {
    epoch_ = epoch + 1;
    chosen_ = false;
    return Progress::kDone;
  }

 private:
  void choose_model() {
    if (std::exchange(chosen_, true)) return;
    std::shared_ptr<const Model> model = options_.model->of_epoch(epoch_);
    if (model != model_) {
      model_ = std::move(model);
      scorer_ = model_->make_scorer();
    }
    if (epoch_ > 0 && options_.model->wants_look(epoch_)) {
      executor_->submit_blocking([versions = options_.model] { versions->look(); });
    }
  }

  const PredictOptions options_;
  Executor* executor_ = nullptr;
  EpochId epoch_ = 0;  // 0: the first, whichever it is
  bool chosen_ = false;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Scorer> scorer_;
};

}  // namespace

std::unique_ptr<Operator> make_predict(PredictOptions options) {
  return std::make_unique<Predict>(std::move(options));
}

}  // namespace tidegate
