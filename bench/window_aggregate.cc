// SPDX-License-Identifier: Apache-2.0
//
// The keyed window count by itself: columns in memory in, results out, no parsing and no threads.
// 1,000 URLs (Zipf), events 1 ms apart and up to 2 s out of order, batches of 8,192 rows.
//
//   window_aggregate [--json] [--events N]

#include "operators/window_aggregate.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "base/random.h"
#include "expr/function_registry.h"
#include "measured_child.h"
#include "state/state_backend.h"

namespace tidegate::bench {
namespace {

constexpr std::int64_t kBatchRows = 8192;
constexpr EventTime kStart = 1'700'000'000'000;

/// What an operator needs to run by itself.
class BareContext final : public OperatorContext {
 public:
  const std::string& operator_name() const override { return name_; }
  int subtask() const override { return 0; }
  int parallelism() const override { return 1; }
  KeyGroupRange key_groups() const override { return {}; }
  const Clock& clock() const override { return clock_; }
  Executor& executor() override { return *executor_; }
  Waker waker() override { return {}; }
  StateBackend& state() override { return *state_; }
  MetricGroup& metrics() override { return metrics_->group(name_, 0); }
  void request_wake_at(std::int64_t) override {}

 private:
  std::string name_ = "bench";
  VirtualClock clock_;
  std::unique_ptr<Executor> executor_ = make_simulated_executor(1, clock_);
  std::unique_ptr<StateBackend> state_ = make_memory_state_backend({});
  std::unique_ptr<MetricRegistry> metrics_ = make_metric_registry();
};

class CountingOutput final : public Output {
 public:
  void emit(Batch batch) override { rows += static_cast<std::uint64_t>(batch.num_rows()); }
  void emit_side(int, Batch) override {}
  bool has_credit() const override { return true; }
  std::uint64_t rows = 0;
};

template <typename T>
T value(Result<T> result) {
  TG_CHECK(result.is_ok(), "{}", result.status().to_string());
  return *std::move(result);
}

/// url STRING, ts BIGINT (ms), ready before the clock starts.
std::vector<Batch> click_batches(std::int64_t events) {
  std::vector<double> cumulative;
  double sum = 0;
  for (int k = 1; k <= 1000; ++k) cumulative.push_back(sum += 1.0 / std::pow(k, 1.1));
  Random random(7);
  std::vector<Batch> batches;
  for (std::int64_t first = 0; first < events; first += kBatchRows) {
    arrow::StringBuilder urls;
    arrow::Int64Builder times;
    for (std::int64_t i = first; i < std::min(events, first + kBatchRows); ++i) {
      const auto page =
          std::lower_bound(cumulative.begin(), cumulative.end(), random.real() * sum) -
          cumulative.begin();
      TG_CHECK(urls.Append("/page" + std::to_string(page)).ok(), "append");
      TG_CHECK(times.Append(kStart + i - static_cast<std::int64_t>(random.below(2001))).ok(),
               "append");
    }
    const std::int64_t rows = urls.length();
    batches.emplace_back(
        rows, std::vector<std::shared_ptr<arrow::Array>>{*urls.Finish(), *times.Finish()});
  }
  return batches;
}

WindowAggregateOptions count_per(LogicalType key, Window window) {
  WindowAggregateOptions options;
  options.keys = {0};
  options.key_types = {std::move(key)};
  options.window = window;
  options.time_column = 1;
  options.aggregates.push_back(
      {value(value(builtin_functions().find_aggregate("COUNT"))->bind({}))});
  return options;
}

/// Rows that come out when these batches go in, with the watermark 2 s behind after each batch.
std::uint64_t run(const std::vector<Batch>& batches, const WindowAggregateOptions& options) {
  BareContext context;
  CountingOutput out;
  const std::unique_ptr<Operator> count = value(make_window_aggregate(options));
  TG_CHECK(count->open(context).is_ok(), "open");
  const TimeGrain grain = window_time_grain(options.window, options.grace_ms, options.emit);
  EventTime announced = kMinWatermark;
  EventTime newest = kStart;
  for (const Batch& batch : batches) {
    value(count->process(0, batch, out));
    newest += batch.num_rows();
    const EventTime watermark = grain.floor(newest - 2'001);
    if (watermark > announced) value(count->advance(announced = watermark, out));
  }
  value(count->advance(kMaxWatermark, out));
  return out.rows;
}

/// 10 million keys in one window: what a row of state costs beyond its 8 bytes of key and 8 of
/// count.
std::uint64_t fill_keys(std::int64_t keys) {
  BareContext context;
  CountingOutput out;
  const std::unique_ptr<Operator> count = value(make_window_aggregate(
      count_per(LogicalType(TypeKind::kBigInt), tumbling(std::chrono::hours(24 * 365)))));
  TG_CHECK(count->open(context).is_ok(), "open");
  for (std::int64_t first = 0; first < keys; first += kBatchRows) {
    arrow::Int64Builder ids;
    arrow::Int64Builder times;
    for (std::int64_t i = first; i < std::min(keys, first + kBatchRows); ++i) {
      TG_CHECK(ids.Append(i * 7919).ok() && times.Append(kStart).ok(), "append");
    }
    const std::int64_t rows = ids.length();
    value(count->process(0, Batch(rows, {*ids.Finish(), *times.Finish()}), out));
  }
  return static_cast<std::uint64_t>(context.state().memory_bytes());
}

int main_with(bool json, std::int64_t events) {
  using namespace std::chrono_literals;
  // Made once here; the children share the pages.
  const std::vector<Batch> batches = click_batches(events);
  const auto measure_window = [&](Window window) {
    return measure([&] { return run(batches, count_per(LogicalType::string(false), window)); });
  };
  const Cost tumble = measure_window(tumbling(5min));
  report(json, "window", "tumble-5min", events, tumble);
  const Cost hop = measure_window(hopping(5min, 5s));
  report(json, "window", "hop-5min-by-5s", events, hop, "tumble-5min", tumble.cpu_s / hop.cpu_s);
  const Cost cumulate = measure_window(cumulating(5min, 5s));
  report(json, "window", "cumulate-5min-by-5s", events, cumulate, "tumble-5min",
         tumble.cpu_s / cumulate.cpu_s);
  constexpr std::int64_t kKeys = 10'000'000;
  const Cost keys = measure([&] { return fill_keys(kKeys); });
  report(json, "window", "10m-keys", kKeys, keys);
  std::fprintf(stderr, "state of 10 million keys: %.1f bytes a key beyond key and count\n",
               static_cast<double>(keys.answer) / static_cast<double>(kKeys) - 16);
  return tumble.failed || hop.failed || cumulate.failed || keys.failed ? 1 : 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  bool json = false;
  std::int64_t events = 10'000'000;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") json = true;
    if (std::string_view(argv[i]) == "--events" && i + 1 < argc) events = std::atoll(argv[++i]);
  }
  return tidegate::bench::main_with(json, events);
}
