// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dataflow/source.h"
#include "state/held_state.h"
#include "state/state_backend.h"
#include "tidegate/time.h"

namespace tidegate {

/// A split that is being read, as of an epoch.
struct SplitState {
  Split split;
  std::int64_t order = 0;               ///< among all splits of the source, as they were found
  int subtask = 0;                      ///< who read it
  std::optional<std::string> position;  ///< SplitReader::position(); none: not begun
  EventTime watermark = kMinWatermark;  ///< of this split alone, not floored to the grain
  EventTime max_time = kMinWatermark;   ///< largest event time seen
  bool idle = false;
  std::int64_t rows = 0;  ///< read so far, for messages
};

/// What a source has found and read, as of an epoch.
struct SourceState {
  std::string uid;
  int parallelism = 1;
  std::vector<SplitState> open;    ///< begun and not ended, in order
  std::vector<Split> unassigned;   ///< found and not begun, in order
  std::vector<std::string> known;  ///< ids of all splits ever found, ended ones too
  bool complete = false;           ///< no further splits will ever be found
};

/// What an operator (or the writer of a sink) has seen, as of an epoch.
struct OperatorState {
  struct Subtask {
    EventTime watermark = kMinWatermark;  ///< event time that it has reached
    bool finished = false;                ///< Operator::finish() is done
  };
  std::string uid;
  std::vector<Subtask> subtasks;
  std::vector<StateDelta> deltas;  ///< of all subtasks; oldest epoch first when several are merged
};

/// What a sink writer prepared for an epoch.
struct Committable {
  std::string uid;
  int subtask = 0;
  std::string bytes;
};

/// Everything that becomes durable and visible together at the end of an epoch.
struct EpochRecord {
  EpochId epoch = 0;
  bool finished = false;  ///< all input was read and all results are out: nothing is left to do
  int key_groups = 128;
  /// Windows of the clock are closed up to here: a restored job's clock begins there, if it is not
  /// past it. 0: only what the clock has closed by itself.
  std::int64_t clock_ms = 0;
  std::vector<SourceState> sources;
  std::vector<OperatorState> operators;   ///< sinks too
  std::vector<Committable> committables;  ///< not empty ones only
  /// What the mode that ran the epoch keeps with it (CommitPolicy::complete()); opaque.
  std::string mode_state;

  // Of a record to restore from:
  std::string run;  ///< who committed it; empty: nobody can tell
  /// Tables whose deltas are only what came after the rows that the job's state store has already.
  std::set<TableName> held;
};

/// Brings the deltas into memory that are stored.
Status load_state(EpochRecord& record);

/// The record to restore from when `base` was durable and `next` came after it: everything of
/// `next`, with the deltas of `base` in front.
EpochRecord merge(EpochRecord base, EpochRecord next);

}  // namespace tidegate
