// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/executor.h"
#include "dataflow/operator.h"
#include "runtime/activation.h"
#include "runtime/tether.h"

namespace tidegate {

/// One thing inside a task that can be woken from outside: an operator, a split. Its waker runs
/// the task and leaves a mark that says who was meant.
class WakePoint {
 public:
  explicit WakePoint(Activation& task) : mark_(std::make_shared<Mark>(task)) {
    waker_ = Waker(std::make_shared<const std::function<void()>>([mark = mark_] {
      mark->woken.store(true, std::memory_order_release);
      mark->task.call([](Activation& activation) { activation.wake(); });
    }));
  }
  ~WakePoint() { mark_->task.cut(); }
  WakePoint(const WakePoint&) = delete;
  WakePoint& operator=(const WakePoint&) = delete;

  const Waker& waker() const { return waker_; }
  bool woken() const { return mark_->woken.load(std::memory_order_acquire); }
  /// True when woken since the last take(); for the task's own thread.
  bool take() { return woken() && mark_->woken.exchange(false, std::memory_order_acq_rel); }

 private:
  struct Mark {
    explicit Mark(Activation& activation) : task(activation) {}
    std::atomic<bool> woken{false};
    Tether<Activation> task;
  };
  std::shared_ptr<Mark> mark_;
  Waker waker_;
};

/// Wakes a task at the earliest of the times that it asked for. For the task's own thread.
class WakeTimer {
 public:
  WakeTimer(Activation& task, Executor& executor, const Clock& clock)
      : task_(task), executor_(executor), clock_(clock) {}
  ~WakeTimer() { task_.cut(); }
  WakeTimer(const WakeTimer&) = delete;
  WakeTimer& operator=(const WakeTimer&) = delete;

  /// The task runs once the monotonic clock has reached `deadline_ns`, maybe also before.
  void wake_at_ns(std::int64_t deadline_ns) {
    const bool armed = armed_ns_ && *armed_ns_ > clock_.monotonic_ns();
    if (armed && *armed_ns_ <= deadline_ns) return;
    armed_ns_ = deadline_ns;
    executor_.submit_at(deadline_ns, [task = task_] {
      task.call([](Activation& activation) { activation.wake(); });
    });
  }

  /// The same by the wall clock. A far time is approached in steps: the task runs after each and
  /// has to ask again, so that the clock may be set in between.
  void wake_at_wall_ms(std::int64_t wall_ms) {
    constexpr std::int64_t kLongestStepMs = 3'600'000;
    const std::int64_t now_ms = clock_.wall_ms();
    const std::int64_t delay_ms =
        wall_ms <= now_ms ? 0
                          : std::min(kLongestStepMs, wall_ms - std::max(now_ms, std::int64_t{0}));
    wake_at_ns(clock_.monotonic_ns() + delay_ms * 1'000'000);
  }

 private:
  Tether<Activation> task_;
  Executor& executor_;
  const Clock& clock_;
  std::optional<std::int64_t> armed_ns_;
};

}  // namespace tidegate
