// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "base/random.h"
#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kDisorderMs = 40;
constexpr std::int64_t kWindowMs = 100;

// Out of order by less than the delay, so that no row is late however splits are read.
Rows disordered(std::uint64_t seed, std::int64_t count) {
  Random random(seed);
  Rows rows;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t ts = i * 5 - static_cast<std::int64_t>(random.below(kDisorderMs));
    rows.push_back({static_cast<std::int64_t>(random.below(11)), ts, i});
  }
  return rows;
}

std::vector<Rows> three_splits() {
  return {disordered(1, 300), disordered(2, 200), disordered(3, 250)};
}

Rows expected_counts(const std::vector<Rows>& splits) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts;
  for (const Rows& split : splits) {
    for (const Row& row : split) {
      const std::int64_t end = row.ts - ((row.ts % kWindowMs) + kWindowMs) % kWindowMs + kWindowMs;
      ++counts[{row.k, end}];
    }
  }
  Rows rows;
  for (const auto& [key, count] : counts) rows.push_back({key.first, key.second, count});
  return rows;
}

// One run of source -> keyed window count -> sink, with an epoch every few polls.
struct CountRun {
  explicit CountRun(std::uint64_t seed) : simulation(seed) {}

  Status go(const std::vector<Rows>& splits, int source_parallelism, int count_parallelism) {
    ListSourceOptions source_options{.poll_rows = 7, .pending_every = 5};
    source_options.on_poll = [this](const std::string&) {
      if (++polls % epoch_every == 0) simulation.job->trigger_epoch();
      if (polls == fail_at) fail_now = true;
    };
    source = std::make_shared<ListSource>(splits, source_options);
    GraphBuilder graph;
    const int in = graph.source(source, by_column(kDisorderMs), source_parallelism);
    const int pass = graph.operate("pass", map_rows([this](Row row) {
                                     if (fail_now) throw std::runtime_error("told to fail");
                                     return row;
                                   }),
                                   {edge(in, Exchange::kRebalance)}, count_parallelism);
    const int count =
        graph.operate("count", WindowCount::factory(kWindowMs, 3), {edge(pass, Exchange::kHash)},
                      count_parallelism, 1, {kWindowMs, 0});
    graph.sink(sink, {edge(count)}, 2);
    graph.sink(late, {edge(count, Exchange::kForward, 0, 0)}, 1);
    JobOptions options;
    options.channel.rows = 20;
    options.commit_policy = policy;
    options.restore = restore;
    return simulation.run(graph.build(), options);
  }

  Simulation simulation;
  int polls = 0;
  int epoch_every = 9;
  int fail_at = -1;
  bool fail_now = false;
  std::shared_ptr<const EpochRecord> restore;
  std::shared_ptr<ListSource> source;
  std::shared_ptr<MemoryCommitPolicy> policy = std::make_shared<MemoryCommitPolicy>();
  std::shared_ptr<CollectSink> sink = std::make_shared<CollectSink>();
  std::shared_ptr<CollectSink> late = std::make_shared<CollectSink>();
};

TEST(EpochsTest, ResultsDoNotDependOnEpochsSeedsOrParallelism) {
  const Rows expected = expected_counts(three_splits());
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CountRun run(seed);
    const int parallelism = static_cast<int>(seed % 3) + 1;
    ASSERT_THAT(run.go(three_splits(), parallelism, 4 - parallelism), IsOk());
    EXPECT_EQ(run.sink->sorted(), expected) << "seed " << seed;
    EXPECT_THAT(run.late->visible(), IsEmpty());
    EXPECT_THAT(run.policy->epochs(), SizeIs(testing::Gt(3)));
    EXPECT_EQ(run.simulation.job->state(), JobState::kFinished);
    EXPECT_TRUE(run.policy->restore_point(run.policy->epochs().back()).finished);
  }
}

TEST(EpochsTest, RestoreAtEachEpochEqualsTheUndisturbedRun) {
  const Rows expected = expected_counts(three_splits());
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CountRun whole(seed);
    ASSERT_THAT(whole.go(three_splits(), 2, 2), IsOk());
    for (EpochId epoch : whole.policy->epochs()) {
      for (int parallelism : {1, 2, 3}) {
        CountRun rest(seed + 100);
        rest.restore = std::make_shared<EpochRecord>(whole.policy->restore_point(epoch));
        ASSERT_THAT(rest.go(three_splits(), parallelism, parallelism), IsOk());
        const Rows all = sorted_rows(whole.sink->visible(epoch) + rest.sink->visible());
        EXPECT_EQ(all, expected) << "seed " << seed << " epoch " << epoch << " at " << parallelism;
        EXPECT_THAT(rest.late->visible(), IsEmpty());
      }
    }
  }
}

// Epochs that begin at every step of the run: while splits are being handed out, opened and ended.
TEST(EpochsTest, NoSplitIsLostOrReadTwice) {
  std::vector<Rows> splits;
  Rows expected;
  for (std::int64_t i = 0; i < 40; ++i) {
    splits.push_back({{i, i, 0}, {i, i, 1}});
    expected = expected + splits.back();
  }
  const auto build = [&](std::shared_ptr<CollectSink> sink) {
    GraphBuilder graph;
    graph.sink(
        sink,
        {edge(graph.source(std::make_shared<ListSource>(splits, ListSourceOptions{.poll_rows = 1}),
                           by_column(100)),
              Exchange::kRebalance)});
    return graph.build();
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    JobOptions options;
    options.parallelism = 2;
    options.max_open_splits = 3;
    auto policy = std::make_shared<MemoryCommitPolicy>();
    options.commit_policy = policy;
    auto sink = std::make_shared<CollectSink>();
    Simulation simulation(seed);
    Job& job = simulation.start(build(sink), options);
    while (!is_terminal(job.state())) {
      job.trigger_epoch();
      ASSERT_TRUE(simulation.executor->run_one());
    }
    EXPECT_EQ(sink->sorted(), expected);
    ASSERT_THAT(policy->epochs(), SizeIs(testing::Gt(5)));
    options.commit_policy = nullptr;
    for (EpochId epoch : policy->epochs()) {
      options.restore = std::make_shared<EpochRecord>(policy->restore_point(epoch));
      options.parallelism = static_cast<int>(epoch % 3) + 1;
      auto rest = std::make_shared<CollectSink>();
      Simulation again(seed + 50);
      ASSERT_THAT(again.run(build(rest), options), IsOk());
      EXPECT_EQ(sorted_rows(sink->visible(epoch) + rest->visible()), expected)
          << "seed " << seed << " epoch " << epoch;
    }
  }
}

TEST(EpochsTest, RestoredOperatorsKnowTheirWatermark) {
  std::vector<std::string> calls;  // of the operator, by subtask
  const auto build = [&calls] {
    GraphBuilder graph;
    const int in = graph.source(
        std::make_shared<ListSource>(std::vector<Rows>{{{1, 100, 0}, {2, 250, 0}}}), by_column());
    graph.operate(
        "see", operator_of([&calls] {
          auto subtask = std::make_shared<int>();
          Steps steps;
          steps.open = [subtask, &calls](OperatorContext& context) {
            *subtask = context.subtask();
            calls.push_back(fmt::format("{} opens at {}", *subtask, context.restored_watermark()));
            return Status::ok();
          };
          steps.process = [subtask, &calls](int, Batch, Output&) -> Result<Progress> {
            calls.push_back(fmt::format("{} processes", *subtask));
            return Progress::kDone;
          };
          steps.advance = [subtask, &calls](EventTime time, Output&) -> Result<Progress> {
            if (time < kMaxWatermark)
              calls.push_back(fmt::format("{} advances to {}", *subtask, time));
            return Progress::kDone;
          };
          return steps;
        }),
        {edge(in, Exchange::kHash)}, 2, 0, {100, 0});
    return graph.build();
  };
  auto policy = std::make_shared<MemoryCommitPolicy>();
  JobOptions options;
  options.commit_policy = policy;
  options.drain_at_end = false;
  Simulation simulation;
  ASSERT_THAT(simulation.run(build(), options), IsOk());
  options.restore = std::make_shared<EpochRecord>(policy->restore_point(1));
  calls.clear();
  Simulation again;
  ASSERT_THAT(again.run(build(), options), IsOk());
  std::sort(calls.begin(), calls.end());
  EXPECT_THAT(calls, ElementsAre("0 advances to 200", "0 opens at 200", "1 advances to 200",
                                 "1 opens at 200"));
}

TEST(EpochsTest, RestoreAfterRestore) {
  CountRun first(5);
  ASSERT_THAT(first.go(three_splits(), 2, 3), IsOk());
  const EpochId from = first.policy->epochs()[1];
  CountRun second(6);
  second.restore = std::make_shared<EpochRecord>(first.policy->restore_point(from));
  ASSERT_THAT(second.go(three_splits(), 3, 1), IsOk());
  EXPECT_EQ(second.policy->epochs().front(), from + 1);
  const EpochId middle = second.policy->epochs()[1];
  CountRun third(7);
  third.restore =
      std::make_shared<EpochRecord>(merge(*second.restore, second.policy->restore_point(middle)));
  ASSERT_THAT(third.go(three_splits(), 1, 2), IsOk());
  EXPECT_EQ(
      sorted_rows(first.sink->visible(from) + second.sink->visible(middle) + third.sink->visible()),
      expected_counts(three_splits()));
}

TEST(EpochsTest, FailureThrowsOpenEpochsAwayAndTheRestoreRepeatsThem) {
  const Rows expected = expected_counts(three_splits());
  for (int fail_at = 1; fail_at < 130; fail_at += 8) {
    CountRun failing(static_cast<std::uint64_t>(fail_at));
    failing.fail_at = fail_at;
    const Status status = failing.go(three_splits(), 2, 2);
    ASSERT_FALSE(status.is_ok());
    EXPECT_THAT(status.message(), HasSubstr("told to fail"));
    EXPECT_EQ(failing.sink->prepared(), 0) << "not aborted";
    CountRun rest(static_cast<std::uint64_t>(fail_at) + 1'000);
    const std::vector<EpochId> epochs = failing.policy->epochs();
    if (!epochs.empty()) {
      rest.restore = std::make_shared<EpochRecord>(failing.policy->restore_point(epochs.back()));
    }
    ASSERT_THAT(rest.go(three_splits(), 2, 2), IsOk());
    EXPECT_EQ(sorted_rows(failing.sink->visible() + rest.sink->visible()), expected) << fail_at;
  }
}

TEST(EpochsTest, FinishedJobDoesNothingAgain) {
  CountRun whole(1);
  ASSERT_THAT(whole.go(three_splits(), 2, 2), IsOk());
  CountRun again(2);
  again.restore =
      std::make_shared<EpochRecord>(whole.policy->restore_point(whole.policy->epochs().back()));
  ASSERT_THAT(again.go(three_splits(), 2, 2), IsOk());
  EXPECT_EQ(again.simulation.job->state(), JobState::kFinished);
  EXPECT_EQ(again.sink->rows_written(), 0);
  EXPECT_EQ(again.polls, 0);
}

TEST(EpochsTest, SinksThatCannotBeReachedAreTriedAgain) {
  CountRun run(1);
  run.sink->fail_commits(5);
  ASSERT_THAT(run.go(three_splits(), 1, 2), IsOk());
  EXPECT_EQ(run.sink->sorted(), expected_counts(three_splits()));
  EXPECT_GE(run.simulation.clock.wall_ms(), 1'000 + 100 + 200 + 400 + 800 + 1'600);
}

TEST(EpochsTest, DurableEpochsThatWereNotPublishedArePublishedByTheRestore) {
  CountRun failing(1);
  failing.sink->fail_commits(1'000);
  const Status status = failing.go(three_splits(), 1, 1);
  EXPECT_EQ(status.code(), ErrorCode::kServiceUnreachable);
  EXPECT_THAT(failing.sink->visible(), IsEmpty());
  ASSERT_THAT(failing.policy->epochs(), SizeIs(testing::Ge(1)));
  CountRun rest(2);
  rest.sink = failing.sink;
  rest.sink->fail_commits(0);
  rest.restore =
      std::make_shared<EpochRecord>(failing.policy->restore_point(failing.policy->epochs().back()));
  ASSERT_THAT(rest.go(three_splits(), 1, 1), IsOk());
  EXPECT_EQ(rest.sink->sorted(), expected_counts(three_splits()));
}

TEST(EpochsTest, FailedCommitFailsTheJobAndNothingIsPublished) {
  class RefusingPolicy final : public CommitPolicy {
   public:
    Status commit(const EpochRecord& record) override {
      if (record.epoch < 2) return Status::ok();
      return error(ErrorCode::kDiskFull, "no space on /checkpoints");
    }
  };
  auto sink = std::make_shared<CollectSink>();
  Simulation simulation;
  ListSourceOptions source_options{.poll_rows = 5};
  source_options.on_poll = [&](const std::string&) { simulation.job->trigger_epoch(); };
  GraphBuilder graph;
  graph.sink(sink,
             {edge(graph.source(std::make_shared<ListSource>(three_splits(), source_options)))});
  JobOptions options;
  options.commit_policy = std::make_shared<RefusingPolicy>();
  const Status status = simulation.run(graph.build(), options);
  EXPECT_EQ(status.code(), ErrorCode::kDiskFull);
  EXPECT_THAT(status.message(), HasSubstr("epoch 2"));
  EXPECT_EQ(sink->prepared(), 0);
  EXPECT_EQ(sink->visible(1).size(), sink->visible().size());
}

TEST(EpochsTest, ReadersHearOfDurablePositions) {
  auto source = std::make_shared<ListSource>(
      std::vector<Rows>{disordered(1, 10)},
      ListSourceOptions{.bounded = false, .splits_end = false, .waits_at_end = true});
  GraphBuilder graph;
  graph.sink(std::make_shared<CollectSink>(), {edge(graph.source(source))});
  JobOptions options;
  options.epoch_interval_ms = 100;
  Simulation simulation;
  simulation.start(graph.build(), options);
  simulation.run_until([&] { return source->committed().size() == 2; });
  EXPECT_THAT(source->committed(), ElementsAre("split-0@10", "split-0@10"));
}

TEST(EpochsTest, AtMostTwoAreOnTheirWay) {
  class SlowPolicy final : public CommitPolicy {
   public:
    Status commit(const EpochRecord& record) override {
      epochs.push_back(record.epoch);
      return Status::ok();
    }
    std::vector<EpochId> epochs;
  };
  auto policy = std::make_shared<SlowPolicy>();
  Simulation simulation;
  GraphBuilder graph;
  auto source = std::make_shared<ListSource>(
      std::vector<Rows>{disordered(1, 10)},
      ListSourceOptions{.bounded = false, .splits_end = false, .waits_at_end = true});
  graph.sink(std::make_shared<CollectSink>(), {edge(graph.source(source))});
  JobOptions options;
  options.commit_policy = policy;
  Job& job = simulation.start(graph.build(), options);
  simulation.executor->run_ready();
  for (int i = 0; i < 10; ++i) job.trigger_epoch();
  simulation.executor->run_ready();
  // Two at once, and the other eight wishes are one epoch after them.
  EXPECT_THAT(policy->epochs, ElementsAre(1, 2, 3));
}

// Windows stay open over a stop with a barrier, and are fired by a drain.
class StopTest : public ::testing::Test {
 protected:
  void start(ListSourceOptions options, JobOptions job_options = {},
             std::shared_ptr<const EpochRecord> restore = nullptr) {
    source = std::make_shared<ListSource>(std::vector<Rows>{{{1, 10, 0}, {1, 20, 0}, {2, 130, 0}}},
                                          options);
    GraphBuilder graph;
    const int in = graph.source(source, by_column());
    const int count = graph.operate("count", WindowCount::factory(kWindowMs),
                                    {edge(in, Exchange::kHash)}, 2, 1, {kWindowMs, 0});
    graph.sink(sink, {edge(count)});
    job_options.commit_policy = policy;
    job_options.restore = std::move(restore);
    simulation.start(graph.build(), job_options);
  }
  EpochRecord last() const { return policy->restore_point(policy->epochs().back()); }

  Simulation simulation;
  std::shared_ptr<MemoryCommitPolicy> policy = std::make_shared<MemoryCommitPolicy>();
  std::shared_ptr<CollectSink> sink = std::make_shared<CollectSink>();
  std::shared_ptr<ListSource> source;
};

TEST_F(StopTest, BarrierKeepsWindowsOpen) {
  start({.bounded = false, .splits_end = false, .waits_at_end = true});
  simulation.executor->run_ready();
  simulation.job->stop(StopMode::kBarrier);
  EXPECT_THAT(simulation.job->await(), IsOk());
  EXPECT_EQ(simulation.job->state(), JobState::kStopped);
  EXPECT_THAT(sink->visible(), ElementsAre(Row{1, 100, 2}));
  EXPECT_FALSE(last().finished);
  // The restored job has nothing new to read, and ends: now the open window is fired.
  const auto restore = std::make_shared<EpochRecord>(last());
  start({}, {}, restore);
  EXPECT_THAT(simulation.job->await(), IsOk());
  EXPECT_THAT(sink->visible(), ElementsAre(Row{1, 100, 2}, Row{2, 200, 1}));
}

TEST_F(StopTest, DrainFiresWindows) {
  start({.bounded = false, .splits_end = false, .waits_at_end = true});
  simulation.executor->run_ready();
  simulation.job->stop(StopMode::kDrain);
  EXPECT_THAT(simulation.job->await(), IsOk());
  EXPECT_EQ(simulation.job->state(), JobState::kStopped);
  EXPECT_THAT(sink->sorted(), ElementsAre(Row{1, 100, 2}, Row{2, 200, 1}));
  EXPECT_FALSE(last().finished);
}

TEST_F(StopTest, AtTheEndWithoutDraining) {
  JobOptions options;
  options.drain_at_end = false;
  options.parallelism = 2;
  start({}, options);
  EXPECT_THAT(simulation.job->await(), IsOk());
  EXPECT_EQ(simulation.job->state(), JobState::kStopped);
  EXPECT_THAT(sink->visible(), ElementsAre(Row{1, 100, 2}));
  start({}, {}, std::make_shared<EpochRecord>(last()));
  EXPECT_THAT(simulation.job->await(), IsOk());
  EXPECT_EQ(simulation.job->state(), JobState::kFinished);
  EXPECT_THAT(sink->visible(), ElementsAre(Row{1, 100, 2}, Row{2, 200, 1}));
}

TEST_F(StopTest, WhileStarting) {
  start({.bounded = false, .splits_end = false, .waits_at_end = true});
  simulation.job->stop(StopMode::kBarrier);
  EXPECT_THAT(simulation.job->await(), IsOk());
  EXPECT_EQ(simulation.job->state(), JobState::kStopped);
}

TEST_F(StopTest, StateOfAnotherJobIsRefused) {
  JobOptions first;
  first.drain_at_end = false;
  start({}, first);
  EXPECT_THAT(simulation.job->await(), IsOk());
  GraphBuilder other;
  const int in = other.source(std::make_shared<ListSource>(std::vector<Rows>{}));
  other.sink(std::make_shared<CollectSink>(), {edge(in)});
  JobOptions options;
  options.executor = simulation.executor.get();
  options.clock = &simulation.clock;
  options.restore = std::make_shared<EpochRecord>(policy->restore_point(1));
  const Status status = Job::create(other.build(), options).status();
  EXPECT_EQ(status.code(), ErrorCode::kStateMismatch);
  EXPECT_THAT(status.message(), HasSubstr("'count'"));
  options.drop_unclaimed_state = true;
  EXPECT_TRUE(Job::create(other.build(), options).is_ok());
}

// A source that ends early: its operators are part of later epochs as finished ones.
TEST(EpochsTest, BranchesThatEndedStayEnded) {
  auto slow_sink = std::make_shared<CollectSink>();
  auto quick_sink = std::make_shared<CollectSink>();
  int finishes = 0;
  const auto build = [&](std::shared_ptr<ListSource> slow) {
    GraphBuilder graph;
    const int a = graph.source(std::make_shared<ListSource>(std::vector<Rows>{disordered(1, 5)}));
    const int tail = graph.operate("tail", operator_of([&finishes] {
                                     Steps steps;
                                     steps.finish = [&finishes](Output& out) -> Result<Progress> {
                                       ++finishes;
                                       out.emit(batch_of({{-1, -1, -1}}));
                                       return Progress::kDone;
                                     };
                                     return steps;
                                   }),
                                   {edge(a)});
    graph.sink(quick_sink, {edge(tail)});
    graph.sink(slow_sink, {edge(graph.source(std::move(slow)))});
    return graph.build();
  };
  auto policy = std::make_shared<MemoryCommitPolicy>();
  JobOptions options;
  options.epoch_interval_ms = 10;
  options.commit_policy = policy;
  auto endless = std::make_shared<ListSource>(
      std::vector<Rows>{disordered(2, 5)},
      ListSourceOptions{.bounded = false, .splits_end = false, .waits_at_end = true});
  Simulation simulation;
  simulation.start(build(endless), options);
  simulation.run_until([&] { return policy->epochs().size() == 3; });
  simulation.job->stop(StopMode::kCancel);
  EXPECT_FALSE(simulation.job->await().is_ok());
  EXPECT_THAT(quick_sink->visible(), SizeIs(6));
  for (EpochId epoch : policy->epochs()) {
    finishes = 0;
    options.commit_policy = nullptr;
    options.restore = std::make_shared<EpochRecord>(policy->restore_point(epoch));
    Simulation again(epoch);
    ASSERT_THAT(again.run(build(std::make_shared<ListSource>(std::vector<Rows>{disordered(2, 5)})),
                          options),
                IsOk());
    EXPECT_EQ(finishes, 0) << "epoch " << epoch;
  }
}

}  // namespace
}  // namespace tidegate::runtime_test
