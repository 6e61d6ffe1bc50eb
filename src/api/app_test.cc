// SPDX-License-Identifier: Apache-2.0
//
// Whole runs of an App with files: what people see of them.

#include "tidegate/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tidegate/tidegate.h"

namespace tidegate {

struct Hit {
  std::string url;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Hit, (), (url, ts))

namespace {

using testing::HasSubstr;

class AppTest : public testing::Test {
 protected:
  AppTest()
      : path_(std::filesystem::temp_directory_path() /
              ("tidegate-app-" + std::to_string(getpid()) + ".json")) {}
  ~AppTest() override { std::filesystem::remove(path_); }

  Result<RunningJob> start(const std::string& text, RunOptions options = {}) {
    std::ofstream(path_) << text;
    app_.source<Hit>(files(path_.string()).format(json())).for_each([this](const Hit&) {
      ++rows_;
    });
    options.parallelism = 2;
    return app_.start(options);
  }

  std::filesystem::path path_;
  App app_{"test"};
  std::int64_t rows_ = 0;
};

TEST_F(AppTest, BadRowsAreCounted) {
  RunOptions options;
  options.settings["filesystem.error-policy"] = "skip";
  Result<RunningJob> job =
      start("{\"url\":\"/a\",\"ts\":1}\nnonsense\n{\"url\":\"/b\",\"ts\":2}\n", options);
  ASSERT_TRUE(job.is_ok()) << job.status().to_string();
  EXPECT_TRUE(job->await().is_ok());
  EXPECT_EQ(rows_, 2);
  ASSERT_EQ(job->progress().sources.size(), 1u);
  EXPECT_EQ(job->progress().sources[0].rows_out, 2);
  EXPECT_EQ(job->progress().sources[0].rows_bad, 1);
}

TEST_F(AppTest, UnknownSettingsOfAConnectorAreRefused) {
  RunOptions options;
  options.settings["filesystem.eror-policy"] = "skip";
  const Result<RunningJob> job = start("", options);
  ASSERT_FALSE(job.is_ok());
  EXPECT_EQ(job.status().code(), ErrorCode::kUnknownOption);
  EXPECT_THAT(job.status().to_string(), HasSubstr("error-policy"));
}

TEST_F(AppTest, OtherModesSayThatTheyAreNotThere) {
  RunOptions options;
  options.mode = "cluster";
  const Result<RunningJob> job = start("", options);
  ASSERT_FALSE(job.is_ok());
  EXPECT_EQ(job.status().code(), ErrorCode::kNotSupported);
  app_ = App("again");
  app_.source<Hit>(files(path_.string()).format(json())).for_each([](const Hit&) {});
  EXPECT_EQ(app_.run(options), 2);
}

TEST_F(AppTest, StatesAndEpochsAreHeardOf) {
  std::vector<JobState> states;
  EpochId last_epoch = 0;
  RunOptions options;
  options.on_state = [&](JobState state) { states.push_back(state); };
  options.on_epoch = [&](EpochId epoch) { last_epoch = epoch; };
  Result<RunningJob> job = start("{\"url\":\"/a\",\"ts\":1}\n", options);
  ASSERT_TRUE(job.is_ok());
  EXPECT_TRUE(job->await_for(std::chrono::minutes(1)));
  EXPECT_TRUE(job->await().is_ok());
  ASSERT_FALSE(states.empty());
  EXPECT_EQ(states.back(), JobState::kFinished);
  EXPECT_GE(last_epoch, 1u);
}

TEST_F(AppTest, PlansAreExplained) {
  app_.source<Hit>(files("/nowhere").format(json()))
      .event_time(&Hit::ts, bounded_disorder(std::chrono::minutes(1)))
      .key_by(&Hit::url)
      .window(tumbling(std::chrono::minutes(5)))
      .count(as("per-url"))
      .print();
  const Result<std::string> plan = app_.explain();
  ASSERT_TRUE(plan.is_ok()) << plan.status().to_string();
  EXPECT_THAT(*plan, HasSubstr("per-url.partial"));
  EXPECT_THAT(*plan, HasSubstr("hash of"));
}

}  // namespace
}  // namespace tidegate
