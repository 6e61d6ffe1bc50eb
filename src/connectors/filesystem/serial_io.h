// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/executor.h"
#include "dataflow/operator.h"
#include "tidegate/status.h"

namespace tidegate {

/// File operations one after another on a blocking thread, for a task that must not wait for them.
/// Used by one thread. Operations may outlive it, so they hold what they need.
class SerialIo {
 public:
  using Operation = std::function<Status()>;

  SerialIo(Executor& executor, Waker waker);

  /// Runs `operation` once the earlier ones are done, unless one of them failed. `bytes` is what it
  /// holds in memory.
  void submit(Operation operation, std::int64_t bytes = 0);
  /// The same, also after a failure: for cleaning up.
  void submit_always(Operation operation);

  /// Whether at most `max_bytes` wait, or nothing is left to do at all. When not, the waker will be
  /// called once it may be so. An error: an operation failed, and the rest were not run.
  Result<bool> is_below(std::int64_t max_bytes);
  Result<bool> is_idle();

 private:
  struct State;
  void add(Operation operation, std::int64_t bytes, bool always);

  Executor& executor_;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate
