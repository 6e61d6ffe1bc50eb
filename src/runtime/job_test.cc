// SPDX-License-Identifier: Apache-2.0
#include "runtime/job.h"

#include <stdexcept>

#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;

Rows numbered(std::int64_t count, std::int64_t keys = 7) {
  Rows rows;
  for (std::int64_t i = 0; i < count; ++i) rows.push_back({i % keys, i * 10, i});
  return rows;
}

TEST(JobTest, ChainPassesRowsInOrder) {
  auto sink = std::make_shared<CollectSink>();
  GraphBuilder graph;
  const int source = graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(5)}));
  const int map = graph.operate("add", map_rows([](Row row) {
                                  row.v += 100;
                                  return row;
                                }),
                                {edge(source)});
  graph.sink(sink, {edge(map)});
  Simulation simulation;
  EXPECT_THAT(simulation.run(graph.build()), IsOk());
  EXPECT_EQ(simulation.job->state(), JobState::kFinished);
  EXPECT_THAT(sink->visible(), ElementsAre(Row{0, 0, 100}, Row{1, 10, 101}, Row{2, 20, 102},
                                           Row{3, 30, 103}, Row{4, 40, 104}));
}

// Every exchange, between every pair of parallelisms, loses nothing and doubles nothing.
class ExchangeTest : public ::testing::TestWithParam<std::tuple<Exchange, int, int>> {};

TEST_P(ExchangeTest, DeliversEveryRow) {
  const auto [exchange, from, to] = GetParam();
  const std::vector<Rows> splits = {numbered(100), numbered(50), {}, numbered(1)};
  Rows expected;
  for (const Rows& split : splits) expected.insert(expected.end(), split.begin(), split.end());
  if (exchange == Exchange::kBroadcast) {
    const Rows once = expected;
    for (int i = 1; i < to; ++i) expected.insert(expected.end(), once.begin(), once.end());
  }
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    auto sink = std::make_shared<CollectSink>();
    GraphBuilder graph;
    const int source = graph.source(
        std::make_shared<ListSource>(splits, ListSourceOptions{.poll_rows = 9, .pending_every = 4}),
        {}, from);
    const int middle = graph.operate("middle", map_rows([](Row row) { return row; }),
                                     {edge(source, exchange)}, to);
    graph.sink(sink, {edge(middle)}, to);
    Simulation simulation(seed);
    ASSERT_THAT(simulation.run(graph.build()), IsOk());
    EXPECT_EQ(sink->sorted(), sorted_rows(expected));
  }
}

INSTANTIATE_TEST_SUITE_P(All, ExchangeTest,
                         ::testing::Combine(::testing::Values(Exchange::kForward, Exchange::kHash,
                                                              Exchange::kRebalance,
                                                              Exchange::kBroadcast),
                                            ::testing::Values(1, 2, 3),
                                            ::testing::Values(1, 2, 3)));

TEST(JobTest, HashExchangeGivesEachKeyToTheOwnerOfItsGroup) {
  std::map<std::int64_t, std::set<int>> owners;  // by key
  GraphBuilder graph;
  const int source = graph.source(
      std::make_shared<ListSource>(std::vector<Rows>{numbered(1'000, 50), numbered(1'000, 50)}), {},
      2);
  graph.operate("see", operator_of([&owners] {
                  auto context = std::make_shared<OperatorContext*>();
                  Steps steps;
                  steps.open = [context](OperatorContext& given) {
                    *context = &given;
                    return Status::ok();
                  };
                  steps.process = [&owners, context](int, Batch batch,
                                                     Output&) -> Result<Progress> {
                    for (std::uint64_t hash : batch.key_hashes()) {
                      EXPECT_TRUE((*context)->key_groups().contains(key_group_of(hash, 128)));
                    }
                    for (const Row& row : rows_of(batch))
                      owners[row.k].insert((*context)->subtask());
                    return Progress::kDone;
                  };
                  return steps;
                }),
                {edge(source, Exchange::kHash)}, 3);
  Simulation simulation;
  ASSERT_THAT(simulation.run(graph.build()), IsOk());
  EXPECT_THAT(owners, SizeIs(50));
  std::set<int> used;
  for (const auto& [key, subtasks] : owners) {
    EXPECT_THAT(subtasks, SizeIs(1)) << key;
    used.insert(subtasks.begin(), subtasks.end());
  }
  EXPECT_THAT(used, SizeIs(3));
}

TEST(JobTest, UnionAndSeparateInputs) {
  auto sink = std::make_shared<CollectSink>();
  GraphBuilder graph;
  const int a = graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(10)}));
  const int b = graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(20)}));
  const int c = graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(30)}));
  const int join =
      graph.operate("join", operator_of([] {
                      Steps steps;
                      steps.process = [](int input, Batch batch, Output& out) -> Result<Progress> {
                        Rows rows = rows_of(batch);
                        for (Row& row : rows) row = {input, 0, 1};
                        out.emit(batch_of(rows));
                        return Progress::kDone;
                      };
                      return steps;
                    }),
                    {edge(a), edge(b), edge(c, Exchange::kForward, 1)});
  graph.sink(sink, {edge(join)});
  Simulation simulation;
  ASSERT_THAT(simulation.run(graph.build()), IsOk());
  const Rows rows = sink->visible();
  EXPECT_EQ(std::count(rows.begin(), rows.end(), Row{0, 0, 1}), 30);
  EXPECT_EQ(std::count(rows.begin(), rows.end(), Row{1, 0, 1}), 30);
}

// One event turns into ten million rows: the operator has to pause, and nothing piles up.
TEST(JobTest, BackPressureBoundsWhatIsUnderWay) {
  constexpr std::int64_t kRows = 10'000'000;
  constexpr std::int64_t kBatchRows = 1'000;
  std::int64_t emitted = 0;
  std::int64_t taken = 0;
  std::int64_t most_under_way = 0;
  const Batch thousand = batch_of(Rows(kBatchRows, Row{1, 2, 3}));
  GraphBuilder graph;
  const int source = graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(1)}));
  const int flood =
      graph.operate("flood", operator_of([&] {
                      const auto emit = [&](Output& out) -> Result<Progress> {
                        while (emitted < kRows) {
                          if (!out.has_credit()) return Progress::kMore;
                          out.emit(thousand);
                          emitted += kBatchRows;
                          most_under_way = std::max(most_under_way, emitted - taken);
                        }
                        return Progress::kDone;
                      };
                      Steps steps;
                      steps.process = [emit](int, Batch, Output& out) { return emit(out); };
                      steps.resume = emit;
                      return steps;
                    }),
                    {edge(source)}, 1);
  graph.operate("count", operator_of([&] {
                  Steps steps;
                  steps.process = [&](int, Batch batch, Output&) -> Result<Progress> {
                    taken += batch.num_rows();
                    return Progress::kDone;
                  };
                  return steps;
                }),
                {edge(flood, Exchange::kRebalance)}, 2);
  Simulation simulation;
  ASSERT_THAT(simulation.run(graph.build()), IsOk());
  EXPECT_EQ(taken, kRows);
  const ChannelLimits limits;
  EXPECT_LE(most_under_way, 3 * limits.rows + kBatchRows);
}

// An operator that ignores credit is still correct.
TEST(JobTest, WithoutRegardForCredit) {
  auto sink = std::make_shared<CollectSink>();
  GraphBuilder graph;
  const int source = graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(1)}));
  const int flood =
      graph.operate("flood", operator_of([] {
                      Steps steps;
                      steps.process = [](int, Batch batch, Output& out) -> Result<Progress> {
                        for (int i = 0; i < 10'000; ++i) out.emit(batch);
                        return Progress::kDone;
                      };
                      return steps;
                    }),
                    {edge(source)}, 1);
  graph.sink(sink, {edge(flood, Exchange::kHash)}, 2);
  JobOptions options;
  options.channel.rows = 10;
  Simulation simulation;
  ASSERT_THAT(simulation.run(graph.build(), options), IsOk());
  EXPECT_THAT(sink->visible(), SizeIs(10'000));
}

// Blocks on each batch until something beside the task wakes it; order stays, also of watermarks.
OperatorFactory blocks_on_each_batch() {
  return operator_of([] {
    struct Memory {
      OperatorContext* context = nullptr;
      std::optional<Batch> held;
    };
    auto memory = std::make_shared<Memory>();
    Steps steps;
    steps.open = [memory](OperatorContext& context) {
      memory->context = &context;
      return Status::ok();
    };
    steps.process = [memory](int, Batch batch, Output&) -> Result<Progress> {
      EXPECT_FALSE(memory->held) << "called while blocked";
      memory->held = std::move(batch);
      memory->context->executor().submit([waker = memory->context->waker()] { waker.wake(); });
      return Progress::kBlocked;
    };
    steps.advance = [memory](EventTime, Output&) -> Result<Progress> {
      EXPECT_FALSE(memory->held) << "watermark overtakes";
      return Progress::kDone;
    };
    steps.resume = [memory](Output& out) -> Result<Progress> {
      EXPECT_TRUE(memory->held);
      out.emit(*std::exchange(memory->held, std::nullopt));
      return Progress::kDone;
    };
    return steps;
  });
}

TEST(JobTest, BlockedOperatorGoesOnWhenWoken) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto sink = std::make_shared<CollectSink>();
    GraphBuilder graph;
    const int source = graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(50)},
                                                                 ListSourceOptions{.poll_rows = 3}),
                                    by_column());
    const int blocks =
        graph.operate("blocks", blocks_on_each_batch(), {edge(source)}, 0, 0, {1, 0});
    const int again = graph.operate("again", blocks_on_each_batch(), {edge(blocks)});
    graph.sink(sink, {edge(again)});
    Simulation simulation(seed);
    ASSERT_THAT(simulation.run(graph.build()), IsOk());
    EXPECT_EQ(sink->visible(), numbered(50));
  }
}

// Rows that a watermark sets free come before it, also when they do not fit in one go.
TEST(JobTest, AWatermarkWaitsForWhatItSetsFree) {
  std::vector<std::string> seen;
  GraphBuilder graph;
  const int source =
      graph.source(std::make_shared<ListSource>(std::vector<Rows>{{{1, 100, 0}}}), by_column());
  const int fires = graph.operate(
      "fires", operator_of([] {
        auto left = std::make_shared<int>(0);
        Steps steps;
        steps.process = [](int, Batch, Output&) -> Result<Progress> { return Progress::kDone; };
        steps.resume = [left](Output& out) -> Result<Progress> {
          while (*left > 0) {
            if (!out.has_credit()) return Progress::kMore;
            out.emit(batch_of({{1, 50, --*left}}));
          }
          return Progress::kDone;
        };
        steps.advance = [left, resume = steps.resume](EventTime, Output& out) {
          *left = 20;
          return resume(out);
        };
        return steps;
      }),
      {edge(source)}, 1, 0, {1, 0});
  graph.operate("see", operator_of([&seen] {
                  Steps steps;
                  steps.process = [&seen](int, Batch, Output&) -> Result<Progress> {
                    if (seen.empty() || seen.back() != "rows") seen.emplace_back("rows");
                    return Progress::kDone;
                  };
                  steps.advance = [&seen](EventTime, Output&) -> Result<Progress> {
                    seen.emplace_back("watermark");
                    return Progress::kDone;
                  };
                  return steps;
                }),
                {edge(fires, Exchange::kBroadcast)}, 2);
  JobOptions options;
  options.channel.rows = 3;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    seen.clear();
    Simulation simulation(seed);
    ASSERT_THAT(simulation.run(graph.build(), options), IsOk());
    EXPECT_EQ(std::count(seen.begin(), seen.end(), "watermark"), 4);
    EXPECT_EQ(seen.front(), "rows");
    EXPECT_EQ(seen.back(), "watermark");
  }
}

// An operator that holds a watermark back lets it go with a later call.
TEST(JobTest, HeldWatermarksAreLetGo) {
  std::vector<EventTime> announced;
  GraphBuilder graph;
  const int source = graph.source(
      std::make_shared<ListSource>(std::vector<Rows>{{{1, 10, 0}, {1, 20, 0}, {1, 30, 0}}},
                                   ListSourceOptions{.poll_rows = 1}),
      by_column());
  const int holds =
      graph.operate("holds", operator_of([] {
                      auto rows = std::make_shared<int>(0);
                      Steps steps;
                      steps.process = [rows](int, Batch, Output&) -> Result<Progress> {
                        ++*rows;
                        return Progress::kDone;
                      };
                      steps.output_watermark = [rows](EventTime time) {
                        return *rows < 3 ? std::min<EventTime>(time, 5) : time;
                      };
                      return steps;
                    }),
                    {edge(source)}, 1, 0, {1, 0});
  graph.operate("see", operator_of([&announced] {
                  Steps steps;
                  steps.advance = [&announced](EventTime time, Output&) -> Result<Progress> {
                    announced.push_back(time);
                    return Progress::kDone;
                  };
                  return steps;
                }),
                {edge(holds)});
  Simulation simulation;
  ASSERT_THAT(simulation.run(graph.build()), IsOk());
  EXPECT_THAT(announced, ElementsAre(5, 20, 30, kMaxWatermark));
}

TEST(JobTest, WakesAtAWallTime) {
  std::vector<std::int64_t> woken;
  GraphBuilder graph;
  ListSourceOptions options{.bounded = false, .splits_end = false, .waits_at_end = true};
  const int source =
      graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(1)}, options));
  graph.operate("timer", operator_of([&woken] {
                  auto context = std::make_shared<OperatorContext*>();
                  Steps steps;
                  steps.open = [context](OperatorContext& given) {
                    *context = &given;
                    return Status::ok();
                  };
                  steps.process = [context](int, Batch, Output&) -> Result<Progress> {
                    (*context)->request_wake_at(5'000);
                    (*context)->request_wake_at(3'000);
                    (*context)->request_wake_at(4'000);
                    return Progress::kDone;
                  };
                  steps.wake = [context, &woken](std::int64_t wall_ms,
                                                 Output&) -> Result<Progress> {
                    woken.push_back(wall_ms);
                    if (woken.size() == 1) (*context)->request_wake_at(4'000'000);
                    return Progress::kDone;
                  };
                  return steps;
                }),
                {edge(source)});
  Simulation simulation;
  simulation.start(graph.build());
  simulation.run_until([&] { return woken.size() == 2; });
  EXPECT_THAT(woken, ElementsAre(3'000, 4'000'000));
  simulation.job->stop(StopMode::kBarrier);
  EXPECT_THAT(simulation.job->await(), IsOk());
  EXPECT_EQ(simulation.job->state(), JobState::kStopped);
}

TEST(JobTest, FailureNamesOperatorAndSubtask) {
  auto sink = std::make_shared<CollectSink>();
  GraphBuilder graph;
  const int source = graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(1'000)}));
  const int bad = graph.operate("bad", map_rows([](Row row) {
                                  if (row.v == 500) throw std::runtime_error("no 500, please");
                                  return row;
                                }),
                                {edge(source, Exchange::kRebalance)});
  graph.sink(sink, {edge(bad)});
  JobOptions options;
  options.parallelism = 2;
  Simulation simulation;
  const Status status = simulation.run(graph.build(), options);
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kUserFunctionFailed);
  EXPECT_THAT(status.message(), HasSubstr("operator 'bad' (subtask"));
  EXPECT_THAT(status.message(), HasSubstr("no 500, please"));
  EXPECT_EQ(simulation.job->state(), JobState::kFailed);
  EXPECT_THAT(sink->visible(), SizeIs(0));
  EXPECT_EQ(sink->prepared(), 0);
}

TEST(JobTest, FailuresToOpenComeOutOfAwait) {
  auto source = std::make_shared<ListSource>(std::vector<Rows>{numbered(1)});
  source->open_status = error(ErrorCode::kFileNotFound, "no such folder '/nowhere'");
  GraphBuilder graph;
  graph.sink(std::make_shared<CollectSink>(), {edge(graph.source(source))});
  Simulation simulation;
  const Status status = simulation.run(graph.build());
  EXPECT_EQ(status.code(), ErrorCode::kFileNotFound);
  EXPECT_THAT(status.message(), HasSubstr("source 'source'"));
  EXPECT_EQ(simulation.job->state(), JobState::kFailed);
}

TEST(JobTest, NullEventTimeNamesTheRow) {
  class NullSource final : public Source {
   public:
    const SchemaPtr& schema() const override { return schema_; }
    bool is_bounded() const override { return true; }
    Status open(SourceContext&) override { return Status::ok(); }
    Result<Discovery> discover(const std::vector<std::string>& known) override {
      return Discovery{known.empty() ? std::vector<Split>{{"only", ""}} : std::vector<Split>{},
                       true};
    }
    Result<std::unique_ptr<SplitReader>> open_split(const Split&, const std::optional<std::string>&,
                                                    SourceContext&) override {
      class Reader final : public SplitReader {
        Result<Polled> poll(std::int64_t) override {
          arrow::Int64Builder times;
          EXPECT_TRUE(times.AppendValues({1, 2}).ok());
          if (++polls_ == 2) {
            EXPECT_TRUE(times.AppendNull().ok());
          } else {
            EXPECT_TRUE(times.Append(3).ok());
          }
          const auto column = times.Finish().ValueOrDie();
          return polled(Polled::State::kRows, Batch(3, {column, column, column}));
        }
        std::string position() const override { return ""; }
        int polls_ = 0;
      };
      return std::unique_ptr<SplitReader>(new Reader);
    }

   private:
    SchemaPtr schema_ = row_schema();
  };
  GraphBuilder graph;
  graph.sink(std::make_shared<CollectSink>(),
             {edge(graph.source(std::make_shared<NullSource>(), by_column()))});
  Simulation simulation;
  const Status status = simulation.run(graph.build());
  EXPECT_EQ(status.code(), ErrorCode::kNullKey);
  EXPECT_THAT(status.message(), HasSubstr("split 'only': row 6: the event time 'ts' is null"));
}

TEST(JobTest, StatesAndListeners) {
  class Recorder final : public JobListener {
   public:
    void on_state(JobState state) override { states.emplace_back(job_state_name(state)); }
    void on_epoch(const EpochRecord& record) override { epochs.push_back(record.epoch); }
    void on_failure(const Status& status) override { failures.push_back(status.code()); }
    std::vector<std::string> states;
    std::vector<EpochId> epochs;
    std::vector<ErrorCode> failures;
  };
  auto recorder = std::make_shared<Recorder>();
  JobOptions options;
  options.listeners = {recorder};
  GraphBuilder graph;
  graph.sink(std::make_shared<CollectSink>(),
             {edge(graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(3)})))});
  Simulation simulation;
  EXPECT_THAT(simulation.run(graph.build(), options), IsOk());
  EXPECT_THAT(recorder->states, ElementsAre("starting", "running", "finished"));
  EXPECT_THAT(recorder->epochs, ElementsAre(1));
  EXPECT_THAT(recorder->failures, SizeIs(0));
  EXPECT_FALSE(simulation.job->start().is_ok());
}

TEST(JobTest, CancelAndDestroyAtAnyMoment) {
  for (int steps = 0; steps < 60; ++steps) {
    auto sink = std::make_shared<CollectSink>();
    GraphBuilder graph;
    const int source = graph.source(
        std::make_shared<ListSource>(std::vector<Rows>{numbered(100), numbered(100)},
                                     ListSourceOptions{.poll_rows = 5, .pending_every = 2}),
        {}, 2);
    graph.sink(sink, {edge(source, Exchange::kHash)}, 2);
    JobOptions options;
    options.epoch_interval_ms = 1;
    Simulation simulation(static_cast<std::uint64_t>(steps));
    Job& job = simulation.start(graph.build(), options);
    for (int i = 0; i < steps; ++i) simulation.executor->run_one();
    if (steps % 2 == 0) {
      job.stop(StopMode::kCancel);
      const Status status = job.await();
      EXPECT_EQ(status.code(), ErrorCode::kCancelled);
      EXPECT_EQ(job.state(), JobState::kCancelled);
      EXPECT_EQ(sink->prepared(), 0);
    }
    simulation.job.reset();
  }
}

TEST(JobTest, StopBeforeStart) {
  GraphBuilder graph;
  graph.sink(std::make_shared<CollectSink>(),
             {edge(graph.source(std::make_shared<ListSource>(std::vector<Rows>{numbered(3)})))});
  Simulation simulation;
  JobOptions options;
  options.executor = simulation.executor.get();
  options.clock = &simulation.clock;
  auto job = Job::create(graph.build(), options);
  ASSERT_TRUE(job.is_ok());
  (*job)->stop(StopMode::kDrain);
  EXPECT_THAT((*job)->await(), IsOk());
  EXPECT_EQ((*job)->state(), JobState::kStopped);
  EXPECT_FALSE((*job)->start().is_ok());
}

TEST(JobTest, MemoryBudgetOfAllOperators) {
  Rows rows;
  for (std::int64_t i = 0; i < 100'000; ++i) rows.push_back({i, 0, 0});
  GraphBuilder graph;
  const int source =
      graph.source(std::make_shared<ListSource>(std::vector<Rows>{rows}), by_column());
  graph.operate("count", WindowCount::factory(1'000), {edge(source, Exchange::kHash)}, 2, 1,
                {1'000, 0});
  JobOptions options;
  options.memory_budget_bytes = 1 << 20;
  Simulation simulation;
  const Status status = simulation.run(graph.build(), options);
  EXPECT_EQ(status.code(), ErrorCode::kOutOfMemory);
}

TEST(JobTest, ProgressSaysWhoHoldsTimeBack) {
  GraphBuilder graph;
  ListSourceOptions source_options{.bounded = false, .splits_end = false, .waits_at_end = true};
  const int source = graph.source(
      std::make_shared<ListSource>(std::vector<Rows>{numbered(100), numbered(20), numbered(50)},
                                   source_options),
      by_column(), 2);
  const int count = graph.operate("count", WindowCount::factory(100),
                                  {edge(source, Exchange::kHash)}, 2, 1, {100, 0});
  auto sink = std::make_shared<CollectSink>();
  graph.sink(sink, {edge(count)});
  Simulation simulation;
  Job& job = simulation.start(graph.build());
  simulation.run_until([&] { return job.progress().sources[0].rows_out == 170; });
  simulation.executor->run_ready();
  const JobProgress progress = job.progress();
  EXPECT_EQ(progress.state, JobState::kRunning);
  ASSERT_THAT(progress.sources, SizeIs(1));
  EXPECT_EQ(progress.sources[0].held_back_by, "split-1");
  EXPECT_EQ(progress.sources[0].watermark, 190);
  EXPECT_THAT(progress.sources[0].splits, SizeIs(3));
  ASSERT_THAT(progress.operators, SizeIs(2));
  EXPECT_EQ(progress.operators[0].name, "count");
  EXPECT_EQ(progress.operators[0].rows_in, 170);
  EXPECT_EQ(progress.operators[0].watermark, 100);
  EXPECT_GT(progress.operators[0].state_bytes, 0);
}

TEST(JobTest, ManySplitsEachOnce) {
  std::vector<Rows> splits;
  Rows expected;
  for (std::int64_t i = 0; i < 300; ++i) {
    splits.push_back({{i, i, i}});
    expected.push_back({i, i, i});
  }
  for (int parallelism : {1, 3}) {
    auto sink = std::make_shared<CollectSink>();
    GraphBuilder graph;
    graph.sink(sink, {edge(graph.source(std::make_shared<ListSource>(splits)))});
    JobOptions options;
    options.parallelism = parallelism;
    Simulation simulation;
    ASSERT_THAT(simulation.run(graph.build(), options), IsOk());
    // Without event time one task reads file after file.
    if (parallelism == 1) {
      EXPECT_EQ(sink->visible(), expected);
    }
    EXPECT_EQ(sink->sorted(), expected);
  }
}

TEST(JobTest, FindsSplitsWhileRunning) {
  auto sink = std::make_shared<CollectSink>();
  auto source = std::make_shared<ListSource>(
      std::vector<Rows>{numbered(3)}, ListSourceOptions{.bounded = false, .splits_end = true});
  GraphBuilder graph;
  graph.sink(sink, {edge(graph.source(source))});
  JobOptions options;
  options.epoch_interval_ms = 10;
  Simulation simulation;
  Job& job = simulation.start(graph.build(), options);
  simulation.run_until([&] { return sink->visible().size() == 3; });
  source->add_split("late", numbered(4));
  simulation.run_until([&] { return sink->visible().size() == 7; });
  job.stop(StopMode::kDrain);
  EXPECT_THAT(job.await(), IsOk());
  EXPECT_THAT(sink->visible(), SizeIs(7));
}

TEST(JobTest, RejectsWhatCannotRun) {
  GraphBuilder graph;
  const int source = graph.source(std::make_shared<ListSource>(std::vector<Rows>{}));
  graph.sink(std::make_shared<CollectSink>(), {edge(source)});
  EXPECT_EQ(Job::create(graph.build(), {}).status().code(), ErrorCode::kInvalidArgument);
  Simulation simulation;
  JobOptions options;
  options.executor = simulation.executor.get();
  options.parallelism = 0;
  EXPECT_EQ(Job::create(graph.build(), options).status().code(), ErrorCode::kInvalidArgument);
  options.parallelism = 1;
  EXPECT_EQ(Job::create(Graph{}, options).status().code(), ErrorCode::kInvalidPlan);
}

}  // namespace
}  // namespace tidegate::runtime_test
