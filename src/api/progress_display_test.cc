// SPDX-License-Identifier: Apache-2.0
#include "api/progress_display.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace tidegate {
namespace {

class Showing {
 public:
  explicit Showing(ProgressStyle style, bool live = true)
      : display_(style, live, clock_, [this](std::string_view text) { out_ += text; }) {}

  std::string update_at(std::int64_t ms, const JobProgress& progress) {
    clock_.advance_to_ms(ms);
    display_.update(progress);
    return std::exchange(out_, {});
  }
  std::string finish_at(std::int64_t ms, const JobProgress& progress) {
    clock_.advance_to_ms(ms);
    display_.finish(progress);
    return std::exchange(out_, {});
  }

 private:
  VirtualClock clock_;
  std::string out_;
  ProgressDisplay display_;
};

JobProgress progress_of(std::int64_t rows, EventTime watermark) {
  JobProgress progress;
  progress.state = JobState::kRunning;
  SourceProgress untimed;
  untimed.rows_out = rows - rows / 2;
  SourceProgress timed;
  timed.rows_out = rows / 2;
  timed.rows_bad = 3;
  timed.watermark = watermark;
  timed.held_back_by = "clicks-1";
  progress.sources = {untimed, timed};
  OperatorProgress step;
  step.rows_late = 1234;
  progress.operators = {step};
  return progress;
}

TEST(ProgressDisplay, ALineOnATerminalOnceTheJobTakesLong) {
  Showing showing(ProgressStyle::kAuto);
  EXPECT_EQ(showing.update_at(499, progress_of(10, kMinWatermark)), "");
  EXPECT_EQ(showing.update_at(500, progress_of(1000, kMinWatermark)),
            "\r\033[K1,000 rows  2.0 k/s  late 1,234  bad 3  0.5 s");
  EXPECT_EQ(showing.update_at(2000, progress_of(5'000'000, 1'602'288'001'500)),
            "\r\033[K5,000,000 rows  2.50 M/s  watermark 2020-10-10 00:00:01.5 (clicks-1)"
            "  late 1,234  bad 3  2.0 s");
  JobProgress ended = progress_of(7, kMaxWatermark);
  ended.state = JobState::kFinished;
  const std::string end = showing.finish_at(3500, ended);
  EXPECT_EQ(end.find("\r\033[Kfinished: 7 rows read, 1,234 late, 3 bad; 2/s; 3.50 s, "), 0U) << end;
  EXPECT_EQ(end.back(), '\n');
}

TEST(ProgressDisplay, NoLineElsewhere) {
  Showing elsewhere(ProgressStyle::kAuto, false);
  EXPECT_EQ(elsewhere.update_at(5000, progress_of(10, 0)), "");
  EXPECT_EQ(elsewhere.finish_at(5000, progress_of(10, 0)).find("running: 10 rows read"), 0U);
  Showing short_job(ProgressStyle::kAuto);
  EXPECT_EQ(short_job.finish_at(100, progress_of(10, 0)).find("running: 10 rows read"), 0U);
  Showing none(ProgressStyle::kNone);
  EXPECT_EQ(none.update_at(5000, progress_of(10, 0)) + none.finish_at(6000, progress_of(10, 0)),
            "");
}

TEST(ProgressDisplay, JsonForPrograms) {
  Showing showing(ProgressStyle::kJson);
  const std::string first = showing.update_at(1000, progress_of(10, 77));
  EXPECT_EQ(
      first.find(
          "{\"state\":\"running\",\"epoch\":0,\"restarts\":0,\"rows_read\":10,\"rows_per_s\":10,"
          "\"rows_late\":1234,\"rows_bad\":3,\"watermark_ms\":77,"
          "\"elapsed_s\":1.000,\"cpu_s\":"),
      0U)
      << first;
  EXPECT_EQ(first.substr(first.size() - 2), "}\n");
  EXPECT_NE(showing.finish_at(2000, progress_of(10, kMaxWatermark)).find("\"watermark_ms\":null"),
            std::string::npos);
}

TEST(ProgressDisplay, SaysHowFarPartitionsAreBehind) {
  Showing showing(ProgressStyle::kJson);
  JobProgress progress = progress_of(10, 77);
  EXPECT_NE(showing.update_at(1000, progress).find("\"lag\":[]"), std::string::npos);
  progress.sources[1].name = "clicks";
  SplitProgress split;
  split.id = "clicks-0";
  progress.sources[1].splits.push_back(split);
  split.id = "clicks-1";
  split.lag = 12;
  progress.sources[1].splits.push_back(split);
  EXPECT_NE(showing.update_at(2000, progress)
                .find("\"lag\":[{\"source\":\"clicks\",\"split\":\"clicks-1\",\"records\":12}]"),
            std::string::npos);
}

TEST(ProgressDisplay, SaysWhatHoldsWindowsOpenAndSinceWhen) {
  Showing showing(ProgressStyle::kJson);
  JobProgress progress = progress_of(10, 77);
  progress.sources[1].name = "clicks";
  const auto held = [](std::string_view time, std::string_view seconds) {
    return fmt::format(
        "\"held_back\":[{{\"source\":\"clicks\",\"split\":\"clicks-1\",\"watermark_ms\":{},\"for_"
        "s\":{}}}]",
        time, seconds);
  };
  progress.sources[0].held_back_by.clear();
  showing.update_at(1000, progress);
  EXPECT_NE(showing.update_at(4000, progress).find(held("77", "3.000")), std::string::npos);
  progress.sources[1].watermark = 78;
  EXPECT_NE(showing.update_at(5000, progress).find(held("78", "0.000")), std::string::npos);

  Showing report(ProgressStyle::kAuto);
  report.update_at(1000, progress);
  progress.state = JobState::kStopped;
  progress.sources[1].held_back_by.clear();  // its splits are closed
  const std::string last = report.finish_at(3000, progress);
  EXPECT_NE(last.find("event time of 'clicks' was held by split clicks-1 at 1970-01-01 "
                      "00:00:00.078, for 2.0 s\n"),
            std::string::npos)
      << last;
}

TEST(ProgressDisplay, TellsOfEachEpochOnce) {
  Showing showing(ProgressStyle::kJson);
  JobProgress progress = progress_of(10, 77);
  progress.epochs.push_back({1, 100, 20, 1, 30, 4, 5000, "count (2)"});
  EXPECT_NE(showing.update_at(1000, progress)
                .find("\"epochs\":[{\"epoch\":1,\"begun_ms\":100,\"gathering_ms\":20,"
                      "\"waiting_ms\":1,\"commit_ms\":30,\"publish_ms\":4,\"bytes\":5000,"
                      "\"slowest_task\":\"count (2)\"}]"),
            std::string::npos);
  EXPECT_NE(showing.update_at(2000, progress).find("\"epochs\":[]"), std::string::npos);
}

}  // namespace
}  // namespace tidegate
