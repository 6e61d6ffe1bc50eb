// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/sink.h"
#include "planner/lowering.h"
#include "planner/plan_settings.h"
#include "planner/stream_facts.h"
#include "tidegate/status.h"

namespace tidegate {

/// What a sink does with rows that are taken back.
struct Taking {
  bool changes = true;
  /// It knows rows by their key, and needs no -U where it gets a +U.
  bool by_key = true;
  /// It makes nothing of -U, whatever the rows are.
  bool ignores_before = false;
};
/// kUnknownName for a connector that is not there.
Result<Taking> taking_of(const plan::SinkNode& sink, const LoweringOptions& options);

/// What has to be done to changes so that they fit the primary key of a sink's table.
enum class KeyFit : std::uint8_t {
  kFits,         ///< nothing, or there is no key
  kDropBefore,   ///< updates stay with their key: -U are of no use
  kMaterialize,  ///< rows of the same key have to be told apart in state
};
KeyFit key_fit_of(const plan::SinkNode& sink, const Taking& taking, const StreamFacts& rows,
                  const PlanSettings& settings);

}  // namespace tidegate
