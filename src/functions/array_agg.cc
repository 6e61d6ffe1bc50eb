// SPDX-License-Identifier: Apache-2.0
#include "functions/binding.h"
#include "functions/list_values.h"
#include "functions/row_sequence.h"

namespace tidegate {

namespace {

template <typename Content>
class ArrayAgg final : public RowSequence<Content> {
 public:
  using RowSequence<Content>::RowSequence;

 private:
  Result<ArrayPtr> make_result(const std::vector<ArrayPtr>& columns,
                               std::span<const std::int32_t> ends) const override {
    ListWriter arrays(static_cast<std::int64_t>(ends.size()));
    std::int32_t begin = 0;
    for (const std::int32_t end : ends) {
      arrays.push(begin, end);
      if (begin < end) {
        arrays.end_row();
      } else {
        TG_RETURN_IF_ERROR(arrays.set_null());
      }
      begin = end;
    }
    return arrays.finish(this->result_type(), columns[0]);
  }
};

template <typename Content>
Result<std::unique_ptr<Aggregator>> bind_array_agg(std::span<const LogicalType> arguments,
                                                   bool ignore_nulls) {
  if (arguments.size() != 1 || arguments[0].kind() == TypeKind::kNull)
    return argument_mismatch("ARRAY_AGG", "one value", arguments);
  return std::make_unique<ArrayAgg<Content>>(LogicalType::array(arguments[0]), arguments,
                                             ignore_nulls);
}

void add_array_agg(FunctionRegistry& registry, const char* name, const char* signature,
                   const char* description, bool ignore_nulls) {
  registry.add_aggregate({.name = name,
                          .signature = signature,
                          .description = description,
                          .bind =
                              [ignore_nulls](std::span<const LogicalType> arguments) {
                                return bind_array_agg<AppendedValues>(arguments, ignore_nulls);
                              },
                          .bind_retracting =
                              [ignore_nulls](std::span<const LogicalType> arguments) {
                                return bind_array_agg<TakenValues>(arguments, ignore_nulls);
                              }});
}

}  // namespace

void register_function_array_agg(FunctionRegistry& registry) {
  add_array_agg(registry, "ARRAY_AGG", "ARRAY_AGG([DISTINCT] value [RESPECT NULLS])",
                "The values as an ARRAY, in the order in which they came, with those that are "
                "NULL; NULL when there are no rows.",
                /*ignore_nulls=*/false);
  add_array_agg(registry, "ARRAY_AGG IGNORE NULLS", "ARRAY_AGG([DISTINCT] value IGNORE NULLS)",
                "The values that are not NULL as an ARRAY, in the order in which they came; NULL "
                "when there are none.",
                /*ignore_nulls=*/true);
}

}  // namespace tidegate
