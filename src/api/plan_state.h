// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plan/node.h"
#include "tidegate/failures.h"
#include "tidegate/untyped.h"

namespace tidegate::untyped {

/// The plan that an App's verbs have built so far.
struct Plan::State {
  std::string job_name;
  std::vector<plan::NodePtr> sinks;
  std::map<std::string, std::shared_ptr<const NativeFormat>> formats;  ///< the program's own
  Status status;                                                       ///< first error
  std::shared_ptr<RowFailureHandler> failures = std::make_shared<RowFailureHandler>();
};

}  // namespace tidegate::untyped
