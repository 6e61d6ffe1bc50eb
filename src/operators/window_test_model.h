// SPDX-License-Identifier: Apache-2.0
//
// For the tests of windows: rows, scripts with the watermarks that a source would announce for
// them, and readable results.
#pragma once

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "expr/function_registry.h"
#include "operators/window_aggregate.h"
#include "tests/support/operator_harness.h"
#include "types/column.h"
#include "windows/window_time.h"

namespace tidegate {
// Those that the tests use; all built-in functions take long to build.
void register_function_count(FunctionRegistry& registry);
void register_function_sum(FunctionRegistry& registry);
void register_function_min_max(FunctionRegistry& registry);
}  // namespace tidegate

namespace tidegate::window_test {

/// A row of the input: key, time, n. Columns: key STRING, ts TIMESTAMP(3), n BIGINT.
struct Row {
  std::string key;
  EventTime time = 0;
  std::int64_t n = 1;
  RowKind kind = RowKind::kInsert;
};

inline ArrayPtr must(arrow::ArrayBuilder& builder) {
  auto array = builder.Finish();
  TG_CHECK(array.ok(), "{}", array.status().ToString());
  return *array;
}

/// A time of kNoTime is null, and so is the key "null".
inline constexpr EventTime kNoTime = kMinWatermark;

inline Batch batch_of_rows(const std::vector<Row>& rows) {
  arrow::StringBuilder keys;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MILLI),
                                arrow::default_memory_pool());
  arrow::Int64Builder numbers;
  std::vector<RowKind> kinds;
  bool inserts = true;
  for (const Row& row : rows) {
    TG_CHECK((row.key == "null" ? keys.AppendNull() : keys.Append(row.key)).ok(), "key");
    TG_CHECK((row.time == kNoTime ? times.AppendNull() : times.Append(row.time)).ok(), "time");
    TG_CHECK(numbers.Append(row.n).ok(), "n");
    kinds.push_back(row.kind);
    inserts = inserts && row.kind == RowKind::kInsert;
  }
  Batch batch(std::ssize(rows), {must(keys), must(times), must(numbers)});
  return inserts ? batch : with_row_kinds(std::move(batch), kinds);
}

/// What a source with bounded disorder does with one split: the watermark follows every row, and a
/// batch ends in front of a row that is behind what has been reached (seen with `grain`), and
/// besides at random when `random` is given. One batch per row when `by_row`.
inline Script script_of(const std::vector<Row>& rows, std::int64_t delay_ms, TimeGrain grain,
                        Random* random = nullptr, bool by_row = false) {
  Script script;
  std::vector<Row> batch;
  EventTime reached = kMinWatermark;
  EventTime announced = kMinWatermark;
  const auto cut = [&] {
    if (!batch.empty()) script.push_back({0, batch_of_rows(batch), kMinWatermark});
    batch.clear();
    if (reached > announced) script.push_back({0, Batch(), reached});
    announced = reached;
  };
  for (const Row& row : rows) {
    if (row.time != kNoTime && row.time < reached) cut();
    if (random != nullptr && random->below(20) == 0) cut();
    batch.push_back(row);
    if (row.time != kNoTime) reached = std::max(reached, grain.floor(row.time - delay_ms));
    if (by_row) cut();
  }
  cut();
  return script;
}

/// "+I a [0,10) 3 6": kind, key, window, results.
inline std::vector<std::string> texts_of(const std::vector<Batch>& batches, bool windows = true) {
  std::vector<std::string> texts;
  for (const Batch& batch : batches) {
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      std::string text(row_kind_symbol(batch.row_kind(row)));
      const auto& keys = static_cast<const arrow::StringArray&>(*batch.column(0));
      text += " " + (keys.IsNull(row) ? std::string("null") : keys.GetString(row));
      int column = 1;
      if (windows) {
        const auto at = [&](int c) {
          return static_cast<const arrow::TimestampArray&>(*batch.column(c)).Value(row);
        };
        text += fmt::format(" [{},{})", at(1), at(2));
        column = 3;
      }
      for (; column < batch.num_columns(); ++column) {
        auto value = batch.column(column)->GetScalar(row);
        text += " " + ((*value)->is_valid ? (*value)->ToString() : "null");
      }
      texts.push_back(text);
    }
  }
  return texts;
}

inline BoundAggregate aggregate(const std::string& name, std::vector<int> arguments = {}) {
  const std::vector<LogicalType> types(arguments.size(), LogicalType(TypeKind::kBigInt));
  FunctionRegistry registry;
  register_function_count(registry);
  register_function_sum(registry);
  register_function_min_max(registry);
  auto function = registry.find_aggregate(name);
  TG_CHECK(function.is_ok(), "{}", function.status().to_string());
  auto bound = (*function)->bind(types);
  TG_CHECK(bound.is_ok(), "{}", bound.status().to_string());
  return {.aggregator = *std::move(bound), .arguments = std::move(arguments)};
}

inline WindowAggregateOptions options_for(Window window, std::vector<BoundAggregate> aggregates) {
  WindowAggregateOptions options;
  options.keys = {0};
  options.key_types = {LogicalType::string()};
  options.aggregates = std::move(aggregates);
  options.window = window;
  options.time_column = 1;
  return options;
}

inline OperatorFactory factory_of(const WindowAggregateOptions& options) {
  return [options] { return make_window_aggregate(options); };
}

/// Rows at most `disorder` behind the latest, a few of them much further.
inline std::vector<Row> random_rows(Random& random, int count, std::int64_t disorder,
                                    std::int64_t far_behind = 0) {
  std::vector<Row> rows;
  EventTime now = -200;
  for (int i = 0; i < count; ++i) {
    now += static_cast<EventTime>(random.below(8));
    EventTime time =
        now - static_cast<EventTime>(random.below(static_cast<std::uint64_t>(disorder) + 1));
    if (far_behind > 0 && random.below(10) == 0) {
      time -= static_cast<EventTime>(random.below(static_cast<std::uint64_t>(far_behind)));
    }
    const std::string key(1, static_cast<char>('a' + random.below(6)));
    rows.push_back({key, time, static_cast<std::int64_t>(random.below(100)) - 50});
  }
  return rows;
}

inline std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

/// What one list has more of than the other, for messages.
inline std::string difference(std::vector<std::string> got, std::vector<std::string> expected) {
  got = sorted(std::move(got));
  expected = sorted(std::move(expected));
  std::vector<std::string> more;
  std::vector<std::string> less;
  std::set_difference(got.begin(), got.end(), expected.begin(), expected.end(),
                      std::back_inserter(more));
  std::set_difference(expected.begin(), expected.end(), got.begin(), got.end(),
                      std::back_inserter(less));
  std::string text;
  for (const std::string& row : more) text += "too much: " + row + "\n";
  for (const std::string& row : less) text += "missing: " + row + "\n";
  return text;
}

/// Runs a script to its end.
struct Outcome {
  std::vector<std::string> rows;
  std::vector<std::string> late;
  std::int64_t rows_late = 0;
};
inline Outcome run(const WindowAggregateOptions& options, const Script& script,
                   HarnessOptions harness_options = {}) {
  OperatorHarness harness(factory_of(options), harness_options);
  for (const ScriptStep& step : script) {
    if (step.batch.num_rows() > 0) harness.push(step.batch);
    if (step.watermark != kMinWatermark) harness.advance(step.watermark);
  }
  harness.finish();
  const bool windows =
      options.window.kind != Window::Kind::kCount && options.window.kind != Window::Kind::kGlobal;
  return {texts_of(harness.take_batches(), windows), harness.take_side(0),
          harness.counter("rows_late")};
}

}  // namespace tidegate::window_test
