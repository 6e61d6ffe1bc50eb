// SPDX-License-Identifier: Apache-2.0
#include "runtime/epoch_coordinator.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/failpoints.h"
#include "base/log.h"
#include "runtime/guard.h"

namespace tidegate {
namespace {

constexpr std::size_t kMostFlights = 2;
/// How many epochs people can look back on.
constexpr std::size_t kHistory = 10;
// A sink that cannot be reached is tried again after 100 ms, 200 ms, ... 10 s: for a minute.
constexpr int kMostPublishAttempts = 12;
constexpr std::int64_t kFirstBackoffMs = 100;
constexpr std::int64_t kLongestBackoffMs = 10'000;

std::int64_t ms_between(std::int64_t from_ns, std::int64_t to_ns) {
  return std::max<std::int64_t>(to_ns - from_ns, 0) / 1'000'000;
}

std::int64_t backoff_ms(int attempt) {
  return std::min(kFirstBackoffMs << std::min(attempt, 10), kLongestBackoffMs);
}

Status passed_commit() {
  TG_FAILPOINT("epoch.after-commit");
  return Status::ok();
}

Status passed_epoch() {
  TG_FAILPOINT("epoch.published");
  return Status::ok();
}

}  // namespace

EpochCoordinator::EpochCoordinator(Spec spec, TaskHost& host, EpochObserver& observer)
    : spec_(std::move(spec)),
      host_(host),
      observer_(observer),
      policy_(*host.options().commit_policy),
      next_epoch_(spec_.restored_epoch + 1),
      published_epoch_(spec_.restored_epoch),
      last_epochs_(static_cast<std::size_t>(spec_.num_tasks), 0) {
  for (const NodePlan& node : spec_.plan->nodes)
    ended_states_.emplace_back(static_cast<std::size_t>(node.parallelism));
}

Status EpochCoordinator::publish_restored(const EpochRecord& record) {
  for (std::size_t i = 0; i < record.committables.size(); ++i) {
    TG_FAILPOINT("epoch.restored.publish");
    TG_RETURN_IF_ERROR(publish_sink(record, i));
  }
  return Status::ok();
}

void EpochCoordinator::start() {
  arm_timer();
  const std::lock_guard lock(mutex_);
  started_ = true;
  if (std::exchange(wanted_, false)) trigger_locked(wants_stop_, wants_at_end_);
}

void EpochCoordinator::arm_timer() {
  const std::int64_t interval_ms = host_.options().epoch_interval_ms;
  if (interval_ms <= 0) return;
  host_.executor().submit_at(host_.clock().monotonic_ns() + interval_ms * 1'000'000,
                             [tether = tether_] {
                               tether.call([](EpochCoordinator& coordinator) {
                                 if (coordinator.host_.cancelled()) return;
                                 coordinator.trigger(false);
                                 coordinator.arm_timer();
                               });
                             });
}

void EpochCoordinator::arm_timeout(EpochId epoch, int failures) {
  const std::int64_t timeout_ms = host_.options().epoch_timeout_ms;
  if (timeout_ms <= 0) return;
  host_.executor().submit_at(
      host_.clock().monotonic_ns() + timeout_ms * 1'000'000, [tether = tether_, epoch, failures] {
        tether.call([&](EpochCoordinator& coordinator) { coordinator.timed_out(epoch, failures); });
      });
}

// The barrier of an epoch cannot be called back, so a failure that is tolerated is only counted.
void EpochCoordinator::timed_out(EpochId epoch, int failures) {
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_ || published_epoch_ >= epoch) return;
  }
  if (host_.cancelled()) return;
  Status late = Status(ErrorCode::kServiceTimeout,
                       fmt::format("epoch {} is not through after {} ms", epoch,
                                   host_.options().epoch_timeout_ms * (failures + 1)),
                       "Raise execution.checkpointing.timeout, or look for a sink or an operator "
                       "that holds the job up.");
  if (failures >= host_.options().tolerable_epoch_failures) return host_.fail(std::move(late));
  log_warning("epoch.late", {{"epoch", epoch}, {"error", late}});
  arm_timeout(epoch, failures + 1);
}

void EpochCoordinator::trigger(bool stops, bool at_end) {
  const std::lock_guard lock(mutex_);
  trigger_locked(stops, at_end);
}

void EpochCoordinator::trigger_locked(bool stops, bool at_end) {
  if (stopping_ || abandoned_ || ended_tasks_ == spec_.num_tasks) return;
  if (!started_ || flights_.size() >= kMostFlights) {
    wanted_ = true;
    wants_stop_ = wants_stop_ || stops;
    wants_at_end_ = wants_at_end_ || at_end;
    return;
  }
  const Flight& flight = begin_flight(stops);
  stopping_ = stops;
  for (const SourceTasks& source : spec_.sources) {
    for (SourceHead* head : source.heads)
      head->request_barrier(Barrier{flight.epoch, stops, at_end});
  }
  commit_next_locked();
}

EpochCoordinator::Flight& EpochCoordinator::begin_flight(bool stops) {
  Flight& flight = flights_.emplace_back();
  flight.epoch = next_epoch_++;
  flight.stops = stops;
  for (const SourceTasks& source : spec_.sources)
    flight.enumerations.push_back(source.enumerator->snapshot());
  flight.acks = std::exchange(held_, {});
  flight.progress.epoch = flight.epoch;
  flight.progress.begun_ms = host_.clock().wall_ms();
  flight.begun_ns = flight.gathered_ns = now_ns();
  if (!flight.acks.empty()) note_ack(flight, flight.acks.back());
  arm_timeout(flight.epoch, 0);
  return flight;
}

std::int64_t EpochCoordinator::now_ns() const { return host_.clock().monotonic_ns(); }

/// The one that comes last stays.
void EpochCoordinator::note_ack(Flight& flight, const TaskAck& ack) const {
  flight.gathered_ns = now_ns();
  const int node = ack.source              ? ack.source->node
                   : ack.operators.empty() ? -1
                                           : ack.operators.front().node;
  if (node < 0) return;
  flight.progress.slowest_task =
      fmt::format("{} ({})", spec_.plan->nodes[static_cast<std::size_t>(node)].label, ack.subtask);
}

void EpochCoordinator::acknowledge(TaskAck ack) {
  const std::lock_guard lock(mutex_);
  if (ack.last) {
    last_epochs_[static_cast<std::size_t>(ack.task)] = ack.epoch;
    ++ended_tasks_;
    any_stopped_ = any_stopped_ || ack.stopped;
  }
  const auto flight = std::find_if(flights_.begin(), flights_.end(), [&](const Flight& candidate) {
    return candidate.epoch == ack.epoch;
  });
  TG_CHECK(flight != flights_.end() || (ack.last && ack.epoch == next_epoch_),
           "task={} epoch={} next={}", ack.task, ack.epoch, next_epoch_);
  if (flight != flights_.end()) note_ack(*flight, ack);
  std::vector<TaskAck>& acks = flight != flights_.end() ? flight->acks : held_;
  acks.push_back(std::move(ack));
  if (ended_tasks_ == spec_.num_tasks) end_of_tasks_locked();
  commit_next_locked();
}

void EpochCoordinator::end_of_tasks_locked() {
  if (!held_.empty()) begin_flight(false);
  flights_.back().is_last = true;
}

bool EpochCoordinator::is_complete(const Flight& flight) const {
  const auto ended_before =
      std::count_if(last_epochs_.begin(), last_epochs_.end(),
                    [&](EpochId last) { return last > 0 && last < flight.epoch; });
  return static_cast<std::size_t>(ended_before) + flight.acks.size() == last_epochs_.size();
}

void EpochCoordinator::commit_next_locked() {
  if (committing_ || abandoned_ || flights_.empty() || !is_complete(flights_.front())) return;
  committing_ = true;
  // References into a deque hold while others are added at its end.
  host_.run_blocking([this, flight = &flights_.front()] { commit(*flight); });
}

void EpochCoordinator::commit(Flight& flight) {
  commit_begun_ns_ = now_ns();
  std::shared_ptr<EpochRecord> record = assemble(flight);
  record_ = record;
  Status completed = guarded([&] {
    if (!policy_.takes_stored_state()) TG_RETURN_IF_ERROR(load_state(*record));
    policy_.complete(*record);
    return Status::ok();
  });
  if (!completed.is_ok()) return gave_up(std::move(completed));
  make_durable(0);
}

void EpochCoordinator::make_durable(int failures) {
  Status committed = guarded([&] { return commit_record(); });
  if (!committed.is_ok()) {
    if (committed.kind() == ErrorKind::kUnavailable && policy_.outcome_is_known() &&
        !host_.cancelled() && failures < host_.options().tolerable_epoch_failures) {
      log_warning("epoch.commit-again", {{"epoch", record_->epoch}, {"error", committed}});
      return try_later(failures, [failures](EpochCoordinator& coordinator) {
        coordinator.make_durable(failures + 1);
      });
    }
    if (!policy_.outcome_is_known()) {
      const std::lock_guard lock(mutex_);
      durable_ = true;
    }
    return gave_up(std::move(committed).with_context(fmt::format("epoch {}", record_->epoch)));
  }
  durable_ns_ = now_ns();
  {
    const std::lock_guard lock(mutex_);
    durable_ = true;
  }
  Status hit = passed_commit();
  if (!hit.is_ok()) return gave_up(std::move(hit));
  publish(0, 0);
}

Status EpochCoordinator::commit_record() {
  TG_PLANTED("commit-first", publish_restored(*record_));
  TG_FAILPOINT("epoch.before-commit");
  return policy_.commit(*record_);
}

void EpochCoordinator::try_later(int failures, std::function<void(EpochCoordinator&)> step) {
  host_.executor().submit_at(
      host_.clock().monotonic_ns() + backoff_ms(failures) * 1'000'000,
      [tether = tether_, step = std::move(step)] {
        tether.call([&](EpochCoordinator& coordinator) {
          coordinator.host_.run_blocking([&coordinator, step] { step(coordinator); });
        });
      });
}

void EpochCoordinator::publish(std::size_t next, int attempt) {
  for (; next < record_->committables.size(); ++next, attempt = 0) {
    Status status = publish_committable(next);
    if (status.is_ok()) continue;
    const bool again = status.kind() == ErrorKind::kUnavailable &&
                       attempt + 1 < kMostPublishAttempts && !host_.cancelled();
    if (!again) return gave_up(std::move(status));
    log_warning("epoch.publish-again", {{"epoch", record_->epoch}, {"error", status}});
    return try_later(attempt, [next, attempt](EpochCoordinator& coordinator) {
      coordinator.publish(next, attempt + 1);
    });
  }
  policy_.published(record_->epoch);
  published();
  // Behind the epoch, so that a job that fails here goes on from it.
  const Status hit = passed_epoch();
  if (!hit.is_ok()) host_.fail(hit);
}

Status EpochCoordinator::publish_committable(std::size_t index) {
  TG_FAILPOINT("epoch.before-publish");
  return publish_sink(*record_, index);
}

void EpochCoordinator::published() {
  observer_.epoch_published(record_);
  for (const SourceTasks& source : spec_.sources) {
    for (SourceHead* head : source.heads) head->epoch_committed(record_->epoch);
  }
  bool is_last = false;
  std::function<void()> after_abandon;
  {
    const std::lock_guard lock(mutex_);
    published_epoch_ = record_->epoch;
    const Flight& flight = flights_.front();
    is_last = flight.is_last;
    EpochProgress& progress = history_.emplace_back(flight.progress);
    progress.gathering_ms = ms_between(flight.begun_ns, flight.gathered_ns);
    progress.waiting_ms = ms_between(flight.gathered_ns, commit_begun_ns_);
    progress.commit_ms = ms_between(commit_begun_ns_, durable_ns_);
    progress.publish_ms = ms_between(durable_ns_, now_ns());
    progress.bytes = policy_.last_commit_bytes();
    if (history_.size() > kHistory) history_.pop_front();
    flights_.pop_front();
    committing_ = false;
    durable_ = false;
    after_abandon = std::exchange(after_abandon_, nullptr);
    if (std::exchange(wanted_, false)) trigger_locked(wants_stop_, wants_at_end_);
    commit_next_locked();
  }
  if (is_last) observer_.last_epoch_published(record_->finished);
  if (after_abandon) after_abandon();
}

void EpochCoordinator::gave_up(Status status) {
  std::function<void()> after_abandon;
  {
    const std::lock_guard lock(mutex_);
    // Past the atomic step (or when nobody knows) it is the restored job that publishes.
    if (durable_) flights_.pop_front();
    committing_ = false;
    abandoned_ = true;
    after_abandon = std::exchange(after_abandon_, nullptr);
  }
  host_.fail(std::move(status));
  if (after_abandon) after_abandon();
}

void EpochCoordinator::abandon(std::function<void()> done) {
  const auto clean_up = [this, done = std::move(done)] {
    host_.run_blocking([this, done] {
      abort_flights();
      done();
    });
  };
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    if (committing_) {
      after_abandon_ = clean_up;
      return;
    }
  }
  clean_up();
}

void EpochCoordinator::abort_flights() {
  std::vector<TaskAck> acks;
  {
    const std::lock_guard lock(mutex_);
    for (Flight& flight : flights_) std::ranges::move(flight.acks, std::back_inserter(acks));
    std::ranges::move(held_, std::back_inserter(acks));
    flights_.clear();
    held_.clear();
  }
  for (const TaskAck& ack : acks) {
    for (const OperatorAck& part : ack.operators) {
      if (part.committable.empty()) continue;
      const Node& node = spec_.graph->nodes[static_cast<std::size_t>(part.node)];
      const Status aborted = guarded([&] { return node.sink->abort(ack.epoch, part.committable); });
      if (!aborted.is_ok())
        log_warning("epoch.abort-failed",
                    {{"epoch", ack.epoch}, {"sink", node.name}, {"error", aborted}});
    }
  }
}

// Of a sink's committables the first stands for all of them.
Status EpochCoordinator::publish_sink(const EpochRecord& record, std::size_t first) {
  const std::string& uid = record.committables[first].uid;
  std::vector<std::string> committables;
  for (std::size_t i = 0; i < record.committables.size(); ++i) {
    if (record.committables[i].uid != uid) continue;
    if (i < first) return Status::ok();
    committables.push_back(record.committables[i].bytes);
  }
  Sink* sink = sink_of(uid);
  if (sink == nullptr)
    return error(ErrorCode::kStateMismatch, "epoch {} holds output of a sink '{}', which is gone",
                 record.epoch, uid);
  return guarded([&] { return sink->commit_all(record.epoch, committables); })
      .with_context(fmt::format("sink '{}', epoch {}", uid, record.epoch));
}

Sink* EpochCoordinator::sink_of(const std::string& uid) const {
  for (std::size_t i = 0; i < spec_.plan->nodes.size(); ++i)
    if (spec_.plan->nodes[i].uid == uid) return spec_.graph->nodes[i].sink.get();
  return nullptr;
}

std::vector<EpochProgress> EpochCoordinator::history() const {
  const std::lock_guard lock(mutex_);
  return {history_.begin(), history_.end()};
}

EpochId EpochCoordinator::published_epoch() const {
  const std::lock_guard lock(mutex_);
  return published_epoch_;
}

std::shared_ptr<EpochRecord> EpochCoordinator::assemble(Flight& flight) {
  auto shared = std::make_shared<EpochRecord>();
  EpochRecord& record = *shared;
  record.epoch = flight.epoch;
  record.key_groups = spec_.graph->key_groups;
  record.clock_ms = spec_.restored_clock_ms;
  {
    const std::lock_guard lock(mutex_);
    record.finished = flight.is_last && !any_stopped_ && !host_.draining();
  }
  for (std::size_t source = 0; source < spec_.sources.size(); ++source)
    assemble_source(flight, source, record);
  assemble_operators(flight, record);
  return shared;
}

// The enumeration was looked at before the tasks were, so what a task says about a split counts.
void EpochCoordinator::assemble_source(const Flight& flight, std::size_t source,
                                       EpochRecord& record) const {
  const int node = spec_.sources[source].node;
  const SplitEnumerator::Snapshot& found = flight.enumerations[source];
  SourceState state;
  state.uid = spec_.plan->nodes[static_cast<std::size_t>(node)].uid;
  state.parallelism = spec_.plan->nodes[static_cast<std::size_t>(node)].parallelism;
  state.complete = found.complete;

  std::unordered_set<std::string> told;  // by tasks
  for (const TaskAck& ack : flight.acks) {
    if (!ack.source || ack.source->node != node) continue;
    told.insert(ack.source->ended.begin(), ack.source->ended.end());
    for (const SplitState& split : ack.source->open) {
      told.insert(split.split.id);
      state.open.push_back(split);
    }
  }
  for (const SplitState& split : found.assigned)
    if (!told.contains(split.split.id)) state.open.push_back(split);
  std::ranges::sort(state.open, {}, &SplitState::order);
  for (const Split& split : found.unassigned)
    if (!told.contains(split.id)) state.unassigned.push_back(split);

  state.known = found.known;
  const std::unordered_set<std::string> known(found.known.begin(), found.known.end());
  for (const std::string& id : told)
    if (!known.contains(id)) state.known.push_back(id);
  std::sort(state.known.begin() + static_cast<std::ptrdiff_t>(found.known.size()),
            state.known.end());
  record.sources.push_back(std::move(state));
}

void EpochCoordinator::assemble_operators(Flight& flight, EpochRecord& record) {
  std::vector<OperatorState> states(spec_.plan->nodes.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    states[i].uid = spec_.plan->nodes[i].uid;
    states[i].subtasks.resize(static_cast<std::size_t>(spec_.plan->nodes[i].parallelism));
    for (std::size_t subtask = 0; subtask < states[i].subtasks.size(); ++subtask)
      states[i].subtasks[subtask] = ended_states_[i][subtask].value_or(OperatorState::Subtask());
  }
  std::ranges::sort(flight.acks, {}, &TaskAck::task);
  for (TaskAck& ack : flight.acks) {
    for (OperatorAck& part : ack.operators) {
      const auto node = static_cast<std::size_t>(part.node);
      const auto subtask = static_cast<std::size_t>(ack.subtask);
      OperatorState::Subtask told = part.state;
      // A drained job may go on with new input: its end of time was not the real one.
      if (host_.draining() && told.watermark == kMaxWatermark) told = OperatorState::Subtask();
      states[node].subtasks[subtask] = told;
      if (ack.last) ended_states_[node][subtask] = told;
      record.clock_ms = std::max(record.clock_ms, part.clock_ms);
      std::ranges::move(part.deltas, std::back_inserter(states[node].deltas));
      if (!part.committable.empty())
        record.committables.push_back({states[node].uid, ack.subtask, part.committable});
    }
  }
  for (std::size_t i = 0; i < states.size(); ++i)
    if (spec_.graph->nodes[i].source == nullptr) record.operators.push_back(std::move(states[i]));
}

}  // namespace tidegate
