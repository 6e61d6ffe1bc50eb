// SPDX-License-Identifier: Apache-2.0
//
// For the tests of OVER windows: rows, functions and options.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "expr/function_registry.h"
#include "operators/over_aggregate.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
// Those that the tests use; all built-in functions take long to build.
void register_function_count(FunctionRegistry& registry);
void register_function_sum(FunctionRegistry& registry);
void register_function_min_max(FunctionRegistry& registry);

}  // namespace tidegate

namespace tidegate::over_test {

using Kind = OverFunction::Kind;
using Unit = OverFrame::Unit;

// Columns of the input: k STRING, t BIGINT, v BIGINT, id BIGINT.
inline const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, t BIGINT, v BIGINT, id BIGINT");
  return kSchema;
}
inline Batch rows(std::string_view json) { return batch_of(schema(), json); }

inline OverFunction aggregate(const std::string& name, bool retracting = true) {
  FunctionRegistry registry;
  register_function_count(registry);
  register_function_sum(registry);
  register_function_min_max(registry);
  const AggregateFunction& function = **registry.find_aggregate(name);
  const std::vector<LogicalType> types = {LogicalType(TypeKind::kBigInt)};
  auto bound = retracting && function.bind_retracting ? function.bind_retracting(types)
                                                      : function.bind(types);
  TG_CHECK(bound.is_ok(), "{}", bound.status().to_string());
  return {.aggregate = {.aggregator = *std::move(bound), .arguments = {2}}};
}

inline OverFunction lag(std::int64_t offset, int default_column = -1) {
  return {.kind = Kind::kLag, .argument = 2, .offset = offset, .default_column = default_column};
}

inline OverAggregateOptions options(OverOrder over, OverFrame frame,
                                    std::vector<OverFunction> functions) {
  OverAggregateOptions all;
  for (const Field& field : schema()->fields()) all.types.push_back(field.type);
  all.keys = {0};
  all.over = over;
  all.time_column = 1;
  all.order = {{.column = 2}};
  all.frame = frame;
  all.functions = std::move(functions);
  return all;
}

inline OperatorFactory factory(OverAggregateOptions options) {
  return [options = std::move(options)] { return make_over_aggregate(options); };
}

}  // namespace tidegate::over_test
