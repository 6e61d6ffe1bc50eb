// SPDX-License-Identifier: Apache-2.0
#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/cast_kernels.h"

namespace tidegate {

namespace {

/// Casts that change nothing in the column.
bool same_column(const LogicalType& from, const LogicalType& to) {
  if (from.same_but_nullability(to)) return true;
  // A text that gets shorter or is padded changes; one without such a limit does not.
  if (from.is_character() && to.is_character())
    return to.kind() == TypeKind::kVarchar && to.length() >= from.length();
  if (from.is_bytes() && to.is_bytes())
    return to.kind() == TypeKind::kVarbinary && to.length() >= from.length();
  return false;
}

/// arguments: the type of the value, and the target.
Result<BoundFunction> bind_cast(const char* name, bool strict,
                                std::span<const LogicalType> arguments) {
  if (arguments.size() != 2)
    return error(ErrorCode::kInternal, "{} binds to a type and a target", name);
  const LogicalType& from = arguments[0];
  const LogicalType& to = arguments[1];
  std::optional<CastKernel> kernel = find_cast(from, to, strict);
  if (!kernel) {
    return error(ErrorCode::kTypeMismatch, "{} cannot be cast to {}", from.to_string(),
                 to.to_string());
  }
  BoundFunction bound;
  // Even a strict cast answers NULL for a number that passes the digits of a DECIMAL.
  const bool may_lose = !strict || (to.kind() == TypeKind::kDecimal && from.is_numeric());
  bound.result_type = to.with_nullable(from.nullable() || may_lose);
  bound.can_fail = kernel->can_fail;
  bound.uses_context = kernel->uses_context;
  bound.evaluate = [cast = std::move(kernel->cast)](std::span<const Argument> args,
                                                    std::int64_t num_rows,
                                                    EvalContext& context) -> Result<ArrayPtr> {
    TG_CHECK(args[0].array->length() == num_rows, "rows={} expected {}", args[0].array->length(),
             num_rows);
    return cast(args[0].array, context);
  };
  return bound;
}

}  // namespace

Status cast_failed(std::string_view value, const LogicalType& to) {
  constexpr std::size_t kShown = 100;
  return error(ErrorCode::kCastFailed, "cannot cast '{}'{} to {}", value.substr(0, kShown),
               value.size() > kShown ? "..." : "", to.with_nullable(true).to_string());
}

std::optional<CastKernel> find_cast(const LogicalType& from, const LogicalType& to, bool strict) {
  if (from.kind() == TypeKind::kNull) {
    return CastKernel{.cast = [type = to.arrow_type()](const ArrayPtr& values, EvalContext&) {
      return null_column(type, values->length());
    }};
  }
  if (same_column(from, to))
    return CastKernel{
        .cast = [](const ArrayPtr& values, EvalContext&) { return Result<ArrayPtr>(values); }};
  if (to.is_character()) return find_cast_to_text(from, to);
  if (from.is_character()) return find_cast_from_text(from, to, strict);
  if (std::optional<CastKernel> kernel = find_number_cast(from, to)) return kernel;
  if (std::optional<CastKernel> kernel = find_time_cast(from, to)) return kernel;
  if (from.is_bytes() && to.is_bytes()) return find_cast_from_text(from, to, strict);
  return find_nested_cast(from, to, strict);
}

void register_function_cast(FunctionRegistry& registry) {
  registry.add({.name = "CAST",
                .category = "conversion",
                .signature = "CAST(value AS type)",
                .description =
                    "The value in another type; an error when it cannot be one. Whole numbers "
                    "that do not fit wrap around, decimals that do not fit become NULL.",
                .examples = {{"CAST('42' AS INT)", "42"},
                             {"CAST(3.7 AS INT)", "3"},
                             {"CAST(TIMESTAMP '2020-10-10 12:00:00' AS DATE)", "2020-10-10"},
                             {"CAST(TRUE AS STRING)", "TRUE"}},
                .bind = [](std::span<const LogicalType> arguments) {
                  return bind_cast("CAST", /*strict=*/true, arguments);
                }});
  registry.add({.name = "TRY_CAST",
                .category = "conversion",
                .signature = "TRY_CAST(value AS type)",
                .description = "The value in another type; NULL when it cannot be one.",
                .examples = {{"TRY_CAST('abc' AS INT)", "NULL"}, {"TRY_CAST('42' AS INT)", "42"}},
                .bind = [](std::span<const LogicalType> arguments) {
                  return bind_cast("TRY_CAST", /*strict=*/false, arguments);
                }});
}

}  // namespace tidegate
