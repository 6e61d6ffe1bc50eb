// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "planner/lowering.h"
#include "planner/stream_facts.h"

namespace tidegate {

/// What keeps the state of a node from growing for ever.
struct StateBound {
  enum class Kind : std::uint8_t {
    kNone,       ///< it has no state
    kConstant,   ///< a fixed number of rows
    kTime,       ///< windows or intervals, which the watermark closes
    kTtl,        ///< rows are forgotten some time after their last use
    kKeys,       ///< so many rows per key, for every key there ever was
    kInput,      ///< all of a bounded input
    kUnbounded,  ///< every row, for ever
  };
  Kind kind = Kind::kNone;
  std::string text;  ///< for people: "2 rows per key"
};

StateBound state_bound_of(const plan::Node& node, PlanFacts& facts, const PlanSettings& settings);

}  // namespace tidegate
