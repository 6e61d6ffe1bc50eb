// SPDX-License-Identifier: Apache-2.0
#include "microbatch/batch_runner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/failpoints.h"
#include "base/log.h"
#include "microbatch/json.h"
#include "runtime/execution_plan.h"

namespace tidegate {
namespace {

using Step = EpochPlanner::Step;

constexpr std::int64_t kNanosPerMs = 1'000'000;

Step stop() {
  Step step;
  step.kind = Step::Kind::kStop;
  return step;
}

Step wait_until(std::int64_t at_ns) {
  Step step;
  step.until_ns = at_ns;
  return step;
}

std::string random_id(Random& random) {
  const std::uint64_t high = random.next();
  const std::uint64_t low = random.next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xfff, 0x8000 | (low >> 48 & 0x3fff), low & 0xffff'ffff'ffff);
}

BatchLimits limits_of(const BatchLimits& job, const BatchLimits& table) {
  const auto first = [](std::int64_t a, std::int64_t b) { return a > 0 ? a : b; };
  return {first(job.max_files, table.max_files), first(job.max_rows, table.max_rows),
          first(job.max_bytes, table.max_bytes)};
}

}  // namespace

BatchRunner::BatchRunner(BatchOptions options, std::shared_ptr<CommitPolicy> epochs,
                         std::shared_ptr<BatchLog> log)
    : options_(std::move(options)),
      epochs_(std::move(epochs)),
      log_(std::move(log)),
      clock_(options_.clock != nullptr ? *options_.clock : system_clock()),
      random_(entropy_seed()) {}

BatchRunner::~BatchRunner() = default;

Result<std::shared_ptr<BatchRunner>> BatchRunner::make(const Graph& graph, BatchOptions options,
                                                       std::shared_ptr<CommitPolicy> epochs,
                                                       std::shared_ptr<BatchLog> log,
                                                       std::shared_ptr<const EpochRecord> restore) {
  std::shared_ptr<BatchRunner> runner(
      new BatchRunner(std::move(options), std::move(epochs), std::move(log)));
  TG_RETURN_IF_ERROR(runner->take_graph(graph));
  runner->run_id_ = random_id(runner->random_);
  runner->query_id_ = random_id(runner->random_);
  if (runner->log_ != nullptr) {
    TG_ASSIGN_OR_RETURN(runner->query_id_, runner->log_->query_id(runner->query_id_));
  }
  TG_RETURN_IF_ERROR(runner->go_on(std::move(restore)));
  return runner;
}

Status BatchRunner::take_graph(const Graph& graph) {
  TG_ASSIGN_OR_RETURN(const ExecutionPlan plan, cut_into_chains(graph, options_.parallelism));
  query_name_ = graph.job_name;
  std::vector<std::string> uids;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    uses_event_time_ = uses_event_time_ || node.time_grain.step_ms > 0;
    if (node.sink != nullptr) sink_names_.push_back(plan.nodes[i].label);
    if (const auto* factory = node.make_operator.target<VersionedOperatorFactory>()) {
      versioned_.emplace_back(plan.nodes[i].uid, factory->input);
    }
    if (node.source == nullptr) continue;
    uids.push_back(plan.nodes[i].uid);
    sources_.emplace_back(plan.nodes[i].label, plan.nodes[i].uid, node.source,
                          limits_of(options_.limits, node.source->batch_limits()));
  }
  if (!options_.watermark_per_batch) return Status::ok();
  TG_ASSIGN_OR_RETURN(watermark_, BatchWatermark::make(graph, uids, options_.watermark_policy));
  return Status::ok();
}

Status BatchRunner::go_on(std::shared_ptr<const EpochRecord> restore) {
  restore_ = std::move(restore);
  if (restore_ != nullptr) {
    next_batch_ = restore_->epoch;
    TG_RETURN_IF_ERROR(read_mode_state(*restore_));
    if (options_.watermark_per_batch && restore_->sources.size() != sources_.size()) {
      return Status(ErrorCode::kStateMismatch,
                    fmt::format("there are {} sources in the checkpoint, and now {} are read",
                                restore_->sources.size(), sources_.size()),
                    "By watermark.rule=per-batch a query keeps its sources; start anew with "
                    "--fresh.");
    }
    for (SourceBacklog& source : sources_) {
      const auto state = std::ranges::find(restore_->sources, source.uid(), &SourceState::uid);
      source.restore(state == restore_->sources.end() ? nullptr : &*state);
    }
  }
  if (log_ == nullptr || (restore_ != nullptr && restore_->finished)) return Status::ok();
  TG_ASSIGN_OR_RETURN(const std::optional<BatchId> last, log_->last_committed());
  if (last && *last >= next_batch_) {
    return Status(ErrorCode::kStateCorrupt,
                  fmt::format("batch {} is committed, but the state ends with batch {}", *last,
                              static_cast<std::int64_t>(next_batch_) - 1),
                  "Restore the missing files, or start anew with --fresh.");
  }
  const bool sinks_know = last && *last + 1 == next_batch_;
  if (sinks_know && !restore_->committables.empty()) {
    auto record = std::make_shared<EpochRecord>(*restore_);
    record->committables.clear();
    restore_ = std::move(record);
  }
  if (!sinks_know && next_batch_ > 0) {
    TG_ASSIGN_OR_RETURN(const auto recorded, log_->planned(next_batch_ - 1));
    owes_commit_ = recorded.has_value();
  }
  TG_ASSIGN_OR_RETURN(replay_, log_->planned(next_batch_));
  if (replay_ && replay_->settings != fixed_settings()) {
    return Status(ErrorCode::kStateMismatch,
                  fmt::format("batch {} was planned with watermark.rule={}", next_batch_,
                              replay_->settings["watermark.rule"]),
                  "Start with the settings that the query was started with.");
  }
  return Status::ok();
}

std::map<std::string, std::string> BatchRunner::fixed_settings() const {
  std::map<std::string, std::string> settings;
  settings["watermark.rule"] = options_.watermark_per_batch ? "per-batch" : "per-row";
  if (options_.watermark_per_batch) {
    settings["watermark.policy"] =
        options_.watermark_policy == BatchWatermark::Policy::kMin ? "min" : "max";
  }
  return settings;
}

Status BatchRunner::read_mode_state(const EpochRecord& record) {
  if (record.mode_state.empty()) return Status::ok();
  TG_ASSIGN_OR_RETURN(const json::object state, parse_json_object(record.mode_state));
  const json::value* rule = state.if_contains("watermarkRule");
  const bool was_per_batch = rule != nullptr && bytes_of(*rule) == "per-batch";
  if (was_per_batch != options_.watermark_per_batch) {
    return Status(ErrorCode::kStateMismatch,
                  fmt::format("epoch {} was made with watermark.rule={}", record.epoch,
                              was_per_batch ? "per-batch" : "per-row"),
                  "Start with the same --set watermark.rule.");
  }
  if (!was_per_batch) return Status::ok();
  const json::value* used = state.if_contains("batchWatermarkMs");
  const json::value* next = state.if_contains("nextBatchWatermarkMs");
  if (used == nullptr || !used->is_int64() || next == nullptr || !next->is_int64())
    return error(ErrorCode::kStateCorrupt, "epoch {} does not say its watermark", record.epoch);
  watermark_used_ = used->get_int64();
  watermark_.restore(next->get_int64());
  return Status::ok();
}

bool BatchRunner::await_idle(const std::function<void()>& wake) {
  std::uint64_t asked = 0;
  {
    const std::lock_guard lock(idle_mutex_);
    if (ended_) return false;
    asked = ++asked_;
  }
  wake();
  std::unique_lock lock(idle_mutex_);
  idle_changed_.wait(lock, [&] { return answered_ >= asked || ended_; });
  return answered_ >= asked;
}

void BatchRunner::ended() {
  const std::lock_guard lock(idle_mutex_);
  ended_ = true;
  idle_changed_.notify_all();
}

Result<Step> BatchRunner::next() {
  std::uint64_t asked = 0;
  {
    const std::lock_guard lock(idle_mutex_);
    asked = asked_;
  }
  {
    const std::lock_guard lock(running_mutex_);
    TG_RETURN_IF_ERROR(log_failure_);
  }
  // The job has published what the restored record holds before it asked for this.
  if (std::exchange(owes_commit_, false))
    TG_RETURN_IF_ERROR(log_->commit(next_batch_ - 1, watermark_.watermark()));
  planning_ns_ = clock_.monotonic_ns();
  if (replay_) return replay_batch();
  if (options_.trigger == BatchOptions::Trigger::kOnce && ran_once_) return stop();
  if (planning_ns_ < next_trigger_ns_) return wait_until(next_trigger_ns_);
  next_trigger_ns_ = planning_ns_ + options_.interval_ms * kNanosPerMs;
  const bool fixes_ends = options_.trigger == BatchOptions::Trigger::kAvailableNow;
  for (SourceBacklog& source : sources_) {
    if (!fixes_ends) {
      TG_RETURN_IF_ERROR(source.look());
    } else if (!ends_fixed_) {
      TG_RETURN_IF_ERROR(source.fix_end());
    }
  }
  ends_fixed_ = fixes_ends;
  return plan_batch(asked);
}

void BatchRunner::prepare() {
  // What goes wrong does so again, and is told then.
  static_cast<void>(look_ahead());
}

Status BatchRunner::look_ahead() {
  TG_FAILPOINT("microbatch.prepare-next");
  if (options_.trigger != BatchOptions::Trigger::kAsap) return Status::ok();
  for (SourceBacklog& source : sources_) {
    if (!source.is_bounded()) TG_RETURN_IF_ERROR(source.look_ahead());
  }
  return Status::ok();
}

Result<Step> BatchRunner::replay_batch() {
  BatchPlan plan = *std::exchange(replay_, std::nullopt);
  std::vector<std::string> start = offsets();
  for (SourceBacklog& source : sources_) {
    const auto range = std::ranges::find(plan.epoch.sources, source.uid(), &SourceRange::uid);
    if (range != plan.epoch.sources.end()) source.replay(*range);
  }
  log_info("microbatch.again", {{"query", query_name_}, {"batch", plan.batch}});
  TG_RETURN_IF_ERROR(fix_versions(plan));
  return run(std::move(plan), std::move(start));
}

Result<Step> BatchRunner::plan_batch(std::uint64_t asked) {
  const bool once = options_.trigger == BatchOptions::Trigger::kOnce;
  const std::vector<std::string> start = offsets();
  PlannedEpoch epoch;
  bool any_rows = false;
  for (SourceBacklog& source : sources_) {
    TG_ASSIGN_OR_RETURN(SourceRange range, source.take(once, any_rows));
    if (!range.splits.empty()) epoch.sources.push_back(std::move(range));
  }
  epoch.ends_input = options_.drains && is_exhausted();
  if (!any_rows && !epoch.ends_input && !watermark_is_due()) {
    const bool over = once || ends_fixed_ || is_exhausted();
    return over ? stop() : idle(asked);
  }
  for (SourceBacklog& source : sources_) {
    const auto range = std::ranges::find(epoch.sources, source.uid(), &SourceRange::uid);
    if (range != epoch.sources.end()) source.begin(*range);
  }
  BatchPlan plan;
  plan.batch = next_batch_;
  plan.time_ms = clock_.real().wall_ms();
  plan.seed = random_.next();
  plan.settings = fixed_settings();
  plan.epoch = std::move(epoch);
  if (watermark_.exists()) {
    plan.epoch.watermark_before = watermark_used_;
    plan.epoch.watermark = watermark_.watermark();
  }
  TG_RETURN_IF_ERROR(fix_versions(plan));
  planned_ns_ = clock_.monotonic_ns();
  if (log_ != nullptr) {
    TG_FAILPOINT("microbatch.before-offsets");
    TG_RETURN_IF_ERROR(
        log_->plan(plan).with_context(fmt::format("offsets of batch {}", plan.batch)));
    TG_FAILPOINT("microbatch.after-offsets");
  }
  return run(std::move(plan), start);
}

/// Those that the plan holds are used again; else it gets the newest.
Status BatchRunner::fix_versions(BatchPlan& plan) {
  for (const auto& [uid, input] : versioned_) {
    std::string& version = plan.versions[uid];
    if (version.empty()) version = input->newest();
    TG_RETURN_IF_ERROR(
        input->use(plan.batch + 1, version).with_context(fmt::format("batch {}", plan.batch)));
  }
  return Status::ok();
}

Step BatchRunner::run(BatchPlan plan, std::vector<std::string> start_offsets) {
  clock_.set_batch_ms(plan.time_ms);
  next_batch_ = plan.batch + 1;
  ran_once_ = true;
  Step step;
  step.kind = Step::Kind::kRun;
  step.epoch = plan.epoch;
  const std::lock_guard lock(running_mutex_);
  running_ = Running();
  running_.plan = std::move(plan);
  for (const SourceRange& source : running_.plan.epoch.sources)
    running_.files += std::ranges::count_if(
        source.splits, [](const SplitRange& range) { return !range.end.has_value(); });
  running_.start_offsets = std::move(start_offsets);
  running_.end_offsets = offsets();
  running_.began_ns = planning_ns_;
  running_.planned_ns = std::max(planned_ns_, planning_ns_);
  running_.logged_ns = clock_.monotonic_ns();
  return step;
}

Step BatchRunner::idle(std::uint64_t asked) {
  {
    const std::lock_guard lock(idle_mutex_);
    answered_ = std::max(answered_, asked);
    idle_changed_.notify_all();
  }
  return wait_until(next_look_ns());
}

// Asking where endless splits end is cheap, looking for files may not be.
std::int64_t BatchRunner::next_look_ns() const {
  std::int64_t wait_ms = std::numeric_limits<std::int32_t>::max();
  for (const SourceBacklog& source : sources_) {
    if (source.has_endless_splits()) {
      wait_ms = std::min(wait_ms, options_.poll_interval_ms);
    } else if (!source.is_bounded()) {
      wait_ms =
          std::min(wait_ms, std::max(options_.poll_interval_ms, source.discovery_interval_ms()));
    }
  }
  return std::max(next_trigger_ns_, clock_.monotonic_ns() + wait_ms * kNanosPerMs);
}

bool BatchRunner::is_exhausted() const {
  return std::ranges::all_of(sources_, &SourceBacklog::is_exhausted);
}

bool BatchRunner::watermark_is_due() const {
  return options_.no_data_batches && uses_event_time_ && watermark_.exists() && next_batch_ > 0 &&
         options_.trigger != BatchOptions::Trigger::kOnce &&
         watermark_.watermark() > watermark_used_;
}

std::vector<std::string> BatchRunner::offsets() const {
  std::vector<std::string> offsets;
  for (const SourceBacklog& source : sources_) offsets.push_back(source.offsets());
  return offsets;
}

void BatchRunner::input_read(const std::vector<SourceRead>& reads) {
  const std::lock_guard lock(running_mutex_);
  running_.reads = reads;
  if (watermark_.exists()) watermark_.add(reads);
}

void BatchRunner::complete(EpochRecord& record) {
  json::object state;
  state["watermarkRule"] = options_.watermark_per_batch ? "per-batch" : "per-row";
  {
    const std::lock_guard lock(running_mutex_);
    if (options_.watermark_per_batch) {
      state["batchWatermarkMs"] = watermark_.exists() ? running_.plan.epoch.watermark : 0;
      state["nextBatchWatermarkMs"] = watermark_.watermark();
    }
  }
  record.mode_state = json::serialize(state);
  epochs_->complete(record);
}

Status BatchRunner::commit(const EpochRecord& record) {
  TG_FAILPOINT("microbatch.before-record");
  TG_RETURN_IF_ERROR(epochs_->commit(record));
  const std::lock_guard lock(running_mutex_);
  running_.durable_ns = clock_.monotonic_ns();
  return Status::ok();
}

void BatchRunner::published(EpochId epoch) {
  epochs_->published(epoch);
  const BatchId batch = epoch - 1;
  Status logged;
  if (log_ != nullptr) {
    logged = [&]() -> Status {
      TG_FAILPOINT("microbatch.before-commits");
      TG_RETURN_IF_ERROR(log_->commit(batch, watermark_.watermark()));
      TG_FAILPOINT("microbatch.after-commits");
      return log_->trim(batch, options_.retained_batches);
    }();
  }
  {
    const std::lock_guard lock(running_mutex_);
    if (!logged.is_ok())
      log_failure_ = std::move(logged).with_context(fmt::format("commit of batch {}", batch));
    watermark_used_ = std::max(watermark_used_, running_.plan.epoch.watermark);
    if (running_.plan.batch != batch) return;  // nobody planned it: the job drains
  }
  report();
}

}  // namespace tidegate
