// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"

namespace tidegate {
namespace {

class SeededExecutor final : public SimulatedExecutor {
 public:
  SeededExecutor(std::uint64_t seed, VirtualClock& clock, int parallelism)
      : random_(seed), clock_(clock), parallelism_(parallelism) {}

  // Dropping work runs destructors, which may submit again.
  ~SeededExecutor() override { stopping_ = true; }

  int parallelism() const override { return parallelism_; }

  void submit(std::function<void()> work) override {
    if (!stopping_) ready_.push_back(std::move(work));
  }

  // Nothing blocks in a simulation: its files and services are in memory.
  void submit_blocking(std::function<void()> work) override { submit(std::move(work)); }

  void submit_at(std::int64_t deadline_ns, std::function<void()> work) override {
    if (!stopping_) timers_.emplace(deadline_ns, std::move(work));
  }

  bool run_one() override {
    collect_due();
    if (ready_.empty() && !timers_.empty()) {
      constexpr std::int64_t kNsPerMs = 1'000'000;
      const std::int64_t deadline_ns = timers_.begin()->first;
      clock_.advance_to_ms(deadline_ns / kNsPerMs + (deadline_ns % kNsPerMs > 0 ? 1 : 0));
      collect_due();
    }
    return run_a_ready_one();
  }

  void run_ready() override {
    do {
      collect_due();
    } while (run_a_ready_one());
  }

 private:
  void collect_due() {
    while (!timers_.empty() && timers_.begin()->first <= clock_.monotonic_ns()) {
      ready_.push_back(std::move(timers_.extract(timers_.begin()).mapped()));
    }
  }

  bool run_a_ready_one() {
    if (ready_.empty()) return false;
    std::swap(ready_[random_.below(ready_.size())], ready_.back());
    const std::function<void()> work = std::move(ready_.back());
    ready_.pop_back();
    work();
    return true;
  }

  Random random_;
  VirtualClock& clock_;
  const int parallelism_;
  bool stopping_ = false;
  std::vector<std::function<void()>> ready_;
  std::multimap<std::int64_t, std::function<void()>> timers_;  // by deadline, in order of arrival
};

}  // namespace

std::unique_ptr<SimulatedExecutor> make_simulated_executor(std::uint64_t seed, VirtualClock& clock,
                                                           int parallelism) {
  TG_CHECK(parallelism > 0, "parallelism={}", parallelism);
  return std::make_unique<SeededExecutor>(seed, clock, parallelism);
}

}  // namespace tidegate
