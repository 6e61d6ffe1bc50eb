// SPDX-License-Identifier: Apache-2.0
#include "operators/async_call.h"

#include <arrow/array/array_base.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/row_layout.h"
#include "operators/stored_rows.h"
#include "operators/user_function.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNever = INT64_MAX;
/// Results are joined to batches of about this many rows.
constexpr std::int64_t kBatchRows = 4096;

/// The side array of `row`, a batch of one, once for each of `count` rows.
template <typename T>
Result<std::shared_ptr<arrow::Buffer>> repeat(const std::shared_ptr<arrow::Buffer>& row,
                                              std::int64_t count) {
  if (row == nullptr) return std::shared_ptr<arrow::Buffer>();
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> out,
                            arrow::AllocateBuffer(count * static_cast<std::int64_t>(sizeof(T))),
                            "keep the answer of a call");
  std::fill_n(out->mutable_data_as<T>(), count, *row->data_as<T>());
  return out;
}

class AsyncCall final : public Operator {
 public:
  explicit AsyncCall(AsyncCallOptions options)
      : options_(std::move(options)),
        function_(std::make_shared<const AsyncFunction>(std::move(options_.function))) {}

  Status open(OperatorContext& context) override {
    context_ = &context;
    mailbox_ = std::make_shared<AsyncMailbox>(context.waker());
    timed_out_ = &context.metrics().counter("calls_timed_out");
    retried_ = &context.metrics().counter("calls_retried");
    TG_ASSIGN_OR_RETURN(table_, context.state().table(calls_table()));
    TG_RETURN_IF_ERROR(restore_calls());
    begin_waiting();
    set_alarm();
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    rest_ = std::move(batch);
    rest_row_ = 0;
    return go_on(out);
  }
  Result<Progress> advance(EventTime watermark, Output&) override {
    watermark_ = watermark;
    return Progress::kDone;
  }
  Result<Progress> wake(std::int64_t, Output& out) override { return go_on(out); }
  Result<Progress> resume(Output& out) override { return go_on(out); }
  Result<Progress> finish(Output& out) override {
    finishing_ = true;
    return go_on(out);
  }
  /// Stores the rows whose results are not out.
  Result<Progress> seal(EpochId, Output&) override {
    for (auto& [id, call] : calls_) {
      if (call.state_key.empty()) TG_RETURN_IF_ERROR(store_call(id, call));
    }
    return Progress::kDone;
  }
  EventTime output_watermark(EventTime watermark) const override {
    return calls_.empty() ? watermark : calls_.begin()->second.after;
  }

 private:
  /// A row that is inside.
  struct Call {
    Batch row;
    EventTime after = kMinWatermark;    ///< the watermark in front of the row
    int attempt = 0;                    ///< counts from 1; answers to another one are stale
    std::int64_t deadline_ns = kNever;  ///< rises with the order of arrival
    std::int64_t retry_at_ns = kNever;
    std::optional<Batch> result;
    std::uint64_t hash = 0;
    std::string state_key;  ///< of the row that stores it; empty: none does
  };
  struct Retry {
    std::int64_t time_ns;
    std::uint64_t call;
    friend bool operator>(const Retry& a, const Retry& b) { return a.time_ns > b.time_ns; }
  };

  std::int64_t now_ns() const { return context_->clock().monotonic_ns(); }

  /// Everything that can be done now, whatever the call.
  Result<Progress> go_on(Output& out) {
    do {
      TG_RETURN_IF_ERROR(take_answers());
      TG_RETURN_IF_ERROR(look_at_the_clock());
      TG_RETURN_IF_ERROR(emit_ready(out));
      // Either there is no credit, or a watermark has to go out in front of the next result.
      if (next_is_ready()) return Progress::kMore;
    } while (begin_waiting() || begin_rest());
    set_alarm();
    const bool waits = rest_row_ < rest_.num_rows() || (finishing_ && !calls_.empty());
    return waits ? Progress::kBlocked : Progress::kDone;
  }

  // ---- beginning calls

  /// Begins restored calls while there is room; true if it began any.
  bool begin_waiting() {
    const auto started = calls_.size() - waiting_.size();
    const auto capacity = static_cast<std::size_t>(options_.capacity);
    const std::size_t room = std::min(waiting_.size(), capacity - std::min(capacity, started));
    for (std::size_t i = 0; i < room; ++i) {
      begin(waiting_.front());
      waiting_.pop_front();
    }
    return room > 0;
  }

  /// The same for rows of the current batch.
  bool begin_rest() {
    bool began = false;
    while (rest_row_ < rest_.num_rows() && std::ssize(calls_) < options_.capacity) {
      Call& call = calls_[next_id_];
      call.row = rest_.slice(rest_row_++, 1);
      call.after = watermark_;
      call.hash = call.row.key_hashes().empty() ? task_hash(context_->key_groups())
                                                : call.row.key_hashes()[0];
      begin(next_id_++);
      began = true;
    }
    if (rest_row_ == rest_.num_rows()) rest_ = Batch();
    if (rest_.empty()) rest_row_ = 0;
    return began;
  }

  void begin(std::uint64_t id) {
    Call& call = calls_.at(id);
    if (options_.timeout_ms > 0) call.deadline_ns = now_ns() + options_.timeout_ms * kNsPerMs;
    try_once(id, call);
  }

  void try_once(std::uint64_t id, Call& call) {
    call.retry_at_ns = kNever;
    ++call.attempt;
    auto work = [function = function_, row = call.row,
                 answer = AsyncAnswer(mailbox_, {id, call.attempt})] {
      const Status status =
          call_user_function("beginning a call", [&] { (*function)(row, answer); });
      if (!status.is_ok()) answer.fail(status);
    };
    if (options_.blocking) {
      context_->executor().submit_blocking(std::move(work));
    } else {
      work();
    }
  }

  // ---- answers

  Status take_answers() {
    for (AsyncMailbox::Answer& answer : mailbox_->take()) {
      const auto found = calls_.find(answer.id.call);
      if (found == calls_.end() || found->second.attempt != answer.id.attempt) continue;
      if (found->second.result) continue;
      TG_RETURN_IF_ERROR(take_answer(found->first, found->second, std::move(answer.rows)));
    }
    return Status::ok();
  }

  Status take_answer(std::uint64_t id, Call& call, Result<Batch> rows) {
    TG_ASSIGN_OR_RETURN(const bool again, wants_retry(call, rows));
    if (again) {
      retried_->add(1);
      call.retry_at_ns = now_ns() + retry_delay_ms(call.attempt) * kNsPerMs;
      retries_.push({call.retry_at_ns, id});
      return Status::ok();
    }
    if (!rows) return std::move(rows).status().with_context("row " + row_text(call.row, 0));
    return set_result(id, call, *std::move(rows));
  }

  Result<bool> wants_retry(const Call& call, const Result<Batch>& rows) const {
    if (call.attempt >= options_.retry.max_attempts) return false;
    bool again = false;
    TG_RETURN_IF_ERROR(call_user_function("the retry policy", [&] {
      if (rows) {
        again = options_.retry.retry_result && options_.retry.retry_result(*rows);
      } else if (options_.retry.retry_error) {
        again = options_.retry.retry_error(rows.status());
      } else {
        again = rows.status().kind() == ErrorKind::kUnavailable;
      }
    }));
    return again;
  }

  std::int64_t retry_delay_ms(int attempt) const {
    const double delay = static_cast<double>(options_.retry.delay_ms) *
                         std::pow(options_.retry.factor, static_cast<double>(attempt - 1));
    return static_cast<std::int64_t>(
        std::min(delay, static_cast<double>(options_.retry.max_delay_ms)));
  }

  Status set_result(std::uint64_t id, Call& call, Batch rows) {
    TG_RETURN_IF_ERROR(check_columns(call, rows));
    TG_ASSIGN_OR_RETURN(auto kinds, repeat<RowKind>(call.row.row_kinds_buffer(), rows.num_rows()));
    TG_ASSIGN_OR_RETURN(auto times,
                        repeat<EventTime>(call.row.event_times_buffer(), rows.num_rows()));
    Batch result(rows.num_rows(), rows.columns());
    result.set_row_kinds(std::move(kinds));
    result.set_event_times(std::move(times));
    call.result = std::move(result);
    ready_.insert(id);
    return Status::ok();
  }

  Status check_columns(const Call& call, const Batch& rows) const {
    bool same = rows.num_columns() == static_cast<int>(options_.output_types.size());
    for (int c = 0; same && c < rows.num_columns(); ++c) {
      const auto& type = options_.output_types[static_cast<std::size_t>(c)];
      same = rows.column(c)->length() == rows.num_rows() &&
             rows.column(c)->type()->Equals(*type.arrow_type());
    }
    if (same) return Status::ok();
    return error(ErrorCode::kTypeMismatch,
                 "the answer for row {} does not have the columns of the output",
                 row_text(call.row, 0));
  }

  // ---- time

  Status look_at_the_clock() {
    const std::int64_t now = now_ns();
    if (now >= alarm_ns_) alarm_ns_ = kNever;
    for (auto at = calls_.begin(); at != calls_.end() && at->second.attempt > 0; ++at) {
      if (at->second.result) continue;
      if (at->second.deadline_ns > now) break;
      TG_RETURN_IF_ERROR(time_out(at->first, at->second));
    }
    while (!retries_.empty() && retries_.top().time_ns <= now) {
      const auto found = calls_.find(retries_.top().call);
      const bool due = found != calls_.end() && found->second.retry_at_ns <= now;
      retries_.pop();
      if (due) try_once(found->first, found->second);
    }
    return Status::ok();
  }

  Status time_out(std::uint64_t id, Call& call) {
    timed_out_->add(1);
    call.retry_at_ns = kNever;
    if (!options_.on_timeout) {
      return error(ErrorCode::kServiceTimeout, "row {}: no answer within {} ms",
                   row_text(call.row, 0), options_.timeout_ms);
    }
    Batch rows;
    TG_RETURN_IF_ERROR(call_user_function("on_timeout", [&]() -> Status {
      TG_ASSIGN_OR_RETURN(rows, options_.on_timeout(call.row));
      return Status::ok();
    }));
    return set_result(id, call, std::move(rows));
  }

  /// Has the waker called at the next time-out or retry.
  void set_alarm() {
    std::int64_t next_ns = retries_.empty() ? kNever : retries_.top().time_ns;
    const auto open = std::ranges::find_if(calls_, [](const auto& c) { return !c.second.result; });
    if (open != calls_.end()) next_ns = std::min(next_ns, open->second.deadline_ns);
    if (next_ns >= alarm_ns_) return;
    alarm_ns_ = next_ns;
    context_->executor().submit_at(next_ns, [waker = context_->waker()] { waker.wake(); });
  }

  // ---- results

  /// The results that may leave next are those of the rows in front of the earliest watermark that
  /// is held back; in order, only the first row's.
  bool next_is_ready() const {
    if (ready_.empty()) return false;
    const std::uint64_t first = *ready_.begin();
    return options_.order == AsyncOrder::kOrdered
               ? first == calls_.begin()->first
               : calls_.at(first).after == calls_.begin()->second.after;
  }

  Status emit_ready(Output& out) {
    if (!next_is_ready()) return Status::ok();
    const EventTime segment = calls_.begin()->second.after;
    while (out.has_credit() && next_is_ready() && calls_.begin()->second.after == segment) {
      std::vector<Batch> results;
      std::int64_t rows = 0;
      do {
        const auto first = calls_.find(*ready_.begin());
        rows += first->second.result->num_rows();
        results.push_back(*std::move(first->second.result));
        forget_call(first->second);
        ready_.erase(ready_.begin());
        calls_.erase(first);
      } while (rows < kBatchRows && next_is_ready() && calls_.begin()->second.after == segment);
      TG_ASSIGN_OR_RETURN(Batch joined, Batch::concatenate(results));
      out.emit(std::move(joined));
    }
    return Status::ok();
  }

  // ---- state: one row per call, namespace 0
  //
  //   key    id (8 bytes, big-endian) | subtask that wrote it (4)
  //   value  watermark in front of the row (8) | the row (stored_rows.h)

  static StateTableSpec calls_table() {
    return {.name = "calls", .layout = std::make_shared<RowLayout>("8 stored")};
  }

  Status store_call(std::uint64_t id, Call& call) {
    const std::uint64_t big_endian = __builtin_bswap64(id);
    write_fixed(call.state_key, big_endian);
    write_fixed(call.state_key, context_->subtask());
    std::string bytes;
    write_fixed(bytes, call.after);
    StoredRowEncoder(call.row).append(0, bytes);
    TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(0, {call.state_key, call.hash}));
    assign_bytes(*table_, value, bytes);
    return Status::ok();
  }

  void forget_call(const Call& call) {
    if (!call.state_key.empty()) table_->erase(0, {call.state_key, call.hash});
  }

  /// Rows of an earlier life wait to be begun, before all new ones.
  Status restore_calls() {
    std::vector<std::pair<std::uint64_t, Call>> stored;
    RowCursor cursor;
    std::byte* values[64];
    while (const std::size_t count = table_->next(0, cursor, values)) {
      for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t id = 0;
        std::string_view key = table_->key(values[i]);
        TG_ASSIGN_OR_RETURN(Call call, restored_call(BytesLayout::view(values[i])));
        call.state_key = key;
        call.hash = table_->hash(values[i]);
        if (!read_fixed(key, id))
          return error(ErrorCode::kStateCorrupt, "the key of a stored call");
        stored.emplace_back(__builtin_bswap64(id), std::move(call));
      }
    }
    // Several tasks may have stored them, each with ids of its own.
    std::ranges::sort(stored, {}, [](const auto& c) {
      return std::tuple(c.second.after, c.first, std::string_view(c.second.state_key));
    });
    for (const auto& [id, call] : stored) next_id_ = std::max(next_id_, id + 1);
    for (auto& [id, call] : stored) {
      waiting_.push_back(next_id_);
      calls_.emplace(next_id_++, std::move(call));
    }
    return Status::ok();
  }

  Result<Call> restored_call(std::string_view bytes) const {
    Call call;
    if (!read_fixed(bytes, call.after)) {
      return error(ErrorCode::kStateCorrupt, "a stored call is cut short");
    }
    StoredRowDecoder decoder(options_.input_types);
    TG_RETURN_IF_ERROR(decoder.append(bytes));
    TG_ASSIGN_OR_RETURN(call.row, decoder.take());
    return call;
  }

  AsyncCallOptions options_;
  const std::shared_ptr<const AsyncFunction> function_;
  OperatorContext* context_ = nullptr;
  StateTable* table_ = nullptr;
  std::shared_ptr<AsyncMailbox> mailbox_;
  Counter* timed_out_ = nullptr;
  Counter* retried_ = nullptr;

  EventTime watermark_ = kMinWatermark;
  std::map<std::uint64_t, Call> calls_;  ///< all rows inside, in the order of arrival
  std::set<std::uint64_t> ready_;        ///< those with a result
  std::deque<std::uint64_t> waiting_;    ///< restored ones that have not begun yet
  std::uint64_t next_id_ = 0;
  Batch rest_;  ///< rows that found no room yet, from rest_row_ on
  std::int64_t rest_row_ = 0;
  bool finishing_ = false;
  std::priority_queue<Retry, std::vector<Retry>, std::greater<>> retries_;
  std::int64_t alarm_ns_ = kNever;  ///< when the waker will be called; kNever: not at all
};

}  // namespace

Result<std::unique_ptr<Operator>> make_async_call(AsyncCallOptions options) {
  const auto wrong = [](std::string_view what) {
    return error(ErrorCode::kInvalidArgument, "asynchronous call: {}", what);
  };
  if (!options.function) return wrong("there is no function");
  if (options.capacity < 1) return wrong("the capacity must be at least 1");
  if (options.timeout_ms < 0) return wrong("the time-out must not be negative");
  if (options.retry.max_attempts < 1) return wrong("there must be at least 1 attempt");
  if (options.retry.delay_ms < 0 || options.retry.max_delay_ms < 0 || options.retry.factor < 1) {
    return wrong("delays of retries must not be negative, and their factor at least 1");
  }
  return std::make_unique<AsyncCall>(std::move(options));
}

}  // namespace tidegate
