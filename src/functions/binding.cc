// SPDX-License-Identifier: Apache-2.0
#include "functions/binding.h"

#include <utility>

#include "base/check.h"
#include "expr/type_rules.h"

namespace tidegate {

namespace {

bool fits(const LogicalType& argument, const LogicalType& parameter) {
  if (argument.kind() == TypeKind::kNull) return true;
  if (parameter.is_character()) return argument.is_character();
  if (parameter.is_bytes()) return argument.is_bytes();
  if (parameter.is_integer()) return argument.is_integer();
  if (parameter.is_numeric()) return argument.is_numeric();
  return argument.kind() == parameter.kind();
}

}  // namespace

Status argument_mismatch(std::string_view function, std::string_view takes,
                         std::span<const LogicalType> arguments) {
  std::string types;
  for (const LogicalType& type : arguments) types += (types.empty() ? "" : ", ") + type.to_string();
  return error(ErrorCode::kTypeMismatch, "{} takes {}, not ({})", function, takes, types);
}

Bind bind_fixed(FixedSignature signature, Evaluate evaluate) {
  return [signature = std::move(signature), evaluate = std::move(evaluate)](
             std::span<const LogicalType> arguments) -> Result<BoundFunction> {
    const std::size_t most = signature.parameters.size();
    const std::size_t least = std::min(signature.required, most);
    if (arguments.size() < least || (arguments.size() > most && !signature.variadic))
      return argument_mismatch(signature.name, signature.takes, arguments);
    BoundFunction bound;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const LogicalType& parameter = signature.parameters[std::min(i, most - 1)];
      if (!fits(arguments[i], parameter))
        return argument_mismatch(signature.name, signature.takes, arguments);
      // Texts and bytes of any length are the same column.
      const bool same_column = (parameter.is_character() && arguments[i].is_character()) ||
                               (parameter.is_bytes() && arguments[i].is_bytes());
      bound.argument_types.push_back(
          same_column ? arguments[i] : parameter.with_nullable(arguments[i].nullable()));
    }
    bound.result_type =
        signature.result.with_nullable(signature.may_be_null || any_nullable(arguments));
    bound.evaluate = evaluate;
    bound.can_fail = signature.can_fail;
    bound.uses_context = signature.uses_context;
    return bound;
  };
}

Status check_argument_count(std::string_view function, std::span<const ExprPtr> arguments,
                            std::size_t least, std::size_t most) {
  if (arguments.size() >= least && arguments.size() <= most) return Status::ok();
  if (least == most) {
    return error(ErrorCode::kTypeMismatch, "{} takes {} arguments, not {}", function, least,
                 arguments.size());
  }
  return error(ErrorCode::kTypeMismatch, "{} takes {} to {} arguments, not {}", function, least,
               most, arguments.size());
}

}  // namespace tidegate
