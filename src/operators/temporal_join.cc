// SPDX-License-Identifier: Apache-2.0
#include "operators/temporal_join.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "operators/late_rows.h"
#include "operators/latest_row_join.h"
#include "operators/row_keys.h"
#include "operators/row_layout.h"
#include "operators/row_versions.h"
#include "operators/single_match.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

constexpr int kLeft = 0;

/// State: the versions of the right (row_versions.h), and
///   "left", in the namespace of a row's time, by 1 if the key holds a null, else 0 (1) | join key:
///           rows in order of arrival, each kind (1) | the row (row_codec.h): length (varint),
///           bytes
class TemporalJoin final : public Operator {
 public:
  explicit TemporalJoin(TemporalJoinOptions options)
      : options_(std::move(options)),
        outer_(options_.kind == JoinKind::kLeft),
        left_keys_(options_.left.keys, join_key_types(options_.left)),
        right_keys_(options_.right.keys, join_key_types(options_.right)),
        joined_(options_.left.types, options_.right.types) {}

  Status open(OperatorContext& context) override {
    left_times_.emplace(context.metrics(), options_.left.time_column, -1);
    right_times_.emplace(context.metrics(), options_.right.time_column, -1);
    watermark_ = forgotten_ = context.restored_watermark();
    TG_ASSIGN_OR_RETURN(
        left_, context.state().table({"left", std::make_shared<RowLayout>("* 1 v:row", kLeft)}));
    return versions_.open(context.state());
  }

  Result<Progress> process(int input, Batch batch, Output& out) override {
    // No row is too late: only those without time go.
    LateRows& times = input == kLeft ? *left_times_ : *right_times_;
    TG_ASSIGN_OR_RETURN(batch, times.remove(std::move(batch), kMinWatermark, out));
    TG_RETURN_IF_ERROR(input == kLeft ? store_left(batch) : store_right(batch));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    // After a restore it is the one that rows have been emitted for.
    if (watermark <= watermark_) return Progress::kDone;
    watermark_ = watermark;
    return emit_until_watermark(out);
  }

  Result<Progress> resume(Output& out) override { return emit_until_watermark(out); }

 private:
  Status store_left(const Batch& batch) {
    TG_RETURN_IF_ERROR(left_keys_.read(batch));
    const RowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const bool has_null = left_keys_.has_null(row);
      if (has_null && !outer_) continue;
      row_bytes_.clear();
      encoder.append(row, row_bytes_);
      entry_.clear();
      write_fixed(entry_, batch.row_kind(row));
      write_bytes(entry_, row_bytes_);
      key_.assign(1, has_null ? 1 : 0);
      key_ += left_keys_[row].bytes;
      const StateKey key{key_, left_keys_[row].hash};
      TG_ASSIGN_OR_RETURN(std::byte * list, left_->find_or_create(left_times_->time(row), key));
      append_bytes(*left_, list, entry_);
    }
    return left_->check_budget();
  }

  Status store_right(const Batch& batch) {
    TG_RETURN_IF_ERROR(right_keys_.read(batch));
    const RowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const RowKind kind = batch.row_kind(row);
      if (kind == RowKind::kUpdateBefore || right_keys_.has_null(row)) continue;
      const bool deletes = kind == RowKind::kDelete;
      row_bytes_.clear();
      if (!deletes) encoder.append(row, row_bytes_);
      TG_RETURN_IF_ERROR(
          versions_.put(right_keys_[row], right_times_->time(row), deletes, row_bytes_));
    }
    return versions_.check_budget();
  }

  // ---- rows whose time has come

  Result<Progress> emit_until_watermark(Output& out) {
    while (true) {
      const std::optional<EventTime> time = left_->first_namespace();
      if (!time || (*time >= watermark_ && watermark_ != kMaxWatermark)) break;
      if (leaving_.empty()) leaving_ = rows_by_key(*left_, *time);
      TG_ASSIGN_OR_RETURN(const bool all, join_rows(*time));
      if (all) {
        left_->drop(*time);
        leaving_.clear();
        list_ = offset_ = 0;
      }
      if (!joined_.full()) continue;
      TG_RETURN_IF_ERROR(flush(out));
      if (!out.has_credit()) return Progress::kMore;
    }
    TG_RETURN_IF_ERROR(flush(out));
    TG_RETURN_IF_ERROR(versions_.forget(watermark_));
    forgotten_ = watermark_;
    return Progress::kDone;
  }

  /// Joins the rows of one millisecond until there are no more (true) or enough for a batch.
  Result<bool> join_rows(EventTime time) {
    for (; list_ < leaving_.size(); ++list_, offset_ = 0) {
      if (joined_.full()) return false;
      const std::string_view key = left_->key(leaving_[list_]);
      const std::byte* versions =
          key[0] != 0 ? nullptr : versions_.find({key.substr(1), left_->hash(leaving_[list_])});
      std::optional<std::string_view> right;
      if (versions != nullptr) {
        TG_ASSIGN_OR_RETURN(right, versions_.valid_at(versions, time, forgotten_));
      }
      if (!right && !outer_) continue;
      const std::string_view list = BytesLayout::view(leaving_[list_]);
      while (offset_ < list.size()) {
        if (joined_.full()) return false;
        TG_RETURN_IF_ERROR(join_row(list, right, time));
      }
    }
    return true;
  }

  Status join_row(std::string_view list, std::optional<std::string_view> right, EventTime time) {
    std::string_view rest = list.substr(offset_);
    RowKind kind = RowKind::kInsert;
    std::string_view row;
    if (!read_fixed(rest, kind) || !read_bytes(rest, row) || kind > RowKind::kDelete) {
      return error(ErrorCode::kStateCorrupt, "the stored rows of a temporal join are cut short");
    }
    offset_ = list.size() - rest.size();
    matched_.push_back(right.has_value());
    return joined_.add(row, right, time, kind);
  }

  Status flush(Output& out) {
    if (joined_.num_rows() == 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch joined, joined_.take());
    const std::vector<bool> matched = std::exchange(matched_, {});
    const auto left_columns = static_cast<int>(options_.left.types.size());
    TG_ASSIGN_OR_RETURN(joined, where_matched(std::move(joined), matched, left_columns, outer_,
                                              options_.condition));
    out.emit(std::move(joined));
    return Status::ok();
  }

  const TemporalJoinOptions options_;
  const bool outer_;
  RowKeys left_keys_;
  RowKeys right_keys_;
  std::optional<LateRows> left_times_;
  std::optional<LateRows> right_times_;
  StateTable* left_ = nullptr;
  RowVersions versions_;
  EventTime watermark_ = kMinWatermark;
  EventTime forgotten_ = kMinWatermark;  // the watermark before that one
  std::string row_bytes_;
  std::string entry_;
  std::string key_;

  // Rows of the first millisecond on their way out: by key, and how far that has come.
  std::vector<std::byte*> leaving_;
  std::size_t list_ = 0;
  std::size_t offset_ = 0;
  JoinedRows joined_;
  std::vector<bool> matched_;  // of the rows in joined_
};

}  // namespace

Result<std::unique_ptr<Operator>> make_temporal_join(TemporalJoinOptions options) {
  TG_RETURN_IF_ERROR(check_join_inputs(options.left, options.right));
  if (options.kind != JoinKind::kInner && options.kind != JoinKind::kLeft) {
    return error(ErrorCode::kNotSupported,
                 "a temporal join is an inner or a left outer join; the versioned table is its "
                 "right side");
  }
  if (!options.by_event_time) return make_latest_row_join(std::move(options));
  return std::unique_ptr<Operator>(std::make_unique<TemporalJoin>(std::move(options)));
}

TimeGrain temporal_join_time_grain(const TemporalJoinOptions& options) {
  return options.by_event_time ? TimeGrain{1, 0} : TimeGrain{0, 0};
}

}  // namespace tidegate
