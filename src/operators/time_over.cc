// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "operators/group_join.h"
#include "operators/join.h"
#include "operators/key_table.h"
#include "operators/late_rows.h"
#include "operators/ordered_over.h"
#include "operators/row_keys.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

/// By event time: rows wait for the watermark. State "waiting", in the namespace of their time, per
/// key: a list (group_join.h) of stored rows.
class EventTimeOver final : public Operator {
 public:
  explicit EventTimeOver(OverAggregateOptions options)
      : options_(std::move(options)),
        keys_(options_.keys, types_at(options_.keys, options_.types)),
        over_(options_) {}

  Status open(OperatorContext& context) override {
    late_rows_.emplace(context.metrics(), options_.time_column, options_.late_output);
    const StateTableSpec spec{.name = "waiting", .layout = std::make_shared<BytesLayout>()};
    TG_ASSIGN_OR_RETURN(waiting_, context.state().table(spec));
    return over_.open(context);
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    TG_ASSIGN_OR_RETURN(batch, late_rows_->remove(std::move(batch), watermark_, out));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder.append(row, row_);
      entry_.clear();
      append_to_list(entry_, row_);
      TG_ASSIGN_OR_RETURN(std::byte * list,
                          waiting_->find_or_create(late_rows_->time(row), keys_[row]));
      append_bytes(*waiting_, list, entry_);
    }
    TG_RETURN_IF_ERROR(waiting_->check_budget());
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    watermark_ = watermark;
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    while (true) {
      const std::optional<EventTime> time = waiting_->first_namespace();
      if (!time || (*time >= watermark_ && watermark_ != kMaxWatermark)) break;
      if (leaving_.empty()) leaving_ = rows_by_key(*waiting_, *time);
      while (next_ < leaving_.size() && !over_.full()) {
        const std::byte* list = leaving_[next_++];
        TG_ASSIGN_OR_RETURN(const auto rows, rows_of_list(BytesLayout::view(list)));
        TG_RETURN_IF_ERROR(over_.add(waiting_->state_key(list), *time, rows));
      }
      if (next_ == leaving_.size()) {
        waiting_->drop(*time);
        leaving_.clear();
        next_ = 0;
      }
      if (!over_.full()) continue;
      TG_RETURN_IF_ERROR(over_.flush(out));
      if (!out.has_credit()) return Progress::kMore;
    }
    TG_RETURN_IF_ERROR(over_.flush(out));
    TG_RETURN_IF_ERROR(over_.forget(watermark_));
    return Progress::kDone;
  }

 private:
  OverAggregateOptions options_;
  RowKeys keys_;
  OrderedOver over_;
  std::optional<LateRows> late_rows_;
  StateTable* waiting_ = nullptr;
  EventTime watermark_ = kMinWatermark;
  std::string row_;
  std::string entry_;

  // The keys of one millisecond on their way out.
  std::vector<std::byte*> leaving_;
  std::size_t next_ = 0;
};

/// In the order of arrival.
class ArrivalOver final : public Operator {
 public:
  explicit ArrivalOver(OverAggregateOptions options)
      : options_(std::move(options)),
        keys_(options_.keys, types_at(options_.keys, options_.types)),
        over_(options_) {}

  Status open(OperatorContext& context) override { return over_.open(context); }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    TG_RETURN_IF_ERROR(over_.forget(kMinWatermark));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder.append(row, row_);
      const std::string_view one[] = {row_};
      TG_RETURN_IF_ERROR(over_.add(keys_[row], 0, one));
      if (over_.full()) TG_RETURN_IF_ERROR(over_.flush(out));
    }
    TG_RETURN_IF_ERROR(over_.flush(out));
    return Progress::kDone;
  }

 private:
  OverAggregateOptions options_;
  RowKeys keys_;
  OrderedOver over_;
  std::string row_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_time_over(OverAggregateOptions options) {
  if (options.over == OverOrder::kArrival) return std::make_unique<ArrivalOver>(std::move(options));
  return std::make_unique<EventTimeOver>(std::move(options));
}

}  // namespace tidegate
