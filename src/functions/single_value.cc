// SPDX-License-Identifier: Apache-2.0
#include "functions/binding.h"
#include "functions/counted_keys.h"

namespace tidegate {

namespace {

/// The value of a scalar subquery. That there is more than one row is an error only where the
/// result is asked for: until then rows may still be taken back.
class SingleValue final : public CountedKeys {
 public:
  using CountedKeys::CountedKeys;

  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    // The key of NULL in one column (key_encoding.h).
    const std::string_view null_key = is_flat(result_type()) ? "" : std::string_view("\0", 1);
    std::vector<std::string_view> values;
    for (const std::byte* accumulator : accumulators) {
      values.push_back(null_key);
      std::int64_t rows = 0;
      if (const Content* content = state(accumulator)) {
        content->for_each([&](std::string_view value, std::int64_t count) {
          values.back() = value;
          rows += count;
        });
      }
      if (rows > 1)
        return error(ErrorCode::kInvalidArgument, "a scalar subquery returned more than one row");
    }
    TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, codec().decode(values));
    return std::move(columns[0]);
  }
};

}  // namespace

void register_function_single_value(FunctionRegistry& registry) {
  registry.add_aggregate(
      {.name = "SINGLE_VALUE",
       .signature = "SINGLE_VALUE(value)",
       .description = "The value of the only row (of a scalar subquery); NULL when there is none, "
                      "an error when there are more.",
       .bind = [](std::span<const LogicalType> arguments) -> Result<std::unique_ptr<Aggregator>> {
         if (arguments.size() != 1)
           return argument_mismatch("SINGLE_VALUE", "one value", arguments);
         return std::make_unique<SingleValue>(arguments[0].with_nullable(true), arguments[0],
                                              /*ignore_nulls=*/false);
       }});
}

}  // namespace tidegate
