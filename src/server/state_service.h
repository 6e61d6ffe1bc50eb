// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "dataflow/readable_state.h"
#include "dataflow/state_reader.h"
#include "tidegate/status.h"

namespace tidegate {

/// What questions about the state of a running job are put to. Thread-safe.
class StateService {
 public:
  virtual ~StateService() = default;
  /// What can be asked about; the same all the time.
  virtual const std::vector<ReadableState>& states() const = 0;
  /// Waits for the answer.
  virtual Result<StateReading> read(std::string_view name, StateQuery query) = 0;
};

}  // namespace tidegate
