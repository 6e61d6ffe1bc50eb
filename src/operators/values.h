// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataflow/source.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// VALUES: a bounded source of these rows, once and in order. One split; its position is the number
/// of rows that were read. Its node should have parallelism 1.
std::unique_ptr<Source> make_values_source(SchemaPtr schema, std::vector<Batch> batches);

}  // namespace tidegate
