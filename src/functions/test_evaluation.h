// SPDX-License-Identifier: Apache-2.0
//
// For tests: expressions to text.
#pragma once

#include <arrow/array/array_base.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "expr/compiled_expr.h"
#include "types/test_columns.h"
#include "types/time_zone.h"
#include "types/value_format.h"

namespace tidegate {

/// The values of an expression over rows, in the form of CAST AS STRING, or the one error. Also
/// checks that rows give the same one by one, in a slice, and when the expression's constants are
/// columns.
inline std::vector<std::string> evaluate_over(const ExprPtr& expr, const Schema& schema,
                                              const Batch& batch, EvalContext context = {}) {
  static const VirtualClock clock(1'602'288'001'500);  // 2020-10-10 00:00:01.500
  if (context.clock == nullptr) context.clock = &clock;
  Result<CompiledExpr> compiled = CompiledExpr::compile(expr, schema, builtin_functions());
  if (!compiled.is_ok()) return {compiled.status().message()};
  const auto texts_of = [&](const Batch& rows) -> std::vector<std::string> {
    Result<ArrayPtr> array = compiled->evaluate(rows, context);
    if (!array.is_ok()) return {array.status().message()};
    EXPECT_TRUE((*array)->type()->Equals(*compiled->type().arrow_type()))
        << expr->to_string() << ": " << (*array)->type()->ToString();
    EXPECT_TRUE((*array)->ValidateFull().ok()) << expr->to_string();
    EXPECT_EQ((*array)->length(), rows.num_rows());
    const bool sound = compiled->type().nullable() || (*array)->null_count() == 0;
    EXPECT_TRUE(sound) << expr->to_string() << " is NULL and must not be";
    const TimeZone zone = *TimeZone::find(context.time_zone);
    std::vector<std::string> texts;
    for (std::int64_t i = 0; i < (*array)->length(); ++i) {
      append_value(compiled->type(), **array, i, TextForm::kCast, texts.emplace_back(), &zone);
    }
    return texts;
  };
  const std::vector<std::string> whole = texts_of(batch);
  if (static_cast<std::int64_t>(whole.size()) != batch.num_rows()) return whole;
  for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
    const std::vector<std::string> alone = texts_of(batch.slice(i, 1));
    EXPECT_EQ(alone[0], whole[static_cast<std::size_t>(i)]) << expr->to_string() << " row " << i;
  }
  return whole;
}

/// The value of an expression without columns, with the type in front when `with_type`.
inline std::string evaluate(const ExprPtr& expr, EvalContext context = {}) {
  const Batch one_row(1, std::vector<ArrayPtr>());
  const std::vector<std::string> texts = evaluate_over(expr, Schema(), one_row, context);
  return texts.at(0);
}
inline std::string type_text(const ExprPtr& expr, const Schema& schema = Schema()) {
  Result<LogicalType> type = type_of(expr, schema, builtin_functions());
  return type.is_ok() ? type->to_string() : type.status().message();
}

/// Over one column: values("SQRT", ...) and the like are built by the caller around col(0).
inline std::vector<std::string> over(const ExprPtr& expr, const std::vector<std::string>& columns,
                                     std::string_view rows, EvalContext context = {}) {
  const SchemaPtr schema = schema_of(columns);
  return evaluate_over(expr, *schema, batch_of(*schema, rows), context);
}

/// A literal of a type from its text; a broken one is a bug of the test.
inline ExprPtr typed(std::string_view text, std::string_view type) {
  const LogicalType parsed = *LogicalType::parse(type);
  return *lit_text(text, parsed);
}

}  // namespace tidegate
