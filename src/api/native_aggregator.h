// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "expr/aggregate.h"
#include "tidegate/untyped.h"

namespace tidegate {

/// A program's aggregate as the engine's: its arguments are all columns of the row. A result of
/// several columns is one struct array.
std::shared_ptr<const Aggregator> make_native_aggregator(
    std::shared_ptr<const untyped::NativeAggregate> aggregate);

}  // namespace tidegate
