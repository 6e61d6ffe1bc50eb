// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// A question about the state of an operator that runs.
struct StateQuery {
  std::string state;         ///< name of a process function's state; empty: results of an aggregate
  std::optional<Batch> key;  ///< one row with the key columns; none: all keys
};

/// Operators that let a program look into their state implement this beside Operator. What they
/// answer is current, not committed.
class StateReader {
 public:
  virtual ~StateReader() = default;
  /// Between two calls of the operator, on its thread. Of an aggregate: what its results would be
  /// now, with the columns of its output. Of a process function: one column of bytes, with one row
  /// where the key has a value.
  virtual Result<Batch> read_state(const StateQuery& query) = 0;
};

}  // namespace tidegate
