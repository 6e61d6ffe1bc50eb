// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plan/node.h"
#include "types/batch.h"

namespace tidegate::plan {

/// A function of the program over whole batches: map, filter, flat_map. It keeps event times and
/// row kinds with the rows that it makes.
class NativeNode final : public Node {
 public:
  using Function = std::function<Result<Batch>(const Batch&)>;

  NativeNode(Input input, SchemaPtr output, std::string function_name,
             std::function<Function()> make_function)
      : Node({std::move(input)}),
        function_name(std::move(function_name)),
        make_function(std::move(make_function)) {
    schema = std::move(output);
  }
  std::string_view kind() const override { return "Native"; }
  std::string details() const override { return "function=" + function_name; }

  std::string function_name;                ///< "map", "filter", "flat_map", "key_by"
  std::function<Function()> make_function;  ///< one function per task
};

/// The rows of all inputs, which have the same columns.
class MergeNode final : public Node {
 public:
  explicit MergeNode(std::vector<Input> inputs) : Node(std::move(inputs)) {
    schema = this->inputs.front().schema();
  }
  std::string_view kind() const override { return "Merge"; }
};

}  // namespace tidegate::plan
