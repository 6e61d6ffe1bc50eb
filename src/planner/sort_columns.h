// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "operators/sort_order.h"
#include "plan/relational.h"

namespace tidegate {

/// The sort keys of a plan as operators take them.
inline std::vector<SortColumn> sort_columns(const std::vector<plan::SortKey>& keys) {
  std::vector<SortColumn> columns;
  for (const plan::SortKey& key : keys) {
    columns.push_back({key.column, key.descending, key.nulls_first});
  }
  return columns;
}

}  // namespace tidegate
