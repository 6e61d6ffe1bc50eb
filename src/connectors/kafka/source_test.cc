// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "connectors/kafka/test_table.h"
#include "kafka/message_journal.h"
#include "kafka/partition_split.h"
#include "kafka/position_letters.h"
#include "kafka/topic_journal.h"
#include "tests/support/connector_harness.h"

namespace tidegate::kafka {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kColumns = "url STRING, n BIGINT";

std::string row(const std::string& url, int n) {
  return fmt::format(R"({{"url": "{}", "n": {}}})", url, n);
}

TestSettings with(TestSettings base, const TestSettings& more) {
  base.insert(base.end(), more.begin(), more.end());
  return base;
}

class KafkaSourceTest : public testing::Test {
 protected:
  /// Opens a source and its splits, in order. Ends the test on an error.
  struct Opened {
    std::unique_ptr<SourceHarness> harness;
    std::vector<Split> splits;
    std::vector<std::unique_ptr<SplitReader>> readers;

    std::vector<std::string> read(std::int64_t count) {
      SourceHarness::Rows rows = harness->read(*readers.at(0), count);
      EXPECT_TRUE(rows.status.is_ok()) << rows.status.to_string();
      return rows.texts;
    }
    std::vector<std::string> read_to_end() {
      SourceHarness::Rows rows = harness->read_to_end(*readers.at(0));
      EXPECT_TRUE(rows.status.is_ok()) << rows.status.to_string();
      return rows.texts;
    }
    Status error() {
      const Status status = harness->read_to_end(*readers.at(0)).status;
      return status.is_ok() ? tidegate::error(ErrorCode::kInternal, "no error") : status;
    }
  };

  Opened open(const TestTable& table) {
    auto source = KafkaSource::make(table.request);
    TG_CHECK(source.is_ok(), "{}", source.status().to_string());
    Opened opened;
    opened.harness = std::make_unique<SourceHarness>(*std::move(source));
    const Status status = opened.harness->open();
    TG_CHECK(status.is_ok(), "{}", status.to_string());
    auto discovery = opened.harness->source().discover({});
    TG_CHECK(discovery.is_ok(), "{}", discovery.status().to_string());
    opened.splits = discovery->splits;
    for (const Split& split : opened.splits) {
      auto reader = opened.harness->open_split(split);
      TG_CHECK(reader.is_ok(), "{}", reader.status().to_string());
      opened.readers.push_back(*std::move(reader));
    }
    return opened;
  }
  TestTable table(const TestSettings& more, const char* columns = kColumns) const {
    return TestTable(
        columns, broker_.address(),
        with({{"topic", "clicks"}, {"format", "json"}, {"properties.fetch.max.wait.ms", "20"}},
             more));
  }
  TestTable bounded(const TestSettings& more, const char* columns = kColumns) const {
    return table(with({{"scan.bounded.mode", "latest-offset"}}, more), columns);
  }

  MockBroker broker_;
};

TEST_F(KafkaSourceTest, RowsOfOnePartitionInOrderWithTheTimesOfTheMessages) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send("clicks", {{}, row("/a", 1), 1'000});
    producer.send("clicks", {{}, row("/b", 2), 500});
  }
  const TestTable t = bounded({});
  Opened opened = open(t);
  ASSERT_THAT(opened.splits, SizeIs(1));
  EXPECT_EQ(opened.splits[0].id, "clicks-0");
  EXPECT_THAT(opened.read_to_end(), ElementsAre("+I[/a, 1] @1000", "+I[/b, 2] @500"));
}

TEST_F(KafkaSourceTest, EachPartitionIsASplit) {
  broker_.create_topic("clicks", 3);
  {
    TestProducer producer(broker_.address());
    for (int i = 0; i < 9; ++i) producer.send_values("clicks", {row("/p", i)}, i % 3);
  }
  const TestTable t = bounded({});
  Opened opened = open(t);
  ASSERT_THAT(opened.splits, SizeIs(3));
  for (std::size_t p = 0; p < 3; ++p) {
    const auto rows = opened.harness->read_to_end(*opened.readers[p]);
    EXPECT_THAT(rows.texts, ElementsAre(fmt::format("+I[/p, {}] @1000", p),
                                        fmt::format("+I[/p, {}] @1000", p + 3),
                                        fmt::format("+I[/p, {}] @1000", p + 6)));
  }
}

TEST_F(KafkaSourceTest, AReaderGoesOnWhereAnotherWasAfterEachPoll) {
  broker_.create_topic("clicks");
  std::vector<std::string> expected;
  {
    TestProducer producer(broker_.address());
    for (int i = 0; i < 20; ++i) {
      producer.send_values("clicks", {row("/a", i)});
      expected.push_back(fmt::format("+I[/a, {}] @1000", i));
    }
  }
  const TestTable t = bounded({});
  for (const std::int64_t rows_per_poll : {1, 3, 7}) {
    Opened opened = open(t);
    std::vector<std::string> all;
    std::unique_ptr<SplitReader> reader = std::move(opened.readers[0]);
    while (true) {
      const auto rows = opened.harness->read(*reader, 1, rows_per_poll);
      ASSERT_TRUE(rows.status.is_ok()) << rows.status.to_string();
      all.insert(all.end(), rows.texts.begin(), rows.texts.end());
      if (rows.ended) break;
      const std::string position = reader->position();
      reader.reset();
      auto next = opened.harness->open_split(opened.splits[0], position);
      ASSERT_TRUE(next.is_ok());
      reader = *std::move(next);
    }
    EXPECT_EQ(all, expected) << rows_per_poll;
  }
}

TEST_F(KafkaSourceTest, AnUnboundedReaderIsWokenByNewMessages) {
  broker_.create_topic("clicks");
  const TestTable t = table({});
  Opened opened = open(t);
  EXPECT_FALSE(opened.harness->source().is_bounded());
  TestProducer producer(broker_.address());
  for (int i = 0; i < 5; ++i) {
    producer.send_values("clicks", {row("/a", i)});
    EXPECT_THAT(opened.read(1), ElementsAre(fmt::format("+I[/a, {}] @1000", i)));
  }
}

TEST_F(KafkaSourceTest, AnEmptyBoundedTopicEndsAtOnce) {
  broker_.create_topic("clicks", 2);
  const TestTable t = bounded({});
  Opened opened = open(t);
  EXPECT_TRUE(opened.harness->source().is_bounded());
  EXPECT_THAT(opened.read_to_end(), IsEmpty());
}

TEST_F(KafkaSourceTest, WhatComesBehindTheEndIsNotRead) {
  broker_.create_topic("clicks");
  TestProducer producer(broker_.address());
  producer.send_values("clicks", {row("/a", 1), row("/a", 2)});
  producer.flush();
  const TestTable t = bounded({});
  Opened opened = open(t);
  producer.send_values("clicks", {row("/late", 3)});
  producer.flush();
  EXPECT_THAT(opened.read_to_end(), ElementsAre("+I[/a, 1] @1000", "+I[/a, 2] @1000"));
  EXPECT_EQ(opened.readers[0]->position(), "2");
}

TEST_F(KafkaSourceTest, LatestStartsBehindWhatIsThere) {
  broker_.create_topic("clicks");
  TestProducer producer(broker_.address());
  producer.send_values("clicks", {row("/old", 1)});
  producer.flush();
  const TestTable t = table({{"scan.startup.mode", "latest-offset"}});
  Opened opened = open(t);
  EXPECT_EQ(opened.readers[0]->position(), "1");
  producer.send_values("clicks", {row("/new", 2)});
  EXPECT_THAT(opened.read(1), ElementsAre("+I[/new, 2] @1000"));
}

TEST_F(KafkaSourceTest, SpecificOffsets) {
  broker_.create_topic("clicks", 2);
  {
    TestProducer producer(broker_.address());
    for (int i = 0; i < 5; ++i) producer.send_values("clicks", {row("/a", i)}, 0);
    producer.send_values("clicks", {row("/b", 0)}, 1);
  }
  const TestTable t = table({{"scan.startup.mode", "specific-offsets"},
                             {"scan.startup.specific-offsets", "partition:0,offset:2"},
                             {"scan.bounded.mode", "specific-offsets"},
                             {"scan.bounded.specific-offsets", "partition:0,offset:4"}});
  Opened opened = open(t);
  EXPECT_THAT(opened.read_to_end(), ElementsAre("+I[/a, 2] @1000", "+I[/a, 3] @1000"));
  // A partition without an end in the list is not read.
  EXPECT_THAT(opened.harness->read_to_end(*opened.readers[1]).texts, IsEmpty());
}

TEST_F(KafkaSourceTest, GroupOffsetsAreStoredAndFound) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send_values("clicks", {row("/a", 1), row("/a", 2), row("/a", 3)});
  }
  const TestTable t = bounded({{"properties.group.id", "g"}});
  Opened first = open(t);
  EXPECT_THAT(first.read_to_end(), SizeIs(3));
  first.readers[0]->committed("2");

  const HandlePtr handle = make_test_handle(
      RD_KAFKA_CONSUMER, {{"bootstrap.servers", broker_.address()}, {"group.id", "g"}});
  const PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), "clicks", 0);
  // The commit is on its way; there is no event for its arrival.
  for (int tries = 0; tries < 3000 && list->elems[0].offset != 2; ++tries) {
    rd_kafka_committed(handle.get(), list.get(), 60'000);
    rd_kafka_poll(handle.get(), 20);
  }
  EXPECT_EQ(list->elems[0].offset, 2);

  Opened second = open(t);
  EXPECT_THAT(second.read_to_end(), ElementsAre("+I[/a, 3] @1000"));
}

TEST_F(KafkaSourceTest, AGroupWithoutOffsetsStartsAsTheResetSays) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send_values("clicks", {row("/a", 1)});
  }
  const TestSettings group = {{"properties.group.id", "fresh"}};
  const TestTable earliest = bounded(group);
  EXPECT_THAT(open(earliest).read_to_end(), SizeIs(1));
  const TestTable latest = bounded(with(group, {{"properties.auto.offset.reset", "latest"}}));
  EXPECT_THAT(open(latest).read_to_end(), IsEmpty());

  const TestTable none = bounded(with(group, {{"properties.auto.offset.reset", "none"}}));
  auto source = KafkaSource::make(none.request);
  SourceHarness harness(*std::move(source));
  ASSERT_TRUE(harness.open().is_ok());
  const Status status = harness.source().discover({}).status();
  EXPECT_EQ(status.code(), ErrorCode::kOffsetOutOfRange) << status.to_string();
}

TEST_F(KafkaSourceTest, AnOffsetThatIsGoneIsAnErrorUnlessReset) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send_values("clicks", {row("/a", 1)});
  }
  const TestSettings beyond = {{"scan.startup.mode", "specific-offsets"},
                               {"scan.startup.specific-offsets", "partition:0,offset:77"}};
  const TestTable strict = table(beyond);
  const Status status = open(strict).error();
  EXPECT_EQ(status.code(), ErrorCode::kOffsetOutOfRange);
  EXPECT_THAT(status.message(), HasSubstr("topic 'clicks' partition 0 offset 77"));

  const TestTable reset = table(with(beyond, {{"properties.auto.offset.reset", "earliest"}}));
  EXPECT_THAT(open(reset).read(1), ElementsAre("+I[/a, 1] @1000"));
}

TEST_F(KafkaSourceTest, MessagesWithoutAValueGiveNoRow) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send("clicks", {"k", {}});
    producer.send("clicks", {"k", row("/a", 1)});
    producer.send("clicks", {"k", {}});
  }
  const TestTable t = bounded({});
  Opened opened = open(t);
  EXPECT_THAT(opened.read_to_end(), ElementsAre("+I[/a, 1] @1000"));
  EXPECT_EQ(opened.harness->metric("messages_without_value"), 2);
  EXPECT_EQ(opened.readers[0]->position(), "3");
}

std::vector<std::string> messy_values() {
  return {row("/a", 1), "{\"url\": ", row("/b", 2), "", R"({"url": "/c", "n": "many"})",
          row("/d", 4)};
}

TEST_F(KafkaSourceTest, ABadMessageFailsWithItsPlace) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send_values("clicks", messy_values());
  }
  const TestTable t = bounded({});
  Opened opened = open(t);
  const Status status = opened.error();
  EXPECT_EQ(status.kind(), ErrorKind::kBadData) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("topic 'clicks' partition 0 offset 1"));
  // So a restart tries it again. Whether the good message before it was given out already depends
  // on how the two came.
  EXPECT_THAT(opened.readers[0]->position(), AnyOf("earliest", "1"));
}

TEST_F(KafkaSourceTest, BadMessagesAreSkippedAndCounted) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send_values("clicks", messy_values());
  }
  const TestTable t = bounded({{"error-policy", "skip"}});
  Opened opened = open(t);
  EXPECT_THAT(opened.read_to_end(),
              ElementsAre("+I[/a, 1] @1000", "+I[/b, 2] @1000", "+I[/d, 4] @1000"));
  EXPECT_EQ(opened.harness->metric("rows_bad"), 3);
}

TEST_F(KafkaSourceTest, BadMessagesGoToTheDeadLetterTopicAsTheyWere) {
  broker_.create_topic("clicks");
  broker_.create_topic("dead");
  {
    TestProducer producer(broker_.address());
    producer.send("clicks", {{}, row("/a", 1)});
    producer.send("clicks", {"key", "not json", 77, {{"h", "v"}}});
    producer.send("clicks", {{}, row("/b", 2)});
  }
  const TestTable t = bounded({{"error-policy", "dead-letter"}, {"dead-letter.topic", "dead"}});
  Opened opened = open(t);
  EXPECT_THAT(opened.read_to_end(), ElementsAre("+I[/a, 1] @1000", "+I[/b, 2] @1000"));
  EXPECT_EQ(opened.harness->metric("rows_bad"), 1);

  // When the rows are out, the letters are in.
  const std::vector<TestMessage> letters = consume_all(broker_.address(), "dead");
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].key, "key");
  EXPECT_EQ(letters[0].value, "not json");
  EXPECT_EQ(letters[0].timestamp_ms, 77);
  ASSERT_THAT(letters[0].headers, SizeIs(5));
  EXPECT_EQ(letters[0].headers[0], (std::pair<std::string, std::string>("h", "v")));
  EXPECT_EQ(letters[0].headers[1].second, "clicks");
  EXPECT_EQ(letters[0].headers[2].second, "0");
  EXPECT_EQ(letters[0].headers[3].second, "1");
  EXPECT_EQ(letters[0].headers[4].first, "tidegate.reason");
}

TEST_F(KafkaSourceTest, InLibraryModeDeadLettersGoIntoThePosition) {
  broker_.create_topic("clicks");
  broker_.create_topic("bad");
  TestProducer(broker_.address()).send_values("clicks", {R"({"n": 1})", "wrong", "worse"});
  const TestTable request =
      bounded({{"error-policy", "dead-letter"}, {"dead-letter.topic", "bad"}});
  auto source = KafkaSource::make(request.request);
  ASSERT_TRUE(source.is_ok());
  dynamic_cast<KeepsLetters&>(**source).keep_letters();
  SourceHarness harness(*std::move(source));
  ASSERT_TRUE(harness.open().is_ok());
  const Split split = harness.source().discover({})->splits.at(0);
  auto reader = *harness.open_split(split);
  EXPECT_THAT(harness.read(*reader, 1).texts.size(), 1u);
  EXPECT_EQ(reader->poll(10)->state, Polled::State::kPending) << "no epoch holds the letters yet";
  const std::string position = reader->position();
  EXPECT_EQ(*offset_of_position(position), 3);
  const auto output = TopicJournal::parse(letters_of_position(position));
  ASSERT_TRUE(output.is_ok()) << output.status().to_string();
  EXPECT_EQ(output->topic, "bad");
  std::vector<std::string> values;
  EXPECT_TRUE(read_journal(output->journal, [&](Outgoing& letter) {
                values.emplace_back(*letter.value);
                EXPECT_EQ(rd_kafka_header_cnt(letter.headers.get()), 4u);
                return Status::ok();
              }).is_ok());
  EXPECT_THAT(values, ElementsAre("wrong", "worse"));
  EXPECT_EQ(reader->position(), "3") << "once";
  EXPECT_EQ(reader->poll(10)->state, Polled::State::kEnd);
  EXPECT_THAT(consume_all(broker_.address(), "bad"), IsEmpty());
  reader.reset();
  reader = *harness.open_split(split, position);
  EXPECT_EQ(reader->position(), "3");
}

TEST_F(KafkaSourceTest, MoreDeadLettersThanTheProducerHasRoomFor) {
  broker_.create_topic("clicks");
  broker_.create_topic("dead");
  {
    TestProducer producer(broker_.address());
    for (int i = 0; i < 500; ++i) producer.send_values("clicks", {fmt::format("bad {}", i)});
    producer.send_values("clicks", {row("/a", 1)});
  }
  const TestTable t = bounded({{"error-policy", "dead-letter"},
                               {"dead-letter.topic", "dead"},
                               {"properties.queue.buffering.max.messages", "10"}});
  Opened opened = open(t);
  EXPECT_THAT(opened.read_to_end(), ElementsAre("+I[/a, 1] @1000"));
  const std::vector<TestMessage> letters = consume_all(broker_.address(), "dead");
  ASSERT_THAT(letters, SizeIs(500));
  for (int i = 0; i < 500; ++i)
    EXPECT_EQ(letters[static_cast<std::size_t>(i)].value, fmt::format("bad {}", i));
}

TEST_F(KafkaSourceTest, AMissingDeadLetterTopicIsFoundAtTheStart) {
  broker_.create_topic("clicks");
  rd_kafka_mock_topic_set_error(broker_.cluster(), "dead", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const TestTable t = bounded({{"error-policy", "dead-letter"}, {"dead-letter.topic", "dead"}});
  auto source = KafkaSource::make(t.request);
  SourceHarness harness(*std::move(source));
  const Status status = harness.open();
  EXPECT_EQ(status.code(), ErrorCode::kTopicNotFound) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("'dead'"));
}

TEST_F(KafkaSourceTest, ColumnsOfKeyValueAndMetadata) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send("clicks", {"7", R"({"url": "/a"})", 1'234, {{"h", "old"}, {"h", "new"}}});
    producer.send("clicks", {{}, R"({"url": "/b"})", 5'678});
    producer.send("clicks", {"8", R"({"url": "/c"})", 9});
  }
  TestTable t = bounded(
      {{"key.format", "csv"}, {"key.fields", "id"}, {"value.fields-include", "EXCEPT_KEY"}},
      "off BIGINT, id BIGINT, url STRING, at TIMESTAMP_LTZ(3), ms BIGINT, topic STRING, part INT, "
      "key BYTES, headers MAP<STRING, BYTES>, epoch INT");
  t.metadata({{"off", "offset"},
              {"at", "timestamp"},
              {"ms", "timestamp"},
              {"topic", "topic"},
              {"part", "partition"},
              {"key", "key"},
              {"headers", "headers"},
              {"epoch", "leader-epoch"}});
  t.request.projection = {1, 2, 0, 4, 5, 6};
  EXPECT_THAT(open(t).read_to_end(), ElementsAre("+I[7, /a, 0, 1234, clicks, 0] @1234",
                                                 "+I[null, /b, 1, 5678, clicks, 0] @5678",
                                                 "+I[8, /c, 2, 9, clicks, 0] @9"));
  t.request.projection = {3, 7, 8, 1, 9};
  EXPECT_THAT(open(t).read_to_end(), SizeIs(3));
}

TEST_F(KafkaSourceTest, ANullOrBadKeyIsABadMessage) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send("clicks", {"1", R"({"url": "/a"})"});
    producer.send("clicks", {{}, R"({"url": "/null"})"});
    producer.send("clicks", {"x", R"({"url": "/wrong"})"});
    producer.send("clicks", {"4", "wrong"});
    producer.send("clicks", {"x", "both wrong"});
    producer.send("clicks", {"6", R"({"url": "/f"})"});
  }
  const TestSettings keys = {
      {"key.format", "csv"}, {"key.fields", "id"}, {"value.fields-include", "EXCEPT_KEY"}};
  const TestTable skip =
      bounded(with(keys, {{"error-policy", "skip"}}), "url STRING, id BIGINT NOT NULL");
  Opened opened = open(skip);
  EXPECT_THAT(opened.read_to_end(), ElementsAre("+I[/a, 1] @1000", "+I[/f, 6] @1000"));
  EXPECT_EQ(opened.harness->metric("rows_bad"), 4);

  const TestTable fail = bounded(keys, "url STRING, id BIGINT NOT NULL");
  const Status status = open(fail).error();
  EXPECT_EQ(status.code(), ErrorCode::kNullKey) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("offset 1"));
}

TEST_F(KafkaSourceTest, APromisedPartitionIsChecked) {
  broker_.create_topic("clicks", 4);
  constexpr const char* kKeyed = "id BIGINT, url STRING";
  const TestSettings keys = {{"key.format", "csv"},
                             {"key.fields", "id"},
                             {"scan.key-partitioner", "murmur2"},
                             {"scan.bounded.mode", "latest-offset"}};
  const auto key_of = [](const TestTable& table) {
    const auto source = KafkaSource::make(table.request);
    TG_CHECK(source.is_ok(), "{}", source.status().to_string());
    return dynamic_cast<const SplitKey&>(**source).split_key();
  };
  EXPECT_THAT(key_of(table(keys, kKeyed)), ElementsAre(0));
  EXPECT_THAT(key_of(table({})), IsEmpty());
  TestTable without = table(keys, kKeyed);
  without.request.projection = {1};
  EXPECT_THAT(key_of(without), IsEmpty());
  std::int32_t partition = 0;
  {
    TestProducer producer(broker_.address());
    const TopicPtr topic(rd_kafka_topic_new(producer.handle(), "clicks", nullptr));
    partition = rd_kafka_msg_partitioner_murmur2(topic.get(), "1", 1, 4, nullptr, nullptr);
    TestMessage message{"1", R"({"id": 1})"};
    message.partition = partition;
    producer.send("clicks", message);
    message.partition = (partition + 1) % 4;
    producer.send("clicks", message);
    message.partition = (partition + 2) % 4;
    message.key.reset();
    producer.send("clicks", message);
  }
  const auto read = [&](const TestSettings& more, std::int32_t from) {
    Opened opened = open(table(with(keys, more), kKeyed));
    return opened.harness->read_to_end(*opened.readers.at(static_cast<std::size_t>(from))).status;
  };
  EXPECT_TRUE(read({}, partition).is_ok());
  EXPECT_EQ(read({}, (partition + 1) % 4).code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(read({}, (partition + 2) % 4).code(), ErrorCode::kNullKey);
  EXPECT_TRUE(read({{"scan.key-partitioner", "any"}}, (partition + 1) % 4).is_ok());
}

TEST_F(KafkaSourceTest, NoColumnAtAllStillCountsRows) {
  broker_.create_topic("clicks");
  {
    TestProducer producer(broker_.address());
    producer.send_values("clicks", {row("/a", 1), row("/b", 2)});
  }
  TestTable t = bounded({});
  t.request.projection = {};
  EXPECT_THAT(open(t).read_to_end(), SizeIs(2));
}

TEST_F(KafkaSourceTest, MetadataThatIsNotThereOrOfAnotherType) {
  const auto code_of = [&](const char* columns, const TestSettings& metadata) {
    TestTable t = table({}, columns);
    t.metadata(metadata);
    return KafkaSource::make(t.request).status();
  };
  EXPECT_THAT(code_of("a BIGINT", {{"a", "ofset"}}).message(), HasSubstr("'offset'"));
  EXPECT_EQ(code_of("a STRING", {{"a", "offset"}}).code(), ErrorCode::kInvalidPlan);
  EXPECT_EQ(code_of("a BYTES NOT NULL", {{"a", "key"}}).code(), ErrorCode::kInvalidPlan);
}

TEST_F(KafkaSourceTest, ATopicThatIsNotThere) {
  rd_kafka_mock_topic_set_error(broker_.cluster(), "clicks",
                                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  const TestTable t = table({});
  auto source = KafkaSource::make(t.request);
  SourceHarness harness(*std::move(source));
  const Status status = harness.open();
  EXPECT_EQ(status.code(), ErrorCode::kTopicNotFound) << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr("'clicks'"));
}

TEST_F(KafkaSourceTest, ABrokerThatIsNotThere) {
  // The reason is told if it was found within the time; a slow machine gets more of that.
  Status status;
  for (const char* timeout : {"300 ms", "3 s", "60 s"}) {
    const TestTable t(kColumns, "127.0.0.1:1",
                      {{"topic", "clicks"}, {"format", "json"}, {"connect.timeout", timeout}});
    auto source = KafkaSource::make(t.request);
    SourceHarness harness(*std::move(source));
    status = harness.open();
    ASSERT_FALSE(status.is_ok());
    EXPECT_EQ(status.code(), ErrorCode::kServiceUnreachable) << status.to_string();
    EXPECT_THAT(status.message(), HasSubstr("127.0.0.1:1"));
    if (status.message().find("refused") != std::string::npos) break;
  }
  EXPECT_THAT(status.message(), HasSubstr("refused"));
}

TEST_F(KafkaSourceTest, ABrokerThatStaysAwayFailsTheReader) {
  broker_.create_topic("clicks");
  const TestTable t = table({{"outage.timeout", "500 ms"}});
  Opened opened = open(t);
  broker_.go_down();
  const Status status = opened.harness->read(*opened.readers[0], 1).status;
  EXPECT_EQ(status.code(), ErrorCode::kServiceUnreachable) << status.to_string();
}

TEST_F(KafkaSourceTest, ABrokerThatComesBackIsReadOn) {
  broker_.create_topic("clicks");
  const TestTable t = table({});
  Opened opened = open(t);
  {
    TestProducer producer(broker_.address());
    producer.send_values("clicks", {row("/a", 1)});
    EXPECT_THAT(opened.read(1), SizeIs(1));
  }
  broker_.go_down();
  EXPECT_THAT(
      opened.harness->read_until_quiet(*opened.readers[0], std::chrono::milliseconds(300)).texts,
      IsEmpty());
  broker_.come_up();
  TestProducer producer(broker_.address());
  producer.send_values("clicks", {row("/a", 2)});
  EXPECT_THAT(opened.read(1), ElementsAre("+I[/a, 2] @1000"));
}

TEST_F(KafkaSourceTest, KnownPartitionsAreNotFoundAgain) {
  broker_.create_topic("clicks", 3);
  const TestTable t = table({{"scan.startup.mode", "latest-offset"}});
  auto source = KafkaSource::make(t.request);
  SourceHarness harness(*std::move(source));
  ASSERT_TRUE(harness.open().is_ok());
  auto found = harness.source().discover({"clicks-0", "clicks-2"});
  ASSERT_TRUE(found.is_ok());
  EXPECT_FALSE(found->complete);
  ASSERT_THAT(found->splits, SizeIs(1));
  // New beside known ones: all of it was written while the job was there.
  EXPECT_EQ(found->splits[0].payload, "clicks 1 earliest none");
  EXPECT_THAT(harness.source().discover({})->splits, IsEmpty());
}

TEST_F(KafkaSourceTest, TopicsByPattern) {
  broker_.create_topic("clicks-eu");
  broker_.create_topic("clicks-us");
  broker_.create_topic("orders");
  TestTable t(kColumns, broker_.address(), {{"topic-pattern", "clicks-.*"}, {"format", "json"}});
  Opened opened = open(t);
  ASSERT_THAT(opened.splits, SizeIs(2));
  EXPECT_EQ(opened.splits[0].id, "clicks-eu-0");
  EXPECT_EQ(opened.splits[1].id, "clicks-us-0");
}

TEST_F(KafkaSourceTest, APartitionHasOneReaderAtATime) {
  broker_.create_topic("clicks");
  const TestTable t = table({});
  Opened opened = open(t);
  EXPECT_EQ(opened.harness->open_split(opened.splits[0]).status().code(), ErrorCode::kInternal);
  opened.readers.clear();
  EXPECT_TRUE(opened.harness->open_split(opened.splits[0]).is_ok());
}

TEST_F(KafkaSourceTest, PositionsThatAreNoneAreCorruption) {
  broker_.create_topic("clicks");
  const TestTable t = table({});
  Opened opened = open(t);
  EXPECT_EQ(opened.harness->open_split(opened.splits[0], "x").status().code(),
            ErrorCode::kStateCorrupt);
  EXPECT_EQ(opened.harness->open_split({"clicks-0", "clicks 0"}).status().code(),
            ErrorCode::kStateCorrupt);
}

TEST_F(KafkaSourceTest, MoreThanTheQueueHolds) {
  broker_.create_topic("clicks");
  constexpr int kCount = 20'000;
  {
    TestProducer producer(broker_.address());
    for (int i = 0; i < kCount; ++i) producer.send_values("clicks", {row("/a", i)});
  }
  const TestTable t = bounded({{"properties.queued.min.messages", "1000"}});
  Opened opened = open(t);
  const auto rows = opened.read_to_end();
  ASSERT_THAT(rows, SizeIs(kCount));
  EXPECT_EQ(rows.back(), fmt::format("+I[/a, {}] @1000", kCount - 1));
}

}  // namespace
}  // namespace tidegate::kafka
