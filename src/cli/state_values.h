// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "state/delta.h"
#include "state/state_schema.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// Reads the values of a state table into columns, by what its schema says.
class StateValues {
 public:
  virtual ~StateValues() = default;
  /// Null when nobody but the operator knows what the bytes are.
  static std::unique_ptr<StateValues> of(const StateSchema& schema);

  virtual const std::vector<Field>& fields() const = 0;
  /// The columns of all rows in these values; rows_of[i]: how many of them value i has.
  virtual Result<Batch> read(const std::vector<DeltaRecord>& records,
                             std::vector<std::int64_t>& rows_of) const = 0;
};

}  // namespace tidegate
