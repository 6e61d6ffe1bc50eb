// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataflow/graph.h"
#include "runtime/execution_plan.h"
#include "runtime/job_builder.h"
#include "tidegate/job_progress.h"

namespace tidegate {

class MetricRegistry;  // base/metrics.h

/// The sources and operators of a job as they are now, from its metrics and its open splits.
JobProgress collect_progress(const Graph& graph, const ExecutionPlan& plan, const JobParts& parts,
                             const MetricRegistry& metrics);

}  // namespace tidegate
