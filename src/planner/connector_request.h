// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dataflow/connector.h"
#include "plan/source.h"
#include "planner/lowering.h"

namespace tidegate {

/// What a connector gets to make the source or sink of `node`, with the job's defaults of its
/// options filled in.
ConnectorRequest connector_request(const plan::Node& node, const SchemaPtr& schema,
                                   const std::string& connector, const Options& options,
                                   const LoweringOptions& lowering);

/// Makes the source of a table of a connector, any number of times; kNotSupported for one that
/// cannot be read. Nothing outside is touched.
Result<std::function<Result<std::shared_ptr<Source>>()>> connector_source_maker(
    const plan::SourceNode& source, const LoweringOptions& options);

/// Finds what nobody understands before anything outside is touched.
Status check_connector_options(const Connector& connector, const ConnectorRequest& request);

}  // namespace tidegate
