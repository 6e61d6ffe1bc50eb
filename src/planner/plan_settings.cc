// SPDX-License-Identifier: Apache-2.0
#include "planner/plan_settings.h"

#include "base/check.h"
#include "types/time_zone.h"

namespace tidegate {
namespace {

/// The choice of this place in the list of `choices`.
template <typename E>
Status read_choice(const Options& settings, std::string_view name, std::string_view choices,
                   E& value) {
  if (!settings.has(name)) return Status::ok();
  TG_ASSIGN_OR_RETURN(const std::string choice, settings.get_choice_or(name, choices, ""));
  int place = 0;
  std::size_t begin = 0;
  while (true) {
    const std::size_t bar = choices.find('|', begin);
    if (choices.substr(begin, bar - begin) == choice) break;
    begin = bar + 1;
    ++place;
  }
  value = static_cast<E>(place);
  return Status::ok();
}

Status read_duration(const Options& settings, std::string_view name, std::int64_t& value_ms) {
  TG_ASSIGN_OR_RETURN(const auto duration,
                      settings.get_duration_or(name, std::chrono::milliseconds(value_ms)));
  if (duration.count() < 0) {
    return error(ErrorCode::kInvalidOption, "{} is {} ms, which is negative", name,
                 duration.count());
  }
  value_ms = duration.count();
  return Status::ok();
}

Status read_time_zone(const Options& settings, std::string& zone) {
  const std::string name = settings.get_string_or("table.local-time-zone", "default");
  if (name == "default") return Status::ok();
  TG_RETURN_IF_ERROR(TimeZone::find(name).status());
  zone = name;
  return Status::ok();
}

Status read_parallelism(const Options& settings, int& parallelism) {
  TG_ASSIGN_OR_RETURN(const std::int64_t fallback, settings.get_int_or("parallelism.default", 0));
  TG_ASSIGN_OR_RETURN(std::int64_t value,
                      settings.get_int_or("table.exec.resource.default-parallelism", -1));
  if (value <= 0) value = fallback;
  if (value > 32'768) {
    return error(ErrorCode::kInvalidOption, "a parallelism of {} is too large", value);
  }
  if (value > 0) parallelism = static_cast<int>(value);
  return Status::ok();
}

}  // namespace

Result<PlanSettings> PlanSettings::from(const Options& settings) {
  PlanSettings out;
  TG_RETURN_IF_ERROR(read_time_zone(settings, out.time_zone));
  TG_RETURN_IF_ERROR(read_parallelism(settings, out.parallelism));
  TG_RETURN_IF_ERROR(read_duration(settings, "table.exec.state.ttl", out.state_ttl_ms));
  TG_RETURN_IF_ERROR(
      read_duration(settings, "table.exec.source.idle-timeout", out.idle_timeout_ms));
  TG_ASSIGN_OR_RETURN(out.per_batch, settings.get_bool_or("table.exec.mini-batch.enabled", false));
  TG_RETURN_IF_ERROR(read_choice(settings, "table.exec.sink.upsert-materialize", "NONE|AUTO|FORCE",
                                 out.materialize));
  TG_RETURN_IF_ERROR(
      read_choice(settings, "table.exec.sink.not-null-enforcer", "ERROR|DROP", out.not_null));
  TG_RETURN_IF_ERROR(read_choice(settings, "table.exec.sink.type-length-enforcer",
                                 "IGNORE|TRIM_PAD|ERROR", out.length));
  TG_RETURN_IF_ERROR(read_choice(settings, "table.exec.sink.nested-constraint-enforcer",
                                 "IGNORE|ROWS|ROWS_AND_COLLECTIONS", out.nested));
  TG_RETURN_IF_ERROR(
      read_choice(settings, "output.mode", "CHANGES|APPEND|UPDATE|COMPLETE", out.output_mode));
  TG_RETURN_IF_ERROR(
      settings.get_choice_or("watermark.rule", "per-row|per-batch", "per-row").status());
  out.watermark_per_batch = is_watermark_per_batch(settings);
  return out;
}

bool is_watermark_per_batch(const Options& settings) {
  return settings.get_string_or("watermark.rule", "") == "per-batch";
}

}  // namespace tidegate
