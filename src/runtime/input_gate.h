// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/channel.h"
#include "runtime/task.h"
#include "runtime/watermark_merger.h"

namespace tidegate {

/// Merges the channels into a task: rows in turn, one watermark, one barrier per epoch, one end.
///
/// A channel that has delivered a barrier is not read again until all others have delivered theirs
/// (or have ended), so that no row of the next epoch gets into this one.
class InputGate final : public TaskHead {
 public:
  struct Input {
    std::shared_ptr<Channel> channel;
    int input = 0;  ///< of the operator
  };
  /// `watermark`: what the first operator of a restored job has seen already.
  explicit InputGate(std::vector<Input> inputs, EventTime watermark = kMinWatermark);

  bool feed(Chain& chain) override;

 private:
  // Finds the next channel, in turn, that may be read and holds something.
  bool next_event(Event& event, std::size_t& from);
  void handle(std::size_t from, Event event, Chain& chain);
  void set_idle(std::size_t from, bool idle, Chain& chain);
  void announce(Chain& chain);
  void finish_alignment(Chain& chain);

  std::vector<Input> inputs_;
  std::vector<InputTime> times_;
  std::vector<char> aligned_;  // has delivered barrier_
  std::optional<Barrier> barrier_;
  std::size_t turn_ = 0;
  std::size_t open_inputs_;
  MergedTime announced_;
};

}  // namespace tidegate
