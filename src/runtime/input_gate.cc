// SPDX-License-Identifier: Apache-2.0
#include "runtime/input_gate.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tidegate {

InputGate::InputGate(std::vector<Input> inputs, EventTime watermark, bool planned)
    : inputs_(std::move(inputs)),
      planned_(planned),
      times_(inputs_.size()),
      aligned_(inputs_.size(), 0),
      held_(inputs_.size(), 0),
      open_inputs_(inputs_.size()) {
  announced_.watermark = watermark;
  TG_CHECK(!inputs_.empty(), "a gate without channels");
  int orders = 0;
  for (const Input& input : inputs_) orders = std::max(orders, input.order + 1);
  slowest_.resize(static_cast<std::size_t>(orders));
}

bool InputGate::feed(Chain& chain) {
  Event event;
  std::size_t from = 0;
  while (chain.has_credit()) {
    if (!next_event(event, from)) return false;
    handle(from, std::move(event), chain);
  }
  return true;
}

bool InputGate::next_event(Event& event, std::size_t& from) {
  for (std::size_t tried = 0; tried < inputs_.size(); ++tried) {
    from = turn_;
    turn_ = turn_ + 1 == inputs_.size() ? 0 : turn_ + 1;
    if (aligned_[from] || held_[from] || times_[from].ended) continue;
    if (inputs_[from].channel->pop(event)) return true;
  }
  return false;
}

void InputGate::handle(std::size_t from, Event event, Chain& chain) {
  InputTime& time = times_[from];
  if (std::holds_alternative<Batch>(event)) {
    if (time.idle) set_idle(from, false, chain);
    chain.accept_at(inputs_[from].input, std::move(event));
    return;
  }
  if (const Watermark* watermark = std::get_if<Watermark>(&event)) {
    time.watermark = std::max(time.watermark, watermark->time);
    time.idle = false;
    announce(chain);
  } else if (const Idle* idle = std::get_if<Idle>(&event)) {
    set_idle(from, idle->idle, chain);
  } else if (const Barrier* barrier = std::get_if<Barrier>(&event)) {
    TG_CHECK(!barrier_ || barrier_->epoch == barrier->epoch, "epoch={} while aligning {}",
             barrier->epoch, barrier_->epoch);
    barrier_ = *barrier;
    aligned_[from] = 1;
    finish_alignment(chain);
  } else {
    time.ended = true;
    --open_inputs_;
    if (open_inputs_ > 0) announce(chain);
    finish_alignment(chain);
    if (open_inputs_ == 0) {
      chain.accept(Watermark{kMaxWatermark});
      chain.accept(End{});
    }
  }
  hold_back();
}

void InputGate::set_idle(std::size_t from, bool idle, Chain& chain) {
  times_[from].idle = idle;
  announce(chain);
  hold_back();
}

void InputGate::announce(Chain& chain) {
  const MergedTime merged = merge_times(times_, announced_.watermark);
  if (announced_.idle && !merged.idle) chain.accept(Idle{false});
  if (merged.watermark > announced_.watermark) chain.accept(Watermark{merged.watermark});
  if (!announced_.idle && merged.idle) chain.accept(Idle{true});
  announced_ = merged;
}

void InputGate::finish_alignment(Chain& chain) {
  if (!barrier_) return;
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    if (!aligned_[i] && !times_[i].ended) return;
  std::fill(aligned_.begin(), aligned_.end(), 0);
  if (planned_) {
    for (InputTime& time : times_) time.idle = false;
    announced_.idle = false;  // as whoever is behind this task knows by the same barrier
  }
  chain.accept(*std::exchange(barrier_, std::nullopt));
}

// A channel that fell silent and comes back may be behind the watermark that was announced without
// it; it holds nobody back then.
void InputGate::hold_back() {
  if (slowest_.empty()) return;
  std::fill(slowest_.begin(), slowest_.end(), kMaxWatermark);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].order < 0 || aligned_[i] || times_[i].ended || times_[i].idle) continue;
    EventTime& slowest = slowest_[static_cast<std::size_t>(inputs_[i].order)];
    slowest = std::min(slowest, times_[i].watermark);
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].order < 0) continue;
    const EventTime slowest = slowest_[static_cast<std::size_t>(inputs_[i].order)];
    held_[i] = times_[i].watermark > std::max(slowest, announced_.watermark);
  }
}

}  // namespace tidegate
