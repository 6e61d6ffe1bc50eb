// SPDX-License-Identifier: Apache-2.0
#include "microbatch/batch_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/blob_store.h"
#include "base/memory_file_system.h"
#include "runtime/test_job.h"

namespace tidegate {
namespace {

using namespace runtime_test;
using testing::ElementsAre;

constexpr EventTime kWindowMs = 10'000;

/// Records in memory that outlive a job; committing one can be made to fail, before or after it.
class Records final : public CommitPolicy {
 public:
  Status commit(const EpochRecord& record) override {
    if (fail_before_ == record.epoch) return error(ErrorCode::kDiskFull, "before {}", record.epoch);
    const Status kept = kept_.commit(record);
    if (fail_after_ == record.epoch) return error(ErrorCode::kDiskFull, "after {}", record.epoch);
    return kept;
  }
  std::shared_ptr<const EpochRecord> last() const {
    const std::vector<EpochId> epochs = kept_.epochs();
    if (epochs.empty()) return nullptr;
    return std::make_shared<const EpochRecord>(kept_.restore_point(epochs.back()));
  }
  EpochId fail_before_ = 0;
  EpochId fail_after_ = 0;

 private:
  MemoryCommitPolicy kept_;
};

/// A query that counts rows per key and window, started again and again over what it has kept.
struct Query {
  explicit Query(std::vector<Rows> splits, bool bounded = false)
      : source(std::make_shared<ListSource>(std::move(splits), [&] {
          ListSourceOptions options;
          options.bounded = bounded;
          return options;
        }())) {
    options.trigger = BatchOptions::Trigger::kAvailableNow;
    options.limits.max_files = 1;
    options.drains = false;
    options.on_batch = [this](const BatchProgress& progress) { batches.push_back(progress); };
  }

  Status run(bool windows = true) {
    Simulation simulation(seed);
    GraphBuilder graph;
    const int in = graph.source(source, by_column(5'000), tasks);
    int last = in;
    if (windows) {
      last = graph.operate("count", WindowCount::factory(kWindowMs), {edge(in, Exchange::kHash)},
                           tasks, 1, TimeGrain{1, 0});
    }
    graph.sink(sink, {edge(last)}, 1);
    batches.clear();
    BatchOptions own = options;
    own.clock = &simulation.clock;
    own.parallelism = tasks;
    const std::shared_ptr<BlobStore> blobs = make_local_blob_store(files, "/log");
    const Graph built = graph.build();
    Result<std::shared_ptr<BatchRunner>> made =
        BatchRunner::make(built, own, records, std::make_shared<BatchLog>(blobs), records->last());
    if (!made.is_ok()) return std::move(made).status();
    const std::shared_ptr<BatchRunner> runner = *made;
    JobOptions job;
    job.parallelism = tasks;
    job.planner = runner;
    job.commit_policy = runner;
    job.restore = runner->restore();
    job.watermark_per_epoch = own.watermark_per_batch;
    job.epoch_rows = epoch_rows;
    const Status status = simulation.run(built, job);
    simulation.job.reset();
    return status;
  }

  /// The rows of one batch, sorted.
  Rows of_batch(BatchId batch) const {
    Rows rows = sink->visible(batch + 1);
    rows.erase(rows.begin(),
               rows.begin() + static_cast<std::ptrdiff_t>(sink->visible(batch).size()));
    return sorted_rows(std::move(rows));
  }
  std::vector<std::int64_t> ids() const {
    std::vector<std::int64_t> ids;
    for (const BatchProgress& batch : batches)
      ids.push_back(static_cast<std::int64_t>(batch.batch_id));
    return ids;
  }

  VirtualClock clock{1'000};
  MemoryFileSystem files{clock};
  std::shared_ptr<ListSource> source;
  std::shared_ptr<CollectSink> sink = std::make_shared<CollectSink>();
  std::shared_ptr<Records> records = std::make_shared<Records>();
  BatchOptions options;
  std::int64_t epoch_rows = 0;
  int tasks = 1;
  std::uint64_t seed = 1;
  std::vector<BatchProgress> batches;
};

TEST(BatchRunnerTest, AFileIsABatchAndWhatComesLaterIsReadByTheNextStart) {
  Query query({{{1, 1'000, 1}, {2, 2'000, 2}}, {}, {{3, 3'000, 3}}});
  ASSERT_THAT(query.run(false), IsOk());
  EXPECT_THAT(query.ids(), ElementsAre(0, 1, 2));
  EXPECT_THAT(query.of_batch(0), ElementsAre(Row{1, 1'000, 1}, Row{2, 2'000, 2}));
  EXPECT_THAT(query.of_batch(2), ElementsAre(Row{3, 3'000, 3}));
  EXPECT_EQ(query.batches[1].num_input_rows, 0);
  ASSERT_THAT(query.run(false), IsOk());
  EXPECT_TRUE(query.ids().empty());
  query.source->add_split("later", {{4, 4'000, 4}});
  ASSERT_THAT(query.run(false), IsOk());
  EXPECT_THAT(query.ids(), ElementsAre(3));
  EXPECT_THAT(query.of_batch(3), ElementsAre(Row{4, 4'000, 4}));
}

// Nobody but its plan ends a batch: not rows (which want an epoch), not whoever asks for one.
TEST(BatchRunnerTest, ABatchIsNeverCut) {
  Query query({{{1, 1'000, 1}, {2, 2'000, 2}, {3, 3'000, 3}}, {{4, 4'000, 4}}}, /*bounded=*/true);
  query.epoch_rows = 1;
  query.options.trigger = BatchOptions::Trigger::kAsap;
  ASSERT_THAT(query.run(false), IsOk());
  EXPECT_THAT(query.ids(), ElementsAre(0, 1));
  EXPECT_EQ(query.of_batch(0).size(), 3u);
}

TEST(BatchRunnerTest, OnceTakesEverythingAndHasNoBatchWithoutData) {
  Query query({{{1, 1'000, 1}}, {{1, 40'000, 1}}});
  query.options.trigger = BatchOptions::Trigger::kOnce;
  query.options.watermark_per_batch = true;
  ASSERT_THAT(query.run(), IsOk());
  EXPECT_THAT(query.ids(), ElementsAre(0));
  EXPECT_EQ(query.batches[0].num_input_rows, 2);
}

// Spark's recorded case late-lags-one-batch-append: batch 2 takes a row for a window that it emits
// itself, and the row of batch 3 is late.
TEST(BatchRunnerTest, LatenessLagsOneBatchBehindEmission) {
  Query query({{{1, 101'000, 1}},
               {{1, 130'000, 1}},
               {{2, 105'000, 1}},
               {{3, 106'000, 1}},
               {{1, 131'000, 1}}});
  query.options.watermark_per_batch = true;
  ASSERT_THAT(query.run(), IsOk());
  EXPECT_THAT(query.ids(), ElementsAre(0, 1, 2, 3, 4, 5));
  std::vector<EventTime> watermarks;
  for (const BatchProgress& batch : query.batches) watermarks.push_back(*batch.watermark);
  EXPECT_THAT(watermarks, ElementsAre(0, 96'000, 125'000, 125'000, 125'000, 126'000));
  EXPECT_THAT(query.of_batch(2), ElementsAre(Row{1, 110'000, 1}, Row{2, 110'000, 1}));
  for (const BatchId empty : {0, 1, 3, 4, 5}) EXPECT_TRUE(query.of_batch(empty).empty()) << empty;
}

// The same, cut by a stop after each batch: the watermark and its lag outlive it.
TEST(BatchRunnerTest, TheWatermarkOutlivesARestart) {
  Query query({});
  query.options.watermark_per_batch = true;
  query.options.no_data_batches = false;
  const std::vector<Rows> files = {
      {{1, 101'000, 1}}, {{1, 130'000, 1}}, {{2, 105'000, 1}}, {{3, 106'000, 1}}};
  for (std::size_t i = 0; i < files.size(); ++i) {
    query.source->add_split(std::to_string(i), files[i]);
    ASSERT_THAT(query.run(), IsOk());
    EXPECT_THAT(query.ids(), ElementsAre(static_cast<std::int64_t>(i)));
  }
  EXPECT_THAT(query.of_batch(2), ElementsAre(Row{1, 110'000, 1}, Row{2, 110'000, 1}));
  EXPECT_TRUE(query.of_batch(3).empty());
}

TEST(BatchRunnerTest, ABatchWithoutARecordIsRunAgainWithTheSameRange) {
  Query query({{{1, 1'000, 1}}, {{1, 2'000, 2}}});
  query.records->fail_before_ = 2;
  EXPECT_EQ(query.run(false).code(), ErrorCode::kDiskFull);
  query.records->fail_before_ = 0;
  query.options.limits.max_files = 0;  // a new plan would take both files at once
  query.source->add_split("new", {{1, 3'000, 3}});
  ASSERT_THAT(query.run(false), IsOk());
  EXPECT_THAT(query.ids(), ElementsAre(1, 2));
  EXPECT_THAT(query.of_batch(1), ElementsAre(Row{1, 2'000, 2}));
  EXPECT_THAT(query.of_batch(2), ElementsAre(Row{1, 3'000, 3}));
}

TEST(BatchRunnerTest, ABatchWithARecordIsPublishedAndNotRunAgain) {
  Query query({{{1, 1'000, 1}}, {{1, 2'000, 2}}});
  query.sink->fail_commits(1'000);
  EXPECT_FALSE(query.run(false).is_ok());
  EXPECT_TRUE(query.sink->visible().empty());
  query.sink->fail_commits(0);
  ASSERT_THAT(query.run(false), IsOk());
  EXPECT_THAT(query.ids(), ElementsAre(1));
  EXPECT_THAT(query.of_batch(0), ElementsAre(Row{1, 1'000, 1}));
  EXPECT_THAT(query.of_batch(1), ElementsAre(Row{1, 2'000, 2}));
  EXPECT_EQ(query.files.list("/log/commits")->size(), 2u);
}

// Every write of the log and every record may be the last thing that happens.
TEST(BatchRunnerTest, WhereverItStopsTheBatchesAreTheSame) {
  const std::vector<Rows> files = {{{1, 101'000, 1}}, {{1, 130'000, 1}}, {{2, 135'000, 1}}};
  Query whole(files);
  whole.options.watermark_per_batch = true;
  ASSERT_THAT(whole.run(), IsOk());
  const Rows wanted = whole.sink->visible();
  ASSERT_FALSE(wanted.empty());
  for (std::int64_t crash_at = 1;; ++crash_at) {
    Query query(files);
    query.options.watermark_per_batch = true;
    std::int64_t syncs = 0;
    query.files.set_fault([&](FileOperation operation, std::string_view) {
      const bool counts = operation == FileOperation::kSync || operation == FileOperation::kRename;
      return counts && ++syncs >= crash_at ? error(ErrorCode::kDiskFull, "crash") : Status::ok();
    });
    const bool crashed = !query.run().is_ok();
    query.files.set_fault({});
    ASSERT_THAT(query.run(), IsOk()) << crash_at;
    EXPECT_EQ(query.sink->visible(), wanted) << crash_at;
    for (BatchId batch = 0; batch < 5; ++batch)
      EXPECT_EQ(query.of_batch(batch), whole.of_batch(batch)) << crash_at << " " << batch;
    if (!crashed) break;
  }
}

// Tasks that have nothing to read in a batch do not hold back what it emits, whoever runs first.
TEST(BatchRunnerTest, WhatABatchEmitsIsTheSameWhateverRunsFirst) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Query query({{{1, 101'000, 1}}, {{1, 130'000, 1}}, {{2, 150'000, 1}}}, /*bounded=*/true);
    query.options.trigger = BatchOptions::Trigger::kAsap;
    query.tasks = 3;
    query.seed = seed;
    ASSERT_THAT(query.run(), IsOk());
    EXPECT_THAT(query.of_batch(0), testing::IsEmpty());
    EXPECT_THAT(query.of_batch(1), ElementsAre(Row{1, 110'000, 1})) << seed;
    EXPECT_THAT(query.of_batch(2), ElementsAre(Row{1, 140'000, 1})) << seed;
  }
}

TEST(BatchRunnerTest, BoundedInputDrainsInItsLastBatch) {
  Query query({{{1, 101'000, 1}}, {{1, 130'000, 1}}}, /*bounded=*/true);
  query.options.trigger = BatchOptions::Trigger::kAsap;
  query.options.drains = true;
  ASSERT_THAT(query.run(), IsOk());
  EXPECT_THAT(query.sink->sorted(), ElementsAre(Row{1, 110'000, 1}, Row{1, 140'000, 1}));
  EXPECT_TRUE(query.records->last()->finished);
  ASSERT_THAT(query.run(), IsOk());
  EXPECT_TRUE(query.ids().empty());
}

TEST(BatchRunnerTest, WhatIsReadOfBoundedInputByParts) {
  Query query({{{1, 101'000, 1}}, {{1, 130'000, 1}}}, /*bounded=*/true);
  query.options.trigger = BatchOptions::Trigger::kAsap;
  ASSERT_THAT(query.run(), IsOk());
  EXPECT_FALSE(query.records->last()->finished);
  EXPECT_THAT(query.sink->sorted(), ElementsAre(Row{1, 110'000, 1}));  // the other stays open
}

TEST(BatchRunnerTest, OldLogsGo) {
  std::vector<Rows> files;
  for (int i = 0; i < 30; ++i) files.push_back({{1, i, 1}});
  Query query(std::move(files));
  query.options.retained_batches = 5;
  ASSERT_THAT(query.run(false), IsOk());
  EXPECT_EQ(query.ids().size(), 30u);
  EXPECT_EQ(query.files.list("/log/offsets")->size(), 5u);
  EXPECT_EQ(query.files.list("/log/commits")->size(), 5u);
}

TEST(BatchRunnerTest, ALostStateIsSaid) {
  Query query({{{1, 1'000, 1}}, {{1, 2'000, 2}}});
  ASSERT_THAT(query.run(false), IsOk());
  query.records = std::make_shared<Records>();
  EXPECT_EQ(query.run(false).code(), ErrorCode::kStateCorrupt);
}

TEST(BatchRunnerTest, AnotherWatermarkRuleIsRefused) {
  Query query({{{1, 1'000, 1}}});
  ASSERT_THAT(query.run(false), IsOk());
  query.options.watermark_per_batch = true;
  EXPECT_EQ(query.run(false).code(), ErrorCode::kStateMismatch);
}

TEST(BatchWatermarkTest, LowestOrHighestOfSourcesAndNeverBack) {
  GraphBuilder builder;
  const auto list = std::make_shared<ListSource>(std::vector<Rows>{});
  builder.source(list, by_column(1'000));
  builder.source(list, by_column(0));
  builder.source(list);  // without event time: has no say
  const Graph graph = builder.build();
  const auto read = [](const char* uid, EventTime time) {
    SourceRead read;
    read.uid = uid;
    read.times = 1;
    read.max_time = time;
    return read;
  };
  const std::vector<std::string> uids = {"a", "b", "c"};
  auto lowest = *BatchWatermark::make(graph, uids, BatchWatermark::Policy::kMin);
  auto highest = *BatchWatermark::make(graph, uids, BatchWatermark::Policy::kMax);
  const auto add = [&](const std::vector<SourceRead>& reads) {
    lowest.add(reads);
    highest.add(reads);
    return std::pair(lowest.watermark(), highest.watermark());
  };
  EXPECT_EQ(add({read("a", 5'000)}), (std::pair<EventTime, EventTime>(0, 4'000)));
  EXPECT_EQ(add({read("b", 3'000)}), (std::pair<EventTime, EventTime>(3'000, 4'000)));
  EXPECT_EQ(add({read("b", 9'000), read("a", 2'000)}),
            (std::pair<EventTime, EventTime>(4'000, 9'000)));
  EXPECT_EQ(add({read("c", 90'000)}), (std::pair<EventTime, EventTime>(4'000, 9'000)));
  lowest.restore(8'000);
  EXPECT_EQ(add({read("a", 6'000)}).first, 8'000);
}

TEST(BatchLogTest, APlanComesBackAsItWas) {
  BatchPlan plan;
  plan.batch = 7;
  plan.time_ms = 123;
  plan.seed = 18'446'744'073'709'551'615u;
  plan.settings = {{"watermark.rule", "per-batch"}};
  plan.epoch.watermark_before = -5;
  plan.epoch.watermark = 9;
  plan.epoch.sources = {{"in", {{{"a\xff/\"b", "p"}, "12"}, {{"c", ""}, std::nullopt}}}};
  const auto read = decode_plan(encode_plan(plan));
  ASSERT_TRUE(read.is_ok()) << read.status().to_string();
  EXPECT_EQ(encode_plan(*read), encode_plan(plan));
  EXPECT_EQ(read->epoch.sources[0].splits[0].split.id, "a\xff/\"b");
  EXPECT_EQ(read->seed, plan.seed);
  for (const char* bad : {"", "[]", "{}", "{\"batchId\":1}"})
    EXPECT_EQ(decode_plan(bad).status().code(), ErrorCode::kStateCorrupt) << bad;
}

TEST(BatchLogTest, DamageIsNamed) {
  VirtualClock clock{1};
  MemoryFileSystem files{clock};
  const std::shared_ptr<BlobStore> blobs = make_local_blob_store(files, "/log");
  BatchLog log(blobs);
  BatchPlan plan;
  ASSERT_THAT(log.plan(plan), IsOk());
  ASSERT_THAT(log.commit(0, 5), IsOk());
  ASSERT_EQ(*log.query_id("me"), "me");
  const auto look_at = [&](std::string_view name) {
    if (name == "metadata") return log.query_id("another").status();
    return name == "offsets/0" ? log.planned(0).status() : log.is_committed(0).status();
  };
  // Each byte flipped, and each beginning of the file.
  for (const std::string name : {"offsets/0", "commits/0", "metadata"}) {
    const std::string good = *blobs->get(name, 1 << 20);
    for (std::size_t i = 0; i < 2 * good.size(); ++i) {
      std::string bad = good.substr(0, i < good.size() ? good.size() : i - good.size());
      if (i < good.size()) bad[i] = static_cast<char>(bad[i] ^ 1 << i % 8);
      ASSERT_THAT(blobs->put(name, bad), IsOk());
      const Status status = look_at(name);
      EXPECT_TRUE(status.code() == ErrorCode::kStateCorrupt ||
                  status.code() == ErrorCode::kStateVersion)
          << name << ' ' << i << ' ' << status.to_string();
      if (name != "metadata") {
        EXPECT_THAT(status.to_string(), testing::HasSubstr(name));
      }
    }
    ASSERT_THAT(blobs->put(name, good), IsOk());
    EXPECT_THAT(look_at(name), IsOk());
  }
  EXPECT_FALSE(log.planned(1)->has_value());
  // Another batch's plan.
  ASSERT_THAT(blobs->put("offsets/1", *blobs->get("offsets/0", 1 << 20)), IsOk());
  EXPECT_EQ(log.planned(1).status().code(), ErrorCode::kStateCorrupt);
}

}  // namespace
}  // namespace tidegate
