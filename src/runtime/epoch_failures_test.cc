// SPDX-License-Identifier: Apache-2.0
#include "runtime/test_job.h"

namespace tidegate::runtime_test {
namespace {

// Does not become durable the first times.
class FlakyPolicy final : public CommitPolicy {
 public:
  explicit FlakyPolicy(int failures, ErrorCode code = ErrorCode::kFileIo)
      : failures_(failures), code_(code) {}
  Status commit(const EpochRecord&) override {
    return failures_-- > 0 ? Status(code_, "not now") : Status::ok();
  }

 private:
  int failures_;
  ErrorCode code_;
};

struct OneRow {
  std::shared_ptr<CollectSink> sink = std::make_shared<CollectSink>();

  Status go(JobOptions options) {
    Simulation simulation;
    GraphBuilder graph;
    const int in = graph.source(std::make_shared<ListSource>(std::vector<Rows>{{{1, 2, 3}}}));
    graph.sink(sink, {edge(in)});
    return simulation.run(graph.build(), std::move(options));
  }
};

TEST(EpochFailures, ACommitIsTriedAgainAsOftenAsIsTolerable) {
  for (const int tolerable : {0, 1, 2, 5}) {
    OneRow run;
    JobOptions options;
    options.commit_policy = std::make_shared<FlakyPolicy>(2);
    options.tolerable_epoch_failures = tolerable;
    const Status status = run.go(options);
    EXPECT_EQ(status.is_ok(), tolerable >= 2);
    EXPECT_EQ(run.sink->visible().size(), tolerable >= 2 ? 1U : 0U);
    EXPECT_EQ(run.sink->prepared(), 0);
  }
}

TEST(EpochFailures, WhatTryingAgainCannotHelpIsNotTriedAgain) {
  OneRow run;
  JobOptions options;
  options.commit_policy = std::make_shared<FlakyPolicy>(1, ErrorCode::kDiskFull);
  options.tolerable_epoch_failures = 5;
  EXPECT_EQ(run.go(options).code(), ErrorCode::kDiskFull);
  EXPECT_EQ(run.sink->aborted(), 1);
}

// In virtual time: the sink is tried again for a minute.
TEST(EpochFailures, AnEpochThatTakesTooLongFailsTheJob) {
  for (const int tolerable : {0, 3}) {
    OneRow run;
    run.sink->fail_commits(8);  // 0.1 + 0.2 + ... = 22 s
    JobOptions options;
    options.epoch_timeout_ms = 10'000;
    options.tolerable_epoch_failures = tolerable;
    const Status status = run.go(options);
    EXPECT_EQ(status.is_ok(), tolerable > 0);
    if (tolerable == 0) {
      EXPECT_EQ(status.code(), ErrorCode::kServiceTimeout);
    }
  }
}

TEST(EpochFailures, AnEpochEndsAfterSoManyRows) {
  Rows rows;
  for (std::int64_t i = 0; i < 100; ++i) rows.push_back({i, i, i});
  Simulation simulation;
  GraphBuilder graph;
  const int in = graph.source(std::make_shared<ListSource>(std::vector<Rows>{rows}));
  auto sink = std::make_shared<CollectSink>();
  graph.sink(sink, {edge(in)});
  auto commits = std::make_shared<MemoryCommitPolicy>();
  JobOptions options;
  options.commit_policy = commits;
  options.max_batch_rows = 5;
  options.epoch_rows = 10;
  EXPECT_THAT(simulation.run(graph.build(), options), IsOk());
  EXPECT_GE(commits->epochs().size(), 2U);  // the last one is there in any case
  EXPECT_EQ(sink->visible().size(), 100U);
}

}  // namespace
}  // namespace tidegate::runtime_test
