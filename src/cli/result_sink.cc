// SPDX-License-Identifier: Apache-2.0
#include "cli/result_sink.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "cli/result_display.h"

namespace tidegate {

namespace {

class ResultWriter final : public SinkWriter {
 public:
  ResultWriter(ResultDisplay& display, bool with_batch_id)
      : display_(display), with_batch_id_(with_batch_id) {}
  Result<Progress> write(Batch batch) override {
    if (with_batch_id_) {
      batches_.push_back(std::move(batch));
    } else {
      TG_RETURN_IF_ERROR(display_.write(batch));
    }
    return Progress::kDone;
  }
  // Which epoch rows belong to is known when it ends.
  Result<std::string> prepare(EpochId epoch) override {
    if (with_batch_id_) display_.set_batch_id(epoch - 1);
    for (const Batch& batch : std::exchange(batches_, {}))
      TG_RETURN_IF_ERROR(display_.write(batch));
    return std::string();
  }

 private:
  ResultDisplay& display_;
  const bool with_batch_id_;
  std::vector<Batch> batches_;
};

}  // namespace

/// Keeps the rows of an epoch until it is durable.
class ResultSink::EpochWriter final : public SinkWriter {
 public:
  explicit EpochWriter(ResultSink& sink) : sink_(sink) {}
  Result<Progress> write(Batch batch) override {
    rows_.push_back(std::move(batch));
    return Progress::kDone;
  }
  Result<std::string> prepare(EpochId epoch) override {
    if (rows_.empty()) return std::string();
    const std::lock_guard lock(sink_.mutex_);
    sink_.held_[epoch] = std::exchange(rows_, {});
    return std::string("held");
  }

 private:
  ResultSink& sink_;
  std::vector<Batch> rows_;
};

Result<std::shared_ptr<ResultSink>> ResultSink::make(ResultSettings settings, ResultOutput output) {
  return std::shared_ptr<ResultSink>(
      new ResultSink(make_result_display(settings, std::move(output)), settings));
}

ResultSink::ResultSink(std::unique_ptr<ResultDisplay> display, const ResultSettings& settings)
    : display_(std::move(display)),
      with_batch_id_(settings.with_batch_id),
      by_epoch_(settings.by_epoch && !settings.with_batch_id) {}
ResultSink::~ResultSink() = default;

Result<std::unique_ptr<SinkWriter>> ResultSink::open_writer(OperatorContext&) {
  if (by_epoch_) return std::make_unique<EpochWriter>(*this);
  return std::make_unique<ResultWriter>(*display_, with_batch_id_);
}

Status ResultSink::commit(EpochId epoch, const std::string&) {
  std::vector<Batch> rows;
  {
    const std::lock_guard lock(mutex_);
    const auto held = held_.find(epoch);
    if (held == held_.end()) return Status::ok();  // shown before, or by another process
    rows = std::move(held->second);
    held_.erase(held);
  }
  for (const Batch& batch : rows) TG_RETURN_IF_ERROR(display_->write(batch));
  return Status::ok();
}

Status ResultSink::abort(EpochId epoch, const std::string&) {
  const std::lock_guard lock(mutex_);
  held_.erase(epoch);
  return Status::ok();
}

Status ResultSink::refresh() { return display_->refresh(); }
Status ResultSink::finish() { return display_->finish(); }
std::int64_t ResultSink::num_rows() const { return display_->num_rows(); }
bool ResultSink::shows_at_once() const { return display_->shows_at_once(); }

}  // namespace tidegate
