// SPDX-License-Identifier: Apache-2.0
#include "expr/function_registry.h"

namespace tidegate {

const FunctionRegistry& builtin_functions() {
  static const FunctionRegistry kFunctions = [] {
    FunctionRegistry registry;
    register_all_functions(registry);
    return registry;
  }();
  return kFunctions;
}

}  // namespace tidegate
