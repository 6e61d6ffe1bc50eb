// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "expr/expr.h"
#include "plan/node.h"
#include "plan/relational.h"
#include "tidegate/status.h"

namespace tidegate {

/// Puts what `rewrite` answers in the place of each node, inputs before readers. Sinks stay.
Status rewrite_bottom_up(const std::vector<plan::NodePtr>& roots,
                         const std::function<Result<plan::NodePtr>(plan::NodePtr node)>& rewrite);

/// How many inputs read each node.
std::unordered_map<const plan::Node*, int> count_readers(const std::vector<plan::NodePtr>& roots);

/// All columns of the input as they are.
std::vector<ExprPtr> all_columns(const Schema& schema);
/// A projection to these columns with the names and types of `schema`.
plan::NodePtr project_to(plan::Input input, const std::vector<int>& columns, SchemaPtr schema);

/// The projection when the node is one, else null.
template <typename N>
N* node_as(const plan::NodePtr& node) {
  return dynamic_cast<N*>(node.get());
}
/// The node that is read by `input`'s main output when it is of this kind.
template <typename N>
N* input_as(const plan::Input& input) {
  return input.side >= 0 ? nullptr : dynamic_cast<N*>(input.node.get());
}

}  // namespace tidegate
