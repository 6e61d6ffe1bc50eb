// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/batch_progress.h"
#include "tidegate/connectors.h"
#include "tidegate/job_progress.h"
#include "tidegate/live_state.h"
#include "tidegate/status.h"
#include "tidegate/stream.h"
#include "tidegate/untyped.h"

namespace tidegate {

/// When a micro-batch begins.
struct Trigger {
  enum class Kind : std::uint8_t {
    kAsap,          ///< when the batch before is done and there is something to read
    kInterval,      ///< likewise, but not sooner than `interval` behind the one before
    kAvailableNow,  ///< what is there now, in as many batches as the limits make of it; then stops
    kOnce,          ///< one batch with all that is there, whatever the limits; then stops
    kContinuous,    ///< no batches: the embedded mode
  };
  Kind kind = Kind::kAsap;
  std::chrono::milliseconds interval{0};

  /// "available-now", "once", "continuous" or a duration: "5s".
  static Result<Trigger> parse(std::string_view text);
};

/// How to run a pipeline.
struct RunOptions {
  std::string mode = "embedded";
  int parallelism = 0;  ///< 0: one task per core
  std::chrono::milliseconds epoch_interval{10'000};
  std::map<std::string, std::string> settings;  ///< --set name=value
  /// Where state is kept: "memory", or "rocksdb" for state larger than memory. Empty: as the
  /// setting state.backend.type says, else in memory.
  std::string state;
  /// For the state of all operators. In memory the job fails past it, and 0 is no limit; with
  /// rocksdb rows go to disk in time, and 0 is 512 MiB.
  std::int64_t memory_bytes = 0;
  /// Library mode over Kafka: the name that all instances of the program share. It stands in front
  /// of the names of its internal topics, and is its consumer group. Empty: not in library mode.
  std::string application_id;
  /// Where the state store of a run has its folder; empty: where temporary files go. In library
  /// mode each instance has one of its own.
  std::string state_dir;
  /// Where epochs become durable; empty: nowhere. Epochs that are there are gone on from.
  std::string checkpoint_dir;
  /// HOST:PORT where questions about live state are answered over HTTP, as JSON: GET /state. Port
  /// 0: any that is free. Empty: nowhere.
  std::string serve;
  bool fresh = false;  ///< delete the epochs that are there, and begin anew
  /// A savepoint to begin from; empty: none.
  std::string restore;
  /// Lets state go that no operator of this pipeline claims; without it that is an error.
  bool allow_non_restored_state = false;
  /// Where the job leaves a savepoint when it stops. It then stops at the end of a bounded input
  /// without draining: windows stay open. Empty: none.
  std::string savepoint;

  /// Micro-batch mode only, from here.
  Trigger trigger;
  /// append | update | complete: the rows of a batch as Spark prints them; empty: every change, as
  /// in the other modes.
  std::string output_mode;
  std::int64_t max_files_per_trigger = 0;  ///< of each source; 0: no limit. As the next two.
  std::int64_t max_rows_per_trigger = 0;
  std::int64_t max_bytes_per_trigger = 0;
  /// After each batch, when its sinks have it. Called from a worker thread; must not block.
  std::function<void(const BatchProgress&)> on_batch;

  /// Called on the coordinator's thread; must not block.
  std::function<void(JobState)> on_state;
  std::function<void(EpochId)> on_epoch;
  /// The job has failed with this and will begin again, as the settings restart-strategy.* say.
  std::function<void(const Status&)> on_restart;
};

/// A job that runs in the background of the program. Destroying it stops the job.
class RunningJob : public LiveState {
 public:
  class Session;
  explicit RunningJob(std::unique_ptr<Session> session);
  RunningJob(RunningJob&&) noexcept;
  RunningJob& operator=(RunningJob&&) noexcept;
  ~RunningJob() override;

  /// Waits until the job has ended; its error if it failed.
  Status await();
  /// Waits at most this long; false when the job still runs.
  bool await_for(std::chrono::milliseconds time);
  /// Asks the job to end; returns at once. With `drain`, windows that are open are emitted.
  void stop(bool drain = false);
  /// Micro-batch mode: waits until everything that is there when this is called has been through a
  /// batch, and a batch without data if one is due. The job's error if it fails before.
  Status process_available();
  /// Reads nothing more until resume(). What has been read goes on, and so do timers and epochs; so
  /// it stays after a restart of the job. Not in library mode.
  Status pause();
  Status resume();
  JobProgress progress() const;
  /// HOST:PORT of RunOptions::serve, with the port that was taken; empty: nowhere.
  const std::string& serve_address() const;

 private:
  Result<Found> read_rows(std::string_view name, const Wanted& wanted,
                          const std::vector<ColumnSpec>& columns,
                          const Visit& visit) const override;
  Result<std::optional<std::string>> read_bytes(std::string_view name, std::string_view state,
                                                BatchWriter& key) const override;

  std::unique_ptr<Session> session_;
};

/// A stream-processing program: build a pipeline with source(), then run() or start() it.
class App {
 public:
  explicit App(std::string name) : plan_(std::make_unique<untyped::Plan>(std::move(name))) {}

  /// Rows of a connector, one column per member of T by the member's name.
  template <RecordType T>
  Stream<T> source(const ConnectorSpec& spec) {
    return Stream<T>(plan_.get(), plan_->source(spec, record_columns<T>()));
  }

  /// Rows of a source of the program's own.
  template <RecordType T>
  Stream<T> source(std::shared_ptr<CustomSource<T>> custom, As name = as("source")) {
    return Stream<T>(
        plan_.get(),
        plan_->source(std::move(name.name), record_columns<T>(),
                      std::make_shared<custom_adapters::Source<T>>(std::move(custom))));
  }

  /// What a topic with keys holds, which is all of K's columns (of a scalar: "key") and then V's:
  /// table<std::string, User>(connector("upsert-kafka")...). With table.h.
  template <RecordType K, RecordType V>
  auto table(const ConnectorSpec& spec, As name = as("table")) {
    const Stream<Keyed<K, V>> rows = source<Keyed<K, V>>(spec);
    plan_->primary_key(rows.node(), Record<K>::kColumns);
    return rows.to_table(std::move(name));
  }

  /// Decides about rows at which functions of map(), filter(), process() and the like throw, in
  /// place of failing the job. Called from the threads of tasks, also at once. What a process
  /// function has done before it threw stays. See also Stream::attempt().
  void on_row_failure(RowFailureHandler handler) { plan_->on_row_failure(std::move(handler)); }

  /// Runs to the end (or to Ctrl-C) with the options of a command line: --parallelism, --mode,
  /// --set, --progress, --explain, --help. Returns the exit code: 0 ok, 1 failed, 2 usage, 3
  /// invalid pipeline, 4 something could not be reached.
  int run(int argc, char** argv);
  int run(const RunOptions& options = {});

  /// Starts the pipeline in the background.
  Result<RunningJob> start(const RunOptions& options = {});

  /// The plan as text.
  Result<std::string> explain(const RunOptions& options = {}) const;

  untyped::Plan& plan() { return *plan_; }

 private:
  std::unique_ptr<untyped::Plan> plan_;  // on the heap: streams point to it
};

}  // namespace tidegate
