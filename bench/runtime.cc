// SPDX-License-Identifier: Apache-2.0
//
// What the runtime itself costs: handing a batch from step to step in a chain, across a channel
// between tasks, and through a hash exchange; and how long a row takes from source to sink at
// 10,000 rows a second.
//
//   runtime [--json] [--seconds N]      N: of the latency case (10)

#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_primitive.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "dataflow/graph.h"
#include "measured_child.h"
#include "runtime/job.h"
#include "state/state_table.h"

namespace tidegate::bench {
namespace {

// Rows are (k, stamp).
SchemaPtr row_schema() {
  const LogicalType bigint(TypeKind::kBigInt);
  return std::make_shared<Schema>(std::vector<Field>{{"k", bigint}, {"stamp", bigint}});
}

std::shared_ptr<arrow::Array> column_of(const std::vector<std::int64_t>& values) {
  arrow::Int64Builder builder;
  TG_CHECK(builder.AppendValues(values).ok(), "append");
  return builder.Finish().ValueOrDie();
}

Batch batch_of(std::int64_t num_rows, std::int64_t num_keys) {
  std::vector<std::int64_t> keys;
  for (std::int64_t i = 0; i < num_rows; ++i) keys.push_back(i % num_keys);
  return Batch(num_rows, {column_of(keys), column_of(keys)});
}

// One split that gives the same batch `count` times.
class RepeatingSource final : public Source {
 public:
  RepeatingSource(Batch batch, std::int64_t count) : batch_(std::move(batch)), count_(count) {}
  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return true; }
  Status open(SourceContext&) override { return Status::ok(); }
  Result<Discovery> discover(const std::vector<std::string>&) override {
    Discovery discovery;
    if (count_ > 0) discovery.splits.push_back({"all", ""});
    return discovery;
  }
  Result<std::unique_ptr<SplitReader>> open_split(const Split&, const std::optional<std::string>&,
                                                  SourceContext&) override {
    return std::unique_ptr<SplitReader>(new Reader(batch_, count_));
  }

 private:
  class Reader final : public SplitReader {
   public:
    Reader(Batch batch, std::int64_t count) : batch_(std::move(batch)), left_(count) {}
    Result<Polled> poll(std::int64_t) override {
      Polled polled;
      polled.state = left_-- > 0 ? Polled::State::kRows : Polled::State::kEnd;
      if (polled.state == Polled::State::kRows) polled.batch = batch_;
      return polled;
    }
    std::string position() const override { return ""; }

   private:
    const Batch batch_;
    std::int64_t left_;
  };

  const Batch batch_;
  const std::int64_t count_;
  const SchemaPtr schema_ = row_schema();
};

class PassOperator final : public Operator {
 public:
  Status open(OperatorContext&) override { return Status::ok(); }
  Result<Progress> process(int, Batch batch, Output& out) override {
    out.emit(std::move(batch));
    return Progress::kDone;
  }
};

// Counts rows per key and hands each on.
class KeyedCount final : public Operator {
 public:
  Status open(OperatorContext& context) override {
    StateTableSpec spec;
    spec.name = "counts";
    spec.layout = std::make_shared<FixedLayout>(8);
    TG_ASSIGN_OR_RETURN(table_, context.state().table(spec));
    return Status::ok();
  }
  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(codec_.encode(std::span(batch.columns()).first(1), batch.num_rows(), keys_));
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    TG_RETURN_IF_ERROR(table_->find_or_create(0, KeyBatch{keys_, batch.key_hashes()}, values_));
    for (std::byte* value : values_) ++*reinterpret_cast<std::int64_t*>(value);
    out.emit(std::move(batch));
    return Progress::kDone;
  }

 private:
  KeyCodec codec_{{LogicalType(TypeKind::kBigInt)}};
  EncodedKeys keys_;
  std::vector<std::byte*> values_;
  StateTable* table_ = nullptr;
};

class NullSink final : public Sink {
 public:
  SinkGuarantee guarantee() const override { return SinkGuarantee::kAtLeastOnce; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    class Writer final : public SinkWriter {
      Result<Progress> write(Batch) override { return Progress::kDone; }
      Result<std::string> prepare(EpochId) override { return std::string(); }
    };
    return std::unique_ptr<SinkWriter>(new Writer);
  }
};

template <typename T>
std::function<Result<std::unique_ptr<Operator>>()> make() {
  return []() -> Result<std::unique_ptr<Operator>> { return std::unique_ptr<Operator>(new T); };
}

Edge edge(int from, Exchange exchange = Exchange::kForward) {
  Edge edge;
  edge.from = from;
  edge.exchange = exchange;
  if (exchange == Exchange::kHash) edge.keys = {0};
  return edge;
}

int add(Graph& graph, Node node) {
  node.name = "node";
  if (node.sink == nullptr) node.schema = row_schema();
  graph.nodes.push_back(std::move(node));
  return static_cast<int>(graph.nodes.size()) - 1;
}

int add_source(Graph& graph, std::shared_ptr<Source> source, int parallelism = 1) {
  Node node;
  node.source = std::move(source);
  node.parallelism = parallelism;
  return add(graph, std::move(node));
}

template <typename T>
int add_operator(Graph& graph, std::vector<Edge> inputs, int parallelism = 1) {
  Node node;
  node.make_operator = make<T>();
  node.inputs = std::move(inputs);
  node.parallelism = parallelism;
  return add(graph, std::move(node));
}

void add_sink(Graph& graph, std::shared_ptr<Sink> sink, int from, int parallelism = 1) {
  Node node;
  node.sink = std::move(sink);
  node.inputs = {edge(from)};
  node.parallelism = parallelism;
  add(graph, std::move(node));
}

std::uint64_t run_job(Graph graph, int workers) {
  const std::unique_ptr<Executor> executor = make_thread_executor(workers);
  JobOptions options;
  options.executor = executor.get();
  Result<std::unique_ptr<Job>> job = Job::create(std::move(graph), options);
  TG_CHECK(job.is_ok(), "{}", job.status().to_string());
  TG_CHECK((*job)->start().is_ok(), "start");
  const Status ended = (*job)->await();
  TG_CHECK(ended.is_ok(), "{}", ended.to_string());
  return 0;
}

// source -> `steps` operators -> sink, as one chain; or with a channel in front of each operator,
// since an operator with a second input begins a chain.
std::uint64_t run_line(const Batch& batch, std::int64_t count, int steps, bool channels,
                       int workers) {
  Graph graph;
  int last = add_source(graph, std::make_shared<RepeatingSource>(batch, count));
  const int nothing =
      channels ? add_source(graph, std::make_shared<RepeatingSource>(batch, 0)) : -1;
  for (int i = 0; i < steps; ++i) {
    std::vector<Edge> inputs = {edge(last)};
    if (channels) inputs.push_back(edge(nothing));
    last = add_operator<PassOperator>(graph, std::move(inputs));
  }
  add_sink(graph, std::make_shared<NullSink>(), last);
  return run_job(std::move(graph), workers);
}

std::uint64_t run_exchange(const Batch& batch, std::int64_t count, int parallelism) {
  Graph graph;
  const int source = add_source(graph, std::make_shared<RepeatingSource>(batch, count));
  const int pass = add_operator<PassOperator>(graph, {edge(source, Exchange::kHash)}, parallelism);
  add_sink(graph, std::make_shared<NullSink>(), pass, parallelism);
  return run_job(std::move(graph), 1);
}

void report_hops(bool json, const std::string& name, const Batch& batch, std::int64_t count,
                 bool channels) {
  constexpr int kSteps = 16;
  const Cost none = measure([&] { return run_line(batch, count, 0, channels, 1); });
  Cost all = measure([&] { return run_line(batch, count, kSteps, channels, 1); });
  all.cpu_s -= none.cpu_s;
  all.wall_s -= none.wall_s;
  report(json, "runtime", name, count * kSteps, all);
  if (!json)
    std::printf("%52.0f ns a batch\n", all.cpu_s * 1e9 / static_cast<double>(count * kSteps));
}

// Rows from another thread: as soon as it says them they may be read.
class SpokenSource final : public Source {
 public:
  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return true; }
  bool splits_end() const override { return false; }
  Status open(SourceContext&) override { return Status::ok(); }
  Result<Discovery> discover(const std::vector<std::string>&) override {
    Discovery discovery;
    discovery.splits.push_back({"all", ""});
    return discovery;
  }
  Result<std::unique_ptr<SplitReader>> open_split(const Split&, const std::optional<std::string>&,
                                                  SourceContext& context) override {
    const std::lock_guard lock(mutex_);
    waker_ = context.waker();
    return std::unique_ptr<SplitReader>(new Reader(*this));
  }

  void say(std::int64_t key, std::int64_t stamp) {
    Waker waker;
    {
      const std::lock_guard lock(mutex_);
      keys_.push_back(key);
      stamps_.push_back(stamp);
      waker = waker_;
    }
    waker.wake();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    waker_.wake();
  }

 private:
  class Reader final : public SplitReader {
   public:
    explicit Reader(SpokenSource& source) : source_(source) {}
    Result<Polled> poll(std::int64_t) override {
      std::vector<std::int64_t> keys;
      std::vector<std::int64_t> stamps;
      Polled polled;
      {
        const std::lock_guard lock(source_.mutex_);
        keys.swap(source_.keys_);
        stamps.swap(source_.stamps_);
        if (keys.empty() && source_.ended_) polled.state = Polled::State::kEnd;
      }
      if (keys.empty()) return polled;
      polled.state = Polled::State::kRows;
      polled.batch =
          Batch(static_cast<std::int64_t>(keys.size()), {column_of(keys), column_of(stamps)});
      return polled;
    }
    std::string position() const override { return ""; }

   private:
    SpokenSource& source_;
  };

  std::mutex mutex_;
  std::vector<std::int64_t> keys_;
  std::vector<std::int64_t> stamps_;
  Waker waker_;
  bool ended_ = false;
  const SchemaPtr schema_ = row_schema();
};

// Remembers how long ago each row was said.
class LatencySink final : public Sink {
 public:
  SinkGuarantee guarantee() const override { return SinkGuarantee::kAtLeastOnce; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override {
    return std::unique_ptr<SinkWriter>(new Writer(*this, context.clock()));
  }
  std::vector<std::int64_t> sorted_ns() {
    std::sort(latencies_ns_.begin(), latencies_ns_.end());
    return latencies_ns_;
  }

 private:
  class Writer final : public SinkWriter {
   public:
    Writer(LatencySink& sink, const Clock& clock) : sink_(sink), clock_(clock) {}
    Result<Progress> write(Batch batch) override {
      const std::int64_t now_ns = clock_.monotonic_ns();
      const auto& stamps = static_cast<const arrow::Int64Array&>(*batch.column(1));
      const std::lock_guard lock(sink_.mutex_);
      for (std::int64_t i = 0; i < stamps.length(); ++i)
        sink_.latencies_ns_.push_back(now_ns - stamps.Value(i));
      return Progress::kDone;
    }
    Result<std::string> prepare(EpochId) override { return std::string(); }

   private:
    LatencySink& sink_;
    const Clock& clock_;
  };

  std::mutex mutex_;
  std::vector<std::int64_t> latencies_ns_;
};

struct Latency {
  std::int64_t rows = 0;
  double p50_us = 0;
  double p99_us = 0;
  double max_us = 0;
};

// source -> hash exchange -> keyed count -> sink, two tasks each, on two workers.
Latency run_latency(int seconds) {
  constexpr std::int64_t kRowsPerSecond = 10'000;
  constexpr std::int64_t kStepNs = 1'000'000'000 / kRowsPerSecond;
  const std::unique_ptr<Executor> executor = make_thread_executor(2);
  auto source = std::make_shared<SpokenSource>();
  auto sink = std::make_shared<LatencySink>();
  Graph graph;
  const int in = add_source(graph, source, 2);
  const int count = add_operator<KeyedCount>(graph, {edge(in, Exchange::kHash)}, 2);
  add_sink(graph, sink, count, 2);
  JobOptions options;
  options.executor = executor.get();
  options.epoch_interval_ms = 1'000;
  Result<std::unique_ptr<Job>> job = Job::create(std::move(graph), options);
  TG_CHECK(job.is_ok(), "{}", job.status().to_string());
  TG_CHECK((*job)->start().is_ok(), "start");

  const std::int64_t rows = kRowsPerSecond * seconds;
  const std::int64_t start_ns = system_clock().monotonic_ns();
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::chrono::nanoseconds due(start_ns + row * kStepNs);
    std::this_thread::sleep_until(std::chrono::steady_clock::time_point(due));
    source->say(row % 1'000, system_clock().monotonic_ns());
  }
  source->end();
  TG_CHECK((*job)->await().is_ok(), "await");

  const std::vector<std::int64_t> sorted_ns = sink->sorted_ns();
  TG_CHECK(static_cast<std::int64_t>(sorted_ns.size()) == rows, "rows={}", sorted_ns.size());
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted_ns.size() - 1));
    return static_cast<double>(sorted_ns[index]) / 1'000;
  };
  return {rows, at(0.5), at(0.99), at(1)};
}

void report_latency(bool json, int seconds) {
  const Latency latency = run_latency(seconds);
  if (json) {
    std::printf(
        "{\"bench\":\"runtime\",\"case\":\"latency at 10000 rows/s\",\"events\":%lld,"
        "\"p50_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f}\n",
        static_cast<long long>(latency.rows), latency.p50_us, latency.p99_us, latency.max_us);
  } else {
    std::printf("runtime    latency at 10000 rows/s   p50 %.0f us, p99 %.0f us, max %.0f us\n",
                latency.p50_us, latency.p99_us, latency.max_us);
  }
}

int run(bool json, int seconds) {
  const Batch one = batch_of(1, 1);
  const Batch many = batch_of(8'192, 1'000);
  report_hops(json, "chain, 1 row", one, 1'000'000, false);
  report_hops(json, "chain, 8192 rows", many, 100'000, false);
  report_hops(json, "channel, 1 row", one, 200'000, true);
  report_hops(json, "channel, 8192 rows", many, 100'000, true);
  for (int parallelism : {1, 2, 8}) {
    constexpr std::int64_t kBatches = 5'000;
    const Cost cost = measure([&] { return run_exchange(many, kBatches, parallelism); });
    report(json, "runtime", "hash exchange to " + std::to_string(parallelism),
           kBatches * many.num_rows(), cost);
  }
  report_latency(json, seconds);
  return 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  bool json = false;
  int seconds = 10;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) json = true;
    if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) seconds = std::atoi(argv[++i]);
  }
  return tidegate::bench::run(json, seconds);
}
