// SPDX-License-Identifier: Apache-2.0
#include "api/library_session.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "api/run_settings.h"
#include "api/state_choice.h"
#include "base/check.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/options.h"
#include "epoch/restart_strategy.h"

namespace tidegate {
namespace {

/// As Kafka Streams has it with exactly-once: rows cross a repartition topic when they are
/// committed, so that it is what they wait for.
constexpr std::chrono::milliseconds kEpochInterval{100};

constexpr std::int64_t kMemoryBytes = std::int64_t{512} << 20;
constexpr std::int64_t kLeastMemoryBytes = std::int64_t{16} << 20;

Status not_here(std::string_view what, std::string remedy) {
  return Status(ErrorCode::kNotSupported, fmt::format("{} in library mode", what),
                std::move(remedy));
}

/// The name stands in front of topics' names.
Status check_name(const std::string& name) {
  constexpr std::size_t kMostChars = 100;
  const bool plain = name.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789._-") == std::string::npos;
  if (plain && name.size() <= kMostChars && name != "." && name != "..") return Status::ok();
  return error(ErrorCode::kInvalidOption,
               "application-id '{}': letters, digits, '.', '_' and '-', at most {} of them", name,
               kMostChars);
}

Status check_options(const RunOptions& options) {
  TG_RETURN_IF_ERROR(check_name(options.application_id));
  if (options.mode != "embedded")
    return not_here("--mode " + options.mode, "Leave --mode or --application-id out.");
  if (!options.checkpoint_dir.empty())
    return not_here("a checkpoint folder",
                    "Leave it out: state is backed up to changelog topics of the application.");
  if (!options.restore.empty() || !options.savepoint.empty())
    return not_here("a savepoint", "Leave --restore and --stop-with-savepoint out.");
  if (options.fresh)
    return not_here("--fresh",
                    "Choose another --application-id, or delete the topics of this one.");
  return Status::ok();
}

Result<int> standby_replicas(const RunOptions& options, const Options& settings) {
  constexpr std::string_view kName = "library.standby-replicas";
  TG_ASSIGN_OR_RETURN(const std::int64_t replicas, settings.get_int_or(kName, 0));
  if (replicas < 0 || replicas > 100)
    return error(ErrorCode::kInvalidOption, "{} is from 0 to 100, not {}", kName, replicas);
  if (replicas > 0 && (options.state_dir.empty() || options.state != "rocksdb"))
    return not_here("a standby replica without state on disk",
                    "Give it --state rocksdb and --state-dir.");
  return static_cast<int>(replicas);
}

}  // namespace

Result<std::unique_ptr<library::Instance>> start_instance(
    Graph graph, const RunOptions& options, const std::string& address,
    std::function<Result<Graph>()> plan_again,
    std::function<Status(const RunOptions&, JobOptions&)> read_job_settings) {
  TG_RETURN_IF_ERROR(check_options(options));
  if (!plan_again)
    return not_here("showing the result of a query", "INSERT it INTO a table of Kafka.");
  const Options settings = settings_of(options);
  TG_ASSIGN_OR_RETURN(RestartStrategy strategy, RestartStrategy::from(settings, true));
  library::InstanceOptions instance(std::move(strategy));
  instance.application_id = options.application_id;
  instance.address = address;
  instance.state_dir = options.state_dir;
  instance.instance_id = settings.get_string_or("library.group-instance-id", "");
  instance.threads = options.parallelism > 0 ? options.parallelism : machine_cores();
  instance.epoch_interval = options.epoch_interval;
  if (options.epoch_interval == RunOptions().epoch_interval) {
    TG_ASSIGN_OR_RETURN(
        instance.epoch_interval,
        settings.get_duration_or("execution.checkpointing.interval", kEpochInterval));
  }
  if (options.state_dir.empty())
    log_warning("library.no-state-dir",
                {{"remedy", "give each instance a --state-dir: restarts are faster with it"}});
  TG_ASSIGN_OR_RETURN(instance.standby_replicas, standby_replicas(options, settings));
  instance.plan = std::move(plan_again);
  instance.set_job_options = [options, read = std::move(read_job_settings)](
                                 const std::string& folder, int tasks, JobOptions& job) -> Status {
    RunOptions of_task = options;
    of_task.state_dir = folder;
    // What each RocksDB may take; in memory the budget is for who needs it.
    const std::int64_t all = options.memory_bytes > 0 ? options.memory_bytes : kMemoryBytes;
    of_task.memory_bytes = std::max(all / std::max(tasks, 1), kLeastMemoryBytes);
    TG_RETURN_IF_ERROR(choose_state_store(of_task, job));
    job.memory_budget_bytes = job.state_store == nullptr ? options.memory_bytes : 0;
    return read(of_task, job);
  };
  instance.on_state = options.on_state;
  if (options.on_epoch)
    instance.on_epoch = [call = options.on_epoch](const EpochRecord& record) {
      call(record.epoch);
    };
  instance.on_restart = options.on_restart;
  return library::Instance::start(std::move(graph), std::move(instance));
}

}  // namespace tidegate
