// SPDX-License-Identifier: Apache-2.0
#include "operators/assign_sessions.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "expr/column_values.h"
#include "operators/event_times.h"
#include "operators/join_sessions.h"
#include "operators/row_keys.h"
#include "operators/row_layout.h"
#include "operators/stored_rows.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"
#include "windows/sliced_window.h"

namespace tidegate {
namespace {

std::vector<LogicalType> key_types(const AssignWindowsOptions& options) {
  std::vector<LogicalType> types;
  for (const int key : options.keys) types.push_back(options.types[static_cast<std::size_t>(key)]);
  return types;
}

/// State, beside the sessions themselves (join_sessions.h):
///   "rows"    per session id and key, the rows of an open session, each as
///             number of its coming (8) | time (8) | length (4) | the row (stored_rows.h)
///   "numbers" per key with open sessions: the next number (8) | how many are open (8)
class AssignSessions final : public WindowOperator {
 public:
  explicit AssignSessions(AssignWindowsOptions options)
      : options_(std::move(options)),
        keys_(options_.keys, key_types(options_)),
        rows_out_(options_.types) {}

  Status open(OperatorContext& context) override {
    TG_ASSIGN_OR_RETURN(JoinSessions sessions,
                        JoinSessions::open(context.state(), options_.window.size.count()));
    sessions_.emplace(std::move(sessions));
    TG_ASSIGN_OR_RETURN(
        rows_, context.state().table({"rows", std::make_shared<RowLayout>("* 8 8 l:stored")}));
    TG_ASSIGN_OR_RETURN(numbers_,
                        context.state().table({"numbers", std::make_shared<FixedLayout>(16)}));
    watermark_ = context.restored_watermark();
    rows_late_ = &context.metrics().counter("rows_late");
    rows_null_time_ = &context.metrics().counter("rows_null_time");
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(times_.read(batch, options_.time_column));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    late_.clear();
    const StoredRowEncoder encoder(batch);
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      if (times_.is_null(row)) {
        rows_null_time_->add(1);
        continue;
      }
      bytes_.clear();
      encoder.append(row, bytes_);
      TG_RETURN_IF_ERROR(place(row));
    }
    if (!late_.empty()) TG_RETURN_IF_ERROR(put_aside(batch, out));
    TG_RETURN_IF_ERROR(rows_->check_budget());
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    watermark_ = watermark;
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    while (true) {
      while (next_leaving_ < leaving_.size()) {
        TG_RETURN_IF_ERROR(emit_row(leaving_[next_leaving_++]));
        if (!rows_out_.full()) continue;
        TG_RETURN_IF_ERROR(flush(out));
        if (!out.has_credit()) return Progress::kMore;
      }
      TG_ASSIGN_OR_RETURN(const bool closed, close_session());
      if (!closed) break;
    }
    TG_RETURN_IF_ERROR(flush(out));
    return Progress::kDone;
  }

  std::optional<EventTime> next_due() const override {
    const std::optional<EventTime> end = sessions_->next_end();
    return end ? std::optional(*end + 1) : std::nullopt;
  }

 private:
  struct Numbers {
    std::int64_t next;
    std::int64_t open_sessions;
  };
  struct Entry {
    std::int64_t number = 0;
    EventTime time = 0;
    std::string_view row;
  };

  /// The row in bytes_ goes to its session.
  Status place(std::int32_t row) {
    const StateKey key = keys_[row];
    const EventTime time =
        std::clamp(times_.times()[static_cast<std::size_t>(row)], -kMaxEventTime, kMaxEventTime);
    TG_ASSIGN_OR_RETURN(const auto placed, sessions_->place(key, time, watermark_));
    if (!placed) {
      late_.push_back(row);
      return Status::ok();
    }
    TG_ASSIGN_OR_RETURN(std::byte* const number, numbers_->find_or_create(0, key));
    Numbers& numbers = *reinterpret_cast<Numbers*>(number);
    TG_ASSIGN_OR_RETURN(std::byte* const rows,
                        rows_->find_or_create(kNamespace, row_key(key, placed->id)));
    if (BytesLayout::view(rows).empty()) ++numbers.open_sessions;
    std::string entry;
    write_fixed(entry, numbers.next++);
    write_fixed(entry, time);
    write_fixed(entry, static_cast<std::uint32_t>(bytes_.size()));
    entry += bytes_;
    append_bytes(*rows_, rows, entry);
    for (const std::int64_t id : placed->absorbed) {
      std::byte* other = rows_->find(kNamespace, row_key(key, id));
      TG_CHECK(other != nullptr, "a session has no rows");
      append_bytes(*rows_, rows, BytesLayout::view(other));
      rows_->erase(kNamespace, other);
      --numbers.open_sessions;
    }
    return Status::ok();
  }

  /// The session's id in front of the key; the hash stays the key's, for its key group.
  StateKey row_key(const StateKey& key, std::int64_t id) {
    row_key_.clear();
    write_fixed(row_key_, id);
    row_key_ += key.bytes;
    return {row_key_, key.hash};
  }

  Status put_aside(const Batch& batch, Output& out) {
    rows_late_->add(std::ssize(late_));
    if (options_.late_output < 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch late, batch.take(late_));
    out.emit_side(options_.late_output, std::move(late));
    return Status::ok();
  }

  /// Takes the rows of the next session that is over; false when there is none.
  Result<bool> close_session() {
    leaving_.clear();
    next_leaving_ = 0;
    JoinSessions::Closed closed;
    TG_ASSIGN_OR_RETURN(const bool any, sessions_->close(watermark_, closed));
    if (!any) return false;
    const StateKey key{closed.key, closed.hash};
    std::byte* value = rows_->find(kNamespace, row_key(key, closed.id));
    TG_CHECK(value != nullptr, "a session has no rows");
    leaving_bytes_ = BytesLayout::view(value);
    rows_->erase(kNamespace, value);
    forget(key);
    TG_RETURN_IF_ERROR(read_entries());
    end_ = closed.end;
    return true;
  }

  void forget(const StateKey& key) {
    std::byte* value = numbers_->find(0, key);
    TG_CHECK(value != nullptr, "a session ends that was not counted");
    Numbers& numbers = *reinterpret_cast<Numbers*>(value);
    if (--numbers.open_sessions == 0) {
      numbers_->erase(0, value);
    } else {
      numbers_->touch(0, value);
    }
  }

  /// The rows in leaving_bytes_ in the order of their coming, and the first time of them.
  Status read_entries() {
    start_ = kMaxWatermark;
    std::string_view rest = leaving_bytes_;
    while (!rest.empty()) {
      Entry& entry = leaving_.emplace_back();
      std::uint32_t size = 0;
      if (!read_fixed(rest, entry.number) || !read_fixed(rest, entry.time) ||
          !read_fixed(rest, size) || size > rest.size()) {
        return error(ErrorCode::kStateCorrupt, "the stored rows of a session are cut short");
      }
      entry.row = rest.substr(0, size);
      rest.remove_prefix(size);
      start_ = std::min(start_, entry.time);
    }
    std::ranges::sort(leaving_, {}, &Entry::number);
    return Status::ok();
  }

  Status emit_row(const Entry& entry) {
    starts_.push_back(start_);
    ends_.push_back(end_);
    return rows_out_.append(entry.row);
  }

  static Result<ArrayPtr> time_column(const std::vector<EventTime>& times) {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::int64_t>::make(std::ssize(times)));
    std::copy(times.begin(), times.end(), writer.values());
    return writer.finish(LogicalType::timestamp(3));
  }

  Status flush(Output& out) {
    if (rows_out_.num_rows() == 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(const Batch batch, rows_out_.take());
    std::vector<ArrayPtr> columns = batch.columns();
    TG_ASSIGN_OR_RETURN(columns.emplace_back(), time_column(starts_));
    TG_ASSIGN_OR_RETURN(columns.emplace_back(), time_column(ends_));
    starts_.clear();
    ends_.clear();
    out.emit(batch.with_columns(std::move(columns)));
    return Status::ok();
  }

  static constexpr std::int64_t kNamespace = 0;

  AssignWindowsOptions options_;
  RowKeys keys_;
  std::optional<JoinSessions> sessions_;
  StateTable* rows_ = nullptr;
  StateTable* numbers_ = nullptr;
  Counter* rows_late_ = nullptr;
  Counter* rows_null_time_ = nullptr;
  EventTime watermark_ = kMinWatermark;

  // Of the current batch.
  EventTimes times_;
  std::vector<std::int32_t> late_;
  std::string bytes_;
  std::string row_key_;

  // The session that is going out, and rows on their way.
  std::string leaving_bytes_;
  std::vector<Entry> leaving_;
  std::size_t next_leaving_ = 0;
  EventTime start_ = 0;
  EventTime end_ = 0;
  StoredRowDecoder rows_out_;
  std::vector<EventTime> starts_;
  std::vector<EventTime> ends_;
};

}  // namespace

Result<std::unique_ptr<WindowOperator>> make_assign_sessions(AssignWindowsOptions options) {
  const std::int64_t gap_ms = options.window.size.count();
  if (gap_ms <= 0 || gap_ms > kMaxEventTime / 4) {
    return error(ErrorCode::kInvalidArgument,
                 "the gap of a session window is {} ms; it must be positive", gap_ms);
  }
  return std::unique_ptr<WindowOperator>(std::make_unique<AssignSessions>(std::move(options)));
}

}  // namespace tidegate
