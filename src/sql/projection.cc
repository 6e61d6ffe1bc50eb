// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "expr/bind.h"
#include "expr/columns_of.h"
#include "plan/relational.h"
#include "sql/binder.h"

namespace tidegate::sql {

Projection::Projection(plan::Input input, const FunctionRegistry& functions, bool keep_all)
    : input_(std::move(input)), functions_(functions), changed_(!keep_all) {
  if (!keep_all) return;
  fields_ = input_.schema()->fields();
  for (int i = 0; i < static_cast<int>(fields_.size()); ++i) values_.push_back(col(i));
}

Result<int> Projection::add(const ExprPtr& value, std::string_view name) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (same_expr(values_[i], value)) return static_cast<int>(i);
  }
  std::string field_name(name);
  if (field_name.empty()) {
    field_name = value->kind() == Expr::Kind::kColumn ? input_.schema()->field(value->column()).name
                                                      : fmt::format("EXPR${}", values_.size());
  }
  if (Status status = append(value, std::move(field_name)); !status.is_ok()) return status;
  return static_cast<int>(values_.size()) - 1;
}

Status Projection::append(const ExprPtr& value, std::string name) {
  const Schema& schema = *input_.schema();
  auto type = type_of(value, schema, functions_);
  if (!type.is_ok()) return std::move(type).status();
  fields_.push_back({std::move(name), *std::move(type), time_attribute_of(value, schema)});
  if (value->kind() == Expr::Kind::kCall && value->function() == "PROCTIME") {
    fields_.back().time = TimeAttribute::kProctime;
  }
  values_.push_back(value);
  changed_ = true;
  return Status::ok();
}

const LogicalType& Projection::type(int column) const {
  return fields_[static_cast<std::size_t>(column)].type;
}

plan::Input Projection::build() {
  // Rows without columns could not be counted.
  if (!changed_ || values_.empty()) return input_;
  auto schema = std::make_shared<Schema>(std::move(fields_));
  return {std::make_shared<plan::ProjectNode>(std::move(input_), std::move(values_),
                                              std::move(schema))};
}

}  // namespace tidegate::sql
