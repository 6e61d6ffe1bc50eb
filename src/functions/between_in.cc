// SPDX-License-Identifier: Apache-2.0
#include <boost/unordered/unordered_flat_set.hpp>

#include <memory>
#include <string>

#include "expr/boolean_bits.h"
#include "expr/map_values.h"
#include "expr/type_rules.h"
#include "functions/binding.h"
#include "functions/comparison.h"
#include "types/key_encoding.h"
#include "types/key_hash.h"

namespace tidegate {

namespace {

struct KeyHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::size_t operator()(std::string_view key) const { return hash_key(key); }
};

/// The constants of an IN list, as keys.
struct ValueSet {
  boost::unordered_flat_set<std::string, KeyHash, std::equal_to<>> keys;
  bool has_null = false;
};

/// From this many constants on, a hash set beats comparing with each.
constexpr std::size_t kHashedListSize = 8;

/// The list as a set; null when it is short or not constant, or its casts are still to come.
Result<std::shared_ptr<const ValueSet>> prepare_set(const LogicalType& type,
                                                    std::span<const LogicalType> types,
                                                    std::span<const ArrayPtr> constants) {
  if (constants.size() <= kHashedListSize) return std::shared_ptr<const ValueSet>();
  auto set = std::make_shared<ValueSet>();
  const KeyCodec codec({type});
  EncodedKeys keys;
  for (std::size_t i = 1; i < constants.size(); ++i) {
    if (constants[i] == nullptr || !types[i].same_but_nullability(type))
      return std::shared_ptr<const ValueSet>();
    TG_RETURN_IF_ERROR(codec.encode({&constants[i], 1}, 1, keys));
    if (constants[i]->IsNull(0)) {
      set->has_null = true;
    } else {
      set->keys.emplace(keys.key(0));
    }
  }
  return std::shared_ptr<const ValueSet>(std::move(set));
}

Result<ArrayPtr> find_in_set(const ValueSet& set, const LogicalType& type, const Argument& value,
                             std::int64_t num_rows) {
  const KeyCodec codec({type});
  EncodedKeys keys;
  TG_RETURN_IF_ERROR(codec.encode({&value.array, 1}, value.array->length(), keys));
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<bool>::make(num_rows));
  for (std::int64_t i = 0; i < num_rows; ++i) {
    const std::int64_t row = value.is_constant ? 0 : i;
    const bool found = set.keys.contains(keys.key(row));
    if (value.array->IsNull(row) || (!found && set.has_null)) {
      TG_RETURN_IF_ERROR(writer.set_null(i));
    } else {
      writer.set(i, found);
    }
  }
  return writer.finish(boolean_type());
}

Result<ArrayPtr> compare_with_each(const LogicalType& type, std::span<const Argument> args,
                                   std::int64_t num_rows) {
  BooleanBits any(num_rows, false);
  for (std::size_t i = 1; i < args.size(); ++i) {
    const Argument pair[] = {args[0], args[i]};
    TG_ASSIGN_OR_RETURN(ArrayPtr equal, compare(Comparison::kEqual, type, pair, num_rows));
    any.or_with(BooleanBits::of({std::move(equal), false}, num_rows));
  }
  return any.to_array();
}

Result<BoundFunction> bind_in(std::span<const LogicalType> arguments,
                              std::span<const ArrayPtr> constants) {
  if (arguments.size() < 2) return argument_mismatch("IN", "a value and a list", arguments);
  std::optional<LogicalType> type = arguments[0];
  for (const LogicalType& other : arguments.subspan(1))
    if (type) type = comparison_type(*type, other);
  if (!type) return argument_mismatch("IN", "values of comparable types", arguments);
  TG_ASSIGN_OR_RETURN(const auto set, prepare_set(*type, arguments, constants));
  BoundFunction bound;
  bound.result_type = boolean_type();
  bound.argument_types.assign(arguments.size(), *type);
  bound.can_fail = false;
  bound.evaluate = [type = *type, set](std::span<const Argument> args, std::int64_t num_rows,
                                       EvalContext&) -> Result<ArrayPtr> {
    if (set != nullptr) return find_in_set(*set, type, args[0], num_rows);
    return compare_with_each(type, args, num_rows);
  };
  return bound;
}

Result<ExprPtr> rewrite_between(std::span<const ExprPtr> arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("BETWEEN", arguments, 3, 3));
  return logical_and(
      {call(">=", {arguments[0], arguments[1]}), call("<=", {arguments[0], arguments[2]})});
}

/// low and high may stand in either order.
Result<ExprPtr> rewrite_between_symmetric(std::span<const ExprPtr> arguments) {
  TG_RETURN_IF_ERROR(check_argument_count("BETWEEN SYMMETRIC", arguments, 3, 3));
  return logical_or({call("BETWEEN", {arguments[0], arguments[1], arguments[2]}),
                     call("BETWEEN", {arguments[0], arguments[2], arguments[1]})});
}

}  // namespace

void register_function_between_in(FunctionRegistry& registry) {
  registry.add({.name = "BETWEEN",
                .category = "comparison",
                .signature = "a BETWEEN low AND high",
                .description = "True when low <= a and a <= high.",
                .examples = {{"5 BETWEEN 1 AND 5", "TRUE"}},
                .rewrite = rewrite_between});
  registry.add({.name = "BETWEEN SYMMETRIC",
                .category = "comparison",
                .signature = "a BETWEEN SYMMETRIC b AND c",
                .description = "True when a is between b and c or between c and b.",
                .examples = {{"5 BETWEEN SYMMETRIC 10 AND 1", "TRUE"}},
                .rewrite = rewrite_between_symmetric});
  registry.add({.name = "IN",
                .category = "comparison",
                .signature = "a IN (b, c, ...)",
                .description = "True when a equals one of the list; NULL when it does not and the "
                               "list holds NULL.",
                .examples = {{"2 IN (1, 2)", "TRUE"}, {"3 IN (1, NULL)", "NULL"}},
                .bind_with_constants = bind_in});
}

}  // namespace tidegate
