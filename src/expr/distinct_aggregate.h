// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "expr/aggregate.h"

namespace tidegate {

/// AGG(DISTINCT a, b, ...): passes only the first row of each set of argument values on to
/// `aggregator`, and takes it back with the last one. Keeps every distinct value with its count.
/// `arguments` are the types that the aggregator was bound to. Can retract and merge when
/// `aggregator` can; cannot subtract.
std::unique_ptr<Aggregator> make_distinct(std::unique_ptr<Aggregator> aggregator,
                                          std::span<const LogicalType> arguments);

}  // namespace tidegate
