// SPDX-License-Identifier: Apache-2.0
#include "api/batch_session.h"

#include <utility>

#include "api/run_settings.h"
#include "base/blob_store.h"
#include "base/check.h"
#include "base/options.h"

namespace tidegate {
namespace {

constexpr std::string_view kLogFolder = "batches";

std::string setting_of(const RunOptions& options, const std::string& name) {
  const auto found = options.settings.find(name);
  return found == options.settings.end() ? std::string() : found->second;
}

bool is_per_batch(const RunOptions& options) {
  return setting_of(options, "watermark.rule") == "per-batch";
}

bool ends_with_what_is_there(const Trigger& trigger) {
  return trigger.kind == Trigger::Kind::kAvailableNow || trigger.kind == Trigger::Kind::kOnce;
}

Result<BatchOptions::Trigger> trigger_of(const Trigger& trigger) {
  switch (trigger.kind) {
    case Trigger::Kind::kAsap:
      return BatchOptions::Trigger::kAsap;
    case Trigger::Kind::kInterval:
      return BatchOptions::Trigger::kInterval;
    case Trigger::Kind::kAvailableNow:
      return BatchOptions::Trigger::kAvailableNow;
    case Trigger::Kind::kOnce:
      return BatchOptions::Trigger::kOnce;
    case Trigger::Kind::kContinuous:
      break;
  }
  return error(ErrorCode::kInternal, "a continuous job has no batches");
}

Result<BatchOptions> batch_options(const RunOptions& run) {
  const Options settings = settings_of(run);
  BatchOptions batch;
  TG_ASSIGN_OR_RETURN(batch.trigger, trigger_of(run.trigger));
  batch.interval_ms = run.trigger.interval.count();
  batch.limits = {run.max_files_per_trigger, run.max_rows_per_trigger, run.max_bytes_per_trigger};
  const std::string rule = settings.get_string_or("watermark.rule", "per-row");
  if (rule != "per-row" && rule != "per-batch")
    return error(ErrorCode::kInvalidOption, "watermark.rule is per-row or per-batch, not '{}'",
                 rule);
  batch.watermark_per_batch = rule == "per-batch";
  const std::string policy = settings.get_string_or("watermark.policy", "min");
  if (policy != "min" && policy != "max")
    return error(ErrorCode::kInvalidOption, "watermark.policy is min or max, not '{}'", policy);
  batch.watermark_policy =
      policy == "max" ? BatchWatermark::Policy::kMax : BatchWatermark::Policy::kMin;
  TG_ASSIGN_OR_RETURN(const bool no_data, settings.get_bool_or("microbatch.no-data-batches", true));
  // A complete table holds on to everything, and shows nothing new without rows.
  batch.no_data_batches = no_data && run.output_mode != "complete";
  TG_ASSIGN_OR_RETURN(batch.retained_batches,
                      settings.get_int_or("microbatch.retained-batches", 100));
  if (batch.retained_batches < 1)
    return error(ErrorCode::kInvalidOption, "microbatch.retained-batches must be at least 1");
  batch.drains = drains_at_end(run);
  batch.on_batch = run.on_batch;
  return batch;
}

}  // namespace

bool runs_in_batches(const RunOptions& options) {
  return options.mode == "micro-batch" && options.trigger.kind != Trigger::Kind::kContinuous;
}

bool drains_at_end(const RunOptions& options) {
  if (!options.savepoint.empty()) return false;
  if (!runs_in_batches(options)) return true;
  if (is_per_batch(options)) return false;
  return !ends_with_what_is_there(options.trigger) || options.checkpoint_dir.empty();
}

Result<std::shared_ptr<BatchRunner>> run_in_batches(const Graph& graph, const RunOptions& options,
                                                    JobOptions& job) {
  TG_ASSIGN_OR_RETURN(BatchOptions batch, batch_options(options));
  batch.parallelism = job.parallelism;
  batch.clock = job.clock;
  std::shared_ptr<BatchLog> log;
  if (!options.checkpoint_dir.empty()) {
    TG_ASSIGN_OR_RETURN(
        std::shared_ptr<BlobStore> blobs,
        open_blob_store(folder_in(options.checkpoint_dir, kLogFolder), settings_of(options)));
    log = std::make_shared<BatchLog>(std::move(blobs));
    if (options.fresh) TG_RETURN_IF_ERROR(log->clear());
  }
  job.watermark_per_epoch = batch.watermark_per_batch;
  TG_ASSIGN_OR_RETURN(
      std::shared_ptr<BatchRunner> runner,
      BatchRunner::make(graph, std::move(batch), job.commit_policy, std::move(log), job.restore));
  job.planner = runner;
  job.commit_policy = runner;
  job.restore = runner->restore();
  job.clock = &runner->clock();
  job.epoch_interval_ms = 0;
  return runner;
}

}  // namespace tidegate
