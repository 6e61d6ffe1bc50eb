// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dataflow/connector.h"
#include "dataflow/source.h"
#include "tidegate/status.h"

namespace tidegate {

/// The source of the connector 'filesystem': each file is a split, named by its path.
Result<std::shared_ptr<Source>> make_file_source(const ConnectorRequest& request);

}  // namespace tidegate
