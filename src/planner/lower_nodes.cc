// SPDX-License-Identifier: Apache-2.0
#include "planner/lower_nodes.h"

namespace tidegate {

void register_lowerings(LoweringRegistry& registry) {
  register_source_lowering(registry);
  register_sink_lowering(registry);
  register_native_lowerings(registry);
  register_aggregate_lowerings(registry);
  register_row_lowerings(registry);
  register_join_lowerings(registry);
  register_lookup_join_lowering(registry);
  register_predict_lowering(registry);
  register_top_n_lowerings(registry);
  register_sort_lowerings(registry);
  register_over_lowering(registry);
  register_window_lowerings(registry);
  register_changelog_lowerings(registry);
}

}  // namespace tidegate
