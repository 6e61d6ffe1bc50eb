// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "operators/rank.h"

namespace tidegate {

/// The Top-N behind make_rank(), which has checked the options, where a key may have many rows: one
/// state row for each, and an index in memory of their order.
Result<std::unique_ptr<Operator>> make_indexed_rank(RankOptions options, SortKeys sort_keys);

}  // namespace tidegate
