// SPDX-License-Identifier: Apache-2.0
#include "tidegate/test_driver.h"

#include <arrow/buffer.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "api/columns.h"
#include "api/formatted_rows.h"
#include "api/live_state.h"
#include "api/plan_state.h"
#include "api/session.h"
#include "api/test_source.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "expr/function_registry.h"
#include "plan/sink.h"
#include "plan/source.h"
#include "planner/lowering.h"
#include "runtime/job.h"

namespace tidegate {
namespace {

/// Keeps the rows that reach it.
class TestSink final : public Sink {
 public:
  SinkGuarantee guarantee() const override { return SinkGuarantee::kAtLeastOnce; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return std::unique_ptr<SinkWriter>(std::make_unique<Writer>(batches_));
  }
  std::vector<Batch> take() { return std::exchange(batches_, {}); }

 private:
  class Writer final : public SinkWriter {
   public:
    explicit Writer(std::vector<Batch>& batches) : batches_(batches) {}
    Result<Progress> write(Batch batch) override {
      batches_.push_back(std::move(batch));
      return Progress::kDone;
    }
    Result<std::string> prepare(EpochId) override { return std::string(); }

   private:
    std::vector<Batch>& batches_;
  };

  std::vector<Batch> batches_;
};

}  // namespace

class TestDriver::Session {
 public:
  Session(App& app, const TestOptions& options)
      : app_(app),
        options_(options),
        clock_(options.start.ms),
        executor_(make_simulated_executor(options.seed, clock_, options.parallelism)) {
    lowering_.job_name = app.plan().state().job_name;
    lowering_.parallelism = options.parallelism;
    lowering_.functions = &builtin_functions();
    std::vector<plan::NodePtr> roots = app.plan().state().sinks;
    for (plan::Node* node : plan::topological_order(roots)) {
      if (auto* source = dynamic_cast<plan::SourceNode*>(node)) {
        if (source->instance != nullptr && is_own(source->name)) continue;
        source_nodes_[source->name] = source;
        sources_[source->name] = std::make_shared<TestSource>(source->schema, options.splits);
        lowering_.sources[source->name] = sources_[source->name];
      } else if (auto* sink = dynamic_cast<plan::SinkNode*>(node)) {
        if (sink->instance != nullptr) continue;  // for_each works as it is
        sink_nodes_[sink->name] = sink;
        sinks_[sink->name] = std::make_shared<TestSink>();
        lowering_.sinks[sink->name] = sinks_[sink->name];
      }
    }
    start(nullptr);
  }

  void run() {
    executor_->run_ready();
    if (job_ != nullptr && is_terminal(job_->state()) && status_.is_ok()) status_ = job_->await();
  }
  void restart() {
    std::shared_ptr<const EpochRecord> record;
    const std::vector<EpochId> epochs = commits_->epochs();
    if (!epochs.empty()) {
      record = std::make_shared<EpochRecord>(commits_->restore_point(epochs.back()));
    }
    job_.reset();
    start(std::move(record));
  }
  Status push_text(std::string_view name, std::string_view text, int split) {
    TestSource& target = source(name);
    const plan::SourceNode& node = *source_nodes_.find(name)->second;
    TG_ASSIGN_OR_RETURN(Batch rows, decode_rows(text, node.schema, node.options, formats_));
    target.push(split, std::move(rows));
    run();
    return Status::ok();
  }
  Result<std::string> read_text(std::string_view name) {
    const std::vector<Batch> rows = sink(name).take();
    const plan::SinkNode& node = *sink_nodes_.find(name)->second;
    return encode_rows(rows, node.inputs[0].schema(), node.options, formats_);
  }
  TestSource& source(std::string_view name) {
    const auto found = sources_.find(name);
    TG_CHECK(found != sources_.end(), "the pipeline has no source '{}'", name);
    return *found->second;
  }
  TestSink& sink(std::string_view name) {
    const auto found = sinks_.find(name);
    TG_CHECK(found != sinks_.end(), "the pipeline has no sink '{}'", name);
    return *found->second;
  }
  std::map<std::string, std::shared_ptr<TestSource>, std::less<>>& sources() { return sources_; }
  /// Runs everything up to `target_ms` in the order of its deadlines.
  void advance_to(std::int64_t target_ms) {
    // A deadline of our own stops run_one() from moving the clock past the target.
    bool arrived = false;
    executor_->submit_at(target_ms * 1'000'000, [&arrived] { arrived = true; });
    while (!arrived && executor_->run_one()) {
    }
    run();
  }

  Result<StateReading> ask(std::string_view name, StateQuery query) {
    if (job_ == nullptr) return status_;
    const bool committed = query.committed;
    std::optional<Result<StateReading>> answer;
    job_->read_state(name, std::move(query),
                     [&](Result<StateReading> reading) { answer = std::move(reading); });
    run();
    if (committed && !answer) {
      job_->trigger_epoch();
      run();
    }
    TG_CHECK(answer.has_value(), "no task has answered for '{}'", name);
    return *std::move(answer);
  }

  VirtualClock& clock() { return clock_; }
  Job* job() { return job_.get(); }
  const Status& status() const { return status_; }

 private:
  bool is_own(const std::string& source) const {
    return std::ranges::find(options_.own_sources, source) != options_.own_sources.end();
  }
  void start(std::shared_ptr<const EpochRecord> restore) {
    Result<Graph> graph = lower(app_.plan().state().sinks, lowering_);
    if (!app_.plan().status().is_ok()) status_ = app_.plan().status();
    if (!graph.is_ok()) status_ = graph.status();
    if (!status_.is_ok()) return;
    JobOptions job;
    job.parallelism = options_.parallelism;
    job.executor = executor_.get();
    job.clock = &clock_;
    job.commit_policy = commits_;
    job.restore = std::move(restore);
    Result<std::unique_ptr<Job>> created = Job::create(*std::move(graph), std::move(job));
    if (created.is_ok()) {
      job_ = *std::move(created);
      status_ = job_->start();
    } else {
      status_ = created.status();
    }
    run();
  }

  App& app_;
  TestOptions options_;
  VirtualClock clock_;
  std::unique_ptr<SimulatedExecutor> executor_;
  std::shared_ptr<MemoryCommitPolicy> commits_ = std::make_shared<MemoryCommitPolicy>();
  LoweringOptions lowering_;
  FormatRegistry formats_ = formats_of(app_.plan());
  std::map<std::string, const plan::SourceNode*, std::less<>> source_nodes_;
  std::map<std::string, const plan::SinkNode*, std::less<>> sink_nodes_;
  std::map<std::string, std::shared_ptr<TestSource>, std::less<>> sources_;
  std::map<std::string, std::shared_ptr<TestSink>, std::less<>> sinks_;
  Status status_;
  std::unique_ptr<Job> job_;  // last: it uses all of the others
};

Result<LiveState::Found> TestDriver::read_rows(std::string_view name, const Wanted& wanted,
                                               const std::vector<ColumnSpec>& columns,
                                               const Visit& visit) const {
  const LiveQuery query{wanted.key, wanted.from, wanted.to, wanted.shows == Shows::kCommitted};
  TG_ASSIGN_OR_RETURN(
      StateReading reading,
      read_live_rows(std::bind_front(&Session::ask, session_.get()), name, query, columns, visit));
  return Found{reading.epoch, std::move(reading.elsewhere)};
}

Result<std::optional<std::string>> TestDriver::read_bytes(std::string_view name,
                                                          std::string_view state,
                                                          BatchWriter& key) const {
  return read_live_bytes(std::bind_front(&Session::ask, session_.get()), name, state, key);
}

TestDriver::TestDriver(App& app, TestOptions options)
    : session_(std::make_unique<Session>(app, options)) {}
TestDriver::~TestDriver() = default;
TestDriver::TestDriver(TestDriver&&) noexcept = default;
TestDriver& TestDriver::operator=(TestDriver&&) noexcept = default;

void TestDriver::push_rows(std::string_view source, int split, BatchWriter& rows,
                           const std::vector<RowKind>& kinds) {
  TestSource& target = session_->source(source);
  TG_CHECK(split >= 0 && split < target.num_splits(), "source '{}' has no split {}", source, split);
  // All rows are made of row 0 of a batch that has neither event times nor kinds.
  Result<Batch> batch = finish_batch(rows, Batch(1, {}));
  TG_CHECK(batch.is_ok(), "{}", batch.status().to_string());
  TG_CHECK(batch->num_columns() == target.schema()->num_fields(),
           "rows of {} columns for source '{}' with {}", batch->num_columns(), source,
           target.schema()->to_string());
  if (!kinds.empty()) batch->set_row_kinds(arrow::Buffer::FromVector(kinds));
  target.push(split, *std::move(batch));
  session_->run();
}

Status TestDriver::push_text(std::string_view source, std::string_view text, int split) {
  return session_->push_text(source, text, split);
}
Result<std::string> TestDriver::read_text(std::string_view sink) {
  return session_->read_text(sink);
}

void TestDriver::advance_event_time(std::string_view source, Timestamp t, int split) {
  session_->source(source).advance_event_time(split, t.ms);
  session_->run();
}

void TestDriver::advance_processing_time(std::chrono::milliseconds by) {
  session_->advance_to(session_->clock().wall_ms() + by.count());
}

void TestDriver::pause() {
  if (session_->job() != nullptr) session_->job()->pause(true);
}

void TestDriver::resume() {
  if (session_->job() != nullptr) session_->job()->pause(false);
  session_->run();
}

void TestDriver::end_input() {
  for (auto& [name, source] : session_->sources()) source->end();
  session_->run();
}

void TestDriver::end_epoch() {
  if (session_->job() != nullptr) session_->job()->trigger_epoch();
  session_->run();
}

void TestDriver::restart() { session_->restart(); }

void TestDriver::take_rows(std::string_view sink,
                           const std::function<void(const BatchView&)>& take) {
  for (const Batch& batch : session_->sink(sink).take()) take(view_of(batch));
}

JobProgress TestDriver::progress() const {
  return session_->job() != nullptr ? session_->job()->progress() : JobProgress();
}

std::int64_t TestDriver::rows_late() const {
  std::int64_t late = 0;
  for (const OperatorProgress& step : progress().operators) late += step.rows_late;
  return late;
}

Status TestDriver::status() const { return session_->status(); }

}  // namespace tidegate
