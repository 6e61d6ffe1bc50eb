// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "types/batch.h"

namespace tidegate {

/// Of rows with -U directly in front of its +U: the same without pairs whose columns from
/// `first_column` on are equal (if `drop_equal`), and without other -U (if `drop_before`).
Result<Batch> drop_unchanged(const Batch& batch, int first_column, bool drop_equal,
                             bool drop_before);

}  // namespace tidegate
