// SPDX-License-Identifier: Apache-2.0
//
// Exactly-once sinks against a real broker: what a reader of committed messages sees after crashes
// at each step. A crash is a sink that is dropped, or a transaction that nobody ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connectors/kafka/sink.h"
#include "connectors/kafka/test_table.h"
#include "tests/kafka/on_real_broker.h"
#include "tests/support/batch_literal.h"
#include "tests/support/connector_harness.h"

namespace tidegate::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kColumns = "n BIGINT";

class KafkaExactlyOnceTest : public OnRealBroker {
 protected:
  /// One run of a job: its sink, with one task.
  struct Run {
    std::shared_ptr<Sink> sink;
    std::unique_ptr<SinkHarness> harness;

    std::string prepare(EpochId epoch, const std::string& rows) const {
      const Status written = harness->write(batch_of(schema_of(kColumns), rows));
      EXPECT_TRUE(written.is_ok()) << written.to_string();
      auto committable = harness->end_epoch(epoch);
      EXPECT_TRUE(committable.is_ok()) << committable.status().to_string();
      return committable.is_ok() ? *committable : std::string();
    }
    Status commit(EpochId epoch, std::vector<std::string> committables) const {
      return sink->commit_all(epoch, committables);
    }
  };

  void SetUp() override {
    OnRealBroker::SetUp();
    if (IsSkipped()) return;
    broker_->create_topic(topic_, 2);
  }

  TestTable table(const TestSettings& more = {}) const {
    TestSettings options = {{"topic", topic_},
                            {"format", "json"},
                            {"sink.partitioner", "fixed"},
                            {"sink.delivery-guarantee", "exactly-once"},
                            {"sink.transactional-id-prefix", topic_}};
    options.insert(options.end(), more.begin(), more.end());
    return TestTable(kColumns, broker_->address(), options);
  }
  Run start(const TestTable& table) const {
    auto sink = KafkaSink::make(table.request);
    TG_CHECK(sink.is_ok(), "{}", sink.status().to_string());
    Run run{*sink, std::make_unique<SinkHarness>(*sink)};
    const Status opened = run.harness->open();
    TG_CHECK(opened.is_ok(), "{}", opened.to_string());
    return run;
  }
  /// The numbers that a reader of committed messages sees.
  std::vector<std::string> visible() const {
    std::vector<std::string> numbers;
    for (const TestMessage& message : consume_all(broker_->address(), topic_, 2))
      numbers.push_back(message.value->substr(5, message.value->size() - 6));
    return numbers;
  }
  const std::string& id() const { return topic_; }
};

void expect_ok(const Status& status) { EXPECT_TRUE(status.is_ok()) << status.to_string(); }

TEST_F(KafkaExactlyOnceTest, AnEpochIsVisibleWhenItIsCommittedAndThenOnce) {
  const TestTable t = table();
  const Run run = start(t);
  EXPECT_EQ(run.sink->guarantee(), SinkGuarantee::kTransactional);
  const std::string first = run.prepare(1, "[[1], [2]]");
  const std::string second = run.prepare(2, "[[3]]");
  EXPECT_THAT(visible(), IsEmpty());
  expect_ok(run.commit(1, {first}));
  EXPECT_THAT(visible(), ElementsAre("1", "2"));
  expect_ok(run.commit(1, {first}));
  EXPECT_THAT(visible(), ElementsAre("1", "2"));
  expect_ok(run.commit(2, {second}));
  EXPECT_THAT(visible(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(run.prepare(3, "[]"), "");
}

TEST_F(KafkaExactlyOnceTest, ACrashBeforeOrAfterTheCommitGivesTheRowsOnce) {
  const TestTable t = table();
  std::string prepared = start(t).prepare(7, "[[1]]");  // crash before the commit
  expect_ok(start(t).commit(7, {prepared}));
  EXPECT_THAT(visible(), ElementsAre("1"));
  expect_ok(start(t).commit(7, {prepared}));  // crash after it
  EXPECT_THAT(visible(), ElementsAre("1"));
  // What was prepared and never was durable is nowhere.
  start(t).prepare(8, "[[66]]");
  const Run run = start(t);
  expect_ok(run.commit(7, {prepared}));
  expect_ok(run.commit(8, {run.prepare(8, "[[2]]")}));
  EXPECT_THAT(visible(), ElementsAre("1", "2"));
}

/// Sends the mark of an epoch in the open transaction of `producer`, as the sink does.
void send_mark(const TestProducer& producer, const std::string& topic, const std::string& group,
               EpochId epoch, const std::string& text) {
  const PartitionsPtr offsets(rd_kafka_topic_partition_list_new(1));
  auto* position = rd_kafka_topic_partition_list_add(offsets.get(), topic.c_str(), 0);
  position->offset = static_cast<std::int64_t>(epoch);
  position->metadata = std::malloc(text.size());
  std::memcpy(position->metadata, text.data(), text.size());
  position->metadata_size = text.size();
  auto* metadata = rd_kafka_consumer_group_metadata_new(group.c_str());
  check_no_error(
      rd_kafka_send_offsets_to_transaction(producer.handle(), offsets.get(), metadata, 60'000));
  rd_kafka_consumer_group_metadata_destroy(metadata);
}

TEST_F(KafkaExactlyOnceTest, ACrashInTheMiddleOfATransactionGivesTheRowsOnce) {
  const TestTable t = table();
  const std::string prepared = start(t).prepare(1, "[[1], [2]]");
  // A run that has sent all of it, even the mark, and then nothing more.
  TestProducer zombie(broker_->address(), {{"transactional.id", id()}});
  check_no_error(rd_kafka_init_transactions(zombie.handle(), 60'000));
  check_no_error(rd_kafka_begin_transaction(zombie.handle()));
  zombie.send_values(topic_, {R"({"n":1})", R"({"n":2})"});
  zombie.flush();
  send_mark(zombie, topic_, id(), 1, "tidegate run 99999999999999");

  const Run run = start(t);
  expect_ok(run.commit(1, {prepared}));
  EXPECT_THAT(visible(), ElementsAre("1", "2"));
  const ErrorPtr late(rd_kafka_commit_transaction(zombie.handle(), 60'000));
  EXPECT_NE(late, nullptr);
  EXPECT_THAT(visible(), ElementsAre("1", "2"));
}

TEST_F(KafkaExactlyOnceTest, AnOldRunIsFenced) {
  const TestTable t = table();
  const Run old_run = start(t);
  expect_ok(old_run.commit(1, {old_run.prepare(1, "[[1]]")}));
  const std::string second = old_run.prepare(2, "[[2]]");
  const Run new_run = start(t);
  const std::string third = old_run.prepare(3, "[[66]]");
  for (int tries = 0; tries < 2; ++tries) {
    const Status fenced = old_run.commit(2, {second});
    ASSERT_FALSE(fenced.is_ok());
    EXPECT_EQ(fenced.code(), ErrorCode::kServiceRefused) << fenced.to_string();
    EXPECT_THAT(fenced.message(), HasSubstr("another run"));
  }
  EXPECT_FALSE(old_run.commit(3, {third}).is_ok());
  expect_ok(new_run.commit(2, {second}));
  expect_ok(new_run.commit(3, {new_run.prepare(3, "[[3]]")}));
  EXPECT_THAT(visible(), ElementsAre("1", "2", "3"));
}

TEST_F(KafkaExactlyOnceTest, ARunThatWentBackCountsFromThere) {
  const TestTable t = table();
  std::string second;
  {
    const Run run = start(t);
    for (EpochId epoch = 1; epoch <= 5; ++epoch) {
      const std::string prepared = run.prepare(epoch, fmt::format("[[{}]]", epoch));
      if (epoch == 2) second = prepared;
      expect_ok(run.commit(epoch, {prepared}));
    }
  }
  const Run run = start(t);
  expect_ok(run.commit(2, {second}));  // long published
  expect_ok(run.commit(3, {run.prepare(3, "[[33]]")}));
  EXPECT_THAT(visible(), ElementsAre("1", "2", "3", "4", "5", "33"));
}

TEST_F(KafkaExactlyOnceTest, AllTasksOfASinkInOneTransaction) {
  const TestTable t = table();
  const Run run = start(t);
  SinkHarness other(run.sink, 1);
  ASSERT_TRUE(other.open_writer().is_ok());
  std::string rows = "[";
  for (int n = 0; n < 20'000; ++n) rows += fmt::format("{}[{}]", n == 0 ? "" : ",", n);
  const std::string large = run.prepare(1, rows + "]");
  EXPECT_LT(large.size(), 300'000u);
  ASSERT_TRUE(other.write(batch_of(schema_of(kColumns), "[[-1]]")).is_ok());
  const auto small = other.end_epoch(1);
  ASSERT_TRUE(small.is_ok());
  const Run again = start(t);
  expect_ok(again.commit(1, {large, *small}));
  expect_ok(again.commit(1, {large, *small}));
  const auto all = visible();
  ASSERT_THAT(all, SizeIs(20'001));
  for (int n = 0; n < 20'000; ++n) ASSERT_EQ(all[static_cast<std::size_t>(n)], std::to_string(n));
  EXPECT_EQ(all.back(), "-1");
}

TEST_F(KafkaExactlyOnceTest, OtherOptionsAfterACrash) {
  const TestTable before = table();
  const std::string prepared = start(before).prepare(1, "[[1]]");
  const TestTable renamed = table({{"sink.transactional-id-prefix", topic_ + "2"}});
  expect_ok(start(renamed).commit(1, {prepared}));
  expect_ok(start(before).commit(1, {prepared}));
  const TestTable weaker = table({{"sink.delivery-guarantee", "at-least-once"}});
  expect_ok(start(weaker).commit(1, {prepared}));
  EXPECT_THAT(visible(), ElementsAre("1"));
}

TEST_F(KafkaExactlyOnceTest, AGroupOfSomebodyElseIsNotOverwritten) {
  TestProducer other(broker_->address(), {{"transactional.id", "other"}});
  check_no_error(rd_kafka_init_transactions(other.handle(), 60'000));
  check_no_error(rd_kafka_begin_transaction(other.handle()));
  send_mark(other, topic_, id(), 12, "mine");
  check_no_error(rd_kafka_commit_transaction(other.handle(), 60'000));
  const TestTable t = table();
  const Status status = (*KafkaSink::make(t.request))->open();
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kStateMismatch) << status.to_string();
}

TEST_F(KafkaExactlyOnceTest, ABrokerThatCrashesBeforeTheCommit) {
  const TestTable t = table({{"properties.transaction.timeout.ms", "60000"}});
  const Run run = start(t);
  expect_ok(run.commit(1, {run.prepare(1, "[[1]]")}));
  const std::string second = run.prepare(2, "[[2]]");
  broker_->kill();
  broker_->start();
  Status status = run.commit(2, {second});
  for (int tries = 0; tries < 20 && !status.is_ok(); ++tries) {
    ASSERT_EQ(status.kind(), ErrorKind::kUnavailable) << status.to_string();
    status = run.commit(2, {second});
  }
  expect_ok(status);
  EXPECT_THAT(visible(), ElementsAre("1", "2"));
}

}  // namespace
}  // namespace tidegate::kafka
