// SPDX-License-Identifier: Apache-2.0
// The connector against real files and real threads.

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "connectors/filesystem/file_source.h"
#include "connectors/filesystem/test_compression.h"
#include "formats/format.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

class Threads final : public SourceContext {
 public:
  explicit Threads(int workers)
      : executor_(make_thread_executor(workers)), metrics_(make_metric_registry()) {}

  // Sleeps until woken, which must come.
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return woken_; });
    woken_ = false;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    woken_ = false;
  }
  std::int64_t metric(std::string_view name) const { return metrics_->sum("source", name); }

  const std::string& source_name() const override { return name_; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { return *executor_; }
  MetricGroup& metrics() override { return metrics_->group(name_, 0); }
  Waker waker() override {
    return Waker(std::make_shared<const std::function<void()>>([this] {
      const std::lock_guard lock(mutex_);
      woken_ = true;
      changed_.notify_all();
    }));
  }

 private:
  const std::string name_ = "source";
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<MetricRegistry> metrics_;
};

class LocalFiles : public testing::Test {
 protected:
  LocalFiles() : folder_(testing::TempDir() + "tidegate_local_files_test") {
    register_all_formats(formats_);
    EXPECT_TRUE(files_.remove_all(folder_).is_ok());
  }
  ~LocalFiles() override { static_cast<void>(files_.remove_all(folder_).is_ok()); }

  std::string path(const std::string& name) const { return folder_ + '/' + name; }

  Result<std::shared_ptr<Source>> source(const std::string& path,
                                         std::map<std::string, std::string, std::less<>> options) {
    options.insert({{"path", path}, {"format", "json"}});
    ConnectorRequest request;
    request.table = "t";
    request.schema = schema_of({"a BIGINT", "s STRING"});
    request.projection = {0, 1};
    request.options = Options(options);
    request.files = &files_;
    request.formats = &formats_;
    return make_file_source(request);
  }

  // Reads a file in which row i has a = i, and returns the number of rows.
  std::int64_t read_counted(Source& source, const std::string& path, Threads& threads,
                            std::int64_t rows_wanted = INT64_MAX) {
    auto reader = source.open_split({path, ""}, {}, threads);
    EXPECT_TRUE(reader.is_ok()) << reader.status().to_string();
    std::int64_t rows = 0;
    while (rows < rows_wanted) {
      threads.forget();
      Result<Polled> polled = (*reader)->poll(1000);
      EXPECT_TRUE(polled.is_ok()) << polled.status().to_string();
      if (!polled.is_ok() || polled->state == Polled::State::kEnd) return rows;
      if (polled->state == Polled::State::kPending) threads.wait();
      if (polled->batch.empty()) continue;
      const auto& column = static_cast<const arrow::Int64Array&>(*polled->batch.column(0));
      for (std::int64_t i = 0; i < column.length(); ++i) {
        if (column.Value(i) == rows++) continue;
        ADD_FAILURE() << "row " << rows - 1 << " is " << column.Value(i);
        return rows;
      }
    }
    return rows;
  }

  FileSystem& files_ = local_file_system();
  FormatRegistry formats_;
  const std::string folder_;
};

TEST_F(LocalFiles, WorkersReadInOrder) {
  constexpr int kRows = 100'000;
  std::string text;
  for (int i = 0; i < kRows; ++i) {
    text += "{\"a\":" + std::to_string(i) + ",\"s\":\"" +
            std::string(static_cast<std::size_t>(i % 50), 'x') + "\"}\n";
    if (i % 1000 == 500) text += "bad\n";
  }
  ASSERT_TRUE(write_file_atomically(files_, path("a.json"), text).is_ok());
  ASSERT_TRUE(
      write_file_atomically(files_, path("a.json.gz"), compress(Compression::kGzip, text)).is_ok());
  for (const int workers : {1, 2, 4}) {
    for (const char* name : {"a.json", "a.json.gz"}) {
      for (const char* policy : {"skip", "dead-letter"}) {
        Threads threads(workers);
        auto made = source(path(name), {{"error-policy", policy},
                                        {"dead-letter.path", path("dead")},
                                        {"source.block-size", "50 kb"}});
        ASSERT_TRUE(made.is_ok());
        EXPECT_EQ(read_counted(**made, path(name), threads), kRows);
        EXPECT_EQ(threads.metric("rows_bad"), kRows / 1000);
      }
    }
  }
}

TEST_F(LocalFiles, AReaderMayGoWhileItsBlocksAreDecoded) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "{\"a\":" + std::to_string(i) + "}\n";
  ASSERT_TRUE(write_file_atomically(files_, path("a.json"), text).is_ok());
  ASSERT_TRUE(
      write_file_atomically(files_, path("a.json.gz"), compress(Compression::kGzip, text)).is_ok());
  Threads threads(3);
  for (int i = 0; i < 20; ++i) {
    for (const char* name : {"a.json", "a.json.gz"}) {
      auto made = source(path(name), {{"source.block-size", "10 kb"}});
      EXPECT_GE(read_counted(**made, path(name), threads, i * 100), i * 100);
    }
  }
}

TEST_F(LocalFiles, ALineOf200MegabytesIsOneBadRecord) {
  {
    Result<std::unique_ptr<WritableFile>> file = files_.create(path("a.json"));
    ASSERT_TRUE(file.is_ok());
    const std::string megabyte(1'000'000, 'x');
    ASSERT_TRUE((*file)->append("{\"a\":0}\n{\"a\":7,\"s\":\"").is_ok());
    for (int i = 0; i < 200; ++i) ASSERT_TRUE((*file)->append(megabyte).is_ok());
    ASSERT_TRUE((*file)->append("\"}\n{\"a\":1}\n").is_ok());
    ASSERT_TRUE((*file)->close().is_ok());
  }
  for (const int workers : {1, 2}) {
    Threads threads(workers);
    auto made = source(path("a.json"), {{"error-policy", "skip"}});
    EXPECT_EQ(read_counted(**made, path("a.json"), threads), 2);
    EXPECT_EQ(threads.metric("rows_bad"), 1);
  }
}

TEST_F(LocalFiles, AFileThatIsRemovedWhileItIsReadIsReadToItsEnd) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "{\"a\":" + std::to_string(i) + "}\n";
  ASSERT_TRUE(write_file_atomically(files_, path("a.json"), text).is_ok());
  auto made = source(path("a.json"), {{"source.block-size", "1 kb"}});
  Threads threads(1);
  auto reader = (*made)->open_split({path("a.json"), ""}, {}, threads);
  ASSERT_TRUE(reader.is_ok());
  ASSERT_TRUE((*reader)->poll(10).is_ok());
  ASSERT_TRUE(files_.remove(path("a.json")).is_ok());
  std::int64_t rows = 10;
  for (;;) {
    Result<Polled> polled = (*reader)->poll(1000);
    ASSERT_TRUE(polled.is_ok());
    if (polled->state == Polled::State::kEnd) break;
    rows += polled->batch.num_rows();
  }
  EXPECT_EQ(rows, 10'000);
}

TEST_F(LocalFiles, AFileThatShrinksIsAnError) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "{\"a\":" + std::to_string(i) + "}\n";
  ASSERT_TRUE(write_file_atomically(files_, path("a.json"), text).is_ok());
  auto made = source(path("a.json"), {{"source.block-size", "1 kb"}});
  Threads threads(1);
  auto reader = (*made)->open_split({path("a.json"), ""}, {}, threads);
  ASSERT_TRUE((*reader)->poll(10).is_ok());
  {
    Result<std::unique_ptr<WritableFile>> shorter = files_.create(path("a.json"));  // truncates
    ASSERT_TRUE((*shorter)->append("{\"a\":0}\n").is_ok());
    ASSERT_TRUE((*shorter)->close().is_ok());
  }
  Result<Polled> polled = (*reader)->poll(1000);
  while (polled.is_ok() && polled->state == Polled::State::kRows) polled = (*reader)->poll(1000);
  EXPECT_EQ(polled.status().code(), ErrorCode::kFileTruncated);
  EXPECT_NE(polled.status().message().find("became shorter while it was read"), std::string::npos);
}

}  // namespace
}  // namespace tidegate
