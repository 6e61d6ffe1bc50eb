// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "functions/binding.h"
#include "functions/time_fields.h"

namespace tidegate {

namespace {

/// Fills a column with one value, made from the time (ms since 1970) and the session's zone.
template <typename T>
ScalarFunction current(const char* name, const char* description, const LogicalType& type,
                       T (*make)(std::int64_t utc_ms, std::int64_t local_ms)) {
  return {
      .name = name,
      .category = "time",
      .signature = name,
      .description = description,
      .deterministic = false,
      .bind = [name, type, make](std::span<const LogicalType> arguments) -> Result<BoundFunction> {
        if (!arguments.empty()) return argument_mismatch(name, "nothing", arguments);
        BoundFunction bound;
        bound.result_type = type.with_nullable(false);
        bound.can_fail = false;
        bound.uses_context = true;
        bound.evaluate = [type, make](std::span<const Argument>, std::int64_t num_rows,
                                      EvalContext& context) -> Result<ArrayPtr> {
          TG_ASSIGN_OR_RETURN(const TimeZone zone, TimeZone::find(context.time_zone));
          const std::int64_t utc = now_ms(context);
          const std::int64_t local =
              utc + zone.offset_seconds(floor_div(utc, kMsPerSecond)) * kMsPerSecond;
          TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<T>::make(num_rows));
          std::fill_n(writer.values(), num_rows, make(utc, local));
          return writer.finish(type);
        };
        return bound;
      }};
}

std::int64_t utc_time(std::int64_t utc_ms, std::int64_t) { return utc_ms; }
std::int64_t local_time(std::int64_t, std::int64_t local_ms) { return local_ms; }
std::int32_t local_date(std::int64_t, std::int64_t local_ms) {
  return static_cast<std::int32_t>(floor_div(local_ms, kMsPerDay));
}
std::int32_t local_seconds_of_day(std::int64_t, std::int64_t local_ms) {
  return static_cast<std::int32_t>(floor_mod(local_ms, kMsPerDay) / kMsPerSecond * kMsPerSecond);
}

}  // namespace

void register_function_current_time(FunctionRegistry& registry) {
  registry.add(current("CURRENT_TIMESTAMP", "The time now, as TIMESTAMP_LTZ(3).",
                       LogicalType::timestamp_ltz(3), utc_time));
  for (const char* alias : {"NOW", "CURRENT_ROW_TIMESTAMP", "PROCTIME"})
    registry.add_alias(alias, "CURRENT_TIMESTAMP");
  registry.add(current("LOCALTIMESTAMP",
                       "The date and time now in the session's time zone, as TIMESTAMP(3).",
                       LogicalType::timestamp(3), local_time));
  registry.add(current("CURRENT_DATE", "The date now in the session's time zone.",
                       LogicalType(TypeKind::kDate), local_date));
  registry.add(current("LOCALTIME",
                       "The time of the day now in the session's time zone, as TIME(0).",
                       LogicalType(TypeKind::kTime), local_seconds_of_day));
  registry.add_alias("CURRENT_TIME", "LOCALTIME");
}

}  // namespace tidegate
