// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "operators/deduplicate.h"
#include "operators/join.h"
#include "operators/key_table.h"
#include "operators/late_rows.h"
#include "operators/row_keys.h"
#include "state/state_backend.h"
#include "state/timer_service.h"

namespace tidegate {
namespace {

/// The first row of each key by arrival, as long as the watermark lets the key be remembered.
/// State "seen": one byte per key; "forgotten": a timer per key that is to be forgotten.
class DeduplicateInTime final : public Operator {
 public:
  explicit DeduplicateInTime(DeduplicateOptions options)
      : options_(std::move(options)),
        keys_(options_.keys, types_at(options_.keys, options_.types)) {}

  Status open(OperatorContext& context) override {
    late_rows_.emplace(context.metrics(), options_.late_column, -1);
    TG_ASSIGN_OR_RETURN(seen_, context.state().table({"seen", std::make_shared<FixedLayout>(1)}));
    TG_ASSIGN_OR_RETURN(TimerService timers, TimerService::open(context.state(), "forgotten"));
    timers_.emplace(std::move(timers));
    watermark_ = context.restored_watermark();
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    if (options_.keep_ms >= 0) {
      TG_ASSIGN_OR_RETURN(batch,
                          late_rows_->remove(std::move(batch), add_saturating(watermark_, 1), out));
    }
    if (batch.empty()) return Progress::kDone;
    TG_RETURN_IF_ERROR(keys_.read(batch));
    std::vector<std::int32_t> first;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      if (seen_->find(0, keys_[row]) != nullptr) continue;
      TG_RETURN_IF_ERROR(seen_->find_or_create(0, keys_[row]).status());
      if (options_.keep_ms >= 0) {
        TG_RETURN_IF_ERROR(
            timers_->add(add_saturating(late_rows_->time(row), options_.keep_ms), keys_[row]));
      }
      first.push_back(static_cast<std::int32_t>(row));
    }
    TG_RETURN_IF_ERROR(seen_->check_budget());
    if (first.empty()) return Progress::kDone;
    if (std::ssize(first) < batch.num_rows()) {
      TG_ASSIGN_OR_RETURN(batch, batch.take(first));
    }
    out.emit(std::move(batch));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output&) override {
    watermark_ = watermark;
    Timer timer;
    while (timers_->pop(watermark_, timer)) seen_->erase(0, timer.key);
    return Progress::kDone;
  }

 private:
  DeduplicateOptions options_;
  RowKeys keys_;
  std::optional<LateRows> late_rows_;
  StateTable* seen_ = nullptr;
  std::optional<TimerService> timers_;
  EventTime watermark_ = kMinWatermark;
};

}  // namespace

std::unique_ptr<Operator> make_deduplicate_in_time(DeduplicateOptions options) {
  return std::make_unique<DeduplicateInTime>(std::move(options));
}

}  // namespace tidegate
