// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace tidegate {

/// Reaches an object from callbacks that may outlive it (wakers, timers): a call does nothing once
/// the tether is cut, and cut() waits for a call that is under way. Copies share one end.
template <typename T>
class Tether {
 public:
  explicit Tether(T& target) : end_(std::make_shared<End>()) { end_->target = &target; }

  template <typename F>
  void call(F&& f) const {
    const std::lock_guard lock(end_->mutex);
    if (end_->target != nullptr) std::forward<F>(f)(*end_->target);
  }

  void cut() {
    const std::lock_guard lock(end_->mutex);
    end_->target = nullptr;
  }

 private:
  struct End {
    std::mutex mutex;
    T* target = nullptr;
  };
  std::shared_ptr<End> end_;
};

}  // namespace tidegate
