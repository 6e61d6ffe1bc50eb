// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "expr/bind.h"

namespace tidegate {

/// Bound expressions as a graph in which no two nodes are equal; a node refers to nodes before it.
struct ExprProgram {
  struct Node {
    BoundExprPtr expr;
    std::vector<int> args;
  };
  std::vector<Node> nodes;
  std::vector<int> outputs;
};

/// Makes programs.
class ExprProgramBuilder {
 public:
  /// The node of this expression; each part that is there already is used again, unless it may
  /// answer otherwise the second time.
  int add(const BoundExprPtr& expr);
  void add_output(const BoundExprPtr& expr) { program_.outputs.push_back(add(expr)); }
  ExprProgram finish() { return std::move(program_); }

 private:
  ExprProgram program_;
  std::map<const BoundExpr*, int> by_address_;
  std::map<std::string, int> by_key_;
};

}  // namespace tidegate
