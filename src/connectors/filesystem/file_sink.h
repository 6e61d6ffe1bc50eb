// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dataflow/connector.h"
#include "dataflow/sink.h"
#include "tidegate/status.h"

namespace tidegate {

/// The sink of the connector 'filesystem': files that appear whole, with the epoch that they belong
/// to.
Result<std::shared_ptr<Sink>> make_file_sink(const ConnectorRequest& request);

}  // namespace tidegate
