// SPDX-License-Identifier: Apache-2.0
//
// The plan's verb for models.
#include <algorithm>
#include <utility>

#include "api/columns.h"
#include "api/native_node.h"
#include "api/plan_state.h"
#include "base/check.h"
#include "expr/expr.h"
#include "plan/predict.h"
#include "plan/relational.h"
#include "tidegate/untyped.h"

namespace tidegate::untyped {
namespace {

bool nulls_reach_outputs(const ModelDefinition& model) {
  return model.options.get_string_or("nulls", "skip") != "nan" &&
         std::ranges::any_of(model.inputs, [](const Field& each) { return each.type.nullable(); });
}

/// Columns of the output that the input has are handed on; the others are the model's.
Result<plan::NodePtr> make_predict(const plan::Input& input, const ModelSpec& spec,
                                   std::vector<int> members, SchemaPtr output) {
  const Schema& in = *input.schema();
  ModelDefinition model;
  model.name = spec.name();
  for (const auto& [key, value] : spec.options()) model.options.set(key, value);
  for (int member : members) model.inputs.push_back(in.field(member));
  for (const Field& field : output->fields()) {
    const int from = in.index_of(field.name);
    if (from >= 0 && !(in.field(from).type == field.type)) {
      return error(ErrorCode::kTypeMismatch,
                   "predict: '{}' is {} in the input, so it cannot be handed on as {}", field.name,
                   in.field(from).type.to_string(), field.type.to_string());
    }
    if (from < 0 && field.name != spec.version_member()) model.outputs.push_back(field);
  }
  for (const Field& field : model.outputs) {
    if (field.type.nullable() || !nulls_reach_outputs(model)) continue;
    return Status(ErrorCode::kTypeMismatch,
                  fmt::format("predict: '{}' is not scored where an input is null", field.name),
                  "Make it a std::optional, or say nulls_as_nan().");
  }
  TG_RETURN_IF_ERROR(check_model(model));
  auto predict = std::make_shared<plan::PredictNode>(input, std::move(model), std::move(members),
                                                     spec.version_member());
  std::vector<ExprPtr> columns;
  for (const Field& field : output->fields()) {
    const int column = predict->schema->index_of(field.name);
    if (column < 0) {
      return error(ErrorCode::kUnknownName, "predict: there is no '{}' to hand on", field.name);
    }
    columns.push_back(col(column));
  }
  return plan::NodePtr(std::make_shared<plan::ProjectNode>(plan::Input{std::move(predict)},
                                                           std::move(columns), std::move(output)));
}

}  // namespace

NodeRef Plan::predict(const NodeRef& input, const ModelSpec& model, std::vector<int> members,
                      const std::vector<ColumnSpec>& columns) {
  Result<plan::NodePtr> made =
      make_predict(input_of(input), model, std::move(members), schema_of(columns));
  if (made.is_ok()) return {*std::move(made), -1};
  if (state_->status.is_ok()) state_->status = std::move(made).status();
  return input;
}

}  // namespace tidegate::untyped
