// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/time.h"

namespace tidegate {

/// The life of a job: created -> starting -> running -> [stopping ->] one of the last four.
enum class JobState : std::uint8_t {
  kCreated,
  kStarting,  ///< sources, sinks and operators are being opened
  kRunning,
  kRestarting,  ///< it has failed, and begins again from its last epoch in a while
  kStopping,    ///< stop() was called, or an error is being cleaned up
  kFinished,    ///< all input was read, everything is published
  kStopped,     ///< stop() was called, the last epoch is published
  kCancelled,   ///< stop(kCancel) was called: what was not published is gone
  kFailed,
};

std::string_view job_state_name(JobState state);
constexpr bool is_terminal(JobState state) { return state >= JobState::kFinished; }

/// One split that is being read.
struct SplitProgress {
  std::string id;
  int subtask = 0;
  std::int64_t rows = 0;
  EventTime watermark = kMinWatermark;
  bool idle = false;
  std::int64_t lag = -1;  ///< records behind the end of a partition of Kafka; -1: not known
};

/// One source, over all its subtasks.
struct SourceProgress {
  std::string name;
  std::int64_t rows_out = 0;
  std::int64_t rows_bad = 0;
  EventTime watermark = kMinWatermark;  ///< not floored to the grain; kMaxWatermark: ended
  std::vector<SplitProgress> splits;
  std::int64_t splits_waiting = 0;  ///< found, not opened yet
  std::int64_t splits_ended = 0;
  /// The split with the lowest watermark of those that hold event time back; "" when none does.
  std::string held_back_by;
};

/// One operator or sink, over all its subtasks.
struct OperatorProgress {
  std::string name;
  std::int64_t rows_in = 0;
  std::int64_t rows_out = 0;
  std::int64_t rows_late = 0;
  std::int64_t rows_bad = 0;
  std::int64_t state_bytes = 0;
  EventTime watermark = kMinWatermark;  ///< the lowest of its subtasks
  std::int64_t state_rows = 0;          ///< at the end of the last micro-batch, of state in memory
  std::int64_t state_rows_written = 0;  ///< in the last micro-batch
};

/// How one epoch went.
struct EpochProgress {
  EpochId epoch = 0;
  std::int64_t begun_ms = 0;      ///< since 1970
  std::int64_t gathering_ms = 0;  ///< until the last task had acknowledged it
  std::int64_t waiting_ms = 0;    ///< for the epoch before it
  std::int64_t commit_ms = 0;     ///< until it was durable
  std::int64_t publish_ms = 0;    ///< until its output was visible
  std::int64_t bytes = 0;         ///< written to make it durable
  std::string slowest_task;       ///< the last to acknowledge: "operator (subtask)"
};

/// Library mode: what this process has read back, and still reads, of the state of its tasks.
struct RestoreProgress {
  int tasks = 0;                   ///< whose state is here
  int tasks_behind_local = 0;      ///< of these, only what came after the local state was read
  int tasks_waiting = 0;           ///< being read
  std::int64_t messages = 0;       ///< of all of them, read so far
  std::int64_t messages_left = 0;  ///< about
  std::int64_t bytes = 0;          ///< read so far
};

/// A job at one moment. Numbers of different operators may be some batches apart.
struct JobProgress {
  JobState state = JobState::kCreated;
  EpochId published_epoch = 0;
  int restarts = 0;  ///< how often the job has begun again after a failure
  std::vector<SourceProgress> sources;
  std::vector<OperatorProgress> operators;
  RestoreProgress restore;
  std::vector<EpochProgress> epochs;  ///< the last ones that were published, oldest first
};

}  // namespace tidegate
