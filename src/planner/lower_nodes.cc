// SPDX-License-Identifier: Apache-2.0
#include "planner/lower_nodes.h"

namespace tidegate {

void register_lowerings(LoweringRegistry& registry) {
  register_source_lowering(registry);
  register_sink_lowering(registry);
  register_native_lowerings(registry);
  register_aggregate_lowerings(registry);
}

}  // namespace tidegate
