// SPDX-License-Identifier: Apache-2.0
//
// Window aggregates over columns in memory, one operator called directly: 10 million clicks 1 ms
// apart and up to 2 s out of order, 1,000 URLs by Zipf's law, batches of 8192 rows. Tumbling
// windows against a hand-written loop, hopping windows (60 per row) against tumbling ones, and the
// memory that 10 million keys take.
//
//   window_aggregate [--json]

#include "operators/window_aggregate.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "expr/function_registry.h"
#include "measured_child.h"
#include "operators/partial_aggregate.h"
#include "state/state_backend.h"
#include "types/column.h"

namespace tidegate {
void register_function_count(FunctionRegistry& registry);
void register_function_min_max(FunctionRegistry& registry);
}  // namespace tidegate

namespace tidegate::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kBatchRows = 8192;
constexpr std::int64_t kBatches = 1221;
constexpr std::int64_t kEvents = kBatchRows * kBatches;
constexpr std::int64_t kKeyBatches = 128;  // key columns come again after so many batches
constexpr std::int64_t kUrls = 1000;
constexpr std::int64_t kDisorderMs = 2000;

/// Counts what comes out, so that results can be compared.
class Sum final : public Output {
 public:
  void emit(Batch batch) override {
    rows += batch.num_rows();
    const ArrayPtr& last = batch.column(batch.num_columns() - 1);
    if (last->type_id() == arrow::Type::INT64) {
      const auto* values = last->data()->GetValues<std::int64_t>(1);
      for (std::int64_t i = 0; i < batch.num_rows(); ++i)
        answer += static_cast<std::uint64_t>(values[i]);
    }
    if (next) next(std::move(batch));
  }
  void emit_side(int, Batch) override {}
  bool has_credit() const override { return true; }

  std::function<void(Batch)> next;
  std::int64_t rows = 0;
  std::uint64_t answer = 0;
};

class Context final : public OperatorContext {
 public:
  const std::string& operator_name() const override { return name_; }
  int subtask() const override { return 0; }
  int parallelism() const override { return 1; }
  KeyGroupRange key_groups() const override { return {}; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { TG_CHECK(false, "a window needs no executor"); }
  Waker waker() override { return {}; }
  StateBackend& state() override { return *state_; }
  MetricGroup& metrics() override { return registry_->group(name_, 0); }
  void request_wake_at(std::int64_t) override {}

 private:
  std::string name_ = "window";
  std::unique_ptr<StateBackend> state_ = make_memory_state_backend({});
  std::unique_ptr<MetricRegistry> registry_ = make_metric_registry();
};

void must(const Status& status) { TG_CHECK(status.is_ok(), "{}", status.to_string()); }
template <typename T>
T must(Result<T> result) {
  must(static_cast<const Result<T>&>(result).status());
  return *std::move(result);
}

/// URLs of 12 to 24 bytes; the n-th comes 1/n as often as the first.
std::vector<ArrayPtr> url_columns() {
  std::vector<double> up_to;
  double sum = 0;
  for (std::int64_t n = 1; n <= kUrls; ++n) up_to.push_back(sum += 1.0 / static_cast<double>(n));
  Random random(1);
  std::vector<ArrayPtr> columns;
  for (std::int64_t b = 0; b < kKeyBatches; ++b) {
    arrow::StringBuilder builder;
    for (std::int64_t row = 0; row < kBatchRows; ++row) {
      const auto found = std::lower_bound(up_to.begin(), up_to.end(), random.real() * sum);
      const auto n = static_cast<std::size_t>(found - up_to.begin());
      TG_CHECK(
          builder.Append("/catalogue/" + std::to_string(n * 7919) + std::string(n % 9, 'x')).ok(),
          "append");
    }
    columns.push_back(*builder.Finish());
  }
  return columns;
}

/// 10 million keys of 16 bytes, each once.
std::vector<ArrayPtr> distinct_columns() {
  std::vector<ArrayPtr> columns;
  std::uint64_t n = 0;
  for (std::int64_t b = 0; b < kBatches; ++b) {
    arrow::StringBuilder builder;
    for (std::int64_t row = 0; row < kBatchRows; ++row) {
      TG_CHECK(builder.Append(fmt::format("user-{:011}", n++ * 2654435761u % 100000000000u)).ok(),
               "append");
    }
    columns.push_back(*builder.Finish());
  }
  return columns;
}

std::vector<Batch> batches_of(const std::vector<ArrayPtr>& keys) {
  Random random(2);
  std::vector<Batch> batches;
  for (std::int64_t b = 0; b < kBatches; ++b) {
    std::shared_ptr<arrow::Buffer> times =
        *arrow::AllocateBuffer(kBatchRows * static_cast<std::int64_t>(sizeof(EventTime)));
    auto* time = times->mutable_data_as<EventTime>();
    for (std::int64_t row = 0; row < kBatchRows; ++row) {
      time[row] = 1'700'000'000'000 + b * kBatchRows + row -
                  static_cast<EventTime>(random.below(static_cast<std::uint64_t>(kDisorderMs)));
    }
    const ArrayPtr& urls = keys[static_cast<std::size_t>(b) % keys.size()];
    Batch batch(kBatchRows, {urls, std::make_shared<arrow::Int64Array>(kBatchRows, times)});
    batch.set_event_times(times);
    batches.push_back(std::move(batch));
  }
  return batches;
}

WindowAggregateOptions options_for(Window window, const char* function) {
  FunctionRegistry registry;
  register_function_count(registry);
  register_function_min_max(registry);
  const AggregateFunction* found = must(registry.find_aggregate(function));
  BoundAggregate aggregate;
  if (std::strcmp(function, "COUNT") == 0) {
    aggregate.aggregator = must(found->bind({}));
  } else {
    const LogicalType number[] = {LogicalType(TypeKind::kBigInt)};
    aggregate.aggregator = must(found->bind(number));
    aggregate.arguments = {1};
  }
  WindowAggregateOptions options;
  options.keys = {0};
  options.key_types = {LogicalType::string()};
  options.aggregates = {aggregate};
  options.window = window;
  return options;
}

/// Rows and watermarks as a source sends them: one behind each batch.
void drive(Operator& op, const std::vector<Batch>& batches, Output& out, TimeGrain grain,
           const std::function<void(EventTime)>& on_watermark = {}) {
  EventTime latest = kMinWatermark;
  for (const Batch& batch : batches) {
    must(op.process(0, batch, out));
    for (EventTime time : batch.event_times()) latest = std::max(latest, time);
    const EventTime watermark = grain.floor(latest - kDisorderMs);
    must(op.advance(watermark, out));
    if (on_watermark) on_watermark(watermark);
  }
  must(op.advance(kMaxWatermark, out));
  must(op.finish(out));
}

std::uint64_t run_window(const std::vector<Batch>& batches, Window window, const char* function) {
  const WindowAggregateOptions options = options_for(window, function);
  Context context;
  std::unique_ptr<Operator> op = must(make_window_aggregate(options));
  must(op->open(context));
  Sum out;
  drive(*op, batches, out, window_time_grain(window, 0, options.emit));
  return out.answer;
}

/// In front of and behind the exchange.
std::uint64_t run_partial(const std::vector<Batch>& batches, Window window) {
  WindowAggregateOptions options = options_for(window, "COUNT");
  std::unique_ptr<Operator> front = must(make_partial_aggregate(
      {options.keys, options.key_types, options.aggregates, options.window, 0, -1}));
  options.merges_partials = true;
  std::unique_ptr<Operator> back = must(make_window_aggregate(options));
  Context context;
  must(front->open(context));
  must(back->open(context));
  Sum out;
  Sum between;
  between.next = [&](Batch batch) { must(back->process(0, std::move(batch), out)); };
  drive(*front, batches, between, window_time_grain(window, 0, options.emit),
        [&](EventTime watermark) { must(back->advance(watermark, out)); });
  must(back->advance(kMaxWatermark, out));
  return out.answer;
}

/// What one would write by hand for this one query.
std::uint64_t hand_written(const std::vector<Batch>& batches, std::int64_t size_ms) {
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>()(key);
    }
  };
  using Windows =
      std::map<EventTime,
               boost::unordered_flat_map<std::string, std::int64_t, Hash, std::equal_to<>>>;
  Windows windows;
  std::uint64_t answer = 0;
  EventTime latest = kMinWatermark;
  for (const Batch& batch : batches) {
    const auto& urls = static_cast<const arrow::StringArray&>(*batch.column(0));
    EventTime start = kMinWatermark;
    Windows::mapped_type* counts = nullptr;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const EventTime time = batch.event_times()[static_cast<std::size_t>(row)];
      latest = std::max(latest, time);
      if (counts == nullptr || time < start || time >= start + size_ms) {
        start = time / size_ms * size_ms;
        counts = &windows[start];
      }
      const std::string_view url = urls.GetView(row);
      const auto found = counts->find(url);
      if (found != counts->end()) {
        ++found->second;
      } else {
        counts->emplace(std::string(url), 1);
      }
    }
    while (!windows.empty() && windows.begin()->first + size_ms <= latest - kDisorderMs) {
      for (const auto& [url, count] : windows.begin()->second)
        answer += static_cast<std::uint64_t>(count);
      windows.erase(windows.begin());
    }
  }
  for (const auto& [start, counts] : windows) {
    for (const auto& [url, count] : counts) answer += static_cast<std::uint64_t>(count);
  }
  return answer;
}

/// Counts per key in one window that never closes: bytes of state for all keys.
std::uint64_t state_of_distinct(const std::vector<Batch>& batches) {
  WindowAggregateOptions options = options_for(tumbling(minutes(1'000'000)), "COUNT");
  Context context;
  std::unique_ptr<Operator> op = must(make_window_aggregate(options));
  must(op->open(context));
  Sum out;
  for (const Batch& batch : batches) must(op->process(0, batch, out));
  return static_cast<std::uint64_t>(context.state().memory_bytes());
}

void report_memory(bool json, std::uint64_t state_bytes) {
  constexpr double kKeyAndAccumulator = 16 + 8;
  const double per_key =
      static_cast<double>(state_bytes) / static_cast<double>(kEvents) - kKeyAndAccumulator;
  if (json) {
    std::printf(
        "{\"bench\":\"window_aggregate\",\"case\":\"bytes per key beyond key and accumulator\","
        "\"events\":%lld,\"bytes_per_key\":%.1f,\"against\":\"limit of 120\",\"ratio\":%.3f}\n",
        static_cast<long long>(kEvents), per_key, per_key / 120);
  } else {
    std::printf("%lld keys: %.1f bytes per key beyond key and accumulator\n",
                static_cast<long long>(kEvents), per_key);
  }
}

int run(bool json) {
  const Window tumble = tumbling(minutes(5));
  const Window hop = hopping(minutes(5), seconds(5));
  const auto tell = [&](const char* name, const Cost& cost, const char* against = "",
                        double ratio = 0) {
    TG_CHECK(!cost.failed, "case '{}' failed", name);
    report(json, "window_aggregate", name, kEvents, cost, against, ratio);
  };
  {
    const std::vector<Batch> batches = batches_of(url_columns());
    const Cost hand = measure([&] { return hand_written(batches, 300'000); });
    tell("hand-written loop", hand);
    const Cost tumbles = measure([&] { return run_window(batches, tumble, "COUNT"); });
    TG_CHECK(tumbles.answer == hand.answer, "the loop counts {}, the operator {}", hand.answer,
             tumbles.answer);
    tell("tumble count", tumbles, "hand-written loop", hand.cpu_s / tumbles.cpu_s);
    const Cost hops = measure([&] { return run_window(batches, hop, "COUNT"); });
    TG_CHECK(hops.answer == 60 * hand.answer, "hop counts {}", hops.answer);
    // 60 times as many rows come out.
    tell("hop 60x count, 5 s slide, cost", hops, "tumble count", hops.cpu_s / tumbles.cpu_s);
    // The same rows come out as of the tumbling window, so this is what sharing slices costs.
    const Cost slow_hops =
        measure([&] { return run_window(batches, hopping(minutes(300), minutes(5)), "COUNT"); });
    tell("hop 60x count, 5 min slide, cost", slow_hops, "tumble count",
         slow_hops.cpu_s / tumbles.cpu_s);
    const Cost tumble_max = measure([&] { return run_window(batches, tumble, "MAX"); });
    tell("tumble max", tumble_max);
    const Cost hop_max = measure([&] { return run_window(batches, hop, "MAX"); });
    tell("hop 60x max, 5 s slide, cost", hop_max, "tumble max", hop_max.cpu_s / tumble_max.cpu_s);
    const Cost cumulates =
        measure([&] { return run_window(batches, cumulating(minutes(5), seconds(5)), "COUNT"); });
    tell("cumulate 60x count, 5 s step, cost", cumulates, "tumble count",
         cumulates.cpu_s / tumbles.cpu_s);
    const Cost partial = measure([&] { return run_partial(batches, tumble); });
    TG_CHECK(partial.answer == hand.answer, "partial aggregates count {}", partial.answer);
    tell("tumble count, partial", partial, "tumble count", tumbles.cpu_s / partial.cpu_s);
  }
  const std::vector<Batch> batches = batches_of(distinct_columns());
  const Cost distinct = measure([&] { return state_of_distinct(batches); });
  tell("10 million distinct keys", distinct);
  report_memory(json, distinct.answer);
  return 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  return tidegate::bench::run(argc > 1 && std::strcmp(argv[1], "--json") == 0);
}
