// SPDX-License-Identifier: Apache-2.0
//
// Nodes that look at one row at a time.
#include "planner/lower_rows.h"

#include <arrow/type.h>

#include <utility>

#include "base/check.h"
#include "expr/bind.h"
#include "operators/expand.h"
#include "operators/filter.h"
#include "operators/project.h"
#include "operators/unnest.h"
#include "operators/values.h"
#include "plan/relational.h"
#include "planner/lower_nodes.h"
#include "planner/lower_watermark.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

/// The same tasks as those of graph node `from`.
void feed_from(Node& node, int from, Lowering& lowering) {
  node.parallelism = lowering.graph().nodes[static_cast<std::size_t>(from)].parallelism;
  Edge edge;
  edge.from = from;
  node.inputs.push_back(std::move(edge));
}

Status lower_project(const plan::ProjectNode& project, Lowering& lowering) {
  std::vector<ExprPtr> exprs = project.columns;
  TG_ASSIGN_OR_RETURN(const auto attached, attach_watermark(project, exprs, lowering));
  const Schema& input = attached ? *attached->schema : *project.inputs[0].schema();
  TG_ASSIGN_OR_RETURN(const auto columns, compile_columns(exprs, input, *project.schema, lowering));
  Node node = lowering.make_node(project);
  if (attached) {
    feed_from(node, attached->node, lowering);
  } else {
    lowering.feed_in_place(node, project.inputs[0]);
  }
  node.time_grain = kProjectTimeGrain;
  node.make_operator = [columns,
                        context = lowering.eval_context()]() -> Result<std::unique_ptr<Operator>> {
    return make_project(columns, context);
  };
  return lowering.finish(project, std::move(node));
}

Status lower_filter(const plan::FilterNode& filter, Lowering& lowering) {
  TG_ASSIGN_OR_RETURN(const FunctionRegistry* functions, lowering.functions());
  std::vector<ExprPtr> exprs = {filter.condition};
  TG_ASSIGN_OR_RETURN(const auto attached, attach_watermark(filter, exprs, lowering));
  const SchemaPtr& input = attached ? attached->schema : filter.inputs[0].schema();
  TG_ASSIGN_OR_RETURN(CompiledFilter compiled,
                      CompiledFilter::compile(exprs[0], *input, *functions));
  const auto condition = std::make_shared<const CompiledFilter>(std::move(compiled));
  Node node = lowering.make_node(filter);
  if (attached) {
    feed_from(node, attached->node, lowering);
    node.schema = attached->schema;
  } else {
    lowering.feed_in_place(node, filter.inputs[0]);
  }
  node.time_grain = kFilterTimeGrain;
  node.make_operator = [condition,
                        context = lowering.eval_context()]() -> Result<std::unique_ptr<Operator>> {
    return make_filter(condition, context);
  };
  if (!attached) return lowering.finish(filter, std::move(node));
  const std::string name = node.uid + ".columns";
  const int from = lowering.add(std::move(node));
  std::vector<ExprPtr> columns;
  for (int i = 0; i < filter.schema->num_fields(); ++i) columns.push_back(col(i));
  TG_ASSIGN_OR_RETURN(const int last, add_projection(from, columns, filter.schema, name, lowering));
  lowering.set_output(filter, last);
  return Status::ok();
}

Status lower_values(const plan::ValuesNode& values, Lowering& lowering) {
  Node node = lowering.make_node(values);
  node.parallelism = 1;
  node.source = make_values_source(values.schema, {values.rows});
  lowering.facts().set_bounded(values);
  return lowering.finish(values, std::move(node));
}

Status lower_unnest(const plan::UnnestNode& unnest, Lowering& lowering) {
  UnnestOptions options;
  options.column = unnest.column;
  options.type = unnest.inputs[0].schema()->field(unnest.column).type;
  options.outer = unnest.outer;
  options.ordinality = unnest.ordinality;
  Node node = lowering.make_node(unnest);
  lowering.feed_in_place(node, unnest.inputs[0]);
  node.time_grain = kUnnestTimeGrain;
  node.make_operator = [options] { return make_unnest(options); };
  return lowering.finish(unnest, std::move(node));
}

Status lower_expand(const plan::ExpandNode& expand, Lowering& lowering) {
  ExpandOptions options;
  options.keys = expand.keys;
  options.sets = expand.sets;
  Node node = lowering.make_node(expand);
  lowering.feed_in_place(node, expand.inputs[0]);
  node.time_grain = kExpandTimeGrain;
  node.make_operator = [options] { return make_expand(options); };
  return lowering.finish(expand, std::move(node));
}

}  // namespace

Result<std::shared_ptr<const CompiledProjection>> compile_columns(
    const std::vector<ExprPtr>& columns, const Schema& input, const Schema& output,
    const Lowering& lowering) {
  TG_ASSIGN_OR_RETURN(const FunctionRegistry* functions, lowering.functions());
  std::vector<BoundExprPtr> bound;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    TG_ASSIGN_OR_RETURN(BoundExprPtr column, tidegate::bind(columns[i], input, *functions));
    const LogicalType& type = output.field(static_cast<int>(i)).type;
    // Texts keep their length: what a table promises about it is checked in front of its sink.
    if (!column->type.arrow_type()->Equals(*type.arrow_type())) {
      TG_ASSIGN_OR_RETURN(column, bind_cast(std::move(column), type, *functions));
    }
    bound.push_back(std::move(column));
  }
  TG_ASSIGN_OR_RETURN(CompiledProjection compiled, CompiledProjection::compile(bound));
  return std::make_shared<const CompiledProjection>(std::move(compiled));
}

Result<int> add_projection(int from, const std::vector<ExprPtr>& columns, SchemaPtr output,
                           const std::string& name, Lowering& lowering) {
  const Node& input = lowering.graph().nodes[static_cast<std::size_t>(from)];
  TG_ASSIGN_OR_RETURN(const auto compiled,
                      compile_columns(columns, *input.schema, *output, lowering));
  Node node;
  node.name = name;
  node.uid = name;
  node.parallelism = input.parallelism;
  node.schema = std::move(output);
  Edge edge;
  edge.from = from;
  node.inputs.push_back(std::move(edge));
  node.time_grain = kProjectTimeGrain;
  node.make_operator = [compiled,
                        context = lowering.eval_context()]() -> Result<std::unique_ptr<Operator>> {
    return make_project(compiled, context);
  };
  return lowering.add(std::move(node));
}

std::vector<LogicalType> column_types(const Schema& schema, const std::vector<int>& columns) {
  std::vector<LogicalType> types;
  for (int column : columns) types.push_back(schema.field(column).type);
  return types;
}

void register_row_lowerings(LoweringRegistry& registry) {
  registry.add<plan::ProjectNode>(lower_project);
  registry.add<plan::FilterNode>(lower_filter);
  registry.add<plan::ValuesNode>(lower_values);
  registry.add<plan::UnnestNode>(lower_unnest);
  registry.add<plan::ExpandNode>(lower_expand);
}

}  // namespace tidegate
