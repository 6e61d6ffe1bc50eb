// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expr/aggregate.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

class Clock;
class Expr;  // expr/expr.h
using ExprPtr = std::shared_ptr<const Expr>;

/// What a function may ask of the job while it runs. One per thread.
struct EvalContext {
  const Clock* clock = nullptr;
  std::string time_zone = "UTC";  ///< session zone, for TIMESTAMP_LTZ
  std::int64_t query_start_ms = 0;
  /// The time of the batch at hand, so that all its rows and calls see the same; set from the clock
  /// when it is first asked for (function_time.h) and unset before each batch.
  std::optional<std::int64_t> now_ms = std::nullopt;
};

/// The columns of a call: arrays of num_rows entries. An argument that is the same for all rows may
/// have just one entry when `is_constant` says so.
struct Argument {
  std::shared_ptr<arrow::Array> array;
  bool is_constant = false;
};

/// A scalar function bound to argument types; stateless, may be called from several threads.
struct BoundFunction {
  LogicalType result_type;
  /// The types that evaluate() wants; arguments of others are cast first. Empty: as they were
  /// given.
  std::vector<LogicalType> argument_types = {};
  std::function<Result<std::shared_ptr<arrow::Array>>(std::span<const Argument> arguments,
                                                      std::int64_t num_rows, EvalContext& context)>
      evaluate = {};
  /// False when evaluate() succeeds on any row: then it may be called on rows that nobody asked for
  /// (behind a CASE or an AND), which is faster than leaving them out.
  bool can_fail = true;
  /// True when the result depends on EvalContext, not on the arguments alone.
  bool uses_context = false;
};

/// A scalar function: one file (or small family) under src/functions registers it.
struct ScalarFunction {
  std::string name;           ///< upper case: "CHAR_LENGTH"; operators by their sign: "+"
  std::string category = {};  ///< "string", "arithmetic", ... for the reference page
  std::string signature;      ///< for people
  std::string description;    ///< one sentence
  /// SQL and its result, run as a test: {"CHAR_LENGTH('abc')", "3"}.
  struct Example {
    std::string expression;
    std::string result;
  };
  std::vector<Example> examples = {};
  bool deterministic = true;
  /// Binds to argument types, or kTypeMismatch. One of the following three is set.
  std::function<Result<BoundFunction>(std::span<const LogicalType> arguments)> bind = {};
  /// The same with the values of constant arguments (arrays of one entry; null pointers for the
  /// others), for functions that prepare something from them (LIKE, REGEXP, EXTRACT).
  std::function<Result<BoundFunction>(std::span<const LogicalType> arguments,
                                      std::span<const std::shared_ptr<arrow::Array>> constants)>
      bind_with_constants = {};
  /// For functions that are other expressions in short (COALESCE, BETWEEN) and for those that leave
  /// arguments unevaluated (CASE, AND).
  std::function<Result<ExprPtr>(std::span<const ExprPtr> arguments)> rewrite = {};
};

/// All functions by upper-case name.
class FunctionRegistry {
 public:
  void add(ScalarFunction function);
  void add_aggregate(AggregateFunction function);
  /// Another name of a function that is already there.
  void add_alias(std::string_view name, std::string_view existing);
  /// The function, or kUnknownName with the nearest one. Names are not case-sensitive.
  Result<const ScalarFunction*> find(std::string_view name) const;
  Result<const AggregateFunction*> find_aggregate(std::string_view name) const;
  bool has_aggregate(std::string_view name) const;
  std::vector<const ScalarFunction*> all() const;
  std::vector<const AggregateFunction*> all_aggregates() const;

 private:
  std::map<std::string, ScalarFunction, std::less<>> scalars_;
  std::map<std::string, AggregateFunction, std::less<>> aggregates_;
  std::map<std::string, std::string, std::less<>> aliases_;
};

/// Calls every register_function_* (generated from the files of src/functions).
void register_all_functions(FunctionRegistry& registry);

/// All built-in functions; lives for the whole process.
const FunctionRegistry& builtin_functions();

}  // namespace tidegate
