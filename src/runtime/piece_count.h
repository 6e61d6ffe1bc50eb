// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace tidegate {

/// Counts the pieces of work that a job has handed to its executor and that have not ended, so
/// that its destructor can wait for them. Timers do not count: they reach the job by a Tether.
class PieceCount {
 public:
  void begin() { count_.fetch_add(1, std::memory_order_relaxed); }

  /// The last access of a piece to anything of its job.
  void end() {
    std::int64_t count = count_.load(std::memory_order_relaxed);
    while (count > 1) {
      if (count_.compare_exchange_weak(count, count - 1, std::memory_order_acq_rel)) return;
    }
    // Maybe the last one: under the lock, so that who waits cannot go away under our feet.
    const std::lock_guard lock(mutex_);
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) none_.notify_all();
  }

  bool none() const { return count_.load(std::memory_order_acquire) == 0; }

  void wait_for_none() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return none(); });
  }

 private:
  std::atomic<std::int64_t> count_{0};
  std::mutex mutex_;
  std::condition_variable none_;
};

}  // namespace tidegate
