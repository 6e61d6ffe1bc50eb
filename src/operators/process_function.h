// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "operators/broadcast_state.h"
#include "operators/row_keys.h"
#include "state/timer_service.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

enum class TimeDomain : std::uint8_t { kEventTime, kProcessingTime };

/// What the logic of a process function may ask for. Belongs to the operator; rows are made current
/// with select(), which costs a copy of two pointers.
class ProcessContext {
 public:
  ProcessContext(const ProcessContext&) = delete;
  ProcessContext& operator=(const ProcessContext&) = delete;

  /// Name, metrics, clock, executor and state tables of the operator.
  OperatorContext& runtime() { return *runtime_; }
  StateBackend& state() { return runtime_->state(); }
  /// The broadcast state of this name; written by rows of broadcast inputs only.
  Result<BroadcastState*> broadcast_state(std::string_view name);

  /// Makes a row of the batch that is being processed the current one.
  void select(std::int64_t row) {
    row_ = row;
    if (keys_ != nullptr) key_ = (*keys_)[row];
  }
  /// Makes a key the current one that the logic has made of that of a row or timer, with its hash;
  /// the bytes must stay. Timers that are added come back with it.
  void select(const StateKey& key) { key_ = key; }
  /// Of the current row or timer: where its state and timers are. Inputs without keys: one key for
  /// all rows of the task. Valid until another one is current.
  const StateKey& key() const { return key_; }

  /// Event time that all inputs have reached; kMinWatermark unless the function orders event time.
  EventTime watermark() const { return watermark_; }
  bool orders_event_time() const { return orders_event_time_; }
  /// Milliseconds since 1970.
  std::int64_t processing_time_ms() const { return runtime_->clock().wall_ms(); }

  /// A timer of the current key; a key has at most one of a time. One of event time goes off when
  /// the watermark has passed it: all rows up to and including that millisecond have come.
  /// kInvalidPlan on a broadcast input, and for event time unless the function orders it.
  Status add_timer(TimeDomain domain, std::int64_t time_ms);
  /// True when there was such a timer.
  bool remove_timer(TimeDomain domain, std::int64_t time_ms);

  void emit(Batch batch) { out_->emit(std::move(batch)); }
  void emit_side(int side, Batch batch) { out_->emit_side(side, std::move(batch)); }

 private:
  friend class ProcessFunction;
  ProcessContext() = default;
  TimerService& timers(TimeDomain domain) {
    return domain == TimeDomain::kEventTime ? *event_timers_ : *processing_timers_;
  }

  OperatorContext* runtime_ = nullptr;
  Output* out_ = nullptr;
  const RowKeys* keys_ = nullptr;
  std::int64_t row_ = -1;
  StateKey key_;
  EventTime watermark_ = kMinWatermark;
  bool orders_event_time_ = false;
  bool in_broadcast_ = false;
  std::optional<TimerService> event_timers_;
  std::optional<TimerService> processing_timers_;
  std::map<std::string, BroadcastState, std::less<>> broadcast_states_;
};

/// The logic of a process function. One per task, called from one thread at a time. What it throws
/// is kUserFunctionFailed with the current row, or the timer and its key.
class ProcessLogic {
 public:
  virtual ~ProcessLogic() = default;
  /// Once, before anything else: finds its state.
  virtual Status open(ProcessContext& context) = 0;
  /// Rows of an input, in order. Each is selected before its key, state or timers are used.
  virtual Status on_batch(int input, const Batch& batch, ProcessContext& context) = 0;
  /// A timer of context.key() has come. Timers go off in the order of time, those of one time in
  /// the order of the keys' bytes.
  virtual Status on_timer(TimeDomain domain, std::int64_t time_ms, ProcessContext& context);
  /// Emits what on_batch() and on_timer() have collected: after each batch, and when all timers
  /// that were due have gone off (or many of them).
  virtual Status flush(ProcessContext& context);
  /// Of the state of this name and of the key that is selected: one column of bytes, with a row if
  /// there is a value. kUnknownName when there is no such state.
  virtual Result<Batch> read_state(std::string_view name, ProcessContext& context);
  /// All inputs have ended, and timers of event time have gone off. flush() follows.
  virtual Status finish(ProcessContext& context);
};

/// One input of a process function.
struct ProcessInput {
  bool keyed = false;
  std::vector<int> keys = {};               ///< of a keyed input
  std::vector<LogicalType> key_types = {};  ///< of these columns; the same for all keyed inputs
  /// A control stream whose rows go to every task. It may write broadcast state, and has no keys.
  bool broadcast = false;
};

struct ProcessFunctionOptions {
  /// One: a process function; two keyed ones: connected streams with shared keyed state; data and
  /// broadcast: the broadcast state pattern.
  std::vector<ProcessInput> inputs = {ProcessInput{}};
  /// The logic uses timers of event time or the watermark.
  bool orders_event_time = false;
  /// on_batch() gets the rows of one key, all that have come since the epoch began or the watermark
  /// moved last; keys in the order of their bytes. One keyed input.
  bool groups_rows = false;
  /// Bytes that the logic adds behind the bytes of keys when it selects one of its own.
  std::size_t key_suffix_bytes = 0;
};

/// Code of the program over rows with state, timers and side outputs. Its results do not depend on
/// how rows were cut into batches, as long as the logic treats one row after another. Timers of
/// processing time that have not come when the input ends do not go off.
Result<std::unique_ptr<Operator>> make_process_function(std::unique_ptr<ProcessLogic> logic,
                                                        ProcessFunctionOptions options);

/// A timer of event time may change state that the next row sees, so for a function that orders
/// event time a batch must end where a row lets the watermark pass any millisecond that a timer may
/// stand at: batches are as long as rows do not move the watermark. Others do not look at time.
TimeGrain process_function_time_grain(const ProcessFunctionOptions& options);

}  // namespace tidegate
