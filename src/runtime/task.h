// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/activation.h"
#include "runtime/chain.h"
#include "runtime/task_host.h"
#include "runtime/wake_point.h"

namespace tidegate {

/// Where the events of a task come from: a source, or the channels of other tasks. On the task's
/// thread only.
class TaskHead {
 public:
  virtual ~TaskHead() = default;
  /// Whatever may not wait for room in the chain.
  virtual void control(Chain&) {}
  /// Feeds the chain while it has credit. False when there is nothing (more) at the moment.
  virtual bool feed(Chain& chain) = 0;
  /// The monotonic time at which feed() should be called again even if nobody wakes the task.
  virtual std::optional<std::int64_t> wake_at_ns() const { return std::nullopt; }
};

/// A head and its chain as one cooperative state machine. Runs in slices on the executor, never
/// blocks, rests until somebody wakes it.
class Task {
 public:
  Task(TaskHost& host, int index, int subtask);

  /// While the job is being built.
  Activation& activation() { return activation_; }
  Chain& chain() { return chain_; }
  void set_head(std::unique_ptr<TaskHead> head) { head_ = std::move(head); }
  /// Opens the operators of the chain.
  void set_opener(std::function<Status()> open) { opener_ = std::move(open); }

  void wake() { activation_.wake(); }

  /// Has the answer made on the task's thread, between two slices; any thread, while the job runs.
  /// `answer` is called exactly once.
  void read_state(int node_index, ChainNode::Question question);

 private:
  Activation::Outcome step();
  void open();
  Activation::Outcome run_slice();
  void arm_timer();
  void answer_questions(bool closing);

  TaskHost& host_;
  Activation activation_;
  WakeTimer timer_;
  Chain chain_;
  std::unique_ptr<TaskHead> head_;
  std::function<Status()> opener_;
  bool opened_ = false;

  std::atomic<bool> asked_{false};
  std::mutex mutex_;                                            // over what follows
  std::vector<std::pair<int, ChainNode::Question>> questions_;  // by node
  bool closed_ = false;                                         // nobody will answer any more
};

}  // namespace tidegate
