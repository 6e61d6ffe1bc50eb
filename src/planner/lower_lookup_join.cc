// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "expr/columns_of.h"
#include "operators/lookup_join.h"
#include "plan/lookup_join.h"
#include "plan/relational.h"
#include "planner/compile_condition.h"
#include "planner/connector_request.h"
#include "planner/join_condition.h"
#include "planner/lower_nodes.h"
#include "planner/lower_rows.h"

namespace tidegate {
namespace {

using Step = std::function<Result<Batch>(Batch)>;

Result<Step> compile_step(const plan::Node& step, const Lowering& lowering) {
  const Schema& input = *step.inputs[0].schema();
  EvalContext context = lowering.eval_context();
  const Clock* clock = lowering.options().clock;
  context.clock = clock == nullptr ? &system_clock() : clock;
  if (const auto* project = dynamic_cast<const plan::ProjectNode*>(&step)) {
    TG_ASSIGN_OR_RETURN(const auto columns,
                        compile_columns(project->columns, input, *project->schema, lowering));
    return Step([columns, context](Batch batch) -> Result<Batch> {
      EvalContext own = context;
      TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> arrays, columns->evaluate(batch, own));
      return batch.with_columns(std::move(arrays));
    });
  }
  const auto& filter = static_cast<const plan::FilterNode&>(step);
  TG_ASSIGN_OR_RETURN(const FunctionRegistry* functions, lowering.functions());
  TG_ASSIGN_OR_RETURN(CompiledFilter compiled,
                      CompiledFilter::compile(filter.condition, input, *functions));
  auto condition = std::make_shared<const CompiledFilter>(std::move(compiled));
  return Step([condition, context](Batch batch) -> Result<Batch> {
    EvalContext own = context;
    std::vector<std::int32_t> rows;
    TG_RETURN_IF_ERROR(condition->select(batch, own, rows));
    return batch.take(rows);
  });
}

/// Computed columns and filters of the table, for each batch of it.
Result<Step> compile_steps(const plan::LookupJoinNode& join, const Lowering& lowering) {
  std::vector<Step> steps;
  for (const plan::NodePtr& step : join.steps) {
    TG_ASSIGN_OR_RETURN(Step compiled, compile_step(*step, lowering));
    steps.push_back(std::move(compiled));
  }
  if (steps.empty()) return Step();
  return Step([steps = std::move(steps)](Batch batch) -> Result<Batch> {
    for (const Step& step : steps) {
      TG_ASSIGN_OR_RETURN(batch, step(std::move(batch)));
    }
    return batch;
  });
}

Status lower_lookup_join(const plan::LookupJoinNode& join, Lowering& lowering) {
  const Schema& left = *join.inputs[0].schema();
  const Schema& right = *join.table_schema();
  const SplitCondition split = split_without_null_safe(join.condition, left, right);
  LookupJoinOptions options;
  options.left.types = column_types(left);
  options.left.keys = split.left_keys;
  options.table.types = column_types(right);
  options.table.keys = split.right_keys;
  options.kind = join.outer ? JoinKind::kLeft : JoinKind::kInner;
  TG_ASSIGN_OR_RETURN(options.condition, compile_join_condition(split.rest, left, right, lowering));
  TG_ASSIGN_OR_RETURN(options.prepare, compile_steps(join, lowering));
  TG_ASSIGN_OR_RETURN(options.make_source, connector_source_maker(*join.table, lowering.options()));
  Node node = lowering.make_node(join);
  lowering.feed_in_place(node, join.inputs[0]);
  node.make_operator = [options] { return make_lookup_join(options); };
  return lowering.finish(join, std::move(node));
}

}  // namespace

void register_lookup_join_lowering(LoweringRegistry& registry) {
  registry.add<plan::LookupJoinNode>(lower_lookup_join);
}

}  // namespace tidegate
