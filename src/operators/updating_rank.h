// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "operators/rank.h"

namespace tidegate {

/// The Top-N behind make_rank(), which has checked the options, over rows that are updated in place
/// (RankOptions::upsert_keys).
Result<std::unique_ptr<Operator>> make_updating_rank(RankOptions options, SortKeys sort_keys);

}  // namespace tidegate
