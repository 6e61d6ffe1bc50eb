// SPDX-License-Identifier: Apache-2.0
#include "operators/temporal_sort.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "operators/due_rows.h"
#include "operators/join.h"
#include "operators/late_rows.h"
#include "operators/row_layout.h"
#include "operators/stored_rows.h"
#include "state/binary_codec.h"
#include "state/state_backend.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

/// State "waiting": one row per millisecond, in the namespace of that time: its rows in order of
/// arrival, each sort key (sort_order.h) and stored row with their lengths (varint) in front.
/// State "emitted": one row, the time that has come out last (8).
class TemporalSort final : public Operator {
 public:
  TemporalSort(TemporalSortOptions options, SortKeys sort_keys)
      : options_(std::move(options)), sort_keys_(std::move(sort_keys)), rows_(options_.types) {}

  Status open(OperatorContext& context) override {
    TG_CHECK(context.parallelism() == 1, "sort in {} tasks", context.parallelism());
    context_ = &context;
    hash_ = task_hash(context.key_groups());
    late_ = &context.metrics().counter("rows_late");
    late_rows_.emplace(context.metrics(), options_.time_column, -1);
    TG_ASSIGN_OR_RETURN(waiting_, context.state().table(
                                      {"waiting", std::make_shared<RowLayout>("= * v v:stored")}));
    TG_ASSIGN_OR_RETURN(emitted_,
                        context.state().table({"emitted", std::make_shared<FixedLayout>(8)}));
    if (const std::byte* value = emitted_->find(0, {"", hash_})) {
      last_time_.emplace();
      std::memcpy(&*last_time_, value, sizeof(*last_time_));
    }
    if (options_.by_processing_time && !waiting_->empty()) {
      context.request_wake_at(context.clock().wall_ms());
    }
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    if (batch.empty()) return Progress::kDone;
    if (options_.by_processing_time) {
      // Time never goes back, whatever the clock does.
      now_ms_ = std::max({now_ms_, context_->clock().wall_ms(), last_time_.value_or(INT64_MIN)});
      TG_RETURN_IF_ERROR(store(batch, [&](std::int64_t) { return now_ms_; }));
      context_->request_wake_at(now_ms_ + 1);
      return Progress::kDone;
    }
    TG_ASSIGN_OR_RETURN(batch, late_rows_->remove(std::move(batch), kMinWatermark, out));
    TG_ASSIGN_OR_RETURN(batch, remove_late(std::move(batch), out));
    TG_RETURN_IF_ERROR(store(batch, [&](std::int64_t row) { return late_rows_->time(row); }));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    if (options_.by_processing_time) return Progress::kDone;
    bound_ = watermark;
    return resume(out);
  }

  Result<Progress> wake(std::int64_t wall_ms, Output& out) override {
    bound_ = std::max(bound_, wall_ms);
    if (const auto later = waiting_->namespace_at_or_above(bound_)) {
      context_->request_wake_at(*later + 1);
    }
    return resume(out);
  }

  Result<Progress> finish(Output& out) override {
    bound_ = kMaxWatermark;
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    return due_.resume(
        *waiting_, [this](EventTime time) { return is_over(time, bound_); },
        [this](EventTime time) { return line_up(time); }, rows_, out,
        [this](EventTime, const Waiting& waiting) { return rows_.append(waiting.row); });
  }

 private:
  struct Waiting {
    std::string_view sort_key;
    std::string_view row;
  };

  /// Rows of times that have come out cannot come out in order any more.
  Result<Batch> remove_late(Batch batch, Output& out) {
    std::vector<std::int32_t> kept;
    std::vector<std::int32_t> late;
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      (last_time_ && late_rows_->time(row) <= *last_time_ ? late : kept).push_back(row);
    }
    if (late.empty()) return batch;
    late_->add(std::ssize(late));
    if (options_.late_output >= 0) {
      TG_ASSIGN_OR_RETURN(Batch rows, batch.take(late));
      out.emit_side(options_.late_output, std::move(rows));
    }
    TG_ASSIGN_OR_RETURN(batch, batch.take(kept));
    return late_rows_->remove(std::move(batch), kMinWatermark, out);  // reads the times again
  }

  template <typename TimeOf>
  Status store(const Batch& batch, const TimeOf& time_of) {
    TG_RETURN_IF_ERROR(sort_keys_.read(batch));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder.append(row, row_);
      entry_.clear();
      write_bytes(entry_, sort_keys_[row]);
      write_bytes(entry_, row_);
      TG_ASSIGN_OR_RETURN(std::byte * list, waiting_->find_or_create(time_of(row), {"", hash_}));
      append_bytes(*waiting_, list, entry_);
    }
    return waiting_->check_budget();
  }

  /// The rows of a time in order.
  Result<std::vector<Waiting>> line_up(EventTime time) {
    std::vector<Waiting> rows;
    for (const std::byte* value : rows_by_key(*waiting_, time)) {
      std::string_view list = BytesLayout::view(value);
      while (!list.empty()) {
        Waiting& waiting = rows.emplace_back();
        if (!read_bytes(list, waiting.sort_key) || !read_bytes(list, waiting.row)) {
          return error(ErrorCode::kStateCorrupt, "the stored rows of a sort are cut short");
        }
      }
    }
    std::ranges::stable_sort(rows, {}, &Waiting::sort_key);
    last_time_ = time;
    TG_ASSIGN_OR_RETURN(std::byte * value, emitted_->find_or_create(0, {"", hash_}));
    std::memcpy(value, &time, sizeof(time));
    return rows;
  }

  TemporalSortOptions options_;
  SortKeys sort_keys_;
  OperatorContext* context_ = nullptr;
  std::optional<LateRows> late_rows_;
  Counter* late_ = nullptr;
  StateTable* waiting_ = nullptr;
  StateTable* emitted_ = nullptr;
  std::uint64_t hash_ = 0;
  std::optional<EventTime> last_time_;
  EventTime bound_ = kMinWatermark;  // rows before it come out
  std::int64_t now_ms_ = INT64_MIN;
  std::string row_;
  std::string entry_;

  DueRows<Waiting> due_;
  StoredRowDecoder rows_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_temporal_sort(TemporalSortOptions options) {
  TG_ASSIGN_OR_RETURN(SortKeys sort_keys, SortKeys::make(options.order, options.types));
  return std::make_unique<TemporalSort>(std::move(options), std::move(sort_keys));
}

TimeGrain temporal_sort_time_grain(const TemporalSortOptions& options) {
  return options.by_processing_time ? TimeGrain{0, 0} : TimeGrain{1, 0};
}

}  // namespace tidegate
