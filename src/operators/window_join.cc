// SPDX-License-Identifier: Apache-2.0
#include "operators/window_join.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/event_times.h"
#include "operators/group_join.h"
#include "operators/join_sessions.h"
#include "operators/row_keys.h"
#include "operators/row_layout.h"
#include "operators/window_aggregate.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"
#include "windows/sliced_window.h"
#include "windows/window_time.h"

namespace tidegate {
namespace {

constexpr int kLeft = 0;
constexpr int kRight = 1;

/// What windows and sessions have in common: two tables of lists of rows (group_join.h), "left" and
/// "right". Key of a list: 1 if the join key holds a null, else 0 (1) | start of the window, or id
/// of the session (8) | join key. Namespace: end of the window; 0 for sessions.
class WindowJoin : public Operator {
 public:
  explicit WindowJoin(WindowJoinOptions options)
      : options_(std::move(options)),
        sides_{Side(options_.left, options_.null_safe_keys),
               Side(options_.right, options_.null_safe_keys)},
        groups_(options_.left.types, options_.right.types, options_.kind, options_.condition) {}

  Status open(OperatorContext& context) override {
    late_ = &context.metrics().counter("rows_late");
    null_time_ = &context.metrics().counter("rows_null_time");
    const StateTableSpec left{
        .name = "left", .layout = std::make_shared<RowLayout>("* v:row", kLeft), .presize = true};
    const StateTableSpec right{
        .name = "right", .layout = std::make_shared<RowLayout>("* v:row", kRight), .presize = true};
    TG_ASSIGN_OR_RETURN(sides_[kLeft].table, context.state().table(left));
    TG_ASSIGN_OR_RETURN(sides_[kRight].table, context.state().table(right));
    return open_windows(context);
  }

  Result<Progress> process(int input, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    Side& side = sides_[input];
    TG_RETURN_IF_ERROR(side.keys.read(batch));
    TG_RETURN_IF_ERROR(read_times(side, batch));
    const RowEncoder encoder(batch);
    std::vector<std::int32_t> late;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      if (side.time.is_null(row) || side.start.is_null(row)) {
        null_time_->add(1);
        continue;
      }
      row_bytes_.clear();
      encoder.append(row, row_bytes_);
      TG_ASSIGN_OR_RETURN(const bool in_time, store(side, row));
      if (!in_time) late.push_back(static_cast<std::int32_t>(row));
    }
    TG_RETURN_IF_ERROR(side.table->check_budget());
    TG_RETURN_IF_ERROR(report_late(*side.input, batch, late, out));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    watermark_ = watermark;
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    while (true) {
      TG_ASSIGN_OR_RETURN(const bool done, groups_.run(out));
      if (!done) return Progress::kMore;
      TG_ASSIGN_OR_RETURN(const bool more, next_group());
      if (!more) break;
    }
    TG_RETURN_IF_ERROR(groups_.flush(out));
    return Progress::kDone;
  }

 protected:
  struct Side {
    Side(const WindowJoinInput& join_input, const std::vector<bool>& null_safe_keys)
        : input(&join_input), keys(join_input.keys, join_key_types(join_input), null_safe_keys) {}
    const WindowJoinInput* input;
    RowKeys keys;
    EventTimes time;   // of the rows, or the ends of the windows that they bring
    EventTimes start;  // of those
    StateTable* table = nullptr;
  };

  virtual Status open_windows(OperatorContext& context) = 0;
  /// Adds the row in row_bytes_ to its windows that are open; false when there is none.
  virtual Result<bool> store(Side& side, std::int64_t row) = 0;
  /// Begins the next group of what has closed; false when there is none.
  virtual Result<bool> next_group() = 0;

  bool brings_windows() const { return !options_.window; }

  /// A row with a null in its key is of use only where rows that match nothing are part of the
  /// result.
  bool is_stored(const Side& side, std::int64_t row) const {
    if (!side.keys.has_null(row)) return true;
    return &side == &sides_[kLeft] ? GroupJoin::keeps_left(options_.kind)
                                   : GroupJoin::keeps_right(options_.kind);
  }

  StateKey list_key(const StateKey& key, bool has_null, std::int64_t part) {
    list_key_.clear();
    list_key_.push_back(has_null ? 1 : 0);
    write_fixed(list_key_, part);
    list_key_ += key.bytes;
    return {list_key_, key.hash};
  }
  static bool holds_null(std::string_view list_key) { return list_key[0] != 0; }

  Status append_row(Side& side, std::int64_t name_space, const StateKey& key) {
    entry_.clear();
    append_to_list(entry_, row_bytes_);
    TG_ASSIGN_OR_RETURN(std::byte * value, side.table->find_or_create(name_space, key));
    append_bytes(*side.table, value, entry_);
    return Status::ok();
  }

  static std::string_view list_of(const std::byte* value) {
    return value == nullptr ? std::string_view() : BytesLayout::view(value);
  }

  const WindowJoinOptions options_;
  std::array<Side, 2> sides_;
  GroupJoin groups_;
  EventTime watermark_ = kMinWatermark;
  std::string row_bytes_;

 private:
  Status read_times(Side& side, const Batch& batch) {
    const WindowJoinInput& input = *side.input;
    if (!brings_windows()) {
      TG_RETURN_IF_ERROR(side.time.read(batch, input.time_column));
      return side.start.read(batch, input.time_column);
    }
    TG_RETURN_IF_ERROR(side.time.read(batch, input.window_end_column));
    return side.start.read(batch, input.window_start_column);
  }

  Status report_late(const JoinInput& input, const Batch& batch,
                     const std::vector<std::int32_t>& late, Output& out) {
    late_->add(std::ssize(late));
    if (input.late_output < 0 || late.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch rows, batch.take(late));
    out.emit_side(input.late_output, std::move(rows));
    return Status::ok();
  }

  Counter* late_ = nullptr;
  Counter* null_time_ = nullptr;
  std::string list_key_;
  std::string entry_;
};

/// Windows with ends that are known beforehand: a namespace each.
class FixedWindowJoin final : public WindowJoin {
 public:
  using WindowJoin::WindowJoin;

 private:
  Status open_windows(OperatorContext&) override {
    if (brings_windows()) return Status::ok();
    TG_ASSIGN_OR_RETURN(auto rules, SlicedWindow::make(*options_.window));
    rules_.emplace(rules);
    return Status::ok();
  }

  Result<bool> store(Side& side, std::int64_t row) override {
    find_windows(side, row);
    bool in_time = spans_.empty();
    for (const TimeSpan& span : spans_) {
      if (window_is_closed(span.end, 0, watermark_)) continue;
      in_time = true;
      if (!is_stored(side, row)) continue;
      const StateKey key = list_key(side.keys[row], side.keys.has_null(row), span.start);
      TG_RETURN_IF_ERROR(append_row(side, span.end, key));
    }
    return in_time;
  }

  void find_windows(const Side& side, std::int64_t row) {
    const EventTime time = side.time.times()[static_cast<std::size_t>(row)];
    spans_.clear();
    if (!rules_) {
      spans_.push_back({side.start.times()[static_cast<std::size_t>(row)], time});
      return;
    }
    const EventTime slice_end = rules_->slice_end(time);
    const EventTime last = rules_->last_window_end(slice_end);
    for (EventTime end = rules_->first_window_end(slice_end); end <= last;
         end = rules_->next_window_end(end)) {
      spans_.push_back({rules_->window_start(end), end});
    }
  }

  Result<bool> next_group() override {
    if (next_ == pairs_.size() && !next_window()) return false;
    const auto [left, right] = pairs_[next_++];
    const std::byte* any = left != nullptr ? left : right;
    const StateTable& table = *sides_[left != nullptr ? kLeft : kRight].table;
    TG_RETURN_IF_ERROR(groups_.begin(list_of(left), list_of(right), !holds_null(table.key(any)),
                                     add_saturating(window_end_, -1)));
    return true;
  }

  /// Lines up the keys of the first window that has closed, in their order.
  bool next_window() {
    if (!pairs_.empty()) {
      for (Side& side : sides_) side.table->drop(window_end_);
    }
    pairs_.clear();
    next_ = 0;
    std::optional<EventTime> end;
    for (const Side& side : sides_) {
      const auto first = side.table->first_namespace();
      if (first && (!end || *first < *end)) end = first;
    }
    if (!end || !window_is_closed(*end, 0, watermark_)) return false;
    window_end_ = *end;
    const StateTable& left = *sides_[kLeft].table;
    const StateTable& right = *sides_[kRight].table;
    const std::vector<std::byte*> lefts = rows_by_key(left, window_end_);
    const std::vector<std::byte*> rights = rows_by_key(right, window_end_);
    auto l = lefts.begin();
    auto r = rights.begin();
    while (l != lefts.end() || r != rights.end()) {
      const bool take_left =
          r == rights.end() || (l != lefts.end() && left.key(*l) <= right.key(*r));
      const bool take_right =
          l == lefts.end() || (r != rights.end() && right.key(*r) <= left.key(*l));
      pairs_.emplace_back(take_left ? *l++ : nullptr, take_right ? *r++ : nullptr);
    }
    return true;
  }

  std::optional<SlicedWindow> rules_;  // none: rows bring their windows
  std::vector<TimeSpan> spans_;        // of the row that is being stored
  // The window that is being joined: its lists of rows by key, null where a side has none.
  EventTime window_end_ = 0;
  std::vector<std::pair<std::byte*, std::byte*>> pairs_;
  std::size_t next_ = 0;
};

/// Sessions of both sides' rows.
class SessionJoin final : public WindowJoin {
 public:
  using WindowJoin::WindowJoin;

 private:
  Status open_windows(OperatorContext& context) override {
    TG_ASSIGN_OR_RETURN(auto sessions,
                        JoinSessions::open(context.state(), options_.window->size.count()));
    sessions_.emplace(std::move(sessions));
    return Status::ok();
  }

  Result<bool> store(Side& side, std::int64_t row) override {
    if (!is_stored(side, row)) return true;
    const StateKey key = side.keys[row];
    const EventTime time = side.time.times()[static_cast<std::size_t>(row)];
    TG_ASSIGN_OR_RETURN(const auto placed, sessions_->place(key, time, watermark_));
    if (!placed) return false;
    const bool has_null = side.keys.has_null(row);
    for (const std::int64_t absorbed : placed->absorbed) {
      for (Side& each : sides_) {
        TG_RETURN_IF_ERROR(move_rows(*each.table, key, has_null, absorbed, placed->id));
      }
    }
    TG_RETURN_IF_ERROR(append_row(side, 0, list_key(key, has_null, placed->id)));
    return true;
  }

  Status move_rows(StateTable& table, const StateKey& key, bool has_null, std::int64_t from,
                   std::int64_t to) {
    std::byte* source = table.find(0, list_key(key, has_null, from));
    if (source == nullptr) return Status::ok();
    const std::string rows(BytesLayout::view(source));
    table.erase(0, source);
    TG_ASSIGN_OR_RETURN(std::byte * target, table.find_or_create(0, list_key(key, has_null, to)));
    append_bytes(table, target, rows);
    return Status::ok();
  }

  Result<bool> next_group() override {
    for (std::size_t s = 0; s < open_.size(); ++s) {
      if (open_[s] != nullptr) sides_[s].table->erase(0, std::exchange(open_[s], nullptr));
    }
    JoinSessions::Closed closed;
    TG_ASSIGN_OR_RETURN(const bool any, sessions_->close(watermark_, closed));
    if (!any) return false;
    const StateKey key{closed.key, closed.hash};
    bool match = true;
    for (const bool has_null : {false, true}) {
      for (std::size_t s = 0; s < open_.size(); ++s) {
        open_[s] = sides_[s].table->find(0, list_key(key, has_null, closed.id));
      }
      match = !has_null;
      if (open_[kLeft] != nullptr || open_[kRight] != nullptr) break;
    }
    TG_RETURN_IF_ERROR(groups_.begin(list_of(open_[kLeft]), list_of(open_[kRight]), match,
                                     add_saturating(closed.end, -1)));
    return true;
  }

  std::optional<JoinSessions> sessions_;
  std::array<std::byte*, 2> open_{};  // the lists of the session that is being joined
};

}  // namespace

Result<std::unique_ptr<Operator>> make_window_join(WindowJoinOptions options) {
  TG_RETURN_IF_ERROR(check_join_inputs(options.left, options.right));
  TG_RETURN_IF_ERROR(
      check_null_aware(options.left, options.right, options.kind, options.null_aware));
  if (!options.null_aware.empty()) {
    options.condition =
        null_aware_condition(options.left.types, options.right.types,
                             std::exchange(options.null_aware, {}), std::move(options.condition));
  }
  if (!options.window) {
    for (const WindowJoinInput* input : {&options.left, &options.right}) {
      if (input->window_start_column < 0 || input->window_end_column < 0) {
        return error(ErrorCode::kInvalidArgument,
                     "window join: it has neither a window nor columns of one");
      }
    }
    return std::make_unique<FixedWindowJoin>(std::move(options));
  }
  if (options.window->kind == Window::Kind::kSession) {
    if (options.window->size.count() <= 0) {
      return error(ErrorCode::kInvalidArgument,
                   "window join: the gap of sessions must be positive");
    }
    return std::make_unique<SessionJoin>(std::move(options));
  }
  TG_RETURN_IF_ERROR(SlicedWindow::make(*options.window).status());
  return std::make_unique<FixedWindowJoin>(std::move(options));
}

TimeGrain window_join_time_grain(const WindowJoinOptions& options) {
  if (!options.window) return TimeGrain{1, 0};
  return window_time_grain(*options.window, 0, Emit::kOnClose);
}

}  // namespace tidegate
