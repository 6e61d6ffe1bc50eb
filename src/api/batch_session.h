// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dataflow/graph.h"
#include "microbatch/batch_runner.h"
#include "runtime/job.h"
#include "tidegate/app.h"

namespace tidegate {

/// Whether a run is one of micro-batches: its mode says so, and its trigger is not continuous.
bool runs_in_batches(const RunOptions& options);

/// Whether the end of a bounded input is the end of time: windows that are open are emitted and the
/// job is finished. Not for one that is to be gone on with: with a savepoint, or in micro-batches
/// by Spark's rules (per-batch), or with what is available now and a checkpoint to keep windows in.
bool drains_at_end(const RunOptions& options);

/// Makes of `job`, filled in as for the embedded mode, one that runs in micro-batches.
Result<std::shared_ptr<BatchRunner>> run_in_batches(const Graph& graph, const RunOptions& options,
                                                    JobOptions& job);

}  // namespace tidegate
