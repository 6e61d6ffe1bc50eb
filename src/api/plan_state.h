// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/node.h"
#include "tidegate/untyped.h"

namespace tidegate::untyped {

/// The plan that an App's verbs have built so far.
struct Plan::State {
  std::string job_name;
  std::vector<plan::NodePtr> sinks;
  std::vector<plan::NodePtr> sources;
  Status status;  ///< first error
};

}  // namespace tidegate::untyped
