// SPDX-License-Identifier: Apache-2.0
#include "expr/distinct_aggregate.h"
#include "expr/function_registry.h"
#include "expr/state_aggregator.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

struct CountState {
  std::int64_t count;
};

/// COUNT(*) without arguments, else COUNT(a, b, ...): rows where none of them is null.
class Count final : public StateAggregator<CountState> {
 public:
  Count() : StateAggregator(LogicalType(TypeKind::kBigInt, /*nullable=*/false)) {}

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    change(accumulators, arguments, 1);
    return Status::ok();
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    change(accumulators, arguments, -1);
    return Status::ok();
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    state(into).count += state(from).count;
    return Status::ok();
  }
  bool can_subtract() const override { return true; }
  void subtract(std::byte* from, const std::byte* what) const override {
    state(from).count -= state(what).count;
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    return result_column<std::int64_t>(accumulators, [](const CountState& s, std::int64_t* out) {
      *out = s.count;
      return true;
    });
  }

 private:
  static void change(Accumulators accumulators, ArgumentArrays arguments, std::int64_t by) {
    bool any_nulls = false;
    for (const ArrayPtr& argument : arguments) any_nulls = any_nulls || argument->null_count() > 0;
    if (!any_nulls) {
      for (std::byte* accumulator : accumulators) state(accumulator).count += by;
      return;
    }
    for (std::size_t i = 0; i < accumulators.size(); ++i) {
      bool counts = true;
      for (const ArrayPtr& argument : arguments)
        counts = counts && argument->IsValid(static_cast<std::int64_t>(i));
      if (counts) state(accumulators[i]).count += by;
    }
  }
};

}  // namespace

void register_function_count(FunctionRegistry& registry) {
  registry.add_aggregate(
      {.name = "COUNT",
       .signature = "COUNT(*) | COUNT([DISTINCT] value, ...)",
       .description = "Number of rows, or of rows in which no value is NULL.",
       .bind = [](std::span<const LogicalType>) -> Result<std::unique_ptr<Aggregator>> {
         return std::make_unique<Count>();
       }});
  registry.add_aggregate(
      {.name = "APPROX_COUNT_DISTINCT",
       .signature = "APPROX_COUNT_DISTINCT(value)",
       .description = "Number of different values that are not NULL; exact, as COUNT(DISTINCT).",
       .bind = [](std::span<const LogicalType> arguments) -> Result<std::unique_ptr<Aggregator>> {
         if (arguments.size() != 1)
           return argument_mismatch("APPROX_COUNT_DISTINCT", "one value", arguments);
         return make_distinct(std::make_unique<Count>(), arguments);
       }});
}

}  // namespace tidegate
