// SPDX-License-Identifier: Apache-2.0
#include "runtime/split_enumerator.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "runtime/guard.h"

namespace tidegate {
namespace {

// Where files are read one after another: one to read and one to open ahead.
constexpr int kSplitsAhead = 2;

int most_open_splits(const Node& node, int parallelism, int most) {
  if (!node.source->splits_end()) return std::numeric_limits<int>::max();
  if (node.source->splits_in_sequence()) return kSplitsAhead;
  if (node.watermark.kind == WatermarkStrategy::Kind::kNone)
    return std::min(kSplitsAhead * parallelism, std::max(most, parallelism));
  return std::max(most, parallelism);
}

}  // namespace

SplitEnumerator::SplitEnumerator(const Node& node, std::string label, int parallelism,
                                 TaskHost& host)
    : node_(node),
      label_(std::move(label)),
      host_(host),
      planned_(host.options().planner != nullptr),
      metrics_(host.metrics().group(label_, 0)),
      waker_(std::make_shared<const std::function<void()>>([tether = tether_] {
        tether.call([](SplitEnumerator& enumerator) {
          enumerator.planned_ ? enumerator.host_.source_woken() : enumerator.discover();
        });
      })),
      most_open_(most_open_splits(node, parallelism, host.options().max_open_splits)),
      silent_readers_(parallelism),
      readers_(static_cast<std::size_t>(parallelism)) {}

void SplitEnumerator::set_reader(int subtask, Activation& task) {
  readers_[static_cast<std::size_t>(subtask)].task = &task;
}

void SplitEnumerator::restore(const SourceState& state) {
  const std::lock_guard lock(mutex_);
  known_ = state.known;
  known_set_.insert(known_.begin(), known_.end());
  if (planned_) {
    not_admitted_ = state.unassigned;
  } else {
    unassigned_.assign(state.unassigned.begin(), state.unassigned.end());
    complete_ = state.complete;
    looked_ = state.complete;
  }
  num_ended_ =
      static_cast<std::int64_t>(known_.size() - state.open.size() - state.unassigned.size());
  const bool same_tasks = state.parallelism == static_cast<int>(readers_.size());
  for (const SplitState& split : state.open) {
    next_order_ = std::max(next_order_, split.order + 1);
    give(same_tasks ? split.subtask : next_reader(), split);
  }
  assign();
}

Status SplitEnumerator::open() {
  return guarded([&] { return node_.source->open(*this); })
      .with_context(fmt::format("source '{}'", label_));
}

void SplitEnumerator::start() {
  {
    const std::lock_guard lock(mutex_);
    if (planned_) looked_ = true;
    if (complete_ || planned_) return;
  }
  discover();
}

void SplitEnumerator::discover() {
  {
    const std::lock_guard lock(mutex_);
    if (complete_ || host_.cancelled()) return;
    if (looking_) {
      look_again_ = true;
      return;
    }
    looking_ = true;
  }
  host_.run_blocking([this] { look(); });
}

void SplitEnumerator::look() {
  if (host_.cancelled()) return;
  std::vector<std::string> known;
  {
    const std::lock_guard lock(mutex_);
    known = known_;
  }
  Result<Discovery> discovery = guarded([&] { return node_.source->discover(known); });
  if (!discovery.is_ok()) {
    host_.fail(std::move(discovery).status().with_context(fmt::format("source '{}'", label_)));
    return;
  }
  found(*std::move(discovery));
}

void SplitEnumerator::found(Discovery discovery) {
  std::vector<Activation*> to_wake;
  bool again = false;
  {
    const std::lock_guard lock(mutex_);
    for (Split& split : discovery.splits) {
      if (!known_set_.insert(split.id).second) continue;
      known_.push_back(split.id);
      unassigned_.push_back(std::move(split));
    }
    complete_ = discovery.complete;
    looked_ = true;
    looking_ = false;
    again = std::exchange(look_again_, false);
    assign();
    // Also those that got nothing: there may be nothing to come for them.
    for (const Reader& reader : readers_) to_wake.push_back(reader.task);
  }
  for (Activation* task : to_wake) task->wake();
  if (discovery.complete) return;
  if (again) {
    discover();
  } else {
    discover_later();
  }
}

void SplitEnumerator::discover_later() {
  const std::int64_t interval_ms = std::max<std::int64_t>(node_.source->discovery_interval_ms(), 1);
  host_.executor().submit_at(clock().monotonic_ns() + interval_ms * 1'000'000, [tether = tether_] {
    tether.call([](SplitEnumerator& enumerator) { enumerator.discover(); });
  });
}

std::vector<Activation*> SplitEnumerator::assign() {
  std::vector<Activation*> got;
  while (!unassigned_.empty() && open_ < most_open_) {
    SplitState split;
    split.order = next_order_++;
    split.split = std::move(unassigned_.front());
    unassigned_.pop_front();
    const int subtask = next_reader();
    Reader& reader = readers_[static_cast<std::size_t>(subtask)];
    if (planned_) {
      const auto range = ranges_.find(split.split.id);
      reader.admitted.push_back({split.split, range->second});
      ranges_.erase(range);
    }
    give(subtask, std::move(split));
    got.push_back(reader.task);
  }
  return got;
}

void SplitEnumerator::give(int subtask, SplitState split) {
  Reader& reader = readers_[static_cast<std::size_t>(subtask)];
  if (planned_) owners_[split.split.id] = subtask;
  reader.mailbox.push_back(std::move(split));
  ++reader.open;
  ++open_;
}

int SplitEnumerator::next_reader() const {
  if (node_.source->splits_in_sequence()) return 0;
  return static_cast<int>(std::ranges::min_element(readers_, {}, &Reader::open) - readers_.begin());
}

SplitEnumerator::Supply SplitEnumerator::collect(int subtask,
                                                 std::vector<SplitState>& assignments) {
  const std::lock_guard lock(mutex_);
  Reader& reader = readers_[static_cast<std::size_t>(subtask)];
  assignments = std::exchange(reader.mailbox, {});
  if (!looked_) return Supply::kUnknown;
  return complete_ && unassigned_.empty() ? Supply::kNone : Supply::kLater;
}

void SplitEnumerator::reader_has_said() {
  if (silent_readers_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  std::vector<Activation*> to_wake;
  {
    const std::lock_guard lock(mutex_);
    for (const Reader& reader : readers_) to_wake.push_back(reader.task);
  }
  for (Activation* task : to_wake) task->wake();
}

void SplitEnumerator::ended(int subtask, const std::string& split) {
  std::vector<Activation*> to_wake;
  {
    const std::lock_guard lock(mutex_);
    owners_.erase(split);
    --readers_[static_cast<std::size_t>(subtask)].open;
    --open_;
    ++num_ended_;
    const bool had_some = !unassigned_.empty();
    to_wake = assign();
    // The last one is gone: who has nothing left ends now.
    if (had_some && unassigned_.empty()) {
      for (const Reader& reader : readers_) to_wake.push_back(reader.task);
    }
  }
  for (Activation* task : to_wake) task->wake();
}

SplitEnumerator::Snapshot SplitEnumerator::snapshot() const {
  const std::lock_guard lock(mutex_);
  Snapshot snapshot;
  for (const Reader& reader : readers_) {
    snapshot.assigned.insert(snapshot.assigned.end(), reader.mailbox.begin(), reader.mailbox.end());
  }
  snapshot.unassigned.assign(unassigned_.begin(), unassigned_.end());
  snapshot.unassigned.insert(snapshot.unassigned.end(), not_admitted_.begin(), not_admitted_.end());
  snapshot.known = known_;
  snapshot.complete = complete_;
  return snapshot;
}

void SplitEnumerator::admit(const SourceRange& range, const PlannedEpoch& epoch) {
  watermark_before_.store(epoch.watermark_before, std::memory_order_release);
  watermark_.store(epoch.watermark, std::memory_order_release);
  {
    const std::lock_guard lock(mutex_);
    unread_parts_ = range.splits.size();
    read_ = SourceRead();
    complete_ = epoch.ends_input;
    for (const SplitRange& part : range.splits) admit_locked(part);
    assign();
    epochs_admitted_.fetch_add(1, std::memory_order_acq_rel);
  }
  if (range.splits.empty()) host_.source_read();
  for (const Reader& reader : readers_) reader.task->wake();
}

void SplitEnumerator::admit_locked(const SplitRange& part) {
  if (const auto owner = owners_.find(part.split.id); owner != owners_.end()) {
    readers_[static_cast<std::size_t>(owner->second)].admitted.push_back(part);
    return;
  }
  std::erase_if(not_admitted_, [&](const Split& split) { return split.id == part.split.id; });
  if (known_set_.insert(part.split.id).second) known_.push_back(part.split.id);
  ranges_[part.split.id] = part.end;
  unassigned_.push_back(part.split);
}

void SplitEnumerator::collect_admitted(int subtask, std::vector<SplitRange>& admitted) {
  const std::lock_guard lock(mutex_);
  admitted = std::exchange(readers_[static_cast<std::size_t>(subtask)].admitted, {});
}

void SplitEnumerator::part_read(const SourceRead& read) {
  {
    const std::lock_guard lock(mutex_);
    read_.rows += read.rows;
    read_.times += read.times;
    read_.min_time = std::min(read_.min_time, read.min_time);
    read_.max_time = std::max(read_.max_time, read.max_time);
    read_.sum_of_times += read.sum_of_times;
    TG_CHECK(unread_parts_ > 0, "source={}", label_);
    if (--unread_parts_ > 0) return;
  }
  host_.source_read();
}

SourceRead SplitEnumerator::read_of_epoch() const {
  const std::lock_guard lock(mutex_);
  return read_;
}

void SplitEnumerator::add_gauge(std::shared_ptr<SplitGauge> gauge) {
  const std::lock_guard lock(mutex_);
  gauges_.push_back(std::move(gauge));
}

void SplitEnumerator::remove_gauge(const SplitGauge* gauge) {
  const std::lock_guard lock(mutex_);
  std::erase_if(gauges_, [&](const auto& other) { return other.get() == gauge; });
}

void SplitEnumerator::add_progress(SourceProgress& progress) const {
  const std::lock_guard lock(mutex_);
  progress.splits_waiting = static_cast<std::int64_t>(unassigned_.size());
  progress.splits_ended = num_ended_;
  EventTime lowest = kMaxWatermark;
  for (const std::shared_ptr<SplitGauge>& gauge : gauges_) {
    SplitProgress split{gauge->id, gauge->subtask, gauge->rows.load(std::memory_order_relaxed),
                        gauge->watermark.load(std::memory_order_relaxed),
                        gauge->idle.load(std::memory_order_relaxed)};
    if (!split.idle && split.watermark < lowest) {
      lowest = split.watermark;
      progress.held_back_by = split.id;
    }
    progress.splits.push_back(std::move(split));
  }
}

}  // namespace tidegate
