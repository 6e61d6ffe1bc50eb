// SPDX-License-Identifier: Apache-2.0
#include "runtime/planned_epochs.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "runtime/guard.h"

namespace tidegate {

PlannedEpochs::PlannedEpochs(TaskHost& host, std::vector<SourceOfJob> sources, Calls calls)
    : host_(host),
      planner_(*host.options().planner),
      sources_(std::move(sources)),
      calls_(std::move(calls)) {}

void PlannedEpochs::start() { ask(); }

void PlannedEpochs::ask() {
  host_.run_blocking([this] { plan(); });
}

void PlannedEpochs::plan() {
  if (host_.cancelled()) return;
  std::function<void()> stopping;
  {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    stopping = stop_if_wanted();
  }
  if (stopping) return stopping();
  Result<EpochPlanner::Step> step = [&] {
    const std::lock_guard lock(asking_);
    return guarded([&] { return planner_.next(); });
  }();
  if (!step.is_ok()) return host_.fail(std::move(step).status());
  switch (step->kind) {
    case EpochPlanner::Step::Kind::kRun:
      return run(step->epoch);
    case EpochPlanner::Step::Kind::kWait:
      return wait(step->until_ns);
    case EpochPlanner::Step::Kind::kStop:
      stop(StopMode::kBarrier);
      plan();  // sees that it is to stop
      return;
  }
}

void PlannedEpochs::run(const PlannedEpoch& epoch) {
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kRunning;
    ends_input_ = epoch.ends_input;
    unread_ = sources_.size();
  }
  static const SourceRange kNothing;
  for (const SourceOfJob& source : sources_) {
    const auto range = std::ranges::find(epoch.sources, source.uid, &SourceRange::uid);
    source.enumerator->admit(range == epoch.sources.end() ? kNothing : *range, epoch);
  }
  const std::lock_guard lock(asking_);
  planner_.prepare();
}

void PlannedEpochs::wait(std::int64_t until_ns) {
  std::uint64_t number = 0;
  std::function<void()> stopping;
  {
    const std::lock_guard lock(mutex_);
    stopping = stop_if_wanted();
    if (!stopping) {
      if (woken_) {
        until_ns = 0;
      } else {
        state_ = State::kWaiting;
        number = ++waits_;
      }
    }
  }
  if (stopping) return stopping();
  if (number == 0) return ask();
  host_.executor().submit_at(until_ns, [tether = tether_, number] {
    tether.call([number](PlannedEpochs& epochs) {
      {
        const std::lock_guard lock(epochs.mutex_);
        if (epochs.state_ != State::kWaiting || epochs.waits_ != number) return;
        epochs.state_ = State::kPlanning;
      }
      epochs.ask();
    });
  });
}

void PlannedEpochs::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    if (state_ != State::kWaiting) return;
    state_ = State::kPlanning;
  }
  ask();
}

void PlannedEpochs::source_read() {
  bool stops = false;
  {
    const std::lock_guard lock(mutex_);
    TG_CHECK(unread_ > 0, "all sources have read their share already");
    if (--unread_ > 0 || state_ == State::kOver) return;
  }
  std::vector<SourceRead> read;
  for (const SourceOfJob& source : sources_) {
    read.push_back(source.enumerator->read_of_epoch());
    read.back().uid = source.uid;
  }
  planner_.input_read(read);
  {
    const std::lock_guard lock(mutex_);
    stops = wants_stop_ && stop_mode_ == StopMode::kBarrier;
    // The tasks end by themselves, and with them the epoch.
    if (ends_input_ || stops) state_ = State::kOver;
    if (ends_input_) return;
  }
  calls_.end_epoch(stops);
}

void PlannedEpochs::published() {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kRunning) return;
    TG_CHECK(unread_ == 0, "an epoch was ended before {} sources had read their share", unread_);
    state_ = State::kPlanning;
  }
  ask();
}

void PlannedEpochs::stop(StopMode mode) {
  std::function<void()> stopping;
  {
    const std::lock_guard lock(mutex_);
    stop_mode_ = wants_stop_ ? std::max(stop_mode_, mode) : mode;
    wants_stop_ = true;
    if (state_ == State::kWaiting) {
      stopping = stop_if_wanted();
    } else if (state_ == State::kRunning && mode == StopMode::kBarrier && planner_.may_be_cut()) {
      state_ = State::kOver;
      stopping = [this] { calls_.end_epoch(true); };
    }
  }
  if (stopping) stopping();
}

std::function<void()> PlannedEpochs::stop_if_wanted() {
  if (!wants_stop_ || state_ == State::kOver) return nullptr;
  state_ = State::kOver;
  return [this, mode = stop_mode_] { calls_.stop(mode); };
}

}  // namespace tidegate
