// SPDX-License-Identifier: Apache-2.0
#include "api/durable_epochs.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "api/run_settings.h"
#include "base/check.h"
#include "base/executor.h"
#include "base/failpoints.h"
#include "base/log.h"
#include "base/options.h"
#include "epoch/savepoint.h"

namespace tidegate {
namespace {

/// An epoch that was published may be published again.
bool takes_epochs_twice(const Graph& graph) {
  return std::ranges::all_of(graph.nodes, [](const Node& node) {
    return node.sink == nullptr || node.sink->guarantee() == SinkGuarantee::kIdempotent;
  });
}

std::vector<NamedType> named(const Schema& schema, const std::vector<int>& columns) {
  std::vector<NamedType> all;
  for (const int column : columns) {
    all.push_back({schema.field(column).name, schema.field(column).type.to_string()});
  }
  return all;
}

/// What the operators are, for those who look into checkpoints.
std::vector<OperatorInfo> operators_of(const Graph& graph) {
  std::vector<OperatorInfo> operators;
  for (const Node& node : graph.nodes) {
    OperatorInfo& info = operators.emplace_back();
    info.uid = node.uid.empty() ? node.name : node.uid;
    info.name = node.name;
    if (node.schema != nullptr) {
      std::vector<int> all(static_cast<std::size_t>(node.schema->num_fields()));
      std::iota(all.begin(), all.end(), 0);
      info.output = named(*node.schema, all);
    }
    for (const Edge& edge : node.inputs) {
      const Node& from = graph.nodes[static_cast<std::size_t>(edge.from)];
      if (edge.exchange != Exchange::kHash || edge.side >= 0 || from.schema == nullptr) continue;
      info.keys = named(*from.schema, edge.keys);
      break;  // the keys of all inputs are of the same types
    }
  }
  return operators;
}

Result<CheckpointOptions> checkpoint_options(const Options& settings) {
  CheckpointOptions options;
  constexpr std::string_view kRetained = "state.checkpoints.num-retained";
  TG_ASSIGN_OR_RETURN(const std::int64_t retained, settings.get_int_or(kRetained, 1));
  if (retained < 1 || retained > 10'000) {
    return error(ErrorCode::kInvalidOption, "{} must be between 1 and 10000, not {}", kRetained,
                 retained);
  }
  options.num_retained = static_cast<int>(retained);
  TG_ASSIGN_OR_RETURN(options.may_go_back,
                      settings.get_bool_or("state.checkpoints.allow-older", false));
  return options;
}

}  // namespace

Result<EpochRecord> read_savepoint_of(const RunOptions& options) {
  TG_ASSIGN_OR_RETURN(std::unique_ptr<BlobStore> from,
                      open_blob_store(options.restore, settings_of(options)));
  return read_savepoint(std::shared_ptr<BlobStore>(std::move(from)));
}

Result<std::unique_ptr<DurableEpochs>> DurableEpochs::open(const RunOptions& options,
                                                           const Graph& graph, Executor& executor) {
  auto epochs = std::make_unique<DurableEpochs>();
  const Options settings = settings_of(options);
  if (!options.restore.empty()) {
    TG_ASSIGN_OR_RETURN(EpochRecord record, read_savepoint_of(options));
    // A savepoint is gone on from on purpose, and later: what has come to the sources since counts.
    for (SourceState& source : record.sources) source.complete = false;
    epochs->restore_ = std::make_shared<const EpochRecord>(std::move(record));
  }
  std::string uri = options.checkpoint_dir;
  if (!options.savepoint.empty()) {
    TG_ASSIGN_OR_RETURN(epochs->savepoint_, open_blob_store(options.savepoint, settings));
    epochs->only_for_savepoint_ = uri.empty();
    if (uri.empty()) uri = folder_in(options.savepoint, ".epochs");
  }
  if (!uri.empty()) {
    TG_RETURN_IF_ERROR(epochs->open_checkpoints(uri, options, graph, executor));
  }
  return epochs;
}

Status DurableEpochs::open_checkpoints(const std::string& uri, const RunOptions& options,
                                       const Graph& graph, Executor& executor) {
  const Options settings = settings_of(options);
  TG_ASSIGN_OR_RETURN(CheckpointOptions how, checkpoint_options(settings));
  how.may_go_back = how.may_go_back || takes_epochs_twice(graph);
  how.operators = operators_of(graph);
  how.run_beside = [&executor](std::function<void()> work) {
    executor.submit_blocking(std::move(work));
  };
  if (const auto path = local_path_of(uri); path && TG_PROTECTED("fencing")) {
    TG_ASSIGN_OR_RETURN(lock_, FolderLock::acquire(*path));
  }
  TG_ASSIGN_OR_RETURN(blobs_, open_blob_store(uri, settings));
  if (!blobs_->is_fenced()) log_info("checkpoint.unfenced", {{"folder", blobs_->place_of("")}});
  checkpoints_ = std::make_shared<CheckpointStore>(blobs_, std::move(how));
  if (options.fresh || only_for_savepoint_) TG_RETURN_IF_ERROR(checkpoints_->clear());
  return Status::ok();
}

void DurableEpochs::keep_recent() {
  if (checkpoints_ != nullptr) return;
  recent_ = std::make_shared<RecentEpochs>();
  if (restore_ != nullptr) recent_->begin_from(restore_);
}

Status DurableEpochs::load(const HeldState* held) {
  if (checkpoints_ != nullptr) {
    TG_ASSIGN_OR_RETURN(std::optional<EpochRecord> found, checkpoints_->load(held));
    if (found) {
      restore_ = std::make_shared<const EpochRecord>(*std::move(found));
    } else if (restore_ != nullptr) {
      TG_RETURN_IF_ERROR(checkpoints_->begin_from(*restore_));
    }
  } else if (recent_ != nullptr) {
    TG_ASSIGN_OR_RETURN(restore_, recent_->latest());
  }
  return Status::ok();
}

void DurableEpochs::stop_tidying() {
  if (checkpoints_ != nullptr) checkpoints_->stop_tidying();
}

void DurableEpochs::apply(JobOptions& job) const {
  job.restore = restore_;
  job.commit_policy = checkpoints_;
  if (checkpoints_ == nullptr) job.commit_policy = recent_;
  if (job.commit_policy == nullptr) job.commit_policy = make_volatile_commit_policy();
  job.drain_at_end = savepoint_ == nullptr;
}

Status DurableEpochs::job_stopped() {
  stop_tidying();
  if (savepoint_ == nullptr) return Status::ok();
  TG_RETURN_IF_ERROR(checkpoints_->write_savepoint(*savepoint_));
  return only_for_savepoint_ ? blobs_->clear() : Status::ok();
}

}  // namespace tidegate
