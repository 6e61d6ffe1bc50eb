// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/epoch_record.h"
#include "runtime/job.h"
#include "runtime/piece_count.h"
#include "tidegate/status.h"

namespace tidegate {

/// What one operator or sink writer of a task hands over at the end of an epoch.
struct OperatorAck {
  int node = 0;  ///< of the graph
  OperatorState::Subtask state;
  std::vector<StateDelta> deltas;
  std::string committable;
  std::int64_t clock_ms = 0;  ///< windows of the clock are closed up to here
};

/// What a source hands over at the end of an epoch, from one task.
struct SourceAck {
  int node = 0;
  std::vector<SplitState> open;
  std::vector<std::string> ended;  ///< ids of splits that ended in this epoch
};

/// A task has done its part of an epoch.
struct TaskAck {
  int task = 0;
  int subtask = 0;
  EpochId epoch = 0;
  bool last = false;     ///< the task has ended; it takes no part in later epochs
  bool stopped = false;  ///< by a barrier that stops, not by the end of its input
  std::optional<SourceAck> source;
  std::vector<OperatorAck> operators;
};

/// What tasks see of their job. Thread-safe.
class TaskHost {
 public:
  virtual ~TaskHost() = default;
  virtual const JobOptions& options() const = 0;
  virtual const Clock& clock() const = 0;
  virtual Executor& executor() = 0;
  virtual PieceCount& pieces() = 0;
  virtual MetricRegistry& metrics() = 0;

  /// True once tasks should drop everything.
  virtual bool cancelled() const = 0;
  /// True once sources should end as if there were no more input.
  virtual bool draining() const = 0;
  /// True while sources should read nothing, since the program has said so.
  virtual bool paused() const { return false; }
  /// The first error wins; the job ends.
  virtual void fail(Status status) = 0;
  virtual void acknowledge(TaskAck ack) = 0;
  /// A task has taken its last step, for whatever reason.
  virtual void task_closed() = 0;
  /// A source task has read everything and waits for the last barrier (drain_at_end is false).
  virtual void source_exhausted() = 0;
  /// All tasks of a source have read their share of a planned epoch.
  virtual void source_read() {}
  /// A source has something new, as it says itself.
  virtual void source_woken() {}
  /// A source task has read JobOptions::epoch_rows.
  virtual void want_epoch() {}
  /// The state of an operator has grown (or shrunk) by this much.
  virtual void charge_state(std::int64_t bytes) = 0;
  /// True while sources should read nothing, until the next epoch is published. Barriers and the
  /// end of input go on.
  virtual bool sources_wait() const { return false; }

  /// Runs `work` on a blocking thread; the job waits for it before it goes away.
  void run_blocking(std::function<void()> work);
};

}  // namespace tidegate
