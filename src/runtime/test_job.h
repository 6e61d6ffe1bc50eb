// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_primitive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "dataflow/graph.h"
#include "runtime/job.h"
#include "state/state_backend.h"
#include "state/state_table.h"

namespace tidegate::runtime_test {

// Sources, operators and sinks for tests of the runtime. All rows are (k, ts, v).

struct Row {
  std::int64_t k = 0;
  std::int64_t ts = 0;
  std::int64_t v = 0;
  friend auto operator<=>(const Row&, const Row&) = default;
  friend void PrintTo(const Row& row, std::ostream* out) {
    *out << "(" << row.k << " @" << row.ts << " " << row.v << ")";
  }
};
using Rows = std::vector<Row>;

inline Rows sorted_rows(Rows rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

inline Rows operator+(Rows a, const Rows& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline SchemaPtr row_schema() {
  const LogicalType bigint(TypeKind::kBigInt);
  return std::make_shared<Schema>(std::vector<Field>{{"k", bigint}, {"ts", bigint}, {"v", bigint}});
}

inline std::shared_ptr<arrow::Array> column_of(const Rows& rows, std::int64_t Row::*member) {
  arrow::Int64Builder builder;
  for (const Row& row : rows) TG_CHECK(builder.Append(row.*member).ok(), "append");
  return builder.Finish().ValueOrDie();
}

inline Batch batch_of(const Rows& rows) {
  return Batch(static_cast<std::int64_t>(rows.size()),
               {column_of(rows, &Row::k), column_of(rows, &Row::ts), column_of(rows, &Row::v)});
}

inline Polled polled(Polled::State state, Batch batch = {}) {
  Polled polled;
  polled.state = state;
  polled.batch = std::move(batch);
  return polled;
}

inline Rows rows_of(const Batch& batch) {
  Rows rows(static_cast<std::size_t>(batch.num_rows()));
  const auto values = [&](int column) {
    return static_cast<const arrow::Int64Array&>(*batch.column(column)).raw_values();
  };
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = {values(0)[i], values(1)[i], values(2)[i]};
  return rows;
}

// Splits held in memory. Readers hand out at most `poll_rows` rows at a time; after every
// `pending_every` polls they answer kPending, and something beside the task wakes them.
struct ListSourceOptions {
  std::int64_t poll_rows = 1'000'000;
  int pending_every = 0;
  bool bounded = true;
  bool splits_end = true;
  bool splits_in_sequence = false;
  bool waits_at_end = false;  // kPending instead of kEnd
  // Called for each poll; tells the test who reads when.
  std::function<void(const std::string& split)> on_poll = nullptr;
};

class ListSource final : public Source {
 public:
  explicit ListSource(std::vector<Rows> splits, ListSourceOptions options = {})
      : schema_(row_schema()), options_(std::move(options)) {
    for (std::size_t i = 0; i < splits.size(); ++i)
      splits_.emplace_back(fmt::format("split-{}", i), std::move(splits[i]));
  }

  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return options_.bounded; }
  bool splits_end() const override { return options_.splits_end; }
  bool splits_in_sequence() const override { return options_.splits_in_sequence; }
  Status open(SourceContext&) override { return open_status; }

  Result<Discovery> discover(const std::vector<std::string>& known) override {
    Discovery found;
    found.complete = options_.bounded;
    const std::lock_guard lock(mutex_);
    for (const auto& [id, rows] : splits_) {
      if (std::find(known.begin(), known.end(), id) == known.end())
        found.splits.push_back({id, ""});
    }
    return found;
  }
  std::int64_t discovery_interval_ms() const override { return 50; }

  // A split that later discoveries find.
  void add_split(const std::string& id, Rows rows) {
    const std::lock_guard lock(mutex_);
    splits_.emplace_back(id, std::move(rows));
  }

  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>& position,
                                                  SourceContext& context) override {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, rows] : splits_) {
      if (id != split.id) continue;
      const std::size_t at = position ? std::stoull(*position) : 0;
      most_open_ = std::max(most_open_, ++open_);
      return std::unique_ptr<SplitReader>(new Reader(*this, id, rows, at, context));
    }
    return error(ErrorCode::kFileNotFound, "no split '{}'", split.id);
  }

  // What committed() was called with, in order.
  std::vector<std::string> committed() const {
    const std::lock_guard lock(mutex_);
    return committed_;
  }

  int most_open() const {
    const std::lock_guard lock(mutex_);
    return most_open_;
  }

  Status open_status;

 private:
  class Reader final : public SplitReader {
   public:
    Reader(ListSource& source, std::string id, Rows rows, std::size_t at, SourceContext& context)
        : source_(source), id_(std::move(id)), rows_(std::move(rows)), at_(at), context_(context) {}
    ~Reader() override {
      const std::lock_guard lock(source_.mutex_);
      --source_.open_;
    }

    Result<Polled> poll(std::int64_t max_rows) override {
      const ListSourceOptions& options = source_.options_;
      if (options.on_poll) options.on_poll(id_);
      if (options.pending_every > 0 && ++polls_ % options.pending_every == 0) {
        context_.executor().submit([waker = context_.waker()] { waker.wake(); });
        return Polled{};
      }
      if (at_ == rows_.size())
        return polled(options.waits_at_end ? Polled::State::kPending : Polled::State::kEnd);
      const std::size_t count = std::min({rows_.size() - at_, static_cast<std::size_t>(max_rows),
                                          static_cast<std::size_t>(options.poll_rows)});
      const auto begin = rows_.begin() + static_cast<std::ptrdiff_t>(at_);
      at_ += count;
      return polled(Polled::State::kRows,
                    batch_of(Rows(begin, begin + static_cast<std::ptrdiff_t>(count))));
    }
    std::string position() const override { return std::to_string(at_); }
    void committed(const std::string& position) override {
      const std::lock_guard lock(source_.mutex_);
      source_.committed_.push_back(id_ + "@" + position);
    }

   private:
    ListSource& source_;
    const std::string id_;
    const Rows rows_;
    std::size_t at_;
    SourceContext& context_;
    int polls_ = 0;
  };

  SchemaPtr schema_;
  ListSourceOptions options_;
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, Rows>> splits_;
  std::vector<std::string> committed_;
  int open_ = 0;
  int most_open_ = 0;
};

// Rows become visible when their epoch is committed. Checks the contract of sinks as it goes.
class CollectSink final : public Sink {
 public:
  SinkGuarantee guarantee() const override { return SinkGuarantee::kTransactional; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override {
    return std::unique_ptr<SinkWriter>(new Writer(*this, context));
  }
  Status commit(EpochId epoch, const std::string& committable) override {
    const std::lock_guard lock(mutex_);
    if (commit_failures_ > 0) {
      --commit_failures_;
      return error(ErrorCode::kServiceUnreachable, "not now");
    }
    const auto found = prepared_.find(committable);
    if (found == prepared_.end()) return Status::ok();  // was committed before
    TG_CHECK(found->second.first == epoch, "epoch={}", epoch);
    for (const Row& row : found->second.second) visible_.emplace_back(epoch, row);
    prepared_.erase(found);
    return Status::ok();
  }
  Status abort(EpochId, const std::string& committable) override {
    const std::lock_guard lock(mutex_);
    prepared_.erase(committable);
    ++aborted_;
    return Status::ok();
  }

  // In the order of commits; of one task in the order of writing. `last`: the last epoch that
  // counts.
  Rows visible(EpochId last = UINT64_MAX) const {
    const std::lock_guard lock(mutex_);
    Rows rows;
    for (const auto& [epoch, row] : visible_)
      if (epoch <= last) rows.push_back(row);
    return rows;
  }
  Rows sorted() const { return sorted_rows(visible()); }
  // All that was written, committed or not.
  std::int64_t rows_written() const { return rows_written_.load(); }
  int prepared() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(prepared_.size());
  }
  int aborted() const {
    const std::lock_guard lock(mutex_);
    return aborted_;
  }
  void fail_commits(int count) {
    const std::lock_guard lock(mutex_);
    commit_failures_ = count;
  }

 private:
  class Writer final : public SinkWriter {
   public:
    Writer(CollectSink& sink, OperatorContext& context)
        : sink_(sink), subtask_(context.subtask()) {}
    Result<Progress> write(Batch batch) override {
      const Rows rows = rows_of(batch);
      rows_.insert(rows_.end(), rows.begin(), rows.end());
      sink_.rows_written_ += batch.num_rows();
      return Progress::kDone;
    }
    Result<std::string> prepare(EpochId epoch) override {
      if (rows_.empty()) return std::string();
      const std::lock_guard lock(sink_.mutex_);
      const std::string id = fmt::format("{}/{}/{}", subtask_, epoch, sink_.next_id_++);
      sink_.prepared_[id] = {epoch, std::exchange(rows_, {})};
      return id;
    }

   private:
    CollectSink& sink_;
    const int subtask_;
    Rows rows_;
  };

  mutable std::mutex mutex_;
  std::map<std::string, std::pair<EpochId, Rows>> prepared_;
  std::vector<std::pair<EpochId, Row>> visible_;
  std::atomic<std::int64_t> rows_written_{0};
  int next_id_ = 0;
  int aborted_ = 0;
  int commit_failures_ = 0;
};

// An operator from functions; those that are empty do nothing.
struct Steps {
  std::function<Status(OperatorContext&)> open;
  std::function<Result<Progress>(int input, Batch, Output&)> process;
  std::function<Result<Progress>(EventTime, Output&)> advance;
  std::function<Result<Progress>(std::int64_t, Output&)> wake;
  std::function<Result<Progress>(EpochId, Output&)> seal;
  std::function<Result<Progress>(Output&)> finish;
  std::function<Result<Progress>(Output&)> resume;
  std::function<EventTime(EventTime)> output_watermark;
};

class StepsOperator final : public Operator {
 public:
  explicit StepsOperator(Steps steps) : steps_(std::move(steps)) {}
  Status open(OperatorContext& context) override {
    return steps_.open ? steps_.open(context) : Status::ok();
  }
  Result<Progress> process(int input, Batch batch, Output& out) override {
    if (steps_.process) return steps_.process(input, std::move(batch), out);
    out.emit(std::move(batch));
    return Progress::kDone;
  }
  Result<Progress> advance(EventTime time, Output& out) override {
    return steps_.advance ? steps_.advance(time, out) : Progress::kDone;
  }
  Result<Progress> wake(std::int64_t wall_ms, Output& out) override {
    return steps_.wake ? steps_.wake(wall_ms, out) : Progress::kDone;
  }
  Result<Progress> seal(EpochId epoch, Output& out) override {
    return steps_.seal ? steps_.seal(epoch, out) : Progress::kDone;
  }
  Result<Progress> finish(Output& out) override {
    return steps_.finish ? steps_.finish(out) : Progress::kDone;
  }
  Result<Progress> resume(Output& out) override {
    return steps_.resume ? steps_.resume(out) : Progress::kDone;
  }
  EventTime output_watermark(EventTime time) const override {
    return steps_.output_watermark ? steps_.output_watermark(time) : time;
  }

 private:
  const Steps steps_;
};

using OperatorFactory = std::function<Result<std::unique_ptr<Operator>>()>;

inline OperatorFactory operator_of(std::function<Steps()> make_steps) {
  return [make_steps = std::move(make_steps)]() -> Result<std::unique_ptr<Operator>> {
    return std::unique_ptr<Operator>(new StepsOperator(make_steps()));
  };
}

inline OperatorFactory map_rows(std::function<Row(Row)> map) {
  return operator_of([map] {
    Steps steps;
    steps.process = [map](int, Batch batch, Output& out) -> Result<Progress> {
      Rows rows = rows_of(batch);
      for (Row& row : rows) row = map(row);
      Batch mapped = batch_of(rows);
      mapped.set_event_times(batch.event_times_buffer());
      out.emit(std::move(mapped));
      return Progress::kDone;
    };
    return steps;
  });
}

// Counts rows per key in tumbling windows over attached event times; emits (k, end, count) when the
// watermark reaches the end, a few rows at a time, late rows to side output 0.
class WindowCount final : public Operator {
 public:
  WindowCount(std::int64_t size_ms, std::int64_t rows_at_once)
      : size_ms_(size_ms), rows_at_once_(rows_at_once), codec_({LogicalType(TypeKind::kBigInt)}) {}

  static OperatorFactory factory(std::int64_t size_ms, std::int64_t rows_at_once = 100) {
    return [=]() -> Result<std::unique_ptr<Operator>> {
      return std::unique_ptr<Operator>(new WindowCount(size_ms, rows_at_once));
    };
  }

  Status open(OperatorContext& context) override {
    late_ = &context.metrics().counter("rows_late");
    StateTableSpec spec;
    spec.name = "counts";
    spec.layout = std::make_shared<FixedLayout>(8);
    TG_ASSIGN_OR_RETURN(table_, context.state().table(spec));
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    const Rows rows = rows_of(batch);
    TG_CHECK(batch.key_hashes().size() == rows.size(), "hashes={}", batch.key_hashes().size());
    TG_CHECK(batch.event_times().size() == rows.size(), "times={}", batch.event_times().size());
    TG_RETURN_IF_ERROR(codec_.encode(std::span(batch.columns()).first(1), batch.num_rows(), keys_));
    Rows late;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const EventTime time = batch.event_times()[i];
      const EventTime end = time - ((time % size_ms_) + size_ms_) % size_ms_ + size_ms_;
      if (end <= watermark_) {
        late.push_back(rows[i]);
        continue;
      }
      const StateKey key{keys_.key(static_cast<std::int64_t>(i)), batch.key_hashes()[i]};
      TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(end, key));
      ++*reinterpret_cast<std::int64_t*>(value);
    }
    late_->add(static_cast<std::int64_t>(late.size()));
    if (!late.empty()) out.emit_side(0, batch_of(late));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    watermark_ = watermark;
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    while (true) {
      for (; next_ < fired_.size() && out.has_credit();) {
        const std::size_t end =
            std::min(fired_.size(), next_ + static_cast<std::size_t>(rows_at_once_));
        out.emit(batch_of(Rows(fired_.begin() + static_cast<std::ptrdiff_t>(next_),
                               fired_.begin() + static_cast<std::ptrdiff_t>(end))));
        next_ = end;
      }
      if (next_ < fired_.size()) return Progress::kMore;
      const auto end = table_->first_namespace_at_or_below(watermark_);
      if (!end) return Progress::kDone;
      TG_RETURN_IF_ERROR(read_window(*end));
      table_->drop(*end);
    }
  }

 private:
  Status read_window(EventTime end) {
    fired_.clear();
    next_ = 0;
    RowCursor cursor;
    std::byte* values[16];
    while (const std::size_t count = table_->next(end, cursor, values)) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::string_view key = table_->key(values[i]);
        TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, codec_.decode(std::span(&key, 1)));
        fired_.push_back({static_cast<const arrow::Int64Array&>(*columns[0]).Value(0), end,
                          *reinterpret_cast<const std::int64_t*>(values[i])});
      }
    }
    std::sort(fired_.begin(), fired_.end());
    return Status::ok();
  }

  const std::int64_t size_ms_;
  const std::int64_t rows_at_once_;
  KeyCodec codec_;
  EncodedKeys keys_;
  StateTable* table_ = nullptr;
  Counter* late_ = nullptr;
  EventTime watermark_ = kMinWatermark;
  Rows fired_;
  std::size_t next_ = 0;
};

// Graphs from their parts.
class GraphBuilder {
 public:
  GraphBuilder() { graph_.job_name = "test"; }

  int source(std::shared_ptr<Source> source, WatermarkStrategy watermark = {},
             int parallelism = 0) {
    Node node;
    node.name = "source";
    node.parallelism = parallelism;
    node.source = std::move(source);
    node.watermark = std::move(watermark);
    node.schema = row_schema();
    return add(std::move(node));
  }
  int operate(std::string name, OperatorFactory factory, std::vector<Edge> inputs,
              int parallelism = 0, int sides = 0, TimeGrain grain = {0, 0}) {
    Node node;
    node.name = std::move(name);
    node.parallelism = parallelism;
    node.make_operator = std::move(factory);
    node.inputs = std::move(inputs);
    node.schema = row_schema();
    node.side_schemas.assign(static_cast<std::size_t>(sides), row_schema());
    node.time_grain = grain;
    return add(std::move(node));
  }
  int sink(std::shared_ptr<Sink> sink, std::vector<Edge> inputs, int parallelism = 0) {
    Node node;
    node.name = "sink";
    node.parallelism = parallelism;
    node.sink = std::move(sink);
    node.inputs = std::move(inputs);
    return add(std::move(node));
  }
  Graph build() { return graph_; }

 private:
  int add(Node node) {
    graph_.nodes.push_back(std::move(node));
    return static_cast<int>(graph_.nodes.size()) - 1;
  }
  Graph graph_;
};

inline Edge edge(int from, Exchange exchange = Exchange::kForward, int input = 0, int side = -1) {
  Edge edge;
  edge.from = from;
  edge.exchange = exchange;
  edge.input = input;
  edge.side = side;
  if (exchange == Exchange::kHash) edge.keys = {0};
  return edge;
}

inline WatermarkStrategy by_column(std::int64_t delay_ms = 0) {
  WatermarkStrategy strategy;
  strategy.kind = WatermarkStrategy::Kind::kBoundedDisorder;
  strategy.column = 1;
  strategy.delay_ms = delay_ms;
  return strategy;
}

// One job in a simulation: virtual time, one thread, seeded order.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed = 1)
      : clock(1'000), executor(make_simulated_executor(seed, clock)) {}

  Job& start(Graph graph, JobOptions options = {}) {
    options.executor = executor.get();
    options.clock = &clock;
    Result<std::unique_ptr<Job>> created = Job::create(std::move(graph), std::move(options));
    TG_CHECK(created.is_ok(), "{}", created.status().to_string());
    job = *std::move(created);
    const Status started = job->start();
    TG_CHECK(started.is_ok(), "{}", started.to_string());
    return *job;
  }
  Status run(Graph graph, JobOptions options = {}) {
    return start(std::move(graph), std::move(options)).await();
  }
  // Runs until the condition holds.
  void run_until(const std::function<bool()>& condition) {
    while (!condition()) TG_CHECK(executor->run_one(), "nothing to run any more");
  }

  VirtualClock clock;
  std::unique_ptr<SimulatedExecutor> executor;
  std::unique_ptr<Job> job;
};

MATCHER(IsOk, "") {
  if (arg.is_ok()) return true;
  *result_listener << arg.to_string();
  return false;
}

}  // namespace tidegate::runtime_test
