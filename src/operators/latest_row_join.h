// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dataflow/operator.h"
#include "operators/temporal_join.h"

namespace tidegate {

/// The temporal join by processing time, of checked options.
std::unique_ptr<Operator> make_latest_row_join(TemporalJoinOptions options);

}  // namespace tidegate
