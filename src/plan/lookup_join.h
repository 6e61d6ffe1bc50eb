// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plan/join.h"
#include "plan/source.h"

namespace tidegate::plan {

/// Each row with the rows of a table that ends, which is read as a whole when the first row comes:
/// what a temporal join by processing time becomes over such a table.
class LookupJoinNode final : public Node {
 public:
  /// `table` is no input, since its rows do not flow; `steps` are the projections and filters over
  /// it, the first one first. `condition`: over the input's columns, then those of the last step.
  LookupJoinNode(Input input, std::shared_ptr<SourceNode> table, std::vector<NodePtr> steps,
                 bool outer, ExprPtr condition, SchemaPtr schema);
  std::string_view kind() const override { return "LookupJoin"; }
  std::string details() const override;

  /// The columns that are looked up.
  const SchemaPtr& table_schema() const {
    return steps.empty() ? table->schema : steps.back()->schema;
  }

  std::shared_ptr<SourceNode> table;
  std::vector<NodePtr> steps;
  bool outer;  ///< rows without a match stay
  ExprPtr condition;
};

}  // namespace tidegate::plan
