// SPDX-License-Identifier: Apache-2.0
//
// The kafka connector against a real broker. Finer points are tested beside the code, against
// librdkafka's imitation of one; here is what that does not have: transactions, offsets by time,
// retention, crashes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "connectors/kafka/sink.h"
#include "connectors/kafka/source.h"
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

constexpr const char* kColumns = "url STRING, n BIGINT";

std::string value_of(int n) { return fmt::format(R"({{"url": "/a", "n": {}}})", n); }
std::string row_of(int n, std::int64_t time_ms = 1'000) {
  return fmt::format("+I[/a, {}] @{}", n, time_ms);
}

/// A source with readers of all its splits.
struct OpenSource {
  std::unique_ptr<SourceHarness> harness;
  std::vector<Split> splits;
  std::vector<std::unique_ptr<SplitReader>> readers;

  explicit OpenSource(const TestTable& table) {
    auto source = KafkaSource::make(table.request);
    TG_CHECK(source.is_ok(), "{}", source.status().to_string());
    harness = std::make_unique<SourceHarness>(*std::move(source));
    const Status status = harness->open();
    TG_CHECK(status.is_ok(), "{}", status.to_string());
    auto discovery = harness->source().discover({});
    TG_CHECK(discovery.is_ok(), "{}", discovery.status().to_string());
    splits = discovery->splits;
    for (const Split& split : splits) {
      auto reader = harness->open_split(split);
      TG_CHECK(reader.is_ok(), "{}", reader.status().to_string());
      readers.push_back(*std::move(reader));
    }
  }
  std::vector<std::string> read(std::int64_t count, std::size_t split = 0) {
    SourceHarness::Rows rows = harness->read(*readers.at(split), count);
    EXPECT_TRUE(rows.status.is_ok()) << rows.status.to_string();
    return rows.texts;
  }
  std::vector<std::string> read_to_end(std::size_t split = 0) {
    SourceHarness::Rows rows = harness->read_to_end(*readers.at(split));
    EXPECT_TRUE(rows.status.is_ok()) << rows.status.to_string();
    EXPECT_TRUE(rows.ended);
    return rows.texts;
  }
};

class KafkaTest : public OnRealBroker {
 protected:
  TestTable table(const TestSettings& more, const char* columns = kColumns) const {
    TestSettings options = {{"topic", topic_}, {"format", "json"}};
    options.insert(options.end(), more.begin(), more.end());
    return TestTable(columns, broker_->address(), options);
  }
  TestTable bounded(const TestSettings& more = {}, const char* columns = kColumns) const {
    TestSettings options = {{"scan.bounded.mode", "latest-offset"}};
    options.insert(options.end(), more.begin(), more.end());
    return table(options, columns);
  }
  /// Sends {"url": "/a", "n": N} for N in [1, count], at N seconds, to partition 0.
  void produce(int count) const {
    TestProducer producer(broker_->address());
    for (int n = 1; n <= count; ++n) producer.send(topic_, {{}, value_of(n), n * 1'000});
  }
};

TEST_F(KafkaTest, WhatASinkWritesASourceReads) {
  broker_->create_topic(topic_, 3);
  const TestTable written = table({{"key.format", "raw"}, {"key.fields", "url"}});
  auto sink = KafkaSink::make(written.request);
  ASSERT_TRUE(sink.is_ok()) << sink.status().to_string();
  SinkHarness writer(*std::move(sink));
  ASSERT_TRUE(writer.open().is_ok());
  constexpr int kRows = 10'000;
  std::vector<std::string> expected;
  for (int from = 0; from < kRows; from += 1000) {
    std::string rows = "[";
    std::vector<EventTime> times;
    for (int n = from; n < from + 1000; ++n) {
      rows += fmt::format(R"({}["/page-{}", {}])", n == from ? "" : ",", n % 100, n);
      times.push_back(n + 1);
      expected.push_back(fmt::format("+I[/page-{}, {}] @{}", n % 100, n, n + 1));
    }
    ASSERT_TRUE(
        writer.write(with_event_times(batch_of(schema_of(kColumns), rows + "]"), times)).is_ok());
  }
  ASSERT_TRUE(writer.end_epoch(1).is_ok());

  const TestTable read = bounded();
  OpenSource source(read);
  ASSERT_THAT(source.splits, SizeIs(3));
  std::vector<std::string> all;
  std::map<std::string, std::size_t> partition_of;
  for (std::size_t p = 0; p < 3; ++p) {
    for (const std::string& row : source.read_to_end(p)) {
      const std::string url = row.substr(0, row.find(','));
      EXPECT_EQ(partition_of.emplace(url, p).first->second, p) << "a key in two partitions";
      all.push_back(row);
    }
  }
  EXPECT_EQ(partition_of.size(), 100u);
  std::sort(all.begin(), all.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(all, expected);
}

TEST_F(KafkaTest, StartupModes) {
  broker_->create_topic(topic_);
  produce(5);
  const auto first_row = [&](const TestSettings& start) {
    const TestTable t = bounded(start);
    const auto rows = OpenSource(t).read_to_end();
    return rows.empty() ? "none" : rows.front();
  };
  EXPECT_EQ(first_row({{"scan.startup.mode", "earliest-offset"}}), row_of(1, 1'000));
  EXPECT_EQ(first_row({{"scan.startup.mode", "latest-offset"}}), "none");
  EXPECT_EQ(
      first_row({{"scan.startup.mode", "timestamp"}, {"scan.startup.timestamp-millis", "2500"}}),
      row_of(3, 3'000));
  EXPECT_EQ(
      first_row({{"scan.startup.mode", "timestamp"}, {"scan.startup.timestamp-millis", "99999"}}),
      "none");
  EXPECT_EQ(first_row({{"scan.startup.mode", "specific-offsets"},
                       {"scan.startup.specific-offsets", "partition:0,offset:4"}}),
            row_of(5, 5'000));
}

TEST_F(KafkaTest, BoundedModes) {
  broker_->create_topic(topic_);
  produce(5);
  const auto count = [&](const TestSettings& bounds) {
    const TestTable t = table(bounds);
    return OpenSource(t).read_to_end().size();
  };
  EXPECT_EQ(count({{"scan.bounded.mode", "latest-offset"}}), 5u);
  EXPECT_EQ(count({{"scan.bounded.mode", "timestamp"}, {"scan.bounded.timestamp-millis", "2500"}}),
            2u);
  EXPECT_EQ(count({{"scan.bounded.mode", "timestamp"}, {"scan.bounded.timestamp-millis", "0"}}),
            0u);
  EXPECT_EQ(count({{"scan.bounded.mode", "specific-offsets"},
                   {"scan.bounded.specific-offsets", "partition:0,offset:2"}}),
            2u);
}

TEST_F(KafkaTest, AGroupsOffsetsAreWhereAJobStartsAndEnds) {
  broker_->create_topic(topic_);
  produce(5);
  const TestSettings group = {{"properties.group.id", topic_}};
  const TestTable all = bounded(group);
  {
    OpenSource source(all);
    EXPECT_THAT(source.read_to_end(), SizeIs(5));
    source.readers[0]->committed("3");
    const HandlePtr handle = make_test_handle(
        RD_KAFKA_CONSUMER, {{"bootstrap.servers", broker_->address()}, {"group.id", topic_}});
    const PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), 0);
    // The commit is on its way; there is no event for its arrival.
    for (int tries = 0; tries < 1000 && list->elems[0].offset != 3; ++tries) {
      rd_kafka_committed(handle.get(), list.get(), 60'000);
      rd_kafka_poll(handle.get(), 20);
    }
    ASSERT_EQ(list->elems[0].offset, 3);
  }
  EXPECT_THAT(OpenSource(all).read_to_end(), ElementsAre(row_of(4, 4'000), row_of(5, 5'000)));
  const TestTable up_to = table({{"properties.group.id", topic_},
                                 {"scan.startup.mode", "earliest-offset"},
                                 {"scan.bounded.mode", "group-offsets"}});
  EXPECT_THAT(OpenSource(up_to).read_to_end(), SizeIs(3));
}

TEST_F(KafkaTest, AReaderGoesOnWhereAnotherWasAfterEachPoll) {
  broker_->create_topic(topic_);
  produce(10);
  const TestTable t = bounded({{"properties.fetch.max.wait.ms", "10"}});
  OpenSource source(t);
  std::vector<std::string> all;
  std::unique_ptr<SplitReader> reader = std::move(source.readers[0]);
  while (true) {
    const auto rows = source.harness->read(*reader, 1, 3);
    ASSERT_TRUE(rows.status.is_ok()) << rows.status.to_string();
    all.insert(all.end(), rows.texts.begin(), rows.texts.end());
    if (rows.ended) break;
    const std::string position = reader->position();
    reader.reset();
    auto next = source.harness->open_split(source.splits[0], position);
    ASSERT_TRUE(next.is_ok()) << next.status().to_string();
    reader = *std::move(next);
  }
  ASSERT_THAT(all, SizeIs(10));
  for (int n = 1; n <= 10; ++n)
    EXPECT_EQ(all[static_cast<std::size_t>(n - 1)], row_of(n, n * 1'000));
}

/// One transaction with these values.
void send_transaction(TestProducer& producer, const std::string& topic,
                      const std::vector<int>& values, bool commit) {
  check_no_error(rd_kafka_begin_transaction(producer.handle()));
  for (int n : values) producer.send_values(topic, {value_of(n)});
  producer.flush();
  check_no_error(commit ? rd_kafka_commit_transaction(producer.handle(), 60'000)
                        : rd_kafka_abort_transaction(producer.handle(), 60'000));
}

TEST_F(KafkaTest, MarkersOfTransactionsAtTheEndDoNotHoldABoundedReader) {
  broker_->create_topic(topic_);
  TestProducer producer(broker_->address(), {{"transactional.id", topic_}});
  check_no_error(rd_kafka_init_transactions(producer.handle(), 60'000));
  send_transaction(producer, topic_, {1, 2}, true);
  send_transaction(producer, topic_, {66, 67}, false);
  const TestTable t = bounded();
  {
    OpenSource source(t);
    EXPECT_THAT(source.read_to_end(), ElementsAre(row_of(1), row_of(2)));
  }
  // More behind it makes no difference, nor does reading on from a position among the markers.
  OpenSource source(t);
  send_transaction(producer, topic_, {3}, true);
  EXPECT_THAT(source.read_to_end(), ElementsAre(row_of(1), row_of(2)));
  const std::string position = source.readers[0]->position();
  source.readers.clear();
  auto rest = source.harness->open_split({source.splits[0].id, topic_ + " 0 0 none"}, position);
  ASSERT_TRUE(rest.is_ok());
  EXPECT_THAT(source.harness->read(**rest, 1).texts, ElementsAre(row_of(3)));
}

TEST_F(KafkaTest, WhatIsNotCommittedIsNotRead) {
  broker_->create_topic(topic_);
  TestProducer producer(broker_->address(), {{"transactional.id", topic_}});
  check_no_error(rd_kafka_init_transactions(producer.handle(), 60'000));
  send_transaction(producer, topic_, {1}, true);
  check_no_error(rd_kafka_begin_transaction(producer.handle()));
  producer.send_values(topic_, {value_of(2)});
  producer.flush();
  const TestTable committed = bounded();
  EXPECT_THAT(OpenSource(committed).read_to_end(), ElementsAre(row_of(1)));
  const TestTable all = bounded({{"properties.isolation.level", "read_uncommitted"}});
  EXPECT_THAT(OpenSource(all).read_to_end(), ElementsAre(row_of(1), row_of(2)));

  const TestTable unbounded = table({});
  OpenSource source(unbounded);
  EXPECT_THAT(source.read(1), ElementsAre(row_of(1)));
  EXPECT_THAT(
      source.harness->read_until_quiet(*source.readers[0], std::chrono::milliseconds(300)).texts,
      IsEmpty());
  check_no_error(rd_kafka_commit_transaction(producer.handle(), 60'000));
  EXPECT_THAT(source.read(1), ElementsAre(row_of(2)));
}

TEST_F(KafkaTest, BadMessagesByPolicy) {
  broker_->create_topic(topic_);
  const std::string dead = topic_ + "-dead";
  broker_->create_topic(dead);
  {
    TestProducer producer(broker_->address());
    producer.send_values(topic_, {value_of(1), "{\"url\": 1", value_of(2)});
  }
  const TestTable fail = bounded();
  OpenSource failing(fail);
  const Status status = failing.harness->read_to_end(*failing.readers[0]).status;
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.kind(), ErrorKind::kBadData) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("partition 0 offset 1"));

  const TestTable skip = bounded({{"error-policy", "skip"}});
  EXPECT_THAT(OpenSource(skip).read_to_end(), ElementsAre(row_of(1), row_of(2)));

  const TestTable letter = bounded({{"error-policy", "dead-letter"}, {"dead-letter.topic", dead}});
  EXPECT_THAT(OpenSource(letter).read_to_end(), ElementsAre(row_of(1), row_of(2)));
  const auto letters = consume_all(broker_->address(), dead);
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].value, "{\"url\": 1");
}

TEST_F(KafkaTest, ATopicThatIsNotThere) {
  const TestTable t = table({});
  SourceHarness source(*KafkaSource::make(t.request));
  const Status status = source.open();
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kTopicNotFound) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr(topic_));
  const Status opened = (*KafkaSink::make(t.request))->open();
  ASSERT_FALSE(opened.is_ok());
  EXPECT_EQ(opened.code(), ErrorCode::kTopicNotFound) << opened.to_string();
}

TEST_F(KafkaTest, AMessageOfFiveMegabytes) {
  broker_->create_topic(topic_, 1, {{"max.message.bytes", "8000000"}});
  const std::string large(5'000'000, 'x');
  const TestTable t =
      bounded({{"properties.max.request.size", "8000000"}, {"properties.compression.type", "none"}},
              "url STRING");
  SinkHarness writer(*KafkaSink::make(t.request));
  ASSERT_TRUE(writer.open().is_ok());
  ASSERT_TRUE(
      writer.write(batch_of(schema_of("url STRING"), fmt::format(R"([["{}"], ["b"]])", large)))
          .is_ok());
  const auto written = writer.end_epoch(1);
  ASSERT_TRUE(written.is_ok()) << written.status().to_string();
  const auto rows = OpenSource(t).read_to_end();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows[0], HasSubstr(large));
}

TEST_F(KafkaTest, AMessageThatTheTopicRefuses) {
  broker_->create_topic(topic_, 1, {{"max.message.bytes", "10000"}});
  const TestTable t = table({{"properties.compression.type", "none"}}, "url STRING");
  SinkHarness writer(*KafkaSink::make(t.request));
  ASSERT_TRUE(writer.open().is_ok());
  const std::string large(50'000, 'x');
  // The refusal may come while the row is still being written.
  Status status =
      writer.write(batch_of(schema_of("url STRING"), fmt::format(R"([["{}"]])", large)));
  if (status.is_ok()) status = writer.end_epoch(1).status();
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kRecordTooLarge) << status.to_string();
}

TEST_F(KafkaTest, NewPartitionsAreFoundAndReadFromTheirBeginning) {
  broker_->create_topic(topic_, 1);
  produce(1);
  const TestTable t = table({{"scan.startup.mode", "latest-offset"}});
  OpenSource source(t);
  ASSERT_THAT(source.splits, SizeIs(1));
  broker_->add_partitions(topic_, 2);
  {
    TestProducer producer(broker_->address(), {{"topic.metadata.refresh.interval.ms", "100"}});
    producer.send_values(topic_, {value_of(7)}, 1);
  }
  auto discovery = source.harness->source().discover({});
  ASSERT_TRUE(discovery.is_ok()) << discovery.status().to_string();
  ASSERT_THAT(discovery->splits, SizeIs(1));
  EXPECT_EQ(discovery->splits[0].id, topic_ + "-1");
  auto reader = source.harness->open_split(discovery->splits[0]);
  ASSERT_TRUE(reader.is_ok());
  EXPECT_THAT(source.harness->read(**reader, 1).texts, ElementsAre(row_of(7)));
}

TEST_F(KafkaTest, WhatRetentionHasTakenIsAnErrorUnlessReset) {
  broker_->create_topic(topic_);
  produce(5);
  broker_->delete_records(topic_, 0, 3);
  const auto read_from_1 = [&](const TestSettings& more) {
    const TestTable t = bounded(more);
    auto made = KafkaSource::make(t.request);
    TG_CHECK(made.is_ok(), "{}", made.status().to_string());
    SourceHarness source(*std::move(made));
    const Status opened = source.open();
    TG_CHECK(opened.is_ok(), "{}", opened.to_string());
    auto found = source.source().discover({});
    TG_CHECK(found.is_ok(), "{}", found.status().to_string());
    auto reader = source.open_split(found->splits.at(0), "1");
    TG_CHECK(reader.is_ok(), "{}", reader.status().to_string());
    return source.read_to_end(**reader);
  };
  const Status status = read_from_1({}).status;
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kOffsetOutOfRange) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("offset 1"));
  EXPECT_THAT(read_from_1({{"properties.auto.offset.reset", "earliest"}}).texts,
              ElementsAre(row_of(4, 4'000), row_of(5, 5'000)));
  // From the beginning there is no such error: it is where the records begin.
  const TestTable t = bounded({{"scan.startup.mode", "earliest-offset"}});
  EXPECT_THAT(OpenSource(t).read_to_end(), SizeIs(2));
}

// Last: it ends the broker. Rows that were on their way when it crashed, and those written while it
// is away, arrive at least once; a reader goes on by itself.
TEST_F(KafkaTest, ZZNothingIsLostWhenTheBrokerCrashes) {
  broker_->create_topic(topic_, 2);
  const TestTable t =
      table({{"sink.partitioner", "round-robin"}, {"properties.delivery.timeout.ms", "600000"}});
  SinkHarness writer(*KafkaSink::make(t.request));
  ASSERT_TRUE(writer.open().is_ok());
  OpenSource source(t);

  int next = 0;
  const auto write = [&](int count) {
    std::string rows = "[";
    for (int i = 0; i < count; ++i)
      rows += fmt::format(R"({}["/a", {}])", i == 0 ? "" : ",", next++);
    const Status status = writer.write(batch_of(schema_of(kColumns), rows + "]"));
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  };
  const auto end_epoch = [&](EpochId epoch) {
    const auto ended = writer.end_epoch(epoch);
    ASSERT_TRUE(ended.is_ok()) << ended.status().to_string();
  };
  const auto number_of = [](const std::string& row) { return row.substr(0, row.find(']')); };
  std::set<std::string> seen;
  const auto read_until = [&](std::size_t partition, std::size_t wanted) {
    while (seen.size() < wanted) {
      const auto rows = source.read(1, partition);
      if (rows.empty()) break;
      for (const std::string& row : rows) seen.insert(number_of(row));
    }
  };

  write(2'000);
  end_epoch(1);
  read_until(0, 1'000);
  write(2'000);  // some of it is on its way
  broker_->kill();
  write(2'000);
  std::thread restart([] { broker_->start(); });
  write(2'000);
  end_epoch(2);
  restart.join();
  write(2'000);
  end_epoch(3);

  for (std::size_t partition : {0u, 1u}) {
    // Each partition got every other row.
    seen.clear();
    source.readers[partition].reset();
    auto reader = source.harness->open_split(source.splits[partition]);
    ASSERT_TRUE(reader.is_ok());
    source.readers[partition] = *std::move(reader);
    read_until(partition, 5'000);
    EXPECT_EQ(seen.size(), 5'000u);
  }
}

}  // namespace
}  // namespace tidegate::kafka
