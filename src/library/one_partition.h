// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "dataflow/source.h"

namespace tidegate::library {

/// A source of Kafka topics that finds nothing but their partitions of this number: those of one
/// task.
std::shared_ptr<Source> one_partition_of(std::shared_ptr<Source> source, std::int32_t partition);

}  // namespace tidegate::library
