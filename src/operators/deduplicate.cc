// SPDX-License-Identifier: Apache-2.0
#include "operators/deduplicate.h"

#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "operators/due_rows.h"
#include "operators/join.h"
#include "operators/key_table.h"
#include "operators/late_rows.h"
#include "operators/row_layout.h"
#include "operators/stored_rows.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

/// The first row of each key by arrival: the key is all the state, and rows leave as they came.
/// State "seen": one byte per key, which tells a row that was made just now.
class FirstByArrival final : public Operator {
 public:
  explicit FirstByArrival(const DeduplicateOptions& options)
      : keys_(options.keys, options.types, options.ttl_ms) {}

  Status open(OperatorContext& context) override {
    return keys_.open(context, "seen", std::make_shared<FixedLayout>(1));
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    std::vector<std::int32_t> first;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      std::byte& seen = *keys_.value(row);
      if (seen != std::byte{0}) continue;
      seen = std::byte{1};
      first.push_back(static_cast<std::int32_t>(row));
    }
    if (std::ssize(first) == batch.num_rows()) {
      out.emit(std::move(batch));
    } else if (!first.empty()) {
      TG_ASSIGN_OR_RETURN(Batch firsts, batch.take(first));
      out.emit(std::move(firsts));
    }
    return Progress::kDone;
  }

 private:
  KeyTable keys_;
};

/// One row per key, replaced by a better one, as a changelog.
/// State "kept", per key: event time if that decides, else 0 (8) | the row (stored_rows.h).
class KeptRow final : public Operator {
 public:
  explicit KeptRow(DeduplicateOptions options)
      : options_(std::move(options)),
        keys_(options_.keys, options_.types, options_.ttl_ms),
        changes_(options_.types) {}

  Status open(OperatorContext& context) override {
    if (options_.by_event_time) times_.emplace(context.metrics(), options_.time_column, -1);
    return keys_.open(context, "kept", std::make_shared<RowLayout>("8 stored"));
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    // Nothing is late here: only rows without time go.
    if (times_) {
      TG_ASSIGN_OR_RETURN(batch, times_->remove(std::move(batch), kMinWatermark, out));
    }
    TG_RETURN_IF_ERROR(keys_.read(batch));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const EventTime time = times_ ? times_->time(row) : 0;
      value_.clear();
      write_fixed(value_, time);
      encoder.append(row, value_);
      TG_RETURN_IF_ERROR(compare(time, keys_.value(row)));
      if (changes_.full()) TG_RETURN_IF_ERROR(changes_.flush(out));
    }
    TG_RETURN_IF_ERROR(changes_.flush(out));
    TG_RETURN_IF_ERROR(keys_.table().check_budget());
    return Progress::kDone;
  }

 private:
  /// The row in value_ against the kept one of its key.
  Status compare(EventTime time, std::byte* kept) {
    std::string_view before = BytesLayout::view(kept);
    const bool first = before.empty();
    EventTime kept_time = 0;
    if (!first) {
      if (!tells_equal_rows_ && before == value_) return Status::ok();
      if (!read_fixed(before, kept_time)) {
        return error(ErrorCode::kStateCorrupt, "the kept row of a key is cut short");
      }
      if (options_.keep_last ? time < kept_time : time >= kept_time) return Status::ok();
      if (options_.changelog == Changelog::kRetract) {
        TG_RETURN_IF_ERROR(changes_.append(before, RowKind::kUpdateBefore));
      }
    }
    const std::string_view row = std::string_view(value_).substr(sizeof(time));
    TG_RETURN_IF_ERROR(changes_.append(row, first ? RowKind::kInsert : RowKind::kUpdateAfter));
    assign_bytes(keys_.table(), kept, value_);
    keys_.touch(kept);
    return Status::ok();
  }

  DeduplicateOptions options_;
  /// As Flink does: by time it does not look, and with a TTL downstream state must stay alive.
  const bool tells_equal_rows_ = options_.by_event_time || options_.ttl_ms > 0;
  KeyTable keys_;
  std::optional<LateRows> times_;
  std::string value_;
  StoredRowDecoder changes_;
};

/// The first row of each key by event time, once that is certain.
/// State "first", per key: the event time of its first row so far, or kEmitted (8).
/// State "waiting", in the namespace of that time, per key: the row (stored_rows.h).
class FirstByTime final : public Operator {
 public:
  explicit FirstByTime(DeduplicateOptions options)
      : options_(std::move(options)),
        keys_(options_.keys, options_.types, options_.ttl_ms),
        rows_(options_.types) {}

  Status open(OperatorContext& context) override {
    late_rows_.emplace(context.metrics(), options_.time_column, -1);
    TG_RETURN_IF_ERROR(keys_.open(context, "first", std::make_shared<FixedLayout>(16)));
    TG_ASSIGN_OR_RETURN(waiting_,
                        context.state().table({"waiting", std::make_shared<RowLayout>("stored")}));
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    // As in Flink, a row exactly at its watermark, which is one less than ours, is not late here.
    const EventTime late_before = add_saturating(watermark_, -1);
    TG_ASSIGN_OR_RETURN(batch, late_rows_->remove(std::move(batch), late_before, out));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      First& first = *reinterpret_cast<First*>(keys_.value(row));
      const EventTime time = late_rows_->time(row);
      if (first.state == kEmitted || (first.state == kWaiting && time >= first.time)) continue;
      if (first.state == kWaiting) stop_waiting(first.time, keys_.key(row));
      first = {time, kWaiting};
      keys_.touch(keys_.value(row));
      keys_.keep(keys_.value(row));
      bytes_.clear();
      encoder.append(row, bytes_);
      TG_ASSIGN_OR_RETURN(std::byte * value, waiting_->find_or_create(time, keys_.key(row)));
      assign_bytes(*waiting_, value, bytes_);
    }
    TG_RETURN_IF_ERROR(waiting_->check_budget());
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    watermark_ = watermark;
    keys_.look_at_clock();
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    return due_.resume(
        *waiting_, [this](EventTime time) { return is_over(time, watermark_); },
        [this](EventTime time) { return rows_by_key(*waiting_, time); }, rows_, out,
        [this](EventTime, std::byte* value) { return emit_first(value); });
  }

 private:
  enum State : std::int64_t { kNew = 0, kWaiting = 1, kEmitted = 2 };
  struct First {
    EventTime time;
    State state;
  };

  void stop_waiting(EventTime time, const StateKey& key) {
    waiting_->erase(time, key);
    if (!waiting_->has_rows(time)) waiting_->drop(time);
  }

  Status emit_first(std::byte* value) {
    std::byte* entry = keys_.table().find(0, waiting_->state_key(value));
    TG_CHECK(entry != nullptr, "a row waits that no key knows of");
    reinterpret_cast<First*>(entry)->state = kEmitted;
    keys_.touch(entry);
    return rows_.append(BytesLayout::view(value));
  }

  DeduplicateOptions options_;
  KeyTable keys_;
  std::optional<LateRows> late_rows_;
  StateTable* waiting_ = nullptr;
  EventTime watermark_ = kMinWatermark;
  std::string bytes_;
  DueRows<> due_;
  StoredRowDecoder rows_;
};

bool waits_for_watermark(const DeduplicateOptions& options) {
  return options.by_event_time && options.changelog == Changelog::kAppend;
}

}  // namespace

Result<std::unique_ptr<Operator>> make_deduplicate(DeduplicateOptions options) {
  if (options.keep_last && options.changelog == Changelog::kAppend) {
    return error(ErrorCode::kInvalidArgument,
                 "the last row of a key changes, so it cannot be told by appending alone");
  }
  if (options.late_column >= 0) return make_deduplicate_in_time(std::move(options));
  if (!options.keep_last && !options.by_event_time)
    return std::make_unique<FirstByArrival>(options);
  if (waits_for_watermark(options)) return std::make_unique<FirstByTime>(std::move(options));
  return std::make_unique<KeptRow>(std::move(options));
}

TimeGrain deduplicate_time_grain(const DeduplicateOptions& options) {
  return waits_for_watermark(options) || options.late_column >= 0 ? TimeGrain{1, 0}
                                                                  : TimeGrain{0, 0};
}

}  // namespace tidegate
