// SPDX-License-Identifier: Apache-2.0
#include "runtime/source_head.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/failpoints.h"
#include "base/metrics.h"

namespace tidegate {
namespace {

// What merge_times() needs to know of each split, without a copy of the list.
class SplitTimes {
 public:
  using Splits = std::vector<std::unique_ptr<OpenSplit>>;
  explicit SplitTimes(const Splits& splits) : splits_(splits) {}

  struct Iterator {
    Splits::const_iterator at;
    InputTime operator*() const { return {(*at)->watermark(), (*at)->idle(), (*at)->ended()}; }
    Iterator& operator++() {
      ++at;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at != other.at; }
  };
  Iterator begin() const { return {splits_.begin()}; }
  Iterator end() const { return {splits_.end()}; }

 private:
  const Splits& splits_;
};

}  // namespace

SourceHead::SourceHead(Spec spec, TaskHost& host, Activation& task)
    : spec_(std::move(spec)),
      host_(host),
      task_(task),
      metrics_(host.metrics().group(spec_.label, spec_.subtask)),
      rows_out_(metrics_.counter("rows_out")),
      watermark_ms_(metrics_.counter("watermark_ms")),
      has_event_time_(spec_.node->watermark.kind != WatermarkStrategy::Kind::kNone),
      in_sequence_(spec_.node->source->splits_in_sequence()),
      planned_(host_.options().planner != nullptr),
      watermark_per_epoch_(host_.options().watermark_per_epoch),
      epoch_(spec_.restored_epoch) {
  watermark_ms_.set(kMinWatermark);
}

void SourceHead::request_barrier(Barrier barrier) {
  {
    const std::lock_guard lock(mutex_);
    requested_.push_back(barrier);
    has_requests_.store(true, std::memory_order_release);
  }
  task_.wake();
}

void SourceHead::epoch_committed(EpochId epoch) {
  committed_.store(epoch, std::memory_order_release);
  task_.wake();
}

void SourceHead::control(Chain& chain) {
  if (over_) return;
  collect_splits();
  confirm_committed(chain);
  inject_barriers(chain);
}

// What is admitted is looked at first: a split is handed out before it is admitted, so whatever is
// admitted now is here after that.
void SourceHead::collect_splits() {
  if (planned_) spec_.enumerator->collect_admitted(spec_.subtask, admitted_);
  open_assigned();
  if (planned_) admit();
}

void SourceHead::open_assigned() {
  const bool between_epochs =
      planned_ && spec_.enumerator->epochs_admitted() == planned_epochs_ended_;
  supply_ = spec_.enumerator->collect(spec_.subtask, assignments_);
  if (between_epochs) supply_ = SplitEnumerator::Supply::kUnknown;
  for (SplitState& from : assignments_) {
    auto split = std::make_unique<OpenSplit>(*spec_.node, spec_.label, spec_.subtask,
                                             std::move(from), spec_.grain, metrics_, host_, task_);
    spec_.enumerator->add_gauge(split->gauge());
    split->start_opening();
    splits_.push_back(std::move(split));
  }
  assignments_.clear();
}

void SourceHead::admit() {
  for (SplitRange& part : admitted_) {
    const auto split = std::ranges::find_if(
        splits_, [&](const auto& other) { return other->id() == part.split.id; });
    TG_CHECK(split != splits_.end(), "source={} split={}", spec_.label, part.split.id);
    (*split)->admit(std::move(part.end));
  }
  admitted_.clear();
}

void SourceHead::confirm_committed(Chain& chain) {
  const EpochId epoch = committed_.load(std::memory_order_acquire);
  if (epoch == confirmed_) return;
  confirmed_ = epoch;
  for (const std::unique_ptr<OpenSplit>& split : splits_) {
    Status told = split->committed(epoch);
    if (!told.is_ok()) return chain.fail(std::move(told));
  }
}

void SourceHead::inject_barriers(Chain& chain) {
  if (!has_requests_.load(std::memory_order_acquire)) return;
  std::vector<Barrier> barriers;
  {
    const std::lock_guard lock(mutex_);
    barriers.swap(requested_);
    has_requests_.store(false, std::memory_order_release);
  }
  for (const Barrier& barrier : barriers) {
    if (over_) return;
    Result<SourceAck> ack = make_ack(barrier.epoch);
    if (!ack.is_ok()) return chain.fail(std::move(ack).status());
    epoch_ = barrier.epoch;
    over_ = barrier.stops;
    if (planned_) end_planned_epoch(chain);
    if (watermark_per_epoch_) announce_epoch(spec_.enumerator->watermark_of_epoch(), chain);
    chain.set_source_ack(barrier.epoch, *std::move(ack));
    chain.accept(barrier);
  }
}

// Who had nothing to read says so before the barrier at the latest, so that what the epoch emits
// does not depend on whether it came to that. And nobody is idle when the next epoch begins, which
// all that are behind this task know by the barrier (InputGate). Else the end of one task, if the
// epoch ends the input, could be taken for the end of time while the rows of another are on their
// way.
void SourceHead::end_planned_epoch(Chain& chain) {
  announce(chain);
  merged_.idle = false;
  planned_epochs_ended_ = spec_.enumerator->epochs_admitted();
  supply_ = SplitEnumerator::Supply::kUnknown;
}

Result<SourceAck> SourceHead::make_ack(EpochId epoch) {
  TG_FAILPOINT("epoch.source-barrier");
  SourceAck ack;
  ack.node = spec_.index;
  ack.ended = std::exchange(ended_ids_, {});
  for (const std::unique_ptr<OpenSplit>& split : splits_) {
    TG_ASSIGN_OR_RETURN(SplitState state, split->snapshot(epoch));
    ack.open.push_back(std::move(state));
  }
  return ack;
}

bool SourceHead::feed(Chain& chain) {
  if (over_) return false;
  if (host_.draining()) {
    end(chain);
    return true;
  }
  if (host_.paused()) {
    was_paused_ = true;
    return false;
  }
  if (std::exchange(was_paused_, false)) {
    for (const std::unique_ptr<OpenSplit>& split : splits_) split->waited();
  }
  for (const std::unique_ptr<OpenSplit>& split : splits_) split->check_idle();
  announce(chain);
  if (!says_what_it_reads(chain)) return false;
  while (chain.has_credit()) {
    if (host_.sources_wait()) return false;
    OpenSplit* split = choose();
    if (split != nullptr) {
      poll(*split, chain);
    } else if (is_exhausted()) {
      come_to_end(chain);
      return false;
    } else {
      return false;
    }
  }
  return true;
}

/// Nobody reads before everybody has said whether there is anything to read for them. A task
/// without a split would hold event time back until it happens to run, and which rows are late
/// would depend on that.
bool SourceHead::says_what_it_reads(Chain& chain) {
  if (!has_said_) {
    if (supply_ == SplitEnumerator::Supply::kUnknown) return false;
    has_said_ = true;
    if (is_exhausted()) come_to_end(chain);
    spec_.enumerator->reader_has_said();
  }
  return !over_ && spec_.enumerator->all_have_said();
}

OpenSplit* SourceHead::choose() {
  if (spec_.alignment == nullptr) return choose_below_limit();
  limit_ = spec_.alignment->limit();
  OpenSplit* chosen = choose_below_limit();
  if (chosen != nullptr || !waits_for_others_) return chosen;
  // Who holds this task back wakes it, if it knows; it may have moved just before it did.
  publish_alignment();
  const EventTime limit = spec_.alignment->limit();
  return limit > std::exchange(limit_, limit) ? choose_below_limit() : nullptr;
}

OpenSplit* SourceHead::choose_below_limit() {
  waits_for_others_ = false;
  OpenSplit* chosen = nullptr;
  if (!spec_.node->source->splits_end()) {
    chosen = choose_in_turn();
  } else if (!has_event_time_ || in_sequence_) {
    // Strictly one after another, also when that means to wait.
    const auto first =
        std::ranges::find_if(splits_, [](const auto& split) { return split->admitted(); });
    if (first != splits_.end() && may_read(**first)) chosen = first->get();
  } else {
    for (const std::unique_ptr<OpenSplit>& split : splits_) {
      const bool behind = chosen == nullptr || split->watermark() < chosen->watermark();
      if (behind && may_read(*split)) chosen = split.get();
    }
  }
  return chosen;
}

OpenSplit* SourceHead::choose_in_turn() {
  for (std::size_t tried = 0; tried < splits_.size(); ++tried) {
    turn_ = turn_ + 1 < splits_.size() ? turn_ + 1 : 0;
    if (may_read(*splits_[turn_])) return splits_[turn_].get();
  }
  return nullptr;
}

bool SourceHead::may_read(OpenSplit& split) {
  if (!split.is_ready()) return false;
  if (split.watermark() <= limit_) return true;
  waits_for_others_ = true;
  return false;
}

void SourceHead::poll(OpenSplit& split, Chain& chain) {
  pieces_.clear();
  const bool was_idle = split.idle();
  Status polled = split.poll(host_.options().max_batch_rows, pieces_);
  if (!polled.is_ok()) return chain.fail(std::move(polled));
  // A poll that brings nothing costs something too.
  if (pieces_.empty()) chain.spend_budget(0);
  if (was_idle && !split.idle()) announce(chain);
  for (WatermarkAssigner::Piece& piece : pieces_) {
    if (!piece.batch.empty()) {
      rows_out_.add(piece.batch.num_rows());
      rows_since_epoch_ += piece.batch.num_rows();
      chain.accept(std::move(piece.batch));
    }
    split.set_watermark(piece.watermark);
    announce(chain);
  }
  const std::optional<SourceRead> read = planned_ ? split.take_read() : std::nullopt;
  if (split.ended()) {
    remove(split);
    announce(chain);
  }
  // Last of all: the barrier may come at once.
  if (read) spec_.enumerator->part_read(*read);
  const std::int64_t epoch_rows = host_.options().epoch_rows;
  if (epoch_rows <= 0 || rows_since_epoch_ < epoch_rows) return;
  rows_since_epoch_ = 0;
  host_.want_epoch();
}

void SourceHead::remove(OpenSplit& split) {
  ended_watermark_ = std::max(ended_watermark_, split.watermark());
  ended_ids_.push_back(split.id());
  spec_.enumerator->remove_gauge(split.gauge().get());
  std::erase_if(splits_, [&](const auto& other) { return other.get() == &split; });
  spec_.enumerator->ended(spec_.subtask, ended_ids_.back());
  // What comes in its place holds event time back from now on.
  collect_splits();
}

MergedTime SourceHead::merge() const {
  MergedTime merged = merge_times(SplitTimes(splits_), merged_.watermark);
  // At an end without draining, what has read something still says how far it came: rows that come
  // after a restore are not late because of other sources that came further.
  const bool has_read = ended_watermark_ != kMinWatermark;
  if (splits_.empty())
    merged.idle = supply_ == SplitEnumerator::Supply::kLater || (exhausted_ && !has_read);
  // As the idle ones do when nobody else is left, those that have ended count once more.
  if (merged.idle || (exhausted_ && has_read))
    merged.watermark = std::max(merged.watermark, ended_watermark_);
  return merged;
}

void SourceHead::announce_epoch(EventTime watermark, Chain& chain) {
  if (watermark <= announced_) return;
  announced_ = watermark;
  watermark_ms_.set(watermark);
  chain.accept(Watermark{watermark});
}

void SourceHead::announce(Chain& chain) {
  if (watermark_per_epoch_)
    return announce_epoch(spec_.enumerator->watermark_before_epoch(), chain);
  const MergedTime merged = merge();
  if (merged_.idle && !merged.idle) chain.accept(Idle{false});
  if (merged.watermark > merged_.watermark) {
    watermark_ms_.set(merged.watermark);
    const EventTime point = spec_.grain.floor(merged.watermark);
    if (point > announced_) {
      announced_ = point;
      chain.accept(Watermark{point});
    }
  }
  if (!merged_.idle && merged.idle) chain.accept(Idle{true});
  const bool moved = merged.watermark > merged_.watermark || merged.idle != merged_.idle;
  merged_ = merged;
  if (moved && spec_.alignment != nullptr) publish_alignment();
}

void SourceHead::publish_alignment() {
  EventTime lowest = kMaxWatermark;
  if (supply_ == SplitEnumerator::Supply::kUnknown) lowest = kMinWatermark;
  for (const std::unique_ptr<OpenSplit>& split : splits_)
    if (!split->idle()) lowest = std::min(lowest, split->watermark());
  spec_.alignment->publish(spec_.subtask, over_ ? kMaxWatermark : lowest, waits_for_others_);
}

bool SourceHead::is_exhausted() const {
  return splits_.empty() && supply_ == SplitEnumerator::Supply::kNone;
}

void SourceHead::come_to_end(Chain& chain) {
  if (host_.options().drain_at_end) return end(chain);
  if (std::exchange(exhausted_, true)) return;
  announce(chain);
  host_.source_exhausted();
}

void SourceHead::end(Chain& chain) {
  Result<SourceAck> ack = make_ack(epoch_ + 1);
  if (!ack.is_ok()) return chain.fail(std::move(ack).status());
  over_ = true;
  if (spec_.alignment != nullptr) publish_alignment();
  watermark_ms_.set(kMaxWatermark);
  chain.set_source_ack(epoch_ + 1, *std::move(ack));
  chain.accept(Watermark{kMaxWatermark});
  chain.accept(End{});
}

std::optional<std::int64_t> SourceHead::wake_at_ns() const {
  std::optional<std::int64_t> earliest;
  if (host_.paused()) return earliest;
  for (const std::unique_ptr<OpenSplit>& split : splits_) {
    const std::optional<std::int64_t> at_ns = split->idle_at_ns();
    if (at_ns && (!earliest || *at_ns < *earliest)) earliest = at_ns;
  }
  return earliest;
}

}  // namespace tidegate
