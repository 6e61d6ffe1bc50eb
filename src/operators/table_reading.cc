// SPDX-License-Identifier: Apache-2.0
#include "operators/table_reading.h"

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

constexpr std::int64_t kPollRows = 8192;
/// Batches that are read before other operators of the task get their turn.
constexpr int kBatchesAtOnce = 64;

}  // namespace

class TableReading::Context final : public SourceContext {
 public:
  explicit Context(OperatorContext& context)
      : name_(context.operator_name()),
        clock_(context.clock()),
        executor_(context.executor()),
        metrics_(context.metrics()),
        waker_(context.waker()) {}

  const std::string& source_name() const override { return name_; }
  const Clock& clock() const override { return clock_; }
  Executor& executor() override { return executor_; }
  MetricGroup& metrics() override { return metrics_; }
  Waker waker() override { return waker_; }

 private:
  std::string name_;
  const Clock& clock_;
  Executor& executor_;
  MetricGroup& metrics_;
  Waker waker_;
};

/// What the search has found.
struct TableReading::Search {
  std::mutex mutex;
  std::optional<Result<Discovery>> found;
};

TableReading::TableReading(std::shared_ptr<Source> source, OperatorContext& context)
    : source_(std::move(source)),
      context_(std::make_shared<Context>(context)),
      search_(std::make_shared<Search>()) {}
TableReading::~TableReading() = default;

Result<std::unique_ptr<TableReading>> TableReading::begin(std::shared_ptr<Source> source,
                                                          OperatorContext& context) {
  if (!source->is_bounded()) {
    return error(ErrorCode::kNotSupported,
                 "a lookup join over a table that does not end; join with its latest version");
  }
  std::unique_ptr<TableReading> reading(new TableReading(std::move(source), context));
  TG_RETURN_IF_ERROR(reading->source_->open(*reading->context_));
  reading->look_for_splits(context);
  return reading;
}

void TableReading::look_for_splits(OperatorContext& context) {
  context.executor().submit_blocking(
      [source = source_, search = search_, keep = context_, waker = context.waker()] {
        Result<Discovery> found = source->discover({});
        const std::lock_guard lock(search->mutex);
        search->found.emplace(std::move(found));
        waker.wake();
      });
}

Result<bool> TableReading::go_on() {
  if (!found_) {
    const std::lock_guard lock(search_->mutex);
    if (!search_->found) return false;
    TG_ASSIGN_OR_RETURN(Discovery discovery, *std::move(search_->found));
    splits_ = std::move(discovery.splits);
    found_ = true;
  }
  for (int batches = 0; split_ < splits_.size(); ++batches) {
    if (batches == kBatchesAtOnce) {
      context_->waker().wake();
      return false;
    }
    TG_ASSIGN_OR_RETURN(const bool more, read_split());
    if (!more) return false;
  }
  return true;
}

/// One batch of the split that is being read; false when there is none yet.
Result<bool> TableReading::read_split() {
  if (reader_ == nullptr) {
    TG_ASSIGN_OR_RETURN(reader_, source_->open_split(splits_[split_], std::nullopt, *context_));
  }
  TG_ASSIGN_OR_RETURN(Polled polled, reader_->poll(kPollRows));
  switch (polled.state) {
    case Polled::State::kPending:
      return false;
    case Polled::State::kRows:
      if (!polled.batch.empty()) batches_.push_back(std::move(polled.batch));
      return true;
    case Polled::State::kLimit:  // of splits that are read up to a place; these are read whole
    case Polled::State::kEnd:
      reader_.reset();
      ++split_;
      return true;
  }
  return true;
}

}  // namespace tidegate
