// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plan/native.h"
#include "tidegate/untyped.h"

namespace tidegate::untyped {

inline plan::Input input_of(const NodeRef& ref) {
  return {std::static_pointer_cast<plan::Node>(ref.node), ref.side};
}

/// Adds a step that the program's own functions are part of.
inline NodeRef add_native(const std::vector<plan::NativeInput>& inputs, SchemaPtr schema,
                          std::string verb, TimeGrain grain, plan::NativeNode::MakeOperator make) {
  return {std::make_shared<plan::NativeNode>(inputs, std::move(schema), std::move(verb), grain,
                                             std::move(make)),
          -1};
}

}  // namespace tidegate::untyped
