// SPDX-License-Identifier: Apache-2.0
//
// Comparisons of a column with a value that stand right above a source are told to it, so that a
// format may leave out rows without reading them. The filter stays: it decides.
//
// Not where the source has a watermark: rows that no one needs move it all the same.
#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "expr/columns_of.h"
#include "plan/relational.h"
#include "plan/source.h"
#include "planner/changelog.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

using Compare = ColumnCondition::Compare;

std::optional<Compare> compare_of(std::string_view function, bool column_first) {
  if (function == "=") return Compare::kEqual;
  if (function == "<") return column_first ? Compare::kLess : Compare::kGreater;
  if (function == "<=") return column_first ? Compare::kLessOrEqual : Compare::kGreaterOrEqual;
  if (function == ">") return column_first ? Compare::kGreater : Compare::kLess;
  if (function == ">=") return column_first ? Compare::kGreaterOrEqual : Compare::kLessOrEqual;
  return std::nullopt;
}

std::optional<std::int64_t> integer_of(const arrow::Array& value) {
  switch (value.type_id()) {
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Array&>(value).Value(0);
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Array&>(value).Value(0);
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(value).Value(0);
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Array&>(value).Value(0);
    case arrow::Type::DATE32:
      return static_cast<const arrow::Date32Array&>(value).Value(0);
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampArray&>(value).Value(0);
    default:
      return std::nullopt;
  }
}

/// The value as one of the column's type; none where they are not simply compared.
std::optional<std::variant<std::int64_t, std::string>> value_for(const LogicalType& column,
                                                                 const Expr& literal,
                                                                 Compare compare) {
  const arrow::Array& value = *literal.value();
  if (value.IsNull(0)) return std::nullopt;
  if (column.kind() == TypeKind::kVarchar) {
    if (value.type_id() != arrow::Type::STRING || compare != Compare::kEqual) return std::nullopt;
    return std::string(static_cast<const arrow::StringArray&>(value).GetView(0));
  }
  const bool same_kind = column.is_integer() ? literal.type().is_integer()
                                             : column.arrow_type()->Equals(*value.type());
  const bool counts = column.is_integer() || column.kind() == TypeKind::kDate ||
                      column.kind() == TypeKind::kTimestamp;
  if (!same_kind || !counts) return std::nullopt;
  return integer_of(value);
}

std::optional<ColumnCondition> condition_of(const Expr& expr, const plan::SourceNode& source) {
  if (expr.kind() != Expr::Kind::kCall || expr.args().size() != 2) return std::nullopt;
  const bool column_first = expr.args()[0]->kind() == Expr::Kind::kColumn;
  const Expr& column = *expr.args()[column_first ? 0 : 1];
  const Expr& literal = *expr.args()[column_first ? 1 : 0];
  const std::optional<Compare> compare = compare_of(expr.function(), column_first);
  if (!compare || column.kind() != Expr::Kind::kColumn || literal.kind() != Expr::Kind::kLiteral) {
    return std::nullopt;
  }
  const Field& field = source.schema->field(column.column());
  auto value = value_for(field.type, literal, *compare);
  if (!value) return std::nullopt;
  return ColumnCondition{field.name, *compare, *std::move(value)};
}

/// What the connector itself fills is not in the rows of the format.
bool is_of_format(const plan::SourceNode& source, int column) {
  const int of_table = source.projection[static_cast<std::size_t>(column)];
  return std::none_of(source.metadata.begin(), source.metadata.end(),
                      [&](const MetadataColumn& each) { return each.column == of_table; }) &&
         std::find(source.partitioned_by.begin(), source.partitioned_by.end(), of_table) ==
             source.partitioned_by.end();
}

bool may_leave_out_rows(const plan::SourceNode& source, const LoweringOptions& options) {
  return source.instance == nullptr && !options.sources.contains(source.name) &&
         !source.changelog && !source_upserts(source, options) &&
         source.watermark.kind == WatermarkStrategy::Kind::kNone && source.event_time == nullptr;
}

}  // namespace

Status push_conditions(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  const auto readers = count_readers(roots);
  for (const plan::Node* node : plan::topological_order(roots)) {
    const auto* filter = dynamic_cast<const plan::FilterNode*>(node);
    if (filter == nullptr) continue;
    auto* source = input_as<plan::SourceNode>(filter->inputs[0]);
    if (source == nullptr || readers.at(source) != 1 || !may_leave_out_rows(*source, options)) {
      continue;
    }
    source->conditions.clear();
    for (const ExprPtr& each : conjuncts_of(filter->condition)) {
      auto condition = condition_of(*each, *source);
      if (!condition) continue;
      if (is_of_format(*source, source->schema->index_of(condition->column))) {
        source->conditions.push_back(*std::move(condition));
      }
    }
  }
  return Status::ok();
}

}  // namespace tidegate
