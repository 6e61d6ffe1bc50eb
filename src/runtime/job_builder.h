// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataflow/graph.h"
#include "runtime/epoch_coordinator.h"
#include "runtime/execution_plan.h"
#include "runtime/split_enumerator.h"
#include "runtime/task.h"
#include "runtime/task_host.h"
#include "runtime/watermark_alignment.h"
#include "tidegate/status.h"

namespace tidegate {

/// The running parts of a job. Tasks refer to the rest, so they come last and go first.
struct JobParts {
  std::vector<std::unique_ptr<SplitEnumerator>> enumerators;
  std::vector<std::unique_ptr<WatermarkAlignment>> alignments;
  std::vector<EpochCoordinator::SourceTasks> sources;
  std::vector<std::unique_ptr<Task>> tasks;
};

/// Checks that a record belongs to the graph: kStateMismatch for other key groups, and for state
/// that nobody claims unless that is allowed.
Status check_restorable(const EpochRecord& record, const Graph& graph, const ExecutionPlan& plan,
                        bool drop_unclaimed);

/// Makes tasks, channels and sources of a plan. Nothing is opened or run. `graph`, `plan`, `host`
/// and the record in its options must outlive the parts.
JobParts build_job(const Graph& graph, const ExecutionPlan& plan, TaskHost& host);

}  // namespace tidegate
