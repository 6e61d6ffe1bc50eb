// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "expr/compiled_expr.h"
#include "operators/row_codec.h"
#include "planner/lowering.h"

namespace tidegate {

/// Expressions over rows of `input` as columns of `output`'s types.
Result<std::shared_ptr<const CompiledProjection>> compile_columns(
    const std::vector<ExprPtr>& columns, const Schema& input, const Schema& output,
    const Lowering& lowering);

/// Adds a node that computes `columns` from what graph node `from` emits, in the same tasks. `name`
/// is also its identity.
Result<int> add_projection(int from, const std::vector<ExprPtr>& columns, SchemaPtr output,
                           const std::string& name, Lowering& lowering);

/// The types of all columns.
std::vector<LogicalType> column_types(const Schema& schema, const std::vector<int>& columns);

}  // namespace tidegate
