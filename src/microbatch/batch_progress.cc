// SPDX-License-Identifier: Apache-2.0
#include "tidegate/batch_progress.h"

#include "microbatch/json.h"
#include "types/time_text.h"

namespace tidegate {
namespace {

std::string time_text(std::int64_t ms) {
  std::string text;
  append_timestamp(ms, 3, 'T', Fraction::kFixed, text);
  return text + "Z";
}

/// An offset is JSON already.
json::value offset_json(const std::string& text) {
  boost::system::error_code failure;
  json::value value = json::parse(text, failure);
  return failure ? json_bytes(text) : value;
}

json::object source_json(const BatchSourceProgress& source) {
  json::object object;
  object["description"] = source.description;
  object["startOffset"] = offset_json(source.start_offset);
  object["endOffset"] = offset_json(source.end_offset);
  object["numInputRows"] = source.num_input_rows;
  object["inputRowsPerSecond"] = source.input_rows_per_second;
  object["processedRowsPerSecond"] = source.processed_rows_per_second;
  return object;
}

json::object state_json(const BatchStateProgress& state) {
  json::object object;
  object["operatorName"] = state.operator_name;
  object["numRowsTotal"] = state.num_rows_total;
  object["numRowsUpdated"] = state.num_rows_updated;
  object["numRowsRemoved"] = state.num_rows_removed;
  object["memoryUsedBytes"] = state.memory_used_bytes;
  object["numRowsDroppedByWatermark"] = state.num_rows_dropped_by_watermark;
  return object;
}

json::object event_time_json(const BatchProgress& progress) {
  json::object object;
  const auto add = [&](const char* name, const std::optional<EventTime>& time) {
    if (time) object[name] = time_text(*time);
  };
  add("watermark", progress.watermark);
  add("max", progress.max_event_time);
  add("min", progress.min_event_time);
  add("avg", progress.avg_event_time);
  return object;
}

}  // namespace

std::string BatchProgress::to_json() const {
  json::object durations;
  for (const auto& [step, ms] : duration_ms) durations[step] = ms;
  json::array operators;
  for (const BatchStateProgress& state : state_operators) operators.push_back(state_json(state));
  json::array inputs;
  for (const BatchSourceProgress& source : sources) inputs.push_back(source_json(source));
  json::array names;
  for (const std::string& sink_name : sinks) names.push_back(json::value(sink_name));
  json::object sink;
  sink["description"] = std::move(names);
  sink["numOutputRows"] = num_output_rows;

  json::object object;
  object["id"] = id;
  object["runId"] = run_id;
  object["name"] = name;
  object["timestamp"] = time_text(timestamp_ms);
  object["batchId"] = batch_id;
  object["numInputRows"] = num_input_rows;
  object["inputRowsPerSecond"] = input_rows_per_second;
  object["processedRowsPerSecond"] = processed_rows_per_second;
  object["durationMs"] = std::move(durations);
  object["eventTime"] = event_time_json(*this);
  object["stateOperators"] = std::move(operators);
  object["sources"] = std::move(inputs);
  object["sink"] = std::move(sink);
  return json::serialize(object);
}

}  // namespace tidegate
