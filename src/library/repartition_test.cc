// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "kafka/message_journal.h"
#include "kafka/topic_journal.h"
#include "library/repartition_block.h"
#include "library/repartition_sink.h"
#include "library/repartition_source.h"
#include "runtime/test_job.h"
#include "state/state_backend.h"

namespace tidegate::library {
namespace {

using runtime_test::batch_of;
using runtime_test::Row;
using runtime_test::row_schema;
using runtime_test::Rows;
using runtime_test::rows_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// One partition of the topic: the values of its messages.
using Log = std::vector<std::string>;

class WriterContext final : public OperatorContext {
 public:
  WriterContext() : state_(make_memory_state_backend({32, 64, 128})) {}
  const std::string& operator_name() const override { return name_; }
  int subtask() const override { return 0; }
  int parallelism() const override { return 1; }
  KeyGroupRange key_groups() const override { return {32, 64, 128}; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { check_failed(__FILE__, __LINE__, "executor", "none"); }
  Waker waker() override { return Waker(); }
  StateBackend& state() override { return *state_; }
  MetricGroup& metrics() override { check_failed(__FILE__, __LINE__, "metrics", "none"); }
  void request_wake_at(std::int64_t) override {}

 private:
  const std::string name_ = "sink";
  std::unique_ptr<StateBackend> state_;
};

/// An upstream task, which writes into the partitions of the topic.
class Upstream {
 public:
  Upstream(int index, int count, std::vector<Log>& logs,
           const std::vector<StateDelta>& restore = {})
      : logs_(logs) {
    RepartitionSinkSpec spec;
    spec.topic = "t";
    spec.schema = row_schema();
    spec.keys = {0};
    spec.partitions = static_cast<int>(logs.size());
    spec.upstream = index;
    spec.upstreams = count;
    sink_ = make_repartition_sink(spec);
    for (const StateDelta& delta : restore)
      TG_CHECK(context_.state().restore(delta).is_ok(), "restore");
    auto writer = sink_->open_writer(context_);
    TG_CHECK(writer.is_ok(), "{}", writer.status().to_string());
    writer_ = *std::move(writer);
  }

  Upstream& write(const Rows& rows) {
    TG_CHECK(writer_->write(batch_of(rows)).is_ok(), "write");
    return *this;
  }
  Upstream& advance(EventTime time) {
    TG_CHECK(writer_->advance(time).is_ok(), "advance");
    return *this;
  }
  Upstream& idle(bool idle) {
    writer_->idle(idle);
    return *this;
  }
  void finish() {
    advance(kMaxWatermark);
    TG_CHECK(writer_->finish().is_ok(), "finish");
    commit();
  }
  /// Ends the epoch; answers the state of the sink.
  std::vector<StateDelta> commit() {
    const auto prepared = writer_->prepare(++epoch_);
    TG_CHECK(prepared.is_ok(), "{}", prepared.status().to_string());
    if (!prepared->empty()) {
      const auto parsed = kafka::TopicJournal::parse(*prepared);
      TG_CHECK(parsed.is_ok() && parsed->topic == "t", "journal");
      const Status read = kafka::read_journal(parsed->journal, [&](kafka::Outgoing& message) {
        logs_[static_cast<std::size_t>(message.partition)].emplace_back(*message.value);
        return Status::ok();
      });
      TG_CHECK(read.is_ok(), "{}", read.to_string());
    }
    auto deltas = context_.state().seal(epoch_);
    TG_CHECK(deltas.is_ok(), "seal");
    return *std::move(deltas);
  }

 private:
  std::vector<Log>& logs_;
  WriterContext context_;
  std::shared_ptr<Sink> sink_;
  std::unique_ptr<SinkWriter> writer_;
  EpochId epoch_ = 0;
};

RepartitionSourceSpec reading(int upstreams, std::int32_t partition = 0) {
  return {"t", row_schema(), partition, upstreams};
}

/// "12@5" for a row with k=12 and ts=5, "<7" for a watermark, "idle", "end".
std::vector<std::string> told(const Polled& polled) {
  std::vector<std::string> all;
  if (!polled.batch.empty()) {
    for (const Row& row : rows_of(polled.batch)) all.push_back(fmt::format("{}@{}", row.k, row.ts));
  }
  if (polled.watermark)
    all.push_back(*polled.watermark == kMaxWatermark ? "<max"
                                                     : fmt::format("<{}", *polled.watermark));
  if (polled.idle) all.push_back("idle");
  return all;
}

/// Everything that a reader of the log tells, without what repeats itself. With `jump` it is made
/// anew at its position after every step.
std::vector<std::string> read_all(const Log& log, int upstreams, bool jump = false) {
  std::vector<std::string> all;
  BlockMerger merger(reading(upstreams), 0);
  std::string watermark;
  while (true) {
    if (merger.needs_block()) {
      if (merger.ended() || merger.offset() == static_cast<std::int64_t>(log.size())) break;
      const std::int64_t offset = merger.offset();
      const Status taken = merger.take(offset, log[static_cast<std::size_t>(offset)]);
      TG_CHECK(taken.is_ok(), "{}", taken.to_string());
    }
    for (const std::string& text : told(merger.next())) {
      if (text[0] == '<' && text == std::exchange(watermark, text[0] == '<' ? text : watermark))
        continue;
      all.push_back(text);
    }
    if (!jump) continue;
    BlockMerger next(reading(upstreams), -2);
    const Status sought = next.seek(merger.position());
    TG_CHECK(sought.is_ok(), "{}", sought.to_string());
    TG_CHECK(next.position() == merger.position(), "{}", next.position());
    merger = std::move(next);
  }
  if (merger.ended()) all.emplace_back("end");
  return all;
}

TEST(RepartitionBlockTest, RowsWithAllThatBelongsToThem) {
  RepartitionBlock block;
  block.upstream = 2;
  block.upstreams = 5;
  block.sequence = 300;
  block.rows = batch_of({{1, 10, 100}, {2, 20, 200}, {3, 30, 300}, {4, 40, 400}}).slice(1, 2);
  const std::vector<RowKind> kinds{RowKind::kInsert, RowKind::kDelete};
  const std::vector<EventTime> times{-5, kMinWatermark};
  block.rows.set_row_kinds(arrow::Buffer::FromString(
      std::string(reinterpret_cast<const char*>(kinds.data()), kinds.size())));
  block.rows.set_event_times(arrow::Buffer::FromString(
      std::string(reinterpret_cast<const char*>(times.data()), times.size() * sizeof(EventTime))));
  block.marks = {{1, -7}, {2, kMaxWatermark}};
  block.idle = true;
  const auto bytes = encode_block(block, *row_schema());
  ASSERT_TRUE(bytes.is_ok()) << bytes.status().to_string();
  const auto read = decode_block(*bytes, *row_schema());
  ASSERT_TRUE(read.is_ok()) << read.status().to_string();
  EXPECT_EQ(read->upstream, 2);
  EXPECT_EQ(read->upstreams, 5);
  EXPECT_EQ(read->sequence, 300u);
  EXPECT_THAT(rows_of(read->rows), ElementsAre(Row{2, 20, 200}, Row{3, 30, 300}));
  EXPECT_EQ(read->rows.row_kind(1), RowKind::kDelete);
  EXPECT_THAT(read->rows.event_times(), ElementsAre(-5, kMinWatermark));
  EXPECT_EQ(read->marks, block.marks);
  EXPECT_TRUE(read->idle);
  EXPECT_FALSE(read->ended);

  for (std::size_t i = 0; i < bytes->size(); ++i) {
    std::string damaged = *bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(decode_block(damaged, *row_schema()).is_ok()) << i;
    EXPECT_FALSE(decode_block(bytes->substr(0, i), *row_schema()).is_ok()) << i;
  }
}

TEST(RepartitionTest, TheSlowestUpstreamTaskHoldsTimeBack) {
  std::vector<Log> logs(1);
  Upstream fast(0, 2, logs);
  Upstream slow(1, 2, logs);
  fast.write({{1, 5}}).advance(1000).write({{2, 1001}}).advance(2000).commit();
  slow.write({{3, 7}}).advance(8).write({{4, 9}}).commit();
  fast.write({{5, 3000}}).commit();
  slow.write({{6, 1500}}).advance(1500).commit();
  slow.finish();
  fast.write({{7, 3001}});
  fast.finish();
  const std::vector<std::string> expected{"1@5",    "2@1001", "3@7",   "<8",     "4@9",  "5@3000",
                                          "6@1500", "<1500",  "<2000", "7@3001", "<max", "end"};
  EXPECT_EQ(read_all(logs[0], 2), expected);
  EXPECT_EQ(read_all(logs[0], 2, /*jump=*/true), expected);
}

TEST(RepartitionTest, WhoIsIdleHoldsNobodyBack) {
  std::vector<Log> logs(1);
  Upstream a(0, 2, logs);
  Upstream b(1, 2, logs);
  a.advance(10).commit();
  b.idle(true).commit();
  a.advance(20).commit();
  a.idle(true).commit();
  b.idle(false).write({{1, 30}}).advance(30).commit();
  EXPECT_THAT(read_all(logs[0], 2), ElementsAre("<10", "<20", "idle", "1@30", "<30"));
}

TEST(RepartitionTest, EachKeyHasItsPartitionAndAllPartitionsHearOfTime) {
  std::vector<Log> logs(3);
  Upstream upstream(0, 1, logs);
  Rows rows;
  for (std::int64_t k = 0; k < 1000; ++k) rows.push_back({k % 100, k});
  upstream.write(rows).advance(7).commit();
  upstream.commit();  // nothing new
  upstream.advance(9).commit();
  std::map<std::int64_t, std::size_t> places;
  std::size_t found = 0;
  for (std::size_t partition = 0; partition < logs.size(); ++partition) {
    EXPECT_EQ(logs[partition].size(), 2u);
    const auto all = read_all(logs[partition], 1);
    EXPECT_EQ(all.back(), "<9");
    for (const std::string& text : all) {
      if (text[0] == '<') continue;
      ++found;
      EXPECT_EQ(places.try_emplace(std::stoll(text), partition).first->second, partition);
    }
  }
  EXPECT_EQ(found, 1000u);
}

TEST(RepartitionTest, ManyRowsAreManyBlocks) {
  std::vector<Log> logs(1);
  Upstream upstream(0, 1, logs);
  Rows rows;
  for (std::int64_t k = 0; k < 100'000; ++k) rows.push_back({k, k, k * 7919});
  upstream.write(rows).advance(5).write({{-1, 0}}).commit();
  EXPECT_GT(logs[0].size(), 2u);
  const auto all = read_all(logs[0], 1, /*jump=*/true);
  ASSERT_EQ(all.size(), 100'002u);
  EXPECT_EQ(all[99'999], "99999@99999");
  EXPECT_EQ(all[100'000], "<5");
}

TEST(RepartitionTest, ARestoredUpstreamTaskGoesOnCounting) {
  std::vector<Log> logs(2);
  std::vector<StateDelta> state;
  {
    Upstream upstream(0, 1, logs);
    upstream.write({{1, 1}, {2, 2}, {3, 3}}).advance(4).commit();
    state = upstream.commit();
    upstream.advance(5);
    state = upstream.commit();
  }
  Upstream again(0, 1, logs, state);
  again.advance(6).commit();
  for (const Log& log : logs) EXPECT_EQ(read_all(log, 1).back(), "<6");
}

TEST(RepartitionTest, ABlockThatIsMissingOrRepeatedIsFound) {
  std::vector<Log> logs(1);
  Upstream upstream(0, 1, logs);
  for (EventTime time = 1; time <= 3; ++time) upstream.advance(time).commit();
  const auto take = [&](BlockMerger& merger, std::int64_t offset, std::size_t block) {
    Status taken = merger.take(offset, logs[0][block]);
    if (taken.is_ok()) merger.next();
    return taken;
  };
  BlockMerger gap(reading(1), 0);
  ASSERT_TRUE(take(gap, 0, 0).is_ok());
  Status status = take(gap, 1, 2);
  EXPECT_EQ(status.code(), ErrorCode::kStateCorrupt);
  EXPECT_THAT(status.message(), HasSubstr("topic 't' partition 0 offset 1: block 3 of upstream"));
  BlockMerger twice(reading(1), 0);
  ASSERT_TRUE(take(twice, 0, 0).is_ok());
  EXPECT_EQ(take(twice, 1, 0).code(), ErrorCode::kStateCorrupt);
  BlockMerger purged(reading(1), 0);
  EXPECT_EQ(take(purged, 1, 1).code(), ErrorCode::kStateCorrupt);
  BlockMerger others(reading(2), 0);
  EXPECT_EQ(take(others, 0, 0).code(), ErrorCode::kStateMismatch);
  for (const char* text : {"", "5", "5 0 0 0", "5 0 0 0 1 2 3 4", "x 0 0 0 1 2 3"})
    EXPECT_EQ(BlockMerger(reading(1), 0).seek(text).code(), ErrorCode::kStateCorrupt) << text;
}

}  // namespace
}  // namespace tidegate::library
