// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/serial_io.h"

#include <deque>
#include <mutex>
#include <utility>

namespace tidegate {

struct SerialIo::State {
  struct Item {
    Operation operation;
    std::int64_t bytes;
    bool always;
  };

  explicit State(Waker wake) : waker(std::move(wake)) {}

  // Works until nothing is left. Only one such run at a time: `running` says so.
  void run() {
    std::unique_lock lock(mutex);
    while (!items.empty()) {
      const bool skip = !status.is_ok() && !items.front().always;
      Operation operation = std::move(items.front().operation);
      const std::int64_t bytes = items.front().bytes;
      items.pop_front();
      lock.unlock();
      Status done = skip ? Status::ok() : operation();
      operation = nullptr;  // what it holds goes before it counts as done
      lock.lock();
      if (status.is_ok()) status = std::move(done);
      pending_bytes -= bytes;
      // From here on a new operation starts a run of its own.
      const bool finished = items.empty();
      if (finished) running = false;
      const bool wake = std::exchange(waiting, false);
      lock.unlock();
      if (wake) waker.wake();
      if (finished) return;
      lock.lock();
    }
  }

  const Waker waker;
  std::mutex mutex;
  std::deque<Item> items;
  std::int64_t pending_bytes = 0;
  Status status;
  bool running = false;
  bool waiting = false;
};

SerialIo::SerialIo(Executor& executor, Waker waker)
    : executor_(executor), state_(std::make_shared<State>(std::move(waker))) {}

void SerialIo::submit(Operation operation, std::int64_t bytes) {
  add(std::move(operation), bytes, /*always=*/false);
}

void SerialIo::submit_always(Operation operation) { add(std::move(operation), 0, /*always=*/true); }

void SerialIo::add(Operation operation, std::int64_t bytes, bool always) {
  bool start = false;
  {
    const std::lock_guard lock(state_->mutex);
    state_->items.push_back({std::move(operation), bytes, always});
    state_->pending_bytes += bytes;
    start = !std::exchange(state_->running, true);
  }
  if (start) executor_.submit_blocking([state = state_] { state->run(); });
}

Result<bool> SerialIo::is_below(std::int64_t max_bytes) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->status.is_ok()) return state_->status;
  const bool below = state_->pending_bytes <= max_bytes;
  state_->waiting = !below;
  return below;
}

Result<bool> SerialIo::is_idle() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->status.is_ok()) return state_->status;
  state_->waiting = state_->running;
  return !state_->running;
}

}  // namespace tidegate
