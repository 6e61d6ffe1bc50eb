// SPDX-License-Identifier: Apache-2.0
#include "operators/ordered_over.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "operators/join.h"
#include "state/state_backend.h"

namespace tidegate {
namespace {

constexpr std::size_t kSweepRows = 256;

EventTime time_of(std::string_view entry) {
  EventTime time = 0;
  std::memcpy(&time, entry.data(), sizeof(time));
  return time;
}

std::string_view row_of(std::string_view entry) { return entry.substr(sizeof(EventTime)); }

}  // namespace

OrderedOver::OrderedOver(const OverAggregateOptions& options)
    : frame_(options.frame),
      by_event_time_(options.over == OverOrder::kEventTime),
      by_rows_(options.frame.unit == OverFrame::Unit::kRows ||
               (!by_event_time_ && !options.frame.preceding)),
      bounded_(options.frame.preceding.has_value()),
      functions_(options.functions, sizeof(OverState)),
      takes_back_(functions_.layout()->can_retract()),
      ttl_{.ttl_ms = options.ttl_ms},
      added_(options.types),
      left_(options.types),
      lag_rows_(functions_.lags().size()),
      adding_(functions_.layout().get()),
      leaving_(functions_.layout().get()),
      copies_(functions_.layout().get()) {
  for (const OverFunction& lag : functions_.lags()) most_lag_ = std::max(most_lag_, lag.offset);
}

Status OrderedOver::open(OperatorContext& context) {
  clock_ = &context.clock();
  StateTableSpec spec{.name = "keys", .layout = functions_.layout()};
  spec.stamped = ttl_.enabled();
  TG_ASSIGN_OR_RETURN(keys_, context.state().table(spec));
  generation_ = keys_->generation(0);
  sweep_.emplace(keys_, 0);
  if (bounded_ || most_lag_ > 0) {
    TG_ASSIGN_OR_RETURN(auto history,
                        OrderedRows::open(context, "history", "= 8 stored", ttl_.ttl_ms));
    history_.emplace(std::move(history));
  }
  const bool needs_old_rows = functions_.has_numbers() || most_lag_ > 0;
  if (bounded_ && !by_rows_ && !needs_old_rows) {
    TG_ASSIGN_OR_RETURN(auto expiry, TimerService::open(context.state(), "expiry"));
    expiry_.emplace(std::move(expiry));
  }
  return Status::ok();
}

/// The state of a key; a new one when it has expired.
Result<std::byte*> OrderedOver::find_state(const StateKey& key) {
  TG_ASSIGN_OR_RETURN(std::byte * value, keys_->find_or_create(0, key));
  const bool expired =
      ttl_.enabled() && state(value).in_use && ttl_.is_expired(keys_->stamp(value), now());
  const bool history_lost =
      history_ && std::cmp_less(history_->key(key).size(), state(value).frame_rows);
  if (expired || history_lost) {
    functions_.layout()->destroy(value);
    functions_.layout()->create_in(value);
    if (history_) history_->clear(history_->key(key));
  }
  if (ttl_.enabled()) keys_->stamp(value) = now();
  return value;
}

std::optional<EventTime> OrderedOver::last_time(const StateKey& key) const {
  std::byte* value = keys_->find(0, key);
  if (value == nullptr || !state(value).in_use) return std::nullopt;
  return state(value).last_time;
}

void OrderedOver::step(Step::Kind kind, std::int64_t row) {
  steps_.push_back({kind, static_cast<std::uint32_t>(groups_.size() - 1), row});
}

Status OrderedOver::add(const StateKey& key, EventTime time,
                        std::span<const std::string_view> rows) {
  TG_ASSIGN_OR_RETURN(std::byte * value, find_state(key));
  groups_.push_back({std::string(key.bytes), key.hash, value});
  OverState& over = state(value);
  OrderedRows::Key* history = history_ ? &history_->key(key) : nullptr;
  if (bounded_ && !by_rows_) {
    const EventTime first = add_saturating(time, -*frame_.preceding);
    while (over.frame_rows > 0 &&
           time_of(BytesLayout::view(history_->at(
               *history, history->size() - static_cast<std::size_t>(over.frame_rows)))) < first) {
      TG_RETURN_IF_ERROR(leave_frame(over, *history));
    }
  }
  for (const std::string_view row : rows) {
    TG_RETURN_IF_ERROR(add_row(over, history, time, row));
  }
  if (!by_rows_) {
    if (bounded_ && !takes_back_) TG_RETURN_IF_ERROR(add_frame_anew(over, *history));
    step(Step::Kind::kResult, 0);
    ++results_;
  }
  if (history != nullptr) trim(over, *history);
  return expiry_ ? expire_later(over, key, time) : Status::ok();
}

Status OrderedOver::add_row(OverState& over, OrderedRows::Key* history, EventTime time,
                            std::string_view row) {
  while (bounded_ && by_rows_ && over.frame_rows > *frame_.preceding) {
    TG_RETURN_IF_ERROR(leave_frame(over, *history));
  }
  const bool is_peer = over.in_use && by_event_time_ && over.last_time == time;
  over.numbers.next(is_peer);
  over.last_time = time;
  over.in_use = true;
  const std::int64_t index = added_.num_rows();
  TG_RETURN_IF_ERROR(added_.append(row, RowKind::kInsert));
  out_rows_.push_back(static_cast<std::int32_t>(index));
  out_results_.push_back(results_);
  out_numbers_.push_back(over.numbers);
  if (history != nullptr) {
    TG_RETURN_IF_ERROR(find_lags(*history, index));
    entry_.assign(reinterpret_cast<const char*>(&time), sizeof(time));
    entry_ += row;
    TG_RETURN_IF_ERROR(history_->insert(*history, "", entry_).status());
  } else {
    for (auto& lag : lag_rows_) lag.push_back(static_cast<std::int32_t>(index));  // offset 0
  }
  if (!bounded_ || takes_back_) {
    // With nothing else in the frame it begins anew, so that errors of floating point do not stay.
    if (bounded_ && over.frame_rows == 0) step(Step::Kind::kReset, 0);
    step(Step::Kind::kAdd, index);
  }
  if (bounded_) ++over.frame_rows;
  if (!by_rows_) return Status::ok();
  if (bounded_ && !takes_back_) TG_RETURN_IF_ERROR(add_frame_anew(over, *history));
  step(Step::Kind::kResult, 0);
  ++results_;
  if (history != nullptr) trim(over, *history);
  return Status::ok();
}

/// Adds the rows that the LAG functions of a row look at, which is not in the history yet.
Status OrderedOver::find_lags(const OrderedRows::Key& history, std::int64_t row) {
  for (std::size_t i = 0; i < lag_rows_.size(); ++i) {
    const auto offset = static_cast<std::size_t>(functions_.lags()[i].offset);
    if (offset == 0) {
      lag_rows_[i].push_back(static_cast<std::int32_t>(row));
    } else if (offset > history.size()) {
      lag_rows_[i].push_back(-1);
    } else {
      lag_rows_[i].push_back(static_cast<std::int32_t>(added_.num_rows()));
      const std::byte* before = history_->at(history, history.size() - offset);
      TG_RETURN_IF_ERROR(added_.append(row_of(BytesLayout::view(before)), RowKind::kInsert));
    }
  }
  return Status::ok();
}

/// Takes the first row of the frame out of it.
Status OrderedOver::leave_frame(OverState& over, const OrderedRows::Key& history) {
  if (takes_back_) {
    const std::size_t first = history.size() - static_cast<std::size_t>(over.frame_rows);
    step(Step::Kind::kLeave, left_.num_rows());
    TG_RETURN_IF_ERROR(
        left_.append(row_of(BytesLayout::view(history_->at(history, first))), RowKind::kDelete));
  }
  --over.frame_rows;
  return Status::ok();
}

Status OrderedOver::add_frame_anew(const OverState& over, const OrderedRows::Key& history) {
  step(Step::Kind::kReset, 0);
  Status status;
  const std::size_t first = history.size() - static_cast<std::size_t>(over.frame_rows);
  history_->each(history, first, [&](const std::byte* value) {
    step(Step::Kind::kAdd, added_.num_rows());
    status = added_.append(row_of(BytesLayout::view(value)), RowKind::kInsert);
    return status.is_ok();
  });
  return status;
}

/// Drops the rows of the history that neither the frame nor LAG needs.
void OrderedOver::trim(const OverState& over, OrderedRows::Key& history) {
  const auto needed = static_cast<std::size_t>(std::max(over.frame_rows, most_lag_));
  while (history.size() > needed) history_->erase(history, 0);
}

/// The key goes when its frame has been empty for a while: as in Flink by half its length, so that
/// rows need not move the time on one by one.
Status OrderedOver::expire_later(OverState& over, const StateKey& key, EventTime time) {
  const std::int64_t length = *frame_.preceding;
  const EventTime empty = add_saturating(add_saturating(time, length), 1);
  if (over.has_cleanup && over.cleanup_time >= empty) return Status::ok();
  over.has_cleanup = true;
  over.cleanup_time = add_saturating(empty, length / 2);
  return expiry_->add(over.cleanup_time, key);
}

Status OrderedOver::forget(EventTime watermark) {
  if (ttl_.enabled()) {
    sweep_->sweep(ttl_, now(), kSweepRows);
    if (history_) history_->forget_expired();
  }
  Timer timer;
  while (expiry_ && expiry_->pop(add_saturating(watermark, -1), timer)) {
    std::byte* value = keys_->find(0, timer.key);
    if (value == nullptr || !state(value).has_cleanup) continue;
    if (state(value).cleanup_time <= timer.time) drop(timer.key, value);
  }
  return Status::ok();
}

void OrderedOver::drop(const StateKey& key, std::byte* value) {
  OrderedRows::Key& rows = history_->key(key);
  history_->clear(rows);
  history_->drop_if_empty(rows);
  keys_->erase(0, value);
}

Status OrderedOver::flush(Output& out) {
  if (out_rows_.empty()) return Status::ok();
  if (generation_ != keys_->generation(0)) find_groups_again();
  TG_ASSIGN_OR_RETURN(const Batch added, added_.take());
  Batch left;
  if (left_.num_rows() > 0) {
    TG_ASSIGN_OR_RETURN(left, left_.take());
  }
  TG_RETURN_IF_ERROR(compute(added, left));

  std::vector<const std::byte*> values;
  values.reserve(out_results_.size());
  for (const std::size_t result : out_results_) values.push_back(copies_[result]);
  TG_ASSIGN_OR_RETURN(const std::vector<ArrayPtr> lags, lag_columns(added));
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> results,
                      functions_.columns(values, out_numbers_, lags));
  Batch batch = added;
  if (std::ssize(out_rows_) != added.num_rows()) {
    TG_ASSIGN_OR_RETURN(batch, added.take(out_rows_));
  }
  std::vector<ArrayPtr> columns = batch.columns();
  columns.insert(columns.end(), results.begin(), results.end());
  out.emit(batch.with_columns(std::move(columns)));

  groups_.clear();
  steps_.clear();
  out_rows_.clear();
  out_results_.clear();
  out_numbers_.clear();
  for (auto& lag : lag_rows_) lag.clear();
  results_ = 0;
  copies_.clear();
  TG_RETURN_IF_ERROR(keys_->check_budget());
  return history_ ? history_->table().check_budget() : Status::ok();
}

void OrderedOver::find_groups_again() {
  generation_ = keys_->generation(0);
  for (Group& group : groups_) group.value = keys_->find(0, {group.key, group.hash});
}

Status OrderedOver::compute(const Batch& added, const Batch& left) {
  TG_RETURN_IF_ERROR(adding_.begin(added));
  if (!left.empty()) TG_RETURN_IF_ERROR(leaving_.begin(left));
  std::vector<std::byte> head(sizeof(OverState));
  for (const Step& step : steps_) {
    std::byte* value = groups_[step.group].value;
    switch (step.kind) {
      case Step::Kind::kAdd:
        TG_RETURN_IF_ERROR(adding_.apply(step.row, value));
        break;
      case Step::Kind::kLeave:
        TG_RETURN_IF_ERROR(leaving_.apply(step.row, value));
        break;
      case Step::Kind::kReset:
        std::memcpy(head.data(), value, head.size());
        functions_.layout()->destroy(value);
        functions_.layout()->create_in(value);
        std::memcpy(value, head.data(), head.size());
        break;
      case Step::Kind::kResult:
        TG_RETURN_IF_ERROR(copies_.add_copy(value));
        break;
    }
  }
  return Status::ok();
}

Result<std::vector<ArrayPtr>> OrderedOver::lag_columns(const Batch& added) const {
  std::vector<ArrayPtr> columns;
  for (std::size_t i = 0; i < lag_rows_.size(); ++i) {
    TG_ASSIGN_OR_RETURN(ArrayPtr column,
                        lag_column(functions_.lags()[i], added, lag_rows_[i], out_rows_));
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace tidegate
