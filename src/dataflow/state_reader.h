// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tidegate/state_owner.h"
#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/batch.h"

namespace tidegate {

/// A question about the state of an operator that runs.
struct StateQuery {
  std::string state;         ///< name of a process function's state; empty: results of an aggregate
  std::optional<Batch> key;  ///< one row with the key columns; none: all keys
  // In place of a key, each one row with the key columns, as SQL orders them:
  std::optional<Batch> from;  ///< no keys before it
  std::optional<Batch> to;    ///< neither it nor keys behind it
  /// Asks for the state as of an epoch that is durable, which has to be waited for; else for what
  /// it is now.
  bool committed = false;
};

/// What came of a question.
struct StateReading {
  std::vector<Batch> rows;  ///< of each task that was asked
  /// StateQuery::committed: the rows are as of this epoch; else all of it is in them, and what was
  /// processed since. Of several tasks with epochs of their own the earliest.
  EpochId epoch = 0;
  /// Who has what this process has not, of what was asked for.
  std::vector<StateOwner> elsewhere;
  /// The key that was asked for is nobody's but the one's in `elsewhere`.
  bool has_owner = false;
};

/// Operators that let a program look into their state implement this beside Operator.
class StateReader {
 public:
  virtual ~StateReader() = default;
  /// Between two calls of the operator, on its thread. Of an aggregate: what its results would be
  /// now, with the columns of its output. Of a process function: one column of bytes, with one row
  /// where the key has a value.
  virtual Result<Batch> read_state(const StateQuery& query) = 0;
  /// False: bytes whose meaning only the program knows.
  virtual bool answers_rows() const { return true; }
};

}  // namespace tidegate
