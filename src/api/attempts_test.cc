// SPDX-License-Identifier: Apache-2.0
//
// Jobs that fail and begin again, for real: threads, files, a function that throws.
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>

#include "tidegate/tidegate.h"

namespace tidegate {

struct Number {
  std::int64_t n;
};
BOOST_DESCRIBE_STRUCT(Number, (), (n))

namespace {

constexpr int kRows = 200;

class AttemptsTest : public testing::Test {
 protected:
  AttemptsTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("tidegate-attempts-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    std::ofstream in(folder_ / "in.json");
    for (int i = 0; i < kRows; ++i) in << "{\"n\":" << i << "}\n";
  }
  ~AttemptsTest() override { std::filesystem::remove_all(folder_); }

  // A job whose function throws `failures` times, at row 150.
  Status run(int failures, RunOptions options) {
    App app("attempts");
    auto left = std::make_shared<std::atomic<int>>(failures);
    app.source<Number>(files((folder_ / "in.json").string()).format(json()))
        .map([left](const Number& row) -> Number {
          if (row.n == 150 && left->fetch_sub(1) > 0) throw std::runtime_error("bad luck");
          return row;
        })
        .sink(files((folder_ / "out").string()).format(json()));
    options.parallelism = 1;
    options.settings["runtime.max-batch-rows"] = "5";
    options.settings["runtime.epoch-rows"] = "20";
    options.on_restart = [this](const Status& why) {
      ++restarts_;
      why_ = why;
    };
    options.on_state = [this](JobState state) { last_state_ = state; };
    Result<RunningJob> job = app.start(options);
    if (!job.is_ok()) return job.status();
    Status status = job->await();
    progress_ = job->progress();
    return status;
  }

  std::multiset<std::string> published() const {
    std::multiset<std::string> lines;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "out")) {
      if (entry.path().filename().string().starts_with(".")) continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) lines.insert(line);
    }
    return lines;
  }
  void expect_each_row_once() const {
    const auto lines = published();
    EXPECT_EQ(lines.size(), static_cast<std::size_t>(kRows));
    EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size());
  }

  RunOptions fixed_delay(int attempts) const {
    RunOptions options;
    options.settings["restart-strategy.type"] = "fixed-delay";
    options.settings["restart-strategy.fixed-delay.attempts"] = std::to_string(attempts);
    options.settings["restart-strategy.fixed-delay.delay"] = "1 ms";
    return options;
  }

  const std::filesystem::path folder_;
  int restarts_ = 0;
  Status why_;
  JobState last_state_ = JobState::kCreated;
  JobProgress progress_;
};

TEST_F(AttemptsTest, GoesOnFromItsLastEpochInMemory) {
  const Status status = run(3, fixed_delay(5));
  EXPECT_TRUE(status.is_ok()) << status.to_string();
  expect_each_row_once();
  EXPECT_EQ(restarts_, 3);
  EXPECT_EQ(progress_.restarts, 3);
  EXPECT_EQ(progress_.state, JobState::kFinished);
  EXPECT_EQ(why_.code(), ErrorCode::kUserFunctionFailed);
  EXPECT_EQ(last_state_, JobState::kFinished);
}

TEST_F(AttemptsTest, GoesOnFromItsLastEpochInFiles) {
  RunOptions options = fixed_delay(5);
  options.checkpoint_dir = (folder_ / "epochs").string();
  const Status status = run(2, options);
  EXPECT_TRUE(status.is_ok()) << status.to_string();
  expect_each_row_once();
  EXPECT_EQ(restarts_, 2);
}

// Its batch is run again whole: 'runtime.epoch-rows' has no say in micro-batches.
TEST_F(AttemptsTest, MicroBatchesBeginAgainToo) {
  for (const bool in_files : {false, true}) {
    std::filesystem::remove_all(folder_ / "out");
    restarts_ = 0;
    RunOptions options = fixed_delay(5);
    options.mode = "micro-batch";
    std::vector<std::uint64_t> batches;
    options.on_batch = [&](const BatchProgress& batch) { batches.push_back(batch.batch_id); };
    if (in_files) options.checkpoint_dir = (folder_ / "epochs").string();
    const Status status = run(3, options);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    expect_each_row_once();
    EXPECT_EQ(restarts_, 3);
    EXPECT_EQ(batches, std::vector<std::uint64_t>{0});
    EXPECT_EQ(progress_.state, JobState::kFinished);
  }
}

TEST_F(AttemptsTest, GivesUpWhenItHasFailedTooOften) {
  const Status status = run(3, fixed_delay(2));
  EXPECT_EQ(status.code(), ErrorCode::kUserFunctionFailed);
  EXPECT_EQ(restarts_, 2);
  EXPECT_EQ(last_state_, JobState::kFailed);
  EXPECT_EQ(progress_.state, JobState::kFailed);
}

TEST_F(AttemptsTest, NobodyAskedForRestarts) {
  RunOptions options;
  options.checkpoint_dir = (folder_ / "epochs").string();
  EXPECT_EQ(run(1, options).code(), ErrorCode::kUserFunctionFailed);
  EXPECT_EQ(restarts_, 0);
  EXPECT_TRUE(run(0, options).is_ok());  // the same again goes on
  expect_each_row_once();
}

TEST_F(AttemptsTest, AStopCallsOffTheNextAttempt) {
  RunOptions options = fixed_delay(5);
  options.settings["restart-strategy.fixed-delay.delay"] = "1 h";
  App app("attempts");
  app.source<Number>(files((folder_ / "in.json").string()).format(json()))
      .map([](const Number&) -> Number { throw std::runtime_error("bad luck"); })
      .sink(blackhole());
  std::atomic<bool> waits{false};
  options.on_state = [&waits](JobState state) {
    if (state == JobState::kRestarting) waits = true;
  };
  Result<RunningJob> job = app.start(options);
  ASSERT_TRUE(job.is_ok());
  while (!waits) job->await_for(std::chrono::milliseconds(5));
  job->stop();
  EXPECT_EQ(job->await().code(), ErrorCode::kUserFunctionFailed);
}

}  // namespace
}  // namespace tidegate
