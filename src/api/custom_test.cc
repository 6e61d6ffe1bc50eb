// SPDX-License-Identifier: Apache-2.0
//
// Sources, sinks and formats of a program's own, in jobs that really run.

#include "tidegate/custom.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Reading {
  std::string sensor;
  std::int64_t value;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Reading, (), (sensor, value, ts))

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

/// Two splits of readings "split/0", "split/1", ...
class CountingSource final : public CustomSource<Reading> {
 public:
  explicit CountingSource(std::int64_t rows) : rows_(rows) {}
  Result<std::vector<std::string>> splits() override { return std::vector<std::string>{"x", "y"}; }
  Result<std::unique_ptr<CustomReader<Reading>>> open(const std::string& split,
                                                      const std::optional<std::string>& position,
                                                      std::function<void()>) override {
    return std::unique_ptr<CustomReader<Reading>>(
        std::make_unique<Reader>(split, position ? std::stoll(*position) : 0, rows_));
  }

 private:
  class Reader final : public CustomReader<Reading> {
   public:
    Reader(std::string split, std::int64_t next, std::int64_t end)
        : split_(std::move(split)), next_(next), end_(end) {}
    Result<State> poll(Collector<Reading>& out, std::int64_t max_rows) override {
      for (std::int64_t i = 0; i < max_rows && next_ < end_; ++i, ++next_) {
        out.emit({split_, next_, Timestamp(next_ * 1000)});
      }
      return next_ < end_ ? State::kRows : State::kEnd;
    }
    std::string position() const override { return std::to_string(next_); }

   private:
    std::string split_;
    std::int64_t next_;
    std::int64_t end_;
  };

  std::int64_t rows_;
};

/// Rows show up in `visible` when their epoch commits.
class CommittedRows final : public CustomSink<std::int64_t> {
 public:
  bool is_transactional() const override { return true; }
  Result<std::unique_ptr<CustomWriter<std::int64_t>>> open_writer(int) override {
    return std::unique_ptr<CustomWriter<std::int64_t>>(std::make_unique<Writer>(*this));
  }
  Status commit(EpochId, const std::string& id) override {
    const std::lock_guard lock(mutex_);
    const auto rows = prepared_.find(id);
    if (rows == prepared_.end()) return Status::ok();  // a repetition
    for (std::int64_t row : rows->second) visible_ += row;
    prepared_.erase(rows);
    return Status::ok();
  }
  std::int64_t visible() const { return visible_; }

 private:
  class Writer final : public CustomWriter<std::int64_t> {
   public:
    explicit Writer(CommittedRows& sink) : sink_(sink) {}
    Status write(const std::int64_t& row) override {
      rows_.push_back(row);
      return Status::ok();
    }
    Result<std::string> prepare(EpochId) override {
      const std::lock_guard lock(sink_.mutex_);
      const std::string id = std::to_string(sink_.next_id_++);
      sink_.prepared_[id] = std::exchange(rows_, {});
      return id;
    }

   private:
    CommittedRows& sink_;
    std::vector<std::int64_t> rows_;
  };

  std::mutex mutex_;
  int next_id_ = 0;
  std::map<std::string, std::vector<std::int64_t>> prepared_;
  std::int64_t visible_ = 0;
};

Status run(App& app, int parallelism = 2) {
  RunOptions options;
  options.parallelism = parallelism;
  Result<RunningJob> job = app.start(options);
  return job.is_ok() ? job->await() : job.status();
}

class CustomTest : public testing::Test {
 protected:
  CustomTest() {
    folder_ = std::filesystem::temp_directory_path() /
              ("tidegate-custom-" + std::to_string(::getpid()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  ~CustomTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write_file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

TEST_F(CustomTest, SourceToTransactionalSink) {
  constexpr std::int64_t kRows = 50'000;
  App app("custom");
  const auto sink = std::make_shared<CommittedRows>();
  app.source<Reading>(std::make_shared<CountingSource>(kRows))
      .map([](const Reading& reading) { return reading.value; })
      .sink(sink);
  ASSERT_TRUE(run(app).is_ok());
  EXPECT_EQ(sink->visible(), kRows * (kRows - 1));
}

TEST_F(CustomTest, WindowsOverACustomSource) {
  App app("custom");
  std::map<std::string, std::int64_t> counts;
  app.source<Reading>(std::make_shared<CountingSource>(10'000))
      .event_time(&Reading::ts, bounded_disorder(0s))
      .key_by(&Reading::sensor)
      .window(tumbling(1h))
      .count()
      .for_each([&](const Windowed<std::string, std::int64_t>& row) {
        counts[row.key + std::to_string(row.window_start.ms / 3'600'000)] = row.value;
      });
  ASSERT_TRUE(run(app).is_ok());
  EXPECT_THAT(counts, UnorderedElementsAre(std::pair("x0", 3600), std::pair("x1", 3600),
                                           std::pair("x2", 2800), std::pair("y0", 3600),
                                           std::pair("y1", 3600), std::pair("y2", 2800)));
}

/// "sensor=value@ms"
Status decode_reading(std::string_view line, Collector<Reading>& out) {
  const std::size_t equals = line.find('=');
  const std::size_t at = line.find('@');
  if (equals == std::string_view::npos || at == std::string_view::npos) {
    return Status(ErrorCode::kMalformedRecord, "not SENSOR=VALUE@MS");
  }
  Reading reading;
  reading.sensor = line.substr(0, equals);
  std::from_chars(line.data() + equals + 1, line.data() + at, reading.value);
  std::from_chars(line.data() + at + 1, line.data() + line.size(), reading.ts.ms);
  out.emit(reading);
  return Status::ok();
}

TEST_F(CustomTest, FormatReadsFiles) {
  const auto path = write_file("in.txt", "a=1@10\n\nb=-2@20\na=3@30");
  App app("custom");
  std::vector<std::string> rows;
  app.source<Reading>(files(path).format(custom_format<Reading>("readings", decode_reading)))
      .for_each([&](const Reading& reading) {
        rows.push_back(reading.sensor + std::to_string(reading.value) + "@" +
                       std::to_string(reading.ts.ms));
      });
  const Status status = run(app);
  ASSERT_TRUE(status.is_ok()) << status.to_string();
  EXPECT_THAT(rows, ElementsAre("a1@10", "b-2@20", "a3@30"));
}

TEST_F(CustomTest, BadRecordsGoByThePolicy) {
  const auto path = write_file("in.txt", "a=1@10\nnonsense\nb=2@20\n");
  const auto count_rows = [&](const std::string& policy, std::int64_t& rows) {
    App app("custom");
    app.source<Reading>(files(path)
                            .option("error-policy", policy)
                            .format(custom_format<Reading>("readings", decode_reading)))
        .for_each([&](const Reading&) { ++rows; });
    return run(app);
  };
  std::int64_t rows = 0;
  EXPECT_TRUE(count_rows("skip", rows).is_ok());
  EXPECT_EQ(rows, 2);
  const Status failed = count_rows("fail", rows);
  ASSERT_FALSE(failed.is_ok());
  EXPECT_THAT(failed.to_string(), HasSubstr("not SENSOR=VALUE@MS"));
  EXPECT_THAT(failed.to_string(), HasSubstr("in.txt"));
}

TEST_F(CustomTest, TheTestDriverRunsSourcesAndSinksOfOnesOwn) {
  App app("custom");
  const auto sink = std::make_shared<CommittedRows>();
  app.source<Reading>(std::make_shared<CountingSource>(100), as("counting"))
      .map([](const Reading& reading) { return reading.value; })
      .sink(sink, as("committed"));
  TestDriver driver(app, {.own_sources = {"counting"}});
  EXPECT_EQ(sink->visible(), 100 * 99);  // at the end of the input, which has come
  EXPECT_TRUE(driver.status().is_ok()) << driver.status().to_string();

  App pushed("custom");
  const auto transactional = std::make_shared<CommittedRows>();
  pushed.source<Reading>(std::make_shared<CountingSource>(100), as("counting"))
      .map([](const Reading& reading) { return reading.value; })
      .sink(transactional);
  TestDriver with_rows(pushed);
  with_rows.push("counting", Reading{"a", 7, Timestamp(1)});
  EXPECT_EQ(transactional->visible(), 0);
  with_rows.end_epoch();
  EXPECT_EQ(transactional->visible(), 7);
}

TEST_F(CustomTest, TheTestDriverReadsAndWritesFormats) {
  App app("custom");
  const auto encode = [](const Reading& reading, std::string& out) {
    out +=
        reading.sensor + "=" + std::to_string(reading.value) + "@" + std::to_string(reading.ts.ms);
  };
  const Stream<Reading> in = app.source<Reading>(
      kafka("in").format(custom_format<Reading>("readings", decode_reading, encode)));
  in.sink(kafka("out").format(custom_format<Reading>("readings", decode_reading, encode)));
  in.sink(kafka("json").format(json()));
  in.sink(connector("test").named("bare"));
  TestDriver driver(app);
  EXPECT_TRUE(driver.push_text("in", "a=1@10\nb=2@20\n").is_ok());
  EXPECT_EQ(*driver.read_text("out"), "a=1@10\nb=2@20\n");
  EXPECT_THAT(*driver.read_text("json"), HasSubstr(R"({"sensor":"a","value":1,"ts":)"));
  const Status bad = driver.push_text("in", "a=1@10\nnonsense\n");
  EXPECT_THAT(bad.to_string(), HasSubstr("line 2"));
  EXPECT_THAT(bad.to_string(), HasSubstr("not SENSOR=VALUE@MS"));
  EXPECT_EQ(*driver.read_text("out"), "");
  EXPECT_THAT(driver.read_text("bare").status().to_string(), HasSubstr("no format"));
}

TEST_F(CustomTest, UnknownOptionsAreRefusedWithTheNearestName) {
  App app("custom");
  app.source<Reading>(files("/nowhere").option("eror-policy", "skip").format(json())).print();
  const Status status = run(app);
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kUnknownOption);
  EXPECT_THAT(status.to_string(), HasSubstr("error-policy"));
}

TEST_F(CustomTest, MissingFoldersAreSaid) {
  App app("custom");
  app.source<Reading>(files((folder_ / "nowhere").string()).format(json())).print();
  const Status status = run(app);
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kFileNotFound);
  EXPECT_THAT(status.to_string(), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace tidegate
