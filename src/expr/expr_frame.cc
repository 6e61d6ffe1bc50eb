// SPDX-License-Identifier: Apache-2.0
#include "expr/expr_frame.h"

#include <arrow/array/array_base.h>

#include <numeric>
#include <utility>

#include "base/check.h"

namespace tidegate {

/// The result of a CASE, put together from those of its branches.
class ExprFrame::Pieces {
 public:
  explicit Pieces(std::int64_t num_rows) : index_(static_cast<std::size_t>(num_rows)) {}

  /// rows[i] gets entry i of `result`, or its only one.
  void add(const Argument& result, const Rows& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      index_[static_cast<std::size_t>(rows[i])] =
          next_ + (result.is_constant ? 0 : static_cast<std::int32_t>(i));
    }
    next_ += static_cast<std::int32_t>(result.array->length());
    arrays_.push_back(result.array);
  }

  Result<ArrayPtr> join() const {
    TG_ASSIGN_OR_RETURN(const ArrayPtr all, concatenate_columns(arrays_));
    return take_column(all, index_);
  }

 private:
  std::vector<ArrayPtr> arrays_;
  Rows index_;  // per row its entry in all arrays, one behind the other
  std::int32_t next_ = 0;
};

ExprFrame::ExprFrame(const ExprProgram& program, const Batch& batch, EvalContext& context)
    : program_(program),
      batch_(batch),
      context_(context),
      num_rows_(batch.num_rows()),
      values_(program.nodes.size()) {}

ExprFrame::ExprFrame(ExprFrame& outer, std::span<const std::int32_t> rows)
    : program_(outer.program_),
      batch_(outer.batch_),
      context_(outer.context_),
      outer_(&outer),
      rows_(rows),
      num_rows_(static_cast<std::int64_t>(rows.size())),
      values_(outer.values_.size()) {}

Result<Argument> ExprFrame::value(int id) {
  Argument& known = values_[static_cast<std::size_t>(id)];
  if (known.array == nullptr) {
    TG_ASSIGN_OR_RETURN(known, compute(id));
  }
  return known;
}

Result<ArrayPtr> ExprFrame::column(int id) {
  TG_ASSIGN_OR_RETURN(const Argument argument, value(id));
  if (!argument.is_constant) return argument.array;
  const Rows first(static_cast<std::size_t>(num_rows_), 0);
  return take_column(argument.array, first);
}

Result<BooleanBits> ExprFrame::bits(int id) {
  TG_ASSIGN_OR_RETURN(const Argument argument, value(id));
  return BooleanBits::of(argument, num_rows_);
}

Result<Argument> ExprFrame::compute(int id) {
  const BoundExpr& node = expr(id);
  if (node.kind == BoundExpr::Kind::kLiteral) return Argument{node.value, true};
  if (num_rows_ == 0) {
    // Nothing may fail where there are no rows, not even 1 / 0.
    TG_ASSIGN_OR_RETURN(ArrayPtr empty, null_column(node.type.arrow_type(), 0));
    return Argument{std::move(empty), false};
  }
  TG_ASSIGN_OR_RETURN(std::optional<Argument> known, from_outer(id));
  if (known) return *std::move(known);
  switch (node.kind) {
    case BoundExpr::Kind::kColumn:
      return Argument{batch_.column(node.column), false};
    case BoundExpr::Kind::kCall:
      return compute_call(id);
    case BoundExpr::Kind::kCase:
      return compute_case(id);
    default:
      return compute_logic(id);
  }
}

/// What a frame around this one knows already, at the rows of this one. Columns of the batch count
/// as known.
Result<std::optional<Argument>> ExprFrame::from_outer(int id) {
  if (outer_ == nullptr) return std::optional<Argument>();
  Argument& known = outer_->values_[static_cast<std::size_t>(id)];
  if (known.array == nullptr) {
    if (expr(id).kind == BoundExpr::Kind::kColumn) {
      TG_RETURN_IF_ERROR(outer_->value(id).status());
    } else {
      TG_ASSIGN_OR_RETURN(std::optional<Argument> farther, outer_->from_outer(id));
      if (!farther) return farther;
      known = *std::move(farther);
    }
  }
  if (known.is_constant) return std::optional<Argument>(known);
  TG_ASSIGN_OR_RETURN(ArrayPtr taken, take_column(known.array, rows_));
  return std::optional<Argument>(Argument{std::move(taken), false});
}

Result<Argument> ExprFrame::compute_call(int id) {
  const BoundExpr& node = expr(id);
  std::vector<Argument> arguments;
  arguments.reserve(args(id).size());
  bool all_constant = node.deterministic;
  for (int arg : args(id)) {
    TG_ASSIGN_OR_RETURN(arguments.emplace_back(), value(arg));
    all_constant = all_constant && arguments.back().is_constant;
  }
  const std::int64_t num_rows = all_constant ? 1 : num_rows_;
  TG_ASSIGN_OR_RETURN(ArrayPtr result, node.function.evaluate(arguments, num_rows, context_));
  TG_DCHECK(result->length() == num_rows, "{}: rows={} expected {}", node.name, result->length(),
            num_rows);
  return Argument{std::move(result), all_constant};
}

/// An argument that can fail sees only the rows whose outcome is still open.
Result<Argument> ExprFrame::compute_logic(int id) {
  const bool is_and = expr(id).kind == BoundExpr::Kind::kAnd;
  TG_ASSIGN_OR_RETURN(BooleanBits result, bits(args(id)[0]));
  for (std::size_t i = 1; i < args(id).size(); ++i) {
    const int arg = args(id)[i];
    if (expr(arg).can_fail) {
      Rows open;
      is_and ? result.rows_not_false(open) : result.rows_not_true(open);
      if (open.empty()) break;
      if (!is_all(open)) {
        ExprFrame inner(*this, open);
        TG_ASSIGN_OR_RETURN(const BooleanBits next, inner.bits(arg));
        is_and ? result.and_with(next, open) : result.or_with(next, open);
        continue;
      }
    }
    TG_ASSIGN_OR_RETURN(const BooleanBits next, bits(arg));
    is_and ? result.and_with(next) : result.or_with(next);
  }
  TG_ASSIGN_OR_RETURN(ArrayPtr array, result.to_array());
  return Argument{std::move(array), false};
}

Result<Argument> ExprFrame::compute_case(int id) {
  const std::vector<int>& parts = args(id);
  Pieces pieces(num_rows_);
  Rows open(static_cast<std::size_t>(num_rows_));
  std::iota(open.begin(), open.end(), 0);
  Rows chosen;
  for (std::size_t i = 0; i + 1 < parts.size() && !open.empty(); i += 2) {
    TG_RETURN_IF_ERROR(split(parts[i], open, chosen));
    if (is_all(chosen)) return value(parts[i + 1]);
    TG_RETURN_IF_ERROR(add_branch(parts[i + 1], chosen, pieces));
  }
  if (is_all(open)) return value(parts.back());
  TG_RETURN_IF_ERROR(add_branch(parts.back(), open, pieces));
  TG_ASSIGN_OR_RETURN(ArrayPtr joined, pieces.join());
  return Argument{std::move(joined), false};
}

/// Moves the rows where the condition is true from `open` to `chosen` (rows of this frame).
Status ExprFrame::split(int condition, Rows& open, Rows& chosen) {
  if (is_all(open)) {
    TG_ASSIGN_OR_RETURN(const BooleanBits hits, bits(condition));
    hits.rows_true(chosen);
    hits.rows_not_true(open);
    return Status::ok();
  }
  ExprFrame inner(*this, open);
  TG_ASSIGN_OR_RETURN(const BooleanBits hits, inner.bits(condition));
  Rows rows;
  hits.rows_true(rows);
  chosen.clear();
  for (std::int32_t row : rows) chosen.push_back(open[static_cast<std::size_t>(row)]);
  hits.rows_not_true(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) open[i] = open[static_cast<std::size_t>(rows[i])];
  open.resize(rows.size());
  return Status::ok();
}

/// The result of a branch on the rows that chose it, computed for them alone: the branch may fail
/// on the others.
Status ExprFrame::add_branch(int id, const Rows& chosen, Pieces& pieces) {
  if (chosen.empty()) return Status::ok();
  ExprFrame inner(*this, chosen);
  TG_ASSIGN_OR_RETURN(const Argument result, inner.value(id));
  pieces.add(result, chosen);
  return Status::ok();
}

}  // namespace tidegate
