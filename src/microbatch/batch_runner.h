// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "dataflow/graph.h"
#include "dataflow/source.h"
#include "dataflow/versioned_input.h"
#include "microbatch/batch_clock.h"
#include "microbatch/batch_log.h"
#include "microbatch/batch_watermark.h"
#include "microbatch/source_backlog.h"
#include "runtime/commit_policy.h"
#include "runtime/epoch_planner.h"
#include "runtime/epoch_record.h"
#include "tidegate/batch_progress.h"
#include "tidegate/job_progress.h"
#include "tidegate/status.h"

namespace tidegate {

/// How the batches of a query are made.
struct BatchOptions {
  enum class Trigger : std::uint8_t { kAsap, kInterval, kAvailableNow, kOnce };
  Trigger trigger = Trigger::kAsap;
  std::int64_t interval_ms = 0;
  BatchLimits limits;  ///< of each source; go before what the source says
  /// Spark's watermark instead of one that follows every row.
  bool watermark_per_batch = false;
  BatchWatermark::Policy watermark_policy = BatchWatermark::Policy::kMin;
  /// A batch without data when the watermark has moved and an operator could use it.
  bool no_data_batches = true;
  /// When all sources are bounded and read: maximum watermark, windows close, the job is finished.
  /// Else it stops as it is, and can go on.
  bool drains = true;
  std::int64_t retained_batches = 100;
  std::int64_t poll_interval_ms = 10;  ///< between looks for new data
  int parallelism = 1;                 ///< as the job's
  const Clock* clock = nullptr;        ///< null: the machine's
  std::function<void(const BatchProgress&)> on_batch;
};

/// The micro-batch mode: the planner of a job's epochs, and their commit policy.
///
/// The order of a batch: offsets/N durable -> the job reads these ranges -> deltas and committables
/// durable (the epoch record) -> sinks publish -> commits/N. Batch N is epoch N + 1. After a start,
/// a batch that was planned and has no record is run again from its plan; one that has a record
/// was run, and only its sinks are told once more, unless commits/N says that they know.
class BatchRunner final : public EpochPlanner, public CommitPolicy {
 public:
  /// `epochs` keeps the records; `log` may be null: then nothing outlives the process. `restore` is
  /// what the job goes on from, or null.
  static Result<std::shared_ptr<BatchRunner>> make(const Graph& graph, BatchOptions options,
                                                   std::shared_ptr<CommitPolicy> epochs,
                                                   std::shared_ptr<BatchLog> log,
                                                   std::shared_ptr<const EpochRecord> restore);
  ~BatchRunner() override;

  /// What the job is to be restored from.
  std::shared_ptr<const EpochRecord> restore() const { return restore_; }
  /// The job's clock; belongs to the runner.
  const Clock& clock() const { return clock_; }
  /// Where numbers for progress come from; called on blocking threads while the job runs.
  void watch(std::function<JobProgress()> job) { job_ = std::move(job); }

  /// Any thread: waits until a look for data that began after this call has found nothing to do.
  /// `wake` asks the job to look. False: the job has ended before.
  bool await_idle(const std::function<void()>& wake);
  /// The job has ended.
  void ended();

  // EpochPlanner
  Result<Step> next() override;
  void prepare() override;
  bool may_be_cut() const override { return log_ == nullptr; }
  void input_read(const std::vector<SourceRead>& reads) override;

  // CommitPolicy
  void complete(EpochRecord& record) override;
  Status commit(const EpochRecord& record) override;
  void published(EpochId epoch) override;
  bool keeps_state() const override { return epochs_->keeps_state(); }
  bool outcome_is_known() const override { return epochs_->outcome_is_known(); }
  std::string run() const override { return epochs_->run(); }
  std::string position() const override { return epochs_->position(); }
  bool takes_stored_state() const override { return epochs_->takes_stored_state(); }
  std::int64_t last_commit_bytes() const override { return epochs_->last_commit_bytes(); }

 private:
  BatchRunner(BatchOptions options, std::shared_ptr<CommitPolicy> epochs,
              std::shared_ptr<BatchLog> log);
  Status take_graph(const Graph& graph);
  Status go_on(std::shared_ptr<const EpochRecord> restore);
  Status read_mode_state(const EpochRecord& record);
  Status look_ahead();
  Result<Step> plan_batch(std::uint64_t asked);
  Result<Step> replay_batch();
  Status fix_versions(BatchPlan& plan);
  Step run(BatchPlan plan, std::vector<std::string> start_offsets);
  Step idle(std::uint64_t asked);
  std::int64_t next_look_ns() const;
  std::vector<std::string> offsets() const;
  std::map<std::string, std::string> fixed_settings() const;
  bool is_exhausted() const;
  bool watermark_is_due() const;
  void report();
  /// Says once what makes batches slow.
  void warn(const BatchProgress& progress);
  void add_sources(BatchProgress& progress, double seconds, double busy_seconds) const;
  void add_operators(BatchProgress& progress, const JobProgress& job) const;

  BatchOptions options_;
  const std::shared_ptr<CommitPolicy> epochs_;
  const std::shared_ptr<BatchLog> log_;
  BatchClock clock_;
  Random random_;
  std::shared_ptr<const EpochRecord> restore_;
  std::function<JobProgress()> job_;
  std::string query_name_;
  std::string query_id_;
  std::string run_id_;
  std::vector<std::string> sink_names_;
  std::vector<std::pair<std::string, std::shared_ptr<VersionedInput>>> versioned_;  // by uid
  bool uses_event_time_ = false;  // some operator tells times apart

  // Of the planning thread.
  std::vector<SourceBacklog> sources_;
  BatchId next_batch_ = 0;
  std::optional<BatchPlan> replay_;  // planned before the start, and never finished
  bool owes_commit_ = false;         // for the last batch before the start
  bool ends_fixed_ = false;
  bool ran_once_ = false;
  std::int64_t next_trigger_ns_ = 0;
  std::int64_t planning_ns_ = 0;  // when this batch's planning began
  std::int64_t planned_ns_ = 0;   // and ended

  // Handed from step to step of the batch that runs.
  struct Running {
    BatchPlan plan;
    std::int64_t files = 0;  // that are read whole
    std::vector<std::string> start_offsets;
    std::vector<std::string> end_offsets;
    std::int64_t began_ns = 0;
    std::int64_t planned_ns = 0;
    std::int64_t logged_ns = 0;
    std::int64_t durable_ns = 0;
    std::vector<SourceRead> reads;
  };
  std::mutex running_mutex_;
  Running running_;
  BatchWatermark watermark_;
  EventTime watermark_used_ = 0;  // at the end of the last batch
  Status log_failure_;            // of published(), for next() to tell
  std::int64_t last_began_ns_ = 0;
  JobProgress last_job_;
  mutable std::set<std::string> stateful_;  // operators that have had state
  int batches_over_interval_ = 0;           // in a row
  bool warned_of_interval_ = false;
  bool warned_of_small_files_ = false;

  std::mutex idle_mutex_;
  std::condition_variable idle_changed_;
  std::uint64_t asked_ = 0;
  std::uint64_t answered_ = 0;
  bool ended_ = false;
};

}  // namespace tidegate
