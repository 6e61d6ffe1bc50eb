// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

namespace tidegate {

/// While it lives, SIGINT and SIGTERM call `on_signal` (on a thread of its own) instead of ending
/// the process. A second signal ends the process as usual. One at a time per process.
class InterruptHandler {
 public:
  explicit InterruptHandler(std::function<void()> on_signal);
  ~InterruptHandler();
  InterruptHandler(const InterruptHandler&) = delete;
  InterruptHandler& operator=(const InterruptHandler&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidegate
