// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "types/logical_type.h"

namespace tidegate {

/// Adds a last column with the watermark in front of each row, as Flink counts it: the last time
/// that is not expected any more. Null before the first one. `type`: TIMESTAMP(3) or
/// TIMESTAMP_LTZ(3).
std::unique_ptr<Operator> make_attach_watermark(const LogicalType& type);

/// Each row sees the watermark that the row before it has made.
inline constexpr TimeGrain kAttachWatermarkTimeGrain{1, 0, true};

}  // namespace tidegate
