// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "functions/binding.h"
#include "functions/counted_keys.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

class Collect final : public CountedKeys {
 public:
  using CountedKeys::CountedKeys;

  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    std::vector<std::string_view> values;
    std::vector<std::int32_t> counts;
    ListWriter multisets(static_cast<std::int64_t>(accumulators.size()));
    for (const std::byte* accumulator : accumulators) {
      if (const Content* content = state(accumulator)) {
        content->for_each([&](std::string_view value, std::int64_t count) {
          multisets.push(static_cast<std::int32_t>(values.size()));
          values.push_back(value);
          counts.push_back(static_cast<std::int32_t>(
              std::min<std::int64_t>(count, std::numeric_limits<std::int32_t>::max())));
        });
      }
      multisets.end_row();
    }
    TG_ASSIGN_OR_RETURN(const std::vector<ArrayPtr> decoded, codec().decode(values));
    const ArrayPtr count_column =
        make_column(LogicalType(TypeKind::kInt), static_cast<std::int64_t>(counts.size()), nullptr,
                    {arrow::Buffer::FromVector(std::move(counts))});
    return multisets.finish_map(result_type(), decoded[0], count_column);
  }
};

}  // namespace

void register_function_collect(FunctionRegistry& registry) {
  registry.add_aggregate(
      {.name = "COLLECT",
       .signature = "COLLECT([DISTINCT] value)",
       .description = "The values that are not NULL as a MULTISET, which is empty when there are "
                      "none.",
       .bind = [](std::span<const LogicalType> arguments) -> Result<std::unique_ptr<Aggregator>> {
         if (arguments.size() != 1 || arguments[0].kind() == TypeKind::kNull)
           return argument_mismatch("COLLECT", "one value", arguments);
         return std::make_unique<Collect>(
             LogicalType::multiset(arguments[0].with_nullable(false), /*nullable=*/false),
             arguments[0], /*ignore_nulls=*/true);
       }});
}

}  // namespace tidegate
