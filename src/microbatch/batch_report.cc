// SPDX-License-Identifier: Apache-2.0
// What a batch has done, for BatchOptions::on_batch.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "microbatch/batch_runner.h"

namespace tidegate {
namespace {

constexpr double kNanosPerSecond = 1e9;
constexpr int kBatchesOverInterval = 3;
constexpr std::int64_t kManyFiles = 1'000;  // of a batch
constexpr std::int64_t kFewRows = 100;      // of a file

double per_second(std::int64_t rows, double seconds) {
  return seconds > 0 ? static_cast<double>(rows) / seconds : 0;
}

}  // namespace

void BatchRunner::report() {
  const std::int64_t now_ns = clock_.monotonic_ns();
  BatchProgress progress;
  JobProgress job = job_ ? job_() : JobProgress();
  {
    const std::lock_guard lock(running_mutex_);
    const Running& run = running_;
    const auto ms = [](std::int64_t from_ns, std::int64_t to_ns) {
      return std::max<std::int64_t>(0, (to_ns - from_ns) / 1'000'000);
    };
    progress.timestamp_ms = run.plan.time_ms;
    progress.batch_id = run.plan.batch;
    progress.duration_ms = {{"latestOffset", ms(run.began_ns, run.planned_ns)},
                            {"walCommit", ms(run.planned_ns, run.logged_ns)},
                            {"addBatch", ms(run.logged_ns, run.durable_ns)},
                            {"commitOffsets", ms(run.durable_ns, now_ns)},
                            {"triggerExecution", ms(run.began_ns, now_ns)}};
    for (const SourceRead& read : run.reads) progress.num_input_rows += read.rows;
    const double busy = static_cast<double>(now_ns - run.began_ns) / kNanosPerSecond;
    const double since_last =
        last_began_ns_ > 0 ? static_cast<double>(run.began_ns - last_began_ns_) / kNanosPerSecond
                           : 0;
    progress.input_rows_per_second = per_second(progress.num_input_rows, since_last);
    progress.processed_rows_per_second = per_second(progress.num_input_rows, busy);
    add_sources(progress, since_last, busy);
    if (watermark_.exists()) progress.watermark = run.plan.epoch.watermark;
    last_began_ns_ = run.began_ns;
  }
  progress.id = query_id_;
  progress.run_id = run_id_;
  progress.name = query_name_;
  progress.sinks = sink_names_;
  add_operators(progress, job);
  last_job_ = std::move(job);
  warn(progress);
  if (options_.on_batch) options_.on_batch(progress);
}

void BatchRunner::warn(const BatchProgress& progress) {
  const std::int64_t took_ms = progress.duration_ms.at("triggerExecution");
  const bool over = options_.interval_ms > 0 && took_ms > options_.interval_ms;
  batches_over_interval_ = over ? batches_over_interval_ + 1 : 0;
  if (batches_over_interval_ == kBatchesOverInterval && !std::exchange(warned_of_interval_, true)) {
    log_warning("microbatch.trigger-too-short",
                {{"query", query_name_},
                 {"interval_ms", options_.interval_ms},
                 {"batch_ms", took_ms},
                 {"remedy", "a longer --trigger, or none: batches then follow each other"}});
  }
  const std::int64_t files = running_.files;
  const bool small = files >= kManyFiles && progress.num_input_rows < files * kFewRows;
  if (small && !std::exchange(warned_of_small_files_, true)) {
    log_warning("microbatch.small-files",
                {{"query", query_name_},
                 {"files", files},
                 {"rows", progress.num_input_rows},
                 {"remedy", "let who writes them write fewer, larger ones"}});
  }
}

void BatchRunner::add_sources(BatchProgress& progress, double seconds, double busy_seconds) const {
  std::int64_t times = 0;
  double sum = 0;
  EventTime lowest = kMaxWatermark;
  EventTime highest = kMinWatermark;
  for (std::size_t i = 0; i < sources_.size() && i < running_.reads.size(); ++i) {
    const SourceRead& read = running_.reads[i];
    progress.sources.push_back({sources_[i].name(), running_.start_offsets[i],
                                running_.end_offsets[i], read.rows, per_second(read.rows, seconds),
                                per_second(read.rows, busy_seconds)});
    times += read.times;
    sum += read.sum_of_times;
    lowest = std::min(lowest, read.min_time);
    highest = std::max(highest, read.max_time);
  }
  if (times == 0) return;
  progress.min_event_time = lowest;
  progress.max_event_time = highest;
  progress.avg_event_time = static_cast<EventTime>(sum / static_cast<double>(times));
}

void BatchRunner::add_operators(BatchProgress& progress, const JobProgress& job) const {
  const auto before = [&](const std::string& name) {
    const auto found = std::ranges::find(last_job_.operators, name, &OperatorProgress::name);
    return found == last_job_.operators.end() ? OperatorProgress() : *found;
  };
  for (auto each = job.operators.rbegin(); each != job.operators.rend(); ++each) {
    const OperatorProgress last = before(each->name);
    const bool is_sink = std::ranges::find(sink_names_, each->name) != sink_names_.end();
    if (is_sink) progress.num_output_rows += each->rows_in - last.rows_in;
    if (each->state_bytes > 0) stateful_.insert(each->name);
    if (!stateful_.contains(each->name)) continue;
    BatchStateProgress state;
    state.operator_name = each->name;
    state.num_rows_dropped_by_watermark = each->rows_late - last.rows_late;
    state.memory_used_bytes = each->state_bytes;
    state.num_rows_total = each->state_rows;
    state.num_rows_updated = each->state_rows_written;
    state.num_rows_removed = std::max<std::int64_t>(0, last.state_rows - each->state_rows);
    progress.state_operators.push_back(std::move(state));
  }
  if (progress.watermark || options_.watermark_per_batch) return;
  for (const SourceProgress& source : job.sources) {
    if (source.watermark == kMinWatermark || source.watermark == kMaxWatermark) continue;
    progress.watermark = std::min(progress.watermark.value_or(kMaxWatermark), source.watermark);
  }
}

}  // namespace tidegate
