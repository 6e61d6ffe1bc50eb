// SPDX-License-Identifier: Apache-2.0
#include "operators/window_rank.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/due_rows.h"
#include "operators/event_times.h"
#include "operators/join.h"
#include "operators/key_table.h"
#include "operators/ranked_rows.h"
#include "operators/row_keys.h"
#include "operators/row_layout.h"
#include "operators/stored_rows.h"
#include "operators/top_rows.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"
#include "windows/window_time.h"

namespace tidegate {
namespace {

/// State "top", in the namespace of a window's end, per start of the window (8) | key: top_rows.h.
class WindowRank final : public Operator {
 public:
  WindowRank(WindowRankOptions options, SortKeys sort_keys)
      : options_(std::move(options)),
        keys_(options_.keys, types_at(options_.keys, options_.types)),
        sort_keys_(std::move(sort_keys)),
        rows_(options_.types, options_.rank_start, options_.rank_end, options_.emit_rank_number,
              Changelog::kAppend) {}

  Status open(OperatorContext& context) override {
    late_ = &context.metrics().counter("rows_late");
    null_time_ = &context.metrics().counter("rows_null_time");
    const StateTableSpec spec{
        .name = "top", .layout = std::make_shared<RowLayout>("= top"), .presize = true};
    TG_ASSIGN_OR_RETURN(table_, context.state().table(spec));
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    TG_RETURN_IF_ERROR(sort_keys_.read(batch));
    TG_RETURN_IF_ERROR(starts_.read(batch, options_.window_start_column));
    TG_RETURN_IF_ERROR(ends_.read(batch, options_.window_end_column));
    const StoredRowEncoder encoder(batch);
    std::vector<std::int32_t> late;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      if (starts_.is_null(row) || ends_.is_null(row)) {
        null_time_->add(1);
      } else if (window_is_closed(end(row), 0, watermark_)) {
        late.push_back(static_cast<std::int32_t>(row));
      } else {
        TG_RETURN_IF_ERROR(add(encoder, row));
      }
    }
    TG_RETURN_IF_ERROR(table_->check_budget());
    TG_RETURN_IF_ERROR(report_late(batch, late, out));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    watermark_ = watermark;
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    return due_.resume(
        *table_, [this](EventTime end) { return window_is_closed(end, 0, watermark_); },
        [this](EventTime end) { return rows_by_key(*table_, end); }, rows_, out,
        [this](EventTime, const std::byte* value) { return collect(value); });
  }

 private:
  EventTime end(std::int64_t row) const { return ends_.times()[static_cast<std::size_t>(row)]; }

  Status add(const StoredRowEncoder& encoder, std::int64_t row) {
    key_.clear();
    write_fixed(key_, starts_.times()[static_cast<std::size_t>(row)]);
    key_ += keys_[row].bytes;
    const StateKey key{key_, keys_[row].hash};
    const std::byte* known = table_->find(end(row), key);
    const std::string_view bytes = known == nullptr ? std::string_view() : BytesLayout::view(known);
    TG_ASSIGN_OR_RETURN(const TopRows top, TopRows::read(bytes));
    const std::string_view sort_key = sort_keys_[row];
    if (top.size() >= options_.rank_end) {
      TG_ASSIGN_OR_RETURN(const TopRows::Entry last, top.last());
      if (!is_before(sort_key, last.key)) return Status::ok();
    }
    TG_RETURN_IF_ERROR(top.entries(entries_));
    std::size_t at = entries_.size();
    while (at > 0 && is_before(sort_key, entries_[at - 1].key)) --at;
    row_.clear();
    encoder.append(row, row_);
    entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(at), {sort_key, row_});
    if (std::ssize(entries_) > options_.rank_end) entries_.pop_back();
    write_top_rows(entries_, bytes_);
    TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(end(row), key));
    assign_bytes(*table_, value, bytes_);
    return Status::ok();
  }

  /// Whether a row comes before one that has arrived earlier.
  bool is_before(std::string_view sort_key, std::string_view earlier) const {
    return options_.latest_of_ties_first ? sort_key <= earlier : sort_key < earlier;
  }

  Status collect(const std::byte* value) {
    TG_ASSIGN_OR_RETURN(const TopRows top, TopRows::read(BytesLayout::view(value)));
    TG_RETURN_IF_ERROR(top.entries(entries_));
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      TG_RETURN_IF_ERROR(rows_.insert(entries_[i].row, static_cast<std::int64_t>(i) + 1));
    }
    return Status::ok();
  }

  Status report_late(const Batch& batch, const std::vector<std::int32_t>& late, Output& out) {
    late_->add(std::ssize(late));
    if (options_.late_output < 0 || late.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch rows, batch.take(late));
    out.emit_side(options_.late_output, std::move(rows));
    return Status::ok();
  }

  WindowRankOptions options_;
  RowKeys keys_;
  SortKeys sort_keys_;
  EventTimes starts_;
  EventTimes ends_;
  Counter* late_ = nullptr;
  Counter* null_time_ = nullptr;
  StateTable* table_ = nullptr;
  EventTime watermark_ = kMinWatermark;

  // Of the current row.
  std::string key_;
  std::vector<TopRows::Entry> entries_;
  std::string row_;
  std::string bytes_;

  DueRows<> due_;
  RankedRows rows_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_window_rank(WindowRankOptions options) {
  if (options.rank_start < 1 || options.rank_end < options.rank_start) {
    return error(ErrorCode::kInvalidArgument, "Top-N per window from rank {} to {}",
                 options.rank_start, options.rank_end);
  }
  if (options.window_start_column < 0 || options.window_end_column < 0) {
    return error(ErrorCode::kInvalidArgument, "Top-N per window: its rows have no window");
  }
  TG_ASSIGN_OR_RETURN(SortKeys sort_keys, SortKeys::make(options.order, options.types));
  return std::make_unique<WindowRank>(std::move(options), std::move(sort_keys));
}

}  // namespace tidegate
