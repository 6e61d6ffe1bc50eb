// SPDX-License-Identifier: Apache-2.0
#include "cli/result_sink.h"

#include <utility>

#include "base/check.h"
#include "cli/result_display.h"

namespace tidegate {

namespace {

class ResultWriter final : public SinkWriter {
 public:
  explicit ResultWriter(ResultDisplay& display) : display_(display) {}
  Result<Progress> write(Batch batch) override {
    TG_RETURN_IF_ERROR(display_.write(batch));
    return Progress::kDone;
  }
  Result<std::string> prepare(EpochId) override { return std::string(); }

 private:
  ResultDisplay& display_;
};

}  // namespace

Result<std::shared_ptr<ResultSink>> ResultSink::make(ResultSettings settings, ResultOutput output) {
  return std::shared_ptr<ResultSink>(
      new ResultSink(make_result_display(settings, std::move(output))));
}

ResultSink::ResultSink(std::unique_ptr<ResultDisplay> display) : display_(std::move(display)) {}
ResultSink::~ResultSink() = default;

Result<std::unique_ptr<SinkWriter>> ResultSink::open_writer(OperatorContext&) {
  return std::make_unique<ResultWriter>(*display_);
}

Status ResultSink::refresh() { return display_->refresh(); }
Status ResultSink::finish() { return display_->finish(); }
std::int64_t ResultSink::num_rows() const { return display_->num_rows(); }
bool ResultSink::shows_at_once() const { return display_->shows_at_once(); }

}  // namespace tidegate
