// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "connectors/kafka/test_table.h"
#include "tests/support/batch_literal.h"
#include "tests/support/connector_harness.h"

namespace tidegate::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kColumns = "url STRING, n BIGINT";

class KafkaSinkTest : public testing::Test {
 protected:
  TestTable table(const TestSettings& more, const char* columns = kColumns) const {
    TestSettings options = {{"topic", "counts"}, {"format", "json"}};
    options.insert(options.end(), more.begin(), more.end());
    return TestTable(columns, broker_.address(), options);
  }
  std::unique_ptr<SinkHarness> open(const TestTable& table, int subtask = 0) {
    auto sink = KafkaSink::make(table.request);
    TG_CHECK(sink.is_ok(), "{}", sink.status().to_string());
    auto harness = std::make_unique<SinkHarness>(*std::move(sink), subtask);
    const Status status = harness->open();
    TG_CHECK(status.is_ok(), "{}", status.to_string());
    return harness;
  }
  void write(SinkHarness& harness, Batch batch) {
    const Status status = harness.write(std::move(batch));
    EXPECT_TRUE(status.is_ok()) << status.to_string();
  }
  void end_epoch(SinkHarness& harness) {
    const auto committable = harness.end_epoch(1);
    EXPECT_TRUE(committable.is_ok()) << committable.status().to_string();
  }
  /// Of an epoch that cannot be delivered: that may be known before it ends.
  Status failure_of(SinkHarness& harness, Batch batch) {
    const Status status = harness.write(std::move(batch));
    if (!status.is_ok()) return status;
    const auto ended = harness.end_epoch(1);
    return ended.is_ok() ? error(ErrorCode::kInternal, "the epoch has ended") : ended.status();
  }
  std::vector<std::string> values(int partitions = 1) const {
    std::vector<std::string> values;
    for (const TestMessage& m : consume_all(broker_.address(), "counts", partitions))
      values.push_back(m.value.value_or("(null)"));
    return values;
  }

  MockBroker broker_;
  SchemaPtr schema_ = schema_of(kColumns);
};

TEST_F(KafkaSinkTest, RowsOfAnEpochHaveArrivedWhenItEnds) {
  broker_.create_topic("counts");
  const TestTable t = table({});
  const auto harness = open(t);
  write(*harness, batch_of(schema_, R"([["/a", 1], [null, 2]])"));
  write(*harness, batch_of(schema_, R"([["/b", null]])"));
  end_epoch(*harness);
  EXPECT_THAT(values(), ElementsAre(R"({"url":"/a","n":1})", R"({"url":null,"n":2})",
                                    R"({"url":"/b","n":null})"));
  // An epoch without rows.
  end_epoch(*harness);
}

TEST_F(KafkaSinkTest, EventTimeBecomesTheTimeOfTheMessage) {
  broker_.create_topic("counts");
  const TestTable t = table({});
  const auto harness = open(t);
  write(*harness, with_event_times(batch_of(schema_, R"([["/a", 1], ["/b", 2]])"), {1234, -5}));
  end_epoch(*harness);
  const auto messages = consume_all(broker_.address(), "counts");
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].timestamp_ms, 1234);
  EXPECT_GT(messages[1].timestamp_ms, 1'600'000'000'000);  // none before 1970: when it was sent
}

TEST_F(KafkaSinkTest, KeysStandWhereJavaClientsPutThem) {
  broker_.create_topic("counts", 7);
  const TestTable t = table({{"key.format", "raw"}, {"key.fields", "url"}});
  const auto harness = open(t);
  write(*harness, batch_of(schema_, R"([["/a", 1], ["/b", 2], ["/index.html", 3], ["/a", 4]])"));
  end_epoch(*harness);
  const auto messages = consume_all(broker_.address(), "counts", 7);
  ASSERT_THAT(messages, SizeIs(4));
  for (const TestMessage& m : messages) {
    ASSERT_TRUE(m.key.has_value());
    // librdkafka's own partitioner, with the hash that Java uses, is the judge.
    const HandlePtr handle =
        make_test_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", broker_.address()}});
    const TopicPtr topic(rd_kafka_topic_new(handle.get(), "counts", nullptr));
    EXPECT_EQ(m.partition, rd_kafka_msg_partitioner_murmur2(topic.get(), m.key->data(),
                                                            m.key->size(), 7, nullptr, nullptr))
        << *m.key;
  }
}

TEST_F(KafkaSinkTest, KeyColumnsCanStandInTheKeyAlone) {
  broker_.create_topic("counts");
  const TestTable t = table({{"key.format", "json"},
                             {"key.fields", "k_url"},
                             {"key.fields-prefix", "k_"},
                             {"value.fields-include", "EXCEPT_KEY"}},
                            "k_url STRING, n BIGINT");
  const auto harness = open(t);
  write(*harness, batch_of(t.request.schema, R"([["/a", 1]])"));
  end_epoch(*harness);
  const auto messages = consume_all(broker_.address(), "counts");
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].key, R"({"url":"/a"})");
  EXPECT_EQ(messages[0].value, R"({"n":1})");
}

TEST_F(KafkaSinkTest, MetadataColumnsSetTimeAndHeaders) {
  broker_.create_topic("counts");
  TestTable t = table({}, "n BIGINT, at TIMESTAMP_LTZ(6), h MAP<STRING, BYTES>");
  t.metadata({{"at", "timestamp"}, {"h", "headers"}});
  const auto harness = open(t);
  write(*harness,
        batch_of(t.request.schema, R"([[1, 5000, [["a", "x"], ["b", null]]], [2, null, null]])"));
  end_epoch(*harness);
  const auto messages = consume_all(broker_.address(), "counts");
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].value, R"({"n":1})");
  EXPECT_EQ(messages[0].timestamp_ms, 5);
  ASSERT_THAT(messages[0].headers, SizeIs(2));
  EXPECT_EQ(messages[0].headers[0], (std::pair<std::string, std::string>("a", "x")));
  EXPECT_THAT(messages[1].headers, IsEmpty());
}

TEST_F(KafkaSinkTest, FixedAndRoundRobinPartitions) {
  broker_.create_topic("counts", 3);
  const Batch batch = batch_of(schema_, R"([["/a", 1], ["/a", 2], ["/a", 3], ["/a", 4]])");
  {
    const TestTable t = table({{"sink.partitioner", "fixed"}});
    const auto harness = open(t, 4);
    write(*harness, batch);
    end_epoch(*harness);
  }
  for (const TestMessage& m : consume_all(broker_.address(), "counts", 3))
    EXPECT_EQ(m.partition, 1);
  const TestTable t = table({{"sink.partitioner", "round-robin"}});
  const auto harness = open(t);
  write(*harness, batch);
  end_epoch(*harness);
  std::vector<int> counts(3);
  for (const TestMessage& m : consume_all(broker_.address(), "counts", 3))
    ++counts[static_cast<std::size_t>(m.partition)];
  EXPECT_THAT(counts, ElementsAre(2, 1 + 4, 1));
}

TEST_F(KafkaSinkTest, AFullQueueBlocksUntilThereIsRoom) {
  broker_.create_topic("counts");
  const TestTable t = table({{"properties.queue.buffering.max.messages", "10"}});
  const auto harness = open(t);
  std::string rows = "[";
  for (int i = 0; i < 1000; ++i) rows += fmt::format(R"({}["/a", {}])", i == 0 ? "" : ",", i);
  write(*harness, batch_of(schema_, rows + "]"));
  end_epoch(*harness);
  EXPECT_GT(harness->times_blocked(), 0);
  const auto all = values();
  ASSERT_THAT(all, SizeIs(1000));
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(all[static_cast<std::size_t>(i)], fmt::format(R"({{"url":"/a","n":{}}})", i));
}

TEST_F(KafkaSinkTest, AMessageThatIsTooLarge) {
  broker_.create_topic("counts");
  const std::string large(2'000'000, 'x');
  const Batch batch = batch_of(schema_, fmt::format(R"([["{}", 1]])", large));
  const TestTable t = table({});
  const Status status = open(t)->write(batch);
  EXPECT_EQ(status.code(), ErrorCode::kRecordTooLarge) << status.to_string();
  EXPECT_THAT(std::string(status.remedy()), HasSubstr("max.request.size"));

  const TestTable raised = table({{"properties.max.request.size", "3000000"}});
  const auto harness = open(raised);
  write(*harness, batch);
  end_epoch(*harness);
  EXPECT_THAT(values(), ElementsAre(HasSubstr(large)));
}

TEST_F(KafkaSinkTest, WhatIsNotDeliveredFailsTheEpoch) {
  broker_.create_topic("counts");
  const TestTable t = table({{"properties.delivery.timeout.ms", "300"}});
  const auto harness = open(t);
  broker_.go_down();
  const Status status = failure_of(*harness, batch_of(schema_, R"([["/a", 1]])"));
  EXPECT_EQ(status.code(), ErrorCode::kDeliveryFailed) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("topic 'counts'"));
}

TEST_F(KafkaSinkTest, ARefusalOfTheBrokerFailsTheEpoch) {
  broker_.create_topic("counts");
  const TestTable t = table({});
  const auto harness = open(t);
  rd_kafka_mock_push_request_errors(broker_.cluster(), /*Produce*/ 0, 1,
                                    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const Status status = failure_of(*harness, batch_of(schema_, R"([["/a", 1]])"));
  EXPECT_EQ(status.code(), ErrorCode::kServiceRefused) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("topic 'counts' partition 0"));
}

TEST_F(KafkaSinkTest, WithoutAGuaranteeAnEpochDoesNotWait) {
  broker_.create_topic("counts");
  const TestTable t = table({{"sink.delivery-guarantee", "none"}});
  auto harness = open(t);
  rd_kafka_mock_broker_set_rtt(broker_.cluster(), 1, 300);
  write(*harness, batch_of(schema_, R"([["/a", 1]])"));
  end_epoch(*harness);
  EXPECT_EQ(harness->times_blocked(), 0);
  // But what was written when all is well is not dropped at the end.
  harness.reset();
  EXPECT_THAT(values(), SizeIs(1));
}

TEST_F(KafkaSinkTest, RowsThatAreTakenBackNeedAChangelogFormat) {
  broker_.create_topic("counts");
  const TestTable t = table({});
  const auto harness = open(t);
  const Batch batch = batch_of(schema_, R"([["/a", 1], ["/a", 1], ["/a", 2]])");
  const Status status = harness->write(
      with_row_kinds(batch, {RowKind::kInsert, RowKind::kUpdateBefore, RowKind::kUpdateAfter}));
  EXPECT_EQ(status.code(), ErrorCode::kNotSupported) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("-U"));
}

TEST_F(KafkaSinkTest, TopicOrBrokerThatIsNotThere) {
  rd_kafka_mock_topic_set_error(broker_.cluster(), "counts",
                                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const TestTable missing = table({});
  EXPECT_EQ((*KafkaSink::make(missing.request))->open().code(), ErrorCode::kTopicNotFound);

  const TestTable down(kColumns, "127.0.0.1:1",
                       {{"topic", "counts"}, {"format", "json"}, {"connect.timeout", "300 ms"}});
  const Status status = (*KafkaSink::make(down.request))->open();
  EXPECT_EQ(status.code(), ErrorCode::kServiceUnreachable) << status.to_string();
}

TEST_F(KafkaSinkTest, WhatIsKnownWithoutABroker) {
  const TestTable parallel = table({{"sink.parallelism", "3"}});
  EXPECT_EQ((*KafkaSink::make(parallel.request))->parallelism(), 3);
  TestTable read_only = table({}, "n BIGINT, o BIGINT");
  read_only.metadata({{"o", "offset"}});
  EXPECT_EQ(KafkaSink::make(read_only.request).status().code(), ErrorCode::kInvalidPlan);
}

}  // namespace
}  // namespace tidegate::kafka
