// SPDX-License-Identifier: Apache-2.0
#include "operators/drop_late.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "operators/join.h"
#include "operators/late_rows.h"

namespace tidegate {
namespace {

class DropLate final : public Operator {
 public:
  explicit DropLate(int time_column) : time_column_(time_column) {}

  Status open(OperatorContext& context) override {
    late_rows_.emplace(context.metrics(), time_column_, -1);
    watermark_ = context.restored_watermark();
    return Status::ok();
  }
  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_ASSIGN_OR_RETURN(batch,
                        late_rows_->remove(std::move(batch), add_saturating(watermark_, 1), out));
    out.emit(std::move(batch));
    return Progress::kDone;
  }
  Result<Progress> advance(EventTime watermark, Output&) override {
    watermark_ = watermark;
    return Progress::kDone;
  }

 private:
  int time_column_;
  std::optional<LateRows> late_rows_;
  EventTime watermark_ = kMinWatermark;
};

}  // namespace

std::unique_ptr<Operator> make_drop_late(int time_column) {
  return std::make_unique<DropLate>(time_column);
}

}  // namespace tidegate
