// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "planner/lowering.h"

namespace tidegate {

/// Fills in the lowering of every kind of node; each file lower_*.cc holds one family.
void register_lowerings(LoweringRegistry& registry);

void register_source_lowering(LoweringRegistry& registry);
void register_sink_lowering(LoweringRegistry& registry);
void register_native_lowerings(LoweringRegistry& registry);
void register_aggregate_lowerings(LoweringRegistry& registry);
void register_row_lowerings(LoweringRegistry& registry);
void register_join_lowerings(LoweringRegistry& registry);
void register_lookup_join_lowering(LoweringRegistry& registry);
void register_predict_lowering(LoweringRegistry& registry);
void register_top_n_lowerings(LoweringRegistry& registry);
void register_sort_lowerings(LoweringRegistry& registry);
void register_over_lowering(LoweringRegistry& registry);
void register_window_lowerings(LoweringRegistry& registry);
void register_changelog_lowerings(LoweringRegistry& registry);

}  // namespace tidegate
