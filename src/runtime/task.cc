// SPDX-License-Identifier: Apache-2.0
#include "runtime/task.h"

#include <utility>

namespace tidegate {

Task::Task(TaskHost& host, int index, int subtask)
    : host_(host),
      activation_(host.executor(), host.pieces(), [this] { return step(); }),
      timer_(activation_, host.executor(), host.clock()),
      chain_(host, activation_, index, subtask) {}

Activation::Outcome Task::step() {
  if (!opened_) open();
  const Activation::Outcome outcome = run_slice();
  chain_.charge_state();
  if (outcome == Activation::Outcome::kFinished) {
    host_.task_closed();
  } else {
    arm_timer();
  }
  return outcome;
}

void Task::open() {
  opened_ = true;
  if (host_.cancelled()) return;
  Status opened = opener_();
  if (!opened.is_ok()) chain_.fail(std::move(opened));
}

Activation::Outcome Task::run_slice() {
  chain_.begin_slice();
  while (!chain_.failed() && !host_.cancelled()) {
    head_->control(chain_);
    chain_.drive();
    if (chain_.failed()) break;
    if (chain_.ended()) return Activation::Outcome::kFinished;
    if (!chain_.has_budget()) return Activation::Outcome::kAgain;
    if (chain_.has_room()) {
      if (!head_->feed(chain_) && !chain_.wants_run() && chain_.has_room() && !chain_.ended())
        return Activation::Outcome::kIdle;
      continue;
    }
    // Full channels wake the task when they have credit; who got some just now does not, so look
    // once more before resting.
    chain_.await_credit();
    if (!chain_.has_room() && !chain_.wants_run()) return Activation::Outcome::kIdle;
  }
  return Activation::Outcome::kFinished;
}

void Task::arm_timer() {
  if (const auto at_ms = chain_.wake_at_ms()) timer_.wake_at_wall_ms(*at_ms);
  if (const auto at_ns = head_->wake_at_ns()) timer_.wake_at_ns(*at_ns);
}

}  // namespace tidegate
