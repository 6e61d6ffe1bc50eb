// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/batch.h"
#include "types/key_group.h"

namespace tidegate {

class MetricGroup;   // base/metrics.h
class StateBackend;  // state/state_backend.h

/// Asks for a task to be run again. Any thread may call it, any number of times, also after the
/// task has gone. Copies are cheap.
class Waker {
 public:
  Waker() = default;
  explicit Waker(std::shared_ptr<const std::function<void()>> wake) : wake_(std::move(wake)) {}
  void wake() const {
    if (wake_) (*wake_)();
  }

 private:
  std::shared_ptr<const std::function<void()>> wake_;
};

/// How a call that may emit ended.
enum class Progress : std::uint8_t {
  kDone,     ///< finished; the next event may come
  kMore,     ///< output has no credit; call resume() when it has
  kBlocked,  ///< waits for something outside; resume() after the operator's waker was called
};

/// Where an operator's rows go. Belongs to the runtime; valid during the call it is passed to.
class Output {
 public:
  virtual ~Output() = default;
  /// Passes a batch on. Empty batches are dropped. Always accepted, but an operator that can make
  /// many rows out of one call asks has_credit() and answers kMore.
  virtual void emit(Batch batch) = 0;
  /// Passes a batch to the side output of this index (OperatorSpec::side_outputs).
  virtual void emit_side(int side, Batch batch) = 0;
  /// False while what was emitted has not been taken by the next one.
  virtual bool has_credit() const = 0;
};

/// What the runtime gives to an operator; outlives it.
class OperatorContext {
 public:
  virtual ~OperatorContext() = default;
  virtual const std::string& operator_name() const = 0;
  virtual int subtask() const = 0;
  virtual int parallelism() const = 0;
  virtual KeyGroupRange key_groups() const = 0;
  /// Clock for processing time and durations.
  virtual const Clock& clock() const = 0;
  /// For work beside the task (asynchronous calls).
  virtual Executor& executor() = 0;
  /// Wakes this operator's task; for kBlocked, and for asynchronous work that has completed.
  virtual Waker waker() = 0;
  /// Keyed state of this operator in this task.
  virtual StateBackend& state() = 0;
  virtual MetricGroup& metrics() = 0;
  /// The watermark that the restored epoch holds; kMinWatermark when there is none. Known at
  /// open(), and unless it is kMinWatermark the first call after that is an advance() to it.
  virtual EventTime restored_watermark() const { return kMinWatermark; }
  /// Asks for wake(processing_time) once the wall clock has reached `wall_ms`. The earliest of all
  /// requests holds; it is used up when it fires.
  virtual void request_wake_at(std::int64_t wall_ms) = 0;
};

/// One step of the dataflow, for one range of key groups. The runtime calls it from one thread at a
/// time, never two calls at once. After kMore or kBlocked the only call that follows is resume(),
/// until that answers kDone; watermarks and barriers wait their turn.
///
/// An operator does not know in which mode it runs, who its neighbours are, or how rows were cut
/// into batches; its results must not depend on it.
class Operator {
 public:
  virtual ~Operator() = default;

  /// Once, before anything else. Creates or finds its state.
  virtual Status open(OperatorContext& context) = 0;

  /// Rows of input `input` (0 for operators with one input).
  virtual Result<Progress> process(int input, Batch batch, Output& out) = 0;

  /// Event time has reached `watermark` on all inputs; never goes back. The runtime passes
  /// output_watermark(watermark) on once this is done. After a restore the first call is an
  /// advance() to the watermark that the restored epoch holds, so that lateness is judged as
  /// before.
  virtual Result<Progress> advance(EventTime watermark, Output& out);

  /// The time to announce downstream when the inputs have reached `watermark`. Operators that
  /// hold rows back (interval join, asynchronous calls) answer less. The runtime asks again after
  /// every call that may emit, also one that answered kMore or kBlocked, and announces a higher
  /// answer before the next call: asynchronous calls let a watermark go when the results in front
  /// of it are out, and answer kMore so that rows behind it cannot overtake it.
  virtual EventTime output_watermark(EventTime watermark) const { return watermark; }

  /// The processing time asked for with request_wake_at() has come, or the waker was called.
  virtual Result<Progress> wake(std::int64_t wall_ms, Output& out);

  /// The epoch ends here: emits everything that is buffered outside of state. The state's delta is
  /// taken by the runtime right after.
  virtual Result<Progress> seal(EpochId epoch, Output& out);

  /// All inputs have ended and advance(kMaxWatermark) is done: emits what is left.
  virtual Result<Progress> finish(Output& out);

  /// Goes on with the call that answered kMore or kBlocked.
  virtual Result<Progress> resume(Output& out);
};

}  // namespace tidegate
