// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dataflow/graph.h"
#include "library/instance.h"
#include "tidegate/app.h"
#include "tidegate/status.h"

namespace tidegate {

/// Whether a run is an instance of an application over Kafka.
inline bool runs_as_instance(const RunOptions& options) { return !options.application_id.empty(); }

/// Joins the application, where others are told `address`. `plan_again` makes the same graph as
/// `graph` once more. kNotSupported for options that mean nothing in library mode.
Result<std::unique_ptr<library::Instance>> start_instance(
    Graph graph, const RunOptions& options, const std::string& address,
    std::function<Result<Graph>()> plan_again,
    std::function<Status(const RunOptions&, JobOptions&)> read_job_settings);

}  // namespace tidegate
