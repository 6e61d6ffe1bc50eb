// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace tidegate {

/// Runs pieces of work. The engine's tasks, parallel decoding and blocking calls all go through
/// one, so that a simulation can run them on one thread in a seeded order. Work must not throw.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Number of pieces that can run at the same time; at least 1.
  virtual int parallelism() const = 0;

  /// Queues CPU work that never blocks. Any thread may call; pieces may run in any order and on
  /// any worker. Work that is queued when the executor shuts down is dropped.
  virtual void submit(std::function<void()> work) = 0;

  /// Queues work that may block (file and network calls). Runs on threads of its own.
  virtual void submit_blocking(std::function<void()> work) = 0;

  /// Runs `work` as `submit` does, once the monotonic clock has reached `deadline_ns`.
  virtual void submit_at(std::int64_t deadline_ns, std::function<void()> work) = 0;
};

/// A fixed set of `workers` threads named tg-worker-N, and up to `blocking_threads` for blocking
/// work (started when first needed, then kept). What a worker submits stays with it unless another
/// one is idle; workers without work sleep and cost nothing.
///
/// The destructor lets running pieces finish, joins all threads and drops what is queued; pieces
/// may submit until their very end, also while they are dropped. It must not run on a thread of the
/// executor itself.
std::unique_ptr<Executor> make_thread_executor(int workers, int blocking_threads = 8);

/// Cores that this process may use; at least 1.
int machine_cores();

class VirtualClock;

/// One thread (the caller's), a seeded order of execution and virtual time: same seed, same order.
/// Blocking work is a piece like others. Not thread-safe: pieces are submitted by the caller or by
/// other pieces.
class SimulatedExecutor : public Executor {
 public:
  /// Runs one ready piece, chosen by the seed. When none is ready, moves the clock to the next
  /// deadline and runs that. False when there is nothing at all to do.
  virtual bool run_one() = 0;
  /// Runs ready pieces only, without moving the clock, until none is left.
  virtual void run_ready() = 0;
};

std::unique_ptr<SimulatedExecutor> make_simulated_executor(std::uint64_t seed, VirtualClock& clock,
                                                           int parallelism = 1);

}  // namespace tidegate
