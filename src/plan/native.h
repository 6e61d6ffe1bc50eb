// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataflow/graph.h"
#include "plan/node.h"

namespace tidegate::plan {

/// How rows of an input reach a native node.
struct NativeInput {
  Input input;
  Exchange exchange = Exchange::kForward;  ///< kForward: rows stay in their task if they can
  /// kHash: key columns. kForward: those by which rows are partitioned already, if that matters.
  std::vector<int> keys = {};
};

/// A step that the program's own functions are part of: map, filter, joins of typed streams,
/// processes, asynchronous calls.
class NativeNode final : public Node {
 public:
  using MakeOperator = std::function<Result<std::unique_ptr<Operator>>()>;

  NativeNode(const std::vector<NativeInput>& from, SchemaPtr output, std::string verb,
             TimeGrain time_grain, MakeOperator make_operator)
      : Node({}),
        verb(std::move(verb)),
        time_grain(time_grain),
        make_operator(std::move(make_operator)) {
    for (const NativeInput& each : from) {
      inputs.push_back(each.input);
      exchanges.push_back(each.exchange);
      keys.push_back(each.keys);
    }
    schema = std::move(output);
  }
  std::string_view kind() const override { return verb; }

  std::string verb;                    ///< "map", "filter", "interval_join"
  std::vector<Exchange> exchanges;     ///< per input
  std::vector<std::vector<int>> keys;  ///< per input
  TimeGrain time_grain;
  MakeOperator make_operator;  ///< called once per task
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
