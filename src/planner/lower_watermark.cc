// SPDX-License-Identifier: Apache-2.0
#include "planner/lower_watermark.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "expr/expr.h"
#include "operators/attach_watermark.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

bool is_watermark(const ExprPtr& expr) {
  return expr->kind() == Expr::Kind::kCall &&
         std::ranges::equal(expr->function(), std::string_view("CURRENT_WATERMARK"), {},
                            [](char c) { return std::toupper(static_cast<unsigned char>(c)); });
}

/// The first call, or null.
ExprPtr find_call(const ExprPtr& expr) {
  if (is_watermark(expr)) return expr;
  for (const ExprPtr& arg : expr->args()) {
    if (ExprPtr found = find_call(arg)) return found;
  }
  return nullptr;
}

ExprPtr with_column(const ExprPtr& expr, int column) {
  if (is_watermark(expr)) return col(column);
  if (expr->args().empty()) return expr;
  std::vector<ExprPtr> args;
  for (const ExprPtr& arg : expr->args()) args.push_back(with_column(arg, column));
  return with_args(expr, std::move(args));
}

/// The type of the time that the call is about.
Result<LogicalType> time_type(const Expr& call, const plan::Input& input, Lowering& lowering) {
  const ExprPtr& time = call.args()[0];
  const std::vector<TimeAttribute>& times = lowering.facts().of(input).times;
  if (time->kind() != Expr::Kind::kColumn ||
      times[static_cast<std::size_t>(time->column())] != TimeAttribute::kRowtime) {
    return error(ErrorCode::kInvalidPlan,
                 "CURRENT_WATERMARK takes a column of event time, that of a WATERMARK, not {}",
                 time->to_string(input.schema().get()));
  }
  const bool instant = input.schema()->field(time->column()).type.kind() == TypeKind::kTimestampLtz;
  return instant ? LogicalType::timestamp_ltz(3) : LogicalType::timestamp(3);
}

}  // namespace

Result<std::optional<AttachedWatermark>> attach_watermark(const plan::Node& of,
                                                          std::vector<ExprPtr>& exprs,
                                                          Lowering& lowering) {
  ExprPtr call;
  for (const ExprPtr& expr : exprs) {
    if (call == nullptr) call = find_call(expr);
  }
  if (call == nullptr) return std::optional<AttachedWatermark>();
  const plan::Input& input = of.inputs[0];
  TG_ASSIGN_OR_RETURN(const LogicalType type, time_type(*call, input, lowering));
  std::vector<Field> fields = input.schema()->fields();
  fields.push_back({"$watermark", type});
  Node node = lowering.make_node(of);
  node.name += ".watermark";
  node.uid += ".watermark";
  node.schema = std::make_shared<Schema>(std::move(fields));
  lowering.feed_in_place(node, input);
  node.time_grain = kAttachWatermarkTimeGrain;
  node.make_operator = [type]() -> Result<std::unique_ptr<Operator>> {
    return make_attach_watermark(type);
  };
  const int column = node.schema->num_fields() - 1;
  for (ExprPtr& expr : exprs) expr = with_column(expr, column);
  AttachedWatermark attached{-1, node.schema};
  attached.node = lowering.add(std::move(node));
  return std::optional(std::move(attached));
}

}  // namespace tidegate
