// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "planner/stream_facts.h"

namespace tidegate {

/// An input with the columns in which its windows stand as watermarks see them.
struct InstantWindows {
  plan::Input input;
  int start = -1;
  int end = -1;
};

/// Bounds of windows over instants are local times of the session's zone. Where that is not UTC,
/// they are added behind the input's columns as instants.
Result<InstantWindows> windows_as_instants(const plan::Input& input, PlanFacts& facts);

}  // namespace tidegate
