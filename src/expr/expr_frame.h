// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "expr/boolean_bits.h"
#include "expr/expr_program.h"
#include "types/batch.h"

namespace tidegate {

/// The rows that parts of a program are evaluated on, and the values that are known on them. The
/// outermost frame is a batch; AND, OR and CASE open inner ones, of some rows of the one around
/// them, for parts that must not see the other rows.
class ExprFrame {
 public:
  ExprFrame(const ExprProgram& program, const Batch& batch, EvalContext& context);

  /// The value of a node on the rows of this frame: one entry per row, or a constant.
  Result<Argument> value(int id);
  /// The same with an entry for every row.
  Result<ArrayPtr> column(int id);
  /// The same of a BOOLEAN node.
  Result<BooleanBits> bits(int id);

 private:
  using Rows = std::vector<std::int32_t>;
  class Pieces;

  ExprFrame(ExprFrame& outer, std::span<const std::int32_t> rows);

  const BoundExpr& expr(int id) const { return *program_.nodes[static_cast<std::size_t>(id)].expr; }
  const std::vector<int>& args(int id) const {
    return program_.nodes[static_cast<std::size_t>(id)].args;
  }
  bool is_all(const Rows& rows) const {
    return static_cast<std::int64_t>(rows.size()) == num_rows_;
  }

  Result<Argument> compute(int id);
  Result<std::optional<Argument>> from_outer(int id);
  Result<Argument> compute_call(int id);
  Result<Argument> compute_logic(int id);
  Result<Argument> compute_case(int id);
  Status split(int condition, Rows& open, Rows& chosen);
  Status add_branch(int id, const Rows& chosen, Pieces& pieces);

  const ExprProgram& program_;
  const Batch& batch_;
  EvalContext& context_;
  ExprFrame* outer_ = nullptr;
  std::span<const std::int32_t> rows_;  // of the frame around this one
  std::int64_t num_rows_;
  std::vector<Argument> values_;  // per node; null array: not known yet
};

}  // namespace tidegate
