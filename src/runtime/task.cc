// SPDX-License-Identifier: Apache-2.0
#include "runtime/task.h"

#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

Status state_is_gone() {
  return error(ErrorCode::kCancelled, "the task has ended, and its state is gone");
}

}  // namespace

Task::Task(TaskHost& host, int index, int subtask)
    : host_(host),
      activation_(host.executor(), host.pieces(), [this] { return step(); }),
      timer_(activation_, host.executor(), host.clock()),
      chain_(host, activation_, index, subtask) {}

Activation::Outcome Task::step() {
  if (!opened_) open();
  if (asked_.load(std::memory_order_acquire)) answer_questions(/*closing=*/false);
  const Activation::Outcome outcome = run_slice();
  chain_.charge_state();
  if (outcome == Activation::Outcome::kFinished) {
    answer_questions(/*closing=*/true);
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

void Task::read_state(int node_index, ChainNode::Question question) {
  bool is_gone = false;
  {
    const std::lock_guard lock(mutex_);
    is_gone = closed_;
    if (!is_gone) {
      questions_.emplace_back(node_index, std::move(question));
      asked_.store(true, std::memory_order_release);
    }
  }
  if (is_gone) return question.answer(state_is_gone(), 0);
  wake();
}

void Task::answer_questions(bool closing) {
  std::vector<std::pair<int, ChainNode::Question>> questions;
  {
    const std::lock_guard lock(mutex_);
    questions.swap(questions_);
    closed_ = closing;
    asked_.store(false, std::memory_order_relaxed);
  }
  const bool is_gone = closing || chain_.failed() || host_.cancelled();
  for (auto& [index, question] : questions) {
    ChainNode& node = *chain_.find(index);
    if (is_gone) {
      question.answer(state_is_gone(), 0);
    } else if (question.query->committed) {
      node.read_state_later(std::move(question));
    } else {
      question.answer(node.read_state(*question.query), 0);
    }
  }
  if (closing) chain_.refuse_questions(state_is_gone());
}

void Task::arm_timer() {
  if (const auto at_ms = chain_.wake_at_ms()) timer_.wake_at_wall_ms(*at_ms);
  if (const auto at_ns = head_->wake_at_ns()) timer_.wake_at_ns(*at_ns);
}

}  // namespace tidegate
