// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "expr/aggregate.h"

namespace tidegate {

/// An aggregator of one argument of any type, made from one that keeps bytes: values go in and come
/// out in the key encoding (so -0.0 becomes 0.0 and maps are in order), null as null. For types
/// that the typed aggregators do not have (ARRAY, MAP, MULTISET, ROW).
std::unique_ptr<Aggregator> encode_argument(LogicalType type, std::unique_ptr<Aggregator> of_bytes);

}  // namespace tidegate
