// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace tidegate {

class Executor;    // base/executor.h
class PieceCount;  // runtime/piece_count.h

/// Runs the steps of a cooperative state machine on an executor: never two at a time, and at least
/// one whole step after each wake().
class Activation {
 public:
  enum class Outcome : std::uint8_t {
    kIdle,      ///< nothing to do until the next wake()
    kAgain,     ///< there is more to do; others get their turn first
    kFinished,  ///< never run again
  };

  Activation(Executor& executor, PieceCount& pieces, std::function<Outcome()> step)
      : executor_(executor), pieces_(pieces), step_(std::move(step)) {}

  /// Any thread, any number of times. What the caller wrote before is seen by the step.
  void wake();

 private:
  void submit();
  void run();

  // Two bits. A wake sets both; only who finds kActive clear submits. A step clears kWanted when
  // it begins, so a wake during the step leaves it set, and the piece is submitted once more.
  // Every access is a read-modify-write, hence all are in one order and no wake is lost.
  static constexpr unsigned kWanted = 1;
  static constexpr unsigned kActive = 2;  // queued or running; for ever once finished

  Executor& executor_;
  PieceCount& pieces_;
  const std::function<Outcome()> step_;
  std::atomic<unsigned> state_{0};
};

}  // namespace tidegate
