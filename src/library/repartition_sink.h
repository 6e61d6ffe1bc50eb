// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataflow/sink.h"
#include "types/schema.h"

namespace tidegate::library {

struct RepartitionSinkSpec {
  std::string topic;
  SchemaPtr schema;
  std::vector<int> keys;  ///< empty: there is one partition
  int partitions = 1;
  int key_groups = 128;
  int upstream = 0;   ///< the partition of the task that writes
  int upstreams = 1;  ///< of all such tasks
};

/// The end of a subtopology: rows go to the partition that owns their key group, as blocks that the
/// epoch's transaction makes visible. In each epoch in which event time has moved, every partition
/// hears of it, also one without rows. How many blocks each partition has had is state.
std::shared_ptr<Sink> make_repartition_sink(RepartitionSinkSpec spec);

}  // namespace tidegate::library
