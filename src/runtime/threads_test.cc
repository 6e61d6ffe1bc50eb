// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// The same jobs on real threads; with the thread sanitizer this is where races show.

constexpr std::int64_t kWindowMs = 1'000;

std::vector<Rows> splits_in_order(std::int64_t count) {
  std::vector<Rows> splits(4);
  for (std::int64_t i = 0; i < count; ++i)
    splits[static_cast<std::size_t>(i % 4)].push_back({i % 101, i, i});
  return splits;
}

Rows expected_counts(const std::vector<Rows>& splits) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> counts;
  for (const Rows& split : splits)
    for (const Row& row : split) ++counts[{row.k, row.ts / kWindowMs * kWindowMs + kWindowMs}];
  Rows rows;
  for (const auto& [key, count] : counts) rows.push_back({key.first, key.second, count});
  return rows;
}

struct ThreadedRun {
  // `fail_after`: rows after which an operator fails; 0: never.
  void start(const std::vector<Rows>& splits, int parallelism, std::int64_t fail_after = 0) {
    ListSourceOptions source_options{.poll_rows = 100, .pending_every = 7};
    GraphBuilder graph;
    const int in = graph.source(std::make_shared<ListSource>(splits, source_options), by_column());
    const int pass = graph.operate("pass", map_rows([this, fail_after](Row row) {
                                     if (++passed == fail_after) throw std::runtime_error("enough");
                                     return row;
                                   }),
                                   {edge(in, Exchange::kRebalance)});
    const int count = graph.operate("count", WindowCount::factory(kWindowMs, 10),
                                    {edge(pass, Exchange::kHash)}, 0, 1, {kWindowMs, 0});
    graph.sink(sink, {edge(count)}, 1);
    graph.sink(late, {edge(count, Exchange::kForward, 0, 0)}, 1);
    JobOptions options;
    options.parallelism = parallelism;
    options.executor = executor.get();
    options.channel.rows = 500;
    options.epoch_interval_ms = 1;
    options.commit_policy = policy;
    options.restore = restore;
    auto created = Job::create(graph.build(), options);
    ASSERT_THAT(created.status(), IsOk());
    job = *std::move(created);
    ASSERT_THAT(job->start(), IsOk());
  }

  std::unique_ptr<Executor> executor = make_thread_executor(3);
  std::atomic<std::int64_t> passed{0};
  std::shared_ptr<MemoryCommitPolicy> policy = std::make_shared<MemoryCommitPolicy>();
  std::shared_ptr<const EpochRecord> restore;
  std::shared_ptr<CollectSink> sink = std::make_shared<CollectSink>();
  std::shared_ptr<CollectSink> late = std::make_shared<CollectSink>();
  std::unique_ptr<Job> job;
};

TEST(ThreadsTest, RunsToTheEnd) {
  const std::vector<Rows> splits = splits_in_order(60'000);
  for (int parallelism : {1, 2, 3}) {
    ThreadedRun run;
    run.start(splits, parallelism);
    while (!is_terminal(run.job->state())) static_cast<void>(run.job->progress());
    EXPECT_THAT(run.job->await(), IsOk());
    EXPECT_EQ(run.sink->sorted(), expected_counts(splits));
    EXPECT_THAT(run.late->visible(), IsEmpty());
  }
}

TEST(ThreadsTest, RestoreAfterFailure) {
  const std::vector<Rows> splits = splits_in_order(60'000);
  for (std::int64_t fail_after : {1, 10'000, 40'000, 59'999}) {
    ThreadedRun failing;
    failing.start(splits, 2, fail_after);
    EXPECT_EQ(failing.job->await().code(), ErrorCode::kUserFunctionFailed);
    EXPECT_EQ(failing.sink->prepared(), 0);
    ThreadedRun rest;
    if (!failing.policy->epochs().empty()) {
      rest.restore = std::make_shared<EpochRecord>(
          failing.policy->restore_point(failing.policy->epochs().back()));
    }
    rest.start(splits, 3);
    EXPECT_THAT(rest.job->await(), IsOk());
    EXPECT_EQ(sorted_rows(failing.sink->visible() + rest.sink->visible()), expected_counts(splits));
  }
}

TEST(ThreadsTest, StopRestoreAndGoOn) {
  const std::vector<Rows> splits = splits_in_order(60'000);
  ThreadedRun first;
  first.start(splits, 2);
  while (first.passed.load() < 20'000) static_cast<void>(first.job->progress());
  first.job->stop(StopMode::kBarrier);
  ASSERT_THAT(first.job->await(), IsOk());
  ThreadedRun second;
  second.restore =
      std::make_shared<EpochRecord>(first.policy->restore_point(first.policy->epochs().back()));
  second.start(splits, 2);
  ASSERT_THAT(second.job->await(), IsOk());
  EXPECT_EQ(sorted_rows(first.sink->visible() + second.sink->visible()), expected_counts(splits));
}

TEST(ThreadsTest, CancelAndDestroyWhileRunning) {
  const std::vector<Rows> splits = splits_in_order(20'000);
  for (std::int64_t after : {0, 1, 500, 5'000, 15'000}) {
    ThreadedRun run;
    run.start(splits, 2);
    while (run.passed.load() < after && !is_terminal(run.job->state())) {
    }
    if (after % 2 == 0) run.job->stop(StopMode::kCancel);
    run.job.reset();
    EXPECT_EQ(run.sink->prepared(), 0);
  }
}

}  // namespace
}  // namespace tidegate::runtime_test
