// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/file_sink.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "base/check.h"
#include "connectors/filesystem/part_names.h"
#include "connectors/filesystem/test_reading.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;
using OptionMap = FileReading::OptionMap;

// The names of the files of the sink below.
std::string part(const std::string& place, const std::string& extension = "json") {
  return "part-" + place + '-' + part_owner("", "sink") + '.' + extension;
}
std::string unfinished(const std::string& place, const std::string& run = "RUN") {
  return ".part-" + part_owner("", "sink") + '-' + run + '-' + place + ".inprogress";
}
// Runs have numbers of their own.
Texts without_run(Texts names) {
  for (std::string& name : names)
    name = std::regex_replace(name, std::regex("-[0-9a-f]{16}-"), "-RUN-");
  return names;
}

// Drives writers of a sink as the runtime does; whoever blocks must be woken.
class Writing final : public OperatorContext {
 public:
  Writing()
      : executor_(make_simulated_executor(3, reading_.virtual_clock(), 2)),
        metrics_(make_metric_registry()) {}

  FileReading& reading() { return reading_; }
  MemoryFileSystem& files() { return reading_.files(); }

  Status open(const std::string& format, OptionMap options = {},
              const std::vector<int>& partitioned_by = {}) {
    ConnectorRequest request = this->request(format, std::move(options), partitioned_by);
    schema_ = request.schema;
    TG_ASSIGN_OR_RETURN(sink_, make_file_sink(request));
    return sink_->open();
  }
  ConnectorRequest request(const std::string& format, OptionMap options = {},
                           const std::vector<int>& partitioned_by = {}) {
    options.insert({{"path", "/out/"}, {"format", format}});
    ConnectorRequest request = reading_.request({"a INT", "s STRING"}, options);
    request.partitioned_by = partitioned_by;
    return request;
  }
  Sink& sink() { return *sink_; }
  std::unique_ptr<SinkWriter> writer(int subtask = 0) {
    subtask_ = subtask;
    return std::move(*sink_->open_writer(*this));
  }
  Status write(SinkWriter& writer, std::string_view rows) {
    return drive(writer, writer.write(batch_of(*schema_, rows)));
  }
  Result<std::string> end_epoch(SinkWriter& writer, EpochId epoch) {
    TG_RETURN_IF_ERROR(drive(writer, writer.flush()));
    return writer.prepare(epoch);
  }
  Status drive(SinkWriter& writer, Result<Progress> progress) {
    for (;;) {
      if (!progress.is_ok()) return progress.status();
      if (*progress == Progress::kDone) return Status::ok();
      while (!woken_) {
        if (!executor_->run_one()) return Status(ErrorCode::kInternal, "blocked for ever");
      }
      woken_ = false;
      progress = writer.resume();
    }
  }
  void run_all() {
    while (executor_->run_one()) {
    }
  }
  const SchemaPtr& schema() const { return schema_; }

  const std::string& operator_name() const override { return name_; }
  int subtask() const override { return subtask_; }
  int parallelism() const override { return 4; }
  KeyGroupRange key_groups() const override { return {}; }
  const Clock& clock() const override { return reading_.clock(); }
  Executor& executor() override { return *executor_; }
  Waker waker() override {
    return Waker(std::make_shared<const std::function<void()>>([this] { woken_ = true; }));
  }
  StateBackend& state() override { check_failed(__FILE__, __LINE__, "state", "a sink has none"); }
  MetricGroup& metrics() override { return metrics_->group(name_, subtask_); }
  void request_wake_at(std::int64_t) override {}

 private:
  const std::string name_ = "sink";
  FileReading reading_;
  std::unique_ptr<SimulatedExecutor> executor_;
  std::unique_ptr<MetricRegistry> metrics_;
  SchemaPtr schema_;
  std::shared_ptr<Sink> sink_;
  int subtask_ = 0;
  bool woken_ = false;
};

TEST(FileSink, PublishesWholeFilesWithTheirEpoch) {
  Writing writing;
  ASSERT_TRUE(writing.open("json").is_ok());
  auto writer = writing.writer(2);
  ASSERT_TRUE(writing.write(*writer, R"([[1, "x"]])").is_ok());
  ASSERT_TRUE(writing.write(*writer, R"([[2, null]])").is_ok());
  const Result<std::string> first = writing.end_epoch(*writer, 7);
  ASSERT_TRUE(first.is_ok());
  ASSERT_TRUE(writing.write(*writer, R"([[3, "y"]])").is_ok());
  const Result<std::string> second = writing.end_epoch(*writer, 8);
  const Result<std::string> empty = writing.end_epoch(*writer, 9);
  EXPECT_EQ(*empty, "");
  EXPECT_EQ(without_run(writing.reading().names_in("/out")),
            (Texts{unfinished("0002-000001"), unfinished("0002-000002")}));
  ASSERT_TRUE(writing.sink().commit(7, *first).is_ok());
  ASSERT_TRUE(writing.sink().commit(7, *first).is_ok());
  EXPECT_EQ(without_run(writing.reading().names_in("/out")),
            (Texts{unfinished("0002-000002"), part("0000000007-0002-000001", "json")}));
  ASSERT_TRUE(writing.sink().commit(8, *second).is_ok());
  ASSERT_TRUE(writing.sink().commit(9, *empty).is_ok());
  EXPECT_EQ(writing.reading().names_in("/out"), (Texts{part("0000000007-0002-000001", "json"),
                                                       part("0000000008-0002-000002", "json")}));
  EXPECT_EQ(writing.reading().read("/out/" + part("0000000007-0002-000001", "json")),
            "{\"a\":1,\"s\":\"x\"}\n{\"a\":2,\"s\":null}\n");
}

TEST(FileSink, PreparedFilesSurviveAPowerCut) {
  Writing writing;
  ASSERT_TRUE(writing.open("json").is_ok());
  auto writer = writing.writer();
  ASSERT_TRUE(writing.write(*writer, R"([[1, "x"]])").is_ok());
  const Result<std::string> prepared = writing.end_epoch(*writer, 1);
  ASSERT_TRUE(writing.write(*writer, R"([[2, "lost"]])").is_ok());
  writing.run_all();
  writing.files().crash();
  ASSERT_TRUE(writing.sink().commit(1, *prepared).is_ok());
  writing.files().crash();
  EXPECT_EQ(writing.reading().read("/out/" + part("0000000001-0000-000001", "json")),
            "{\"a\":1,\"s\":\"x\"}\n");
}

TEST(FileSink, ThrowsAwayWhatWasNotPreparedOrIsAborted) {
  Writing writing;
  ASSERT_TRUE(writing.open("json").is_ok());
  {
    auto writer = writing.writer();
    ASSERT_TRUE(writing.write(*writer, R"([[1, "x"]])").is_ok());
    const Result<std::string> prepared = writing.end_epoch(*writer, 1);
    ASSERT_TRUE(writing.write(*writer, R"([[2, "y"]])").is_ok());
    ASSERT_TRUE(writing.sink().abort(1, *prepared).is_ok());
    ASSERT_TRUE(writing.sink().abort(1, *prepared).is_ok());
    EXPECT_EQ(writing.sink().commit(1, *prepared).code(), ErrorCode::kStateCorrupt);
  }
  writing.run_all();
  EXPECT_EQ(writing.reading().names_in("/out"), Texts{});
}

TEST(FileSink, ASecondRunAddsToTheFolder) {
  Writing writing;
  const auto run = [&](EpochId first_epoch) {
    EXPECT_TRUE(writing.open("json").is_ok());
    auto writer = writing.writer();
    for (EpochId epoch = first_epoch; epoch < first_epoch + 2; ++epoch) {
      EXPECT_TRUE(writing.write(*writer, R"([[1, "x"]])").is_ok());
      const Result<std::string> prepared = writing.end_epoch(*writer, epoch);
      EXPECT_TRUE(writing.sink().commit(epoch, *prepared).is_ok());
    }
  };
  run(1);
  run(3);  // goes on
  run(1);  // begins anew
  run(2);
  EXPECT_EQ(
      writing.reading().names_in("/out"),
      (Texts{part("0000000001-0000-000001", "json"), part("0000000002-0000-000002", "json"),
             part("0000000003-0000-000001", "json"), part("0000000004-0000-000002", "json"),
             part("0000000005-0000-000001", "json"), part("0000000006-0000-000002", "json"),
             part("0000000008-0000-000001", "json"), part("0000000009-0000-000002", "json")}));
}

TEST(FileSink, NeverOverwrites) {
  Writing writing;
  ASSERT_TRUE(writing.open("json").is_ok());
  auto writer = writing.writer();
  ASSERT_TRUE(writing.write(*writer, R"([[1, "x"]])").is_ok());
  const Result<std::string> prepared = writing.end_epoch(*writer, 1);
  writing.reading().write("/out/" + part("0000000001-0000-000001", "json"), "precious");
  EXPECT_EQ(writing.sink().commit(1, *prepared).code(), ErrorCode::kFileAccess);
  EXPECT_EQ(writing.reading().read("/out/" + part("0000000001-0000-000001", "json")), "precious");
}

TEST(FileSink, RollsBySizeAndAge) {
  Writing writing;
  ASSERT_TRUE(writing
                  .open("csv", {{"sink.rolling-policy.file-size", "20 b"},
                                {"sink.rolling-policy.rollover-interval", "10 s"},
                                {"csv.header", "true"}})
                  .is_ok());
  auto writer = writing.writer();
  ASSERT_TRUE(writing.write(*writer, R"([[1, "a long text of some bytes"]])").is_ok());
  ASSERT_TRUE(writing.write(*writer, R"([[2, "x"]])").is_ok());
  writing.reading().virtual_clock().advance_to_ms(11'000);
  ASSERT_TRUE(writing.write(*writer, R"([[3, "y"]])").is_ok());
  const Result<std::string> prepared = writing.end_epoch(*writer, 1);
  ASSERT_TRUE(writing.sink().commit(1, *prepared).is_ok());
  EXPECT_EQ(writing.reading().names_in("/out"),
            (Texts{part("0000000001-0000-000001", "csv"), part("0000000001-0000-000002", "csv"),
                   part("0000000001-0000-000003", "csv")}));
  EXPECT_EQ(writing.reading().read("/out/" + part("0000000001-0000-000002", "csv")), "a,s\n2,x\n");
}

TEST(FileSink, AFullDiskIsAnErrorAndPublishesNothing) {
  for (const char* format : {"json", "parquet"}) {
    Writing writing;
    ASSERT_TRUE(writing.open(format).is_ok());
    writing.files().set_capacity(10);
    {
      auto writer = writing.writer();
      Status status = writing.write(*writer, R"([[1, "a long text of some bytes"]])");
      if (status.is_ok()) status = writing.end_epoch(*writer, 1).status();
      EXPECT_EQ(status.code(), ErrorCode::kDiskFull) << status.to_string();
      EXPECT_EQ(writing.end_epoch(*writer, 1).status().code(), ErrorCode::kDiskFull);
    }
    writing.run_all();
    EXPECT_EQ(writing.reading().names_in("/out"), Texts{});
  }
}

TEST(FileSink, WaitsForTheDiskWhenTooMuchIsOnItsWay) {
  Writing writing;
  ASSERT_TRUE(writing.open("json").is_ok());
  auto writer = writing.writer();
  const std::string big = "[[1, \"" + std::string(2'000'000, 'x') + "\"]]";
  int blocked = 0;
  for (int i = 0; i < 12; ++i) {
    Result<Progress> progress = writer->write(batch_of(*writing.schema(), big));
    ASSERT_TRUE(progress.is_ok());
    if (*progress != Progress::kBlocked) continue;
    ++blocked;
    ASSERT_TRUE(writing.drive(*writer, std::move(progress)).is_ok());
  }
  EXPECT_GT(blocked, 0);
  const Result<std::string> prepared = writing.end_epoch(*writer, 1);
  ASSERT_TRUE(writing.sink().commit(1, *prepared).is_ok());
  EXPECT_EQ(writing.reading().read("/out/" + part("0000000001-0000-000001", "json")).size(),
            12 * (2'000'000 + std::string("{\"a\":1,\"s\":\"\"}\n").size()));
}

TEST(FileSink, WritesParquetThatReadsBack) {
  Writing writing;
  ASSERT_TRUE(writing.open("parquet").is_ok());
  auto writer = writing.writer();
  ASSERT_TRUE(writing.write(*writer, R"([[1, "x"], [null, null]])").is_ok());
  ASSERT_TRUE(writing.write(*writer, R"([[2, "y"]])").is_ok());
  const Result<std::string> prepared = writing.end_epoch(*writer, 1);
  ASSERT_TRUE(prepared.is_ok()) << prepared.status().to_string();
  ASSERT_TRUE(writing.sink().commit(1, *prepared).is_ok());
  const auto rows = writing.reading().read_all(
      writing.reading().request({"a INT", "s STRING"}, {{"path", "/out"}, {"format", "parquet"}}));
  EXPECT_EQ(rows.texts, (Texts{"+I[1, x]", "+I[null, null]", "+I[2, y]"}));
}

TEST(FileSink, RefusesAChangelog) {
  Writing writing;
  ASSERT_TRUE(writing.open("json").is_ok());
  auto writer = writing.writer();
  EXPECT_EQ(
      writing.drive(*writer, writer->write(changelog_of(*writing.schema(), R"([["-D", 1, "x"]])")))
          .code(),
      ErrorCode::kNotSupported);
}

// A format that has messages too is written to files as a whole.
TEST(FileSink, WritesAvroFiles) {
  Writing writing;
  ASSERT_TRUE(writing.open("avro").is_ok());
  auto writer = writing.writer();
  ASSERT_TRUE(writing.write(*writer, R"([[1, "x"], [null, null]])").is_ok());
  const Result<std::string> prepared = writing.end_epoch(*writer, 1);
  ASSERT_TRUE(prepared.is_ok());
  ASSERT_TRUE(writing.sink().commit(1, *prepared).is_ok());
  const auto rows = writing.reading().read_all(
      writing.reading().request({"a INT", "s STRING"}, {{"path", "/out"}, {"format", "avro"}}));
  EXPECT_EQ(rows.texts, (Texts{"+I[1, x]", "+I[null, null]"})) << rows.status.to_string();
}

TEST(FileSink, WritesChangesThatReadBack) {
  Writing writing;
  ASSERT_TRUE(writing.open("debezium-json").is_ok());
  auto writer = writing.writer();
  const char* changes =
      R"([["+I", 1, "x"], ["-U", 1, "x"], ["+U", 1, "y"], ["-D", 1, "y"], ["+I", null, null]])";
  ASSERT_TRUE(
      writing.drive(*writer, writer->write(changelog_of(*writing.schema(), changes))).is_ok());
  const Result<std::string> prepared = writing.end_epoch(*writer, 1);
  ASSERT_TRUE(prepared.is_ok());
  ASSERT_TRUE(writing.sink().commit(1, *prepared).is_ok());
  EXPECT_EQ(writing.reading().names_in("/out"),
            (Texts{part("0000000001-0000-000001", "debezium-json")}));
  const auto rows = writing.reading().read_all(writing.reading().request(
      {"a INT", "s STRING"}, {{"path", "/out"}, {"format", "debezium-json"}}));
  EXPECT_EQ(rows.texts, (Texts{"+I[1, x]", "-D[1, x]", "+I[1, y]", "-D[1, y]", "+I[null, null]"}));
}

// A folder per value; null and the empty text share one; both come back as null.
TEST(FileSink, PartitionsLieInFoldersAndReadBack) {
  for (const std::string format : {"json", "csv", "parquet"}) {
    Writing writing;
    ASSERT_TRUE(
        writing.open(format, {{"sink.partition-commit.policy.kind", "success-file"}}, {1}).is_ok());
    auto writer = writing.writer();
    ASSERT_TRUE(writing.write(*writer, R"([[1, "x"], [2, "a/b: c"], [3, "x"], [4, null], [5, ""]])")
                    .is_ok());
    const Result<std::string> prepared = writing.end_epoch(*writer, 1);
    ASSERT_TRUE(prepared.is_ok()) << prepared.status().to_string();
    EXPECT_EQ(without_run(writing.reading().names_in("/out/s=x")),
              Texts{unfinished("0000-000001")});
    for (int twice = 0; twice < 2; ++twice)
      ASSERT_TRUE(writing.sink().commit(1, *prepared).is_ok());
    EXPECT_EQ(writing.reading().names_in("/out"),
              (Texts{"s=__DEFAULT_PARTITION__", "s=a%2Fb%3A c", "s=x"}));
    EXPECT_EQ(writing.reading().names_in("/out/s=x"),
              (Texts{"_SUCCESS", part("0000000001-0000-000001", format)}));
    if (format == "json") {
      EXPECT_EQ(writing.reading().read("/out/s=x/" + part("0000000001-0000-000001")),
                "{\"a\":1}\n{\"a\":3}\n");
    }
    auto rows = writing.reading().read_all(writing.request(format, {}, {1}));
    std::ranges::sort(rows.texts);
    EXPECT_EQ(rows.texts,
              (Texts{"+I[1, x]", "+I[2, a/b: c]", "+I[3, x]", "+I[4, null]", "+I[5, null]"}))
        << rows.status.to_string();
  }
}

TEST(FileSink, ManyPartitionsDoNotKeepManyFilesOpen) {
  Writing writing;
  ASSERT_TRUE(writing.open("json", {}, {0}).is_ok());
  auto writer = writing.writer();
  std::string rows;
  for (int i = 0; i < 300; ++i) rows += fmt::format("{}[{}, \"x\"]", i == 0 ? "" : ", ", i % 150);
  ASSERT_TRUE(writing.write(*writer, "[" + rows + "]").is_ok());
  const Result<std::string> prepared = writing.end_epoch(*writer, 1);
  ASSERT_TRUE(writing.sink().commit(1, *prepared).is_ok());
  EXPECT_EQ(writing.reading().names_in("/out").size(), 150u);
  EXPECT_EQ(writing.reading().read_all(writing.request("json", {}, {0})).texts.size(), 300u);
}

// Leftovers of its own go, but not what is still to be published nor what others are writing.
TEST(FileSink, RemovesWhatKilledRunsHaveLeft) {
  Writing writing;
  const std::string foreign = ".part-0badcafe-000007-0000-000001.inprogress";
  writing.reading().write("/out/" + foreign, "theirs");
  writing.reading().write("/out/" + unfinished("0001-000001", "3"), "left");
  writing.reading().write("/out/" + unfinished("0000-000002", "3"), "prepared");
  ASSERT_TRUE(writing.open("json").is_ok());
  ASSERT_TRUE(
      writing.sink()
          .commit(4, unfinished("0000-000002", "3") + "\t" + part("0000000004-0000-000002") + "\n")
          .is_ok());
  auto writer = writing.writer();
  writing.run_all();
  EXPECT_EQ(writing.reading().names_in("/out"), (Texts{foreign, part("0000000004-0000-000002")}));
}

TEST(FileSink, SaysWhatPartitionCommitsAreNotSupported) {
  Writing writing;
  for (const OptionMap& options :
       {OptionMap{{"sink.partition-commit.policy.kind", "metastore,success-file"}},
        OptionMap{{"sink.partition-commit.policy.kind", "success-file"},
                  {"sink.partition-commit.trigger", "partition-time"}},
        OptionMap{{"sink.partition-commit.policy.kind", "success-file"},
                  {"sink.partition-commit.delay", "1 h"}},
        OptionMap{{"auto-compaction", "true"}}})
    EXPECT_EQ(writing.open("json", options, {0}).code(), ErrorCode::kNotSupported);
}

TEST(PartCommittable, ReadsBackAndRefusesNonsense) {
  const PartCommittable committable{{{".a", "b"}, {"k=1 2/.c", "k=1 2/d"}}};
  Result<PartCommittable> parsed = PartCommittable::parse(committable.to_string());
  ASSERT_TRUE(parsed.is_ok());
  ASSERT_EQ(parsed->files.size(), 2u);
  EXPECT_EQ(parsed->files[1].in_progress, "k=1 2/.c");
  EXPECT_EQ(parsed->files[1].published, "k=1 2/d");
  for (const char* text : {"x", "x\n", ".a\tb", "\tb\n", ".a\t../b\n", "/etc/a\tb\n", "a//b\tc\n"})
    EXPECT_FALSE(PartCommittable::parse(text).is_ok()) << text;
}

}  // namespace
}  // namespace tidegate
