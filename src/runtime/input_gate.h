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
///
/// Where the order of rows and watermarks matters, neither is a channel that is ahead of another
/// one of the same sources: whether a row is late would depend on how far the others happen to be.
/// What holds a channel back is on its way, since both are the same source's; unless the barrier
/// comes first on the slower one, when there are several splits, and then the faster one goes on.
class InputGate final : public TaskHead {
 public:
  struct Input {
    std::shared_ptr<Channel> channel;
    int input = 0;   ///< of the operator
    int order = -1;  ///< ChannelPlan::order
  };
  /// `watermark`: what the first operator of a restored job has seen already. With `planned` epochs
  /// nobody is idle when one begins: a barrier says so of all channels.
  explicit InputGate(std::vector<Input> inputs, EventTime watermark = kMinWatermark,
                     bool planned = false);

  bool feed(Chain& chain) override;

 private:
  // Finds the next channel, in turn, that may be read and holds something.
  bool next_event(Event& event, std::size_t& from);
  void handle(std::size_t from, Event event, Chain& chain);
  void set_idle(std::size_t from, bool idle, Chain& chain);
  void announce(Chain& chain);
  void finish_alignment(Chain& chain);
  void hold_back();

  std::vector<Input> inputs_;
  const bool planned_;
  std::vector<InputTime> times_;
  std::vector<char> aligned_;       // has delivered barrier_
  std::vector<char> held_;          // is ahead of the others of its order
  std::vector<EventTime> slowest_;  // by order, of those that are to go on
  std::optional<Barrier> barrier_;
  std::size_t turn_ = 0;
  std::size_t open_inputs_;
  MergedTime announced_;
};

}  // namespace tidegate
