// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/moment_arithmetic.h"
#include "functions/time_fields.h"

namespace tidegate {

namespace {

constexpr const char* kTakes = "two periods, each a date or time and another one or an interval";

bool is_interval(const LogicalType& type) {
  return type.kind() == TypeKind::kIntervalYearMonth || type.kind() == TypeKind::kIntervalDayTime;
}

/// The type in which the ends of both periods are compared; none when there is none.
std::optional<LogicalType> end_type(std::span<const LogicalType> arguments) {
  std::optional<LogicalType> type = arguments[0];
  bool with_time = false;
  for (const LogicalType& argument : arguments) {
    if (is_interval(argument)) {
      with_time = with_time || argument.kind() == TypeKind::kIntervalDayTime;
    } else if (type) {
      type = common_type(*type, argument);
    }
  }
  if (!type || !is_time_type(*type)) return std::nullopt;
  // A DATE plus hours is no DATE.
  if (with_time && type->kind() == TypeKind::kDate) type = LogicalType::timestamp(3);
  return type->with_nullable(any_nullable(arguments));
}

/// Both periods run from their earlier to their later end and hold both of them.
template <typename T>
bool overlap(T a, T b, T c, T d) {
  return std::min(a, b) <= std::max(c, d) && std::min(c, d) <= std::max(a, b);
}

Result<BoundFunction> bind_overlaps(std::span<const LogicalType> arguments) {
  const bool periods =
      arguments.size() == 4 && !is_interval(arguments[0]) && !is_interval(arguments[2]);
  const std::optional<LogicalType> type = periods ? end_type(arguments) : std::nullopt;
  if (!type) return argument_mismatch("OVERLAPS", kTakes, arguments);
  BoundFunction bound;
  bound.result_type = boolean_type().with_nullable(type->nullable());
  bound.can_fail = false;
  std::optional<BoundFunction> sums[2];
  for (std::size_t i = 0; i < 4; ++i) {
    const bool interval = is_interval(arguments[i]);
    bound.argument_types.push_back(interval ? arguments[i] : *type);
    if (!interval) continue;
    const LogicalType parts[] = {*type, arguments[i]};
    const ArrayPtr not_constant[] = {nullptr, nullptr};
    std::optional<BoundFunction>& sum = sums[i / 2];
    sum = bind_moment_sum(parts, not_constant, 1);
    if (!sum || !sum->result_type.same_but_nullability(*type))
      return argument_mismatch("OVERLAPS", kTakes, arguments);
    bound.can_fail = bound.can_fail || sum->can_fail;
    bound.uses_context = bound.uses_context || sum->uses_context;
  }
  bound.evaluate = [type = *type, first = sums[0], second = sums[1]](
                       std::span<const Argument> args, std::int64_t num_rows,
                       EvalContext& context) -> Result<ArrayPtr> {
    std::vector<Argument> ends(args.begin(), args.end());
    for (const std::size_t period : {std::size_t{0}, std::size_t{1}}) {
      const std::optional<BoundFunction>& sum = period == 0 ? first : second;
      if (!sum) continue;
      Argument& end = ends[2 * period + 1];
      TG_ASSIGN_OR_RETURN(end.array, sum->evaluate(args.subspan(2 * period, 2), num_rows, context));
      end.is_constant = false;
    }
    return with_physical_type(type, [&]<typename T>() -> Result<ArrayPtr> {
      if constexpr (std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t>) {
        return map_values<bool, T, T, T, T>(boolean_type(), ends, num_rows, overlap<T>);
      } else {
        return null_column(boolean_type().arrow_type(), num_rows);
      }
    });
  };
  return bound;
}

}  // namespace

void register_function_overlaps(FunctionRegistry& registry) {
  registry.add(
      {.name = "OVERLAPS",
       .category = "time",
       .signature = "(start, end or interval) OVERLAPS (start, end or interval)",
       .description = "True when two periods have a moment in common; their ends belong to them.",
       .examples = {{"(TIME '2:55:00', INTERVAL '1' HOUR) OVERLAPS "
                     "(TIME '3:30:00', INTERVAL '2' HOUR)",
                     "TRUE"},
                    {"(DATE '2020-10-10', DATE '2020-10-12') OVERLAPS "
                     "(DATE '2020-10-13', DATE '2020-10-14')",
                     "FALSE"}},
       .bind = bind_overlaps});
}

}  // namespace tidegate
