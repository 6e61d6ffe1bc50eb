// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "runtime/epoch_record.h"
#include "tidegate/status.h"

namespace tidegate {

/// The deltas of one operator, oldest first, as one per table that builds the same state from
/// nothing: a base. kStateCorrupt when one is damaged.
Result<std::vector<StateDelta>> fold_deltas(const std::vector<StateDelta>& deltas, EpochId epoch,
                                            int key_groups);

/// The same for all operators of a record.
Status fold_state(EpochRecord& record);

}  // namespace tidegate
