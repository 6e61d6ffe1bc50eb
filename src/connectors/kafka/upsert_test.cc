// SPDX-License-Identifier: Apache-2.0
//
// Tables of the connector 'upsert-kafka', read and written, against librdkafka's imitation of a
// broker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "connectors/kafka/sink.h"
#include "connectors/kafka/source.h"
#include "connectors/kafka/test_table.h"
#include "connectors/kafka/upsert_buffer.h"
#include "tests/support/batch_literal.h"
#include "tests/support/connector_harness.h"

namespace tidegate::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kColumns = "id BIGINT NOT NULL, url STRING, n BIGINT NOT NULL";

class KafkaUpsertTest : public testing::Test {
 protected:
  void SetUp() override { broker_.create_topic("t"); }

  TestTable table(const TestSettings& more = {}) const {
    TestSettings options = {{"topic", "t"}, {"key.format", "csv"}, {"value.format", "json"}};
    options.insert(options.end(), more.begin(), more.end());
    TestTable table(kColumns, broker_.address(), options);
    auto keyed = std::make_shared<Schema>(*table.request.schema);
    keyed->primary_key = {0};
    table.request.schema = keyed;
    return table;
  }
  std::vector<std::string> read(const TestTable& table) {
    auto source = KafkaSource::make(table.request, TableKind::kUpsert);
    TG_CHECK(source.is_ok(), "{}", source.status().to_string());
    SourceHarness harness(*std::move(source));
    const Status opened = harness.open();
    TG_CHECK(opened.is_ok(), "{}", opened.to_string());
    auto reader = harness.open_split(harness.source().discover({})->splits.at(0));
    TG_CHECK(reader.is_ok(), "{}", reader.status().to_string());
    auto rows = harness.read_to_end(**reader);
    EXPECT_TRUE(rows.status.is_ok()) << rows.status.to_string();
    return rows.texts;
  }
  /// "KEY=VALUE" of each message.
  std::vector<std::string> messages() const {
    std::vector<std::string> texts;
    for (const TestMessage& m : consume_all(broker_.address(), "t"))
      texts.push_back(fmt::format("{}={}", m.key.value_or("-"), m.value.value_or("-")));
    return texts;
  }

  MockBroker broker_;
};

TEST_F(KafkaUpsertTest, MessagesAreUpdatesAndTombstonesDelete) {
  {
    TestProducer producer(broker_.address());
    producer.send("t", {"9", {}});
    producer.send("t", {"1", R"({"id": 1, "url": "/a", "n": 5})"});
    producer.send("t", {"2", R"({"id": 2, "url": null, "n": 6})"});
    producer.send("t", {"1", {}});
    producer.send("t", {"1", R"({"id": 1, "url": "/b", "n": 7})"});
  }
  TestTable t = table({{"scan.bounded.mode", "latest-offset"}});
  EXPECT_THAT(read(t),
              ElementsAre("-D[9, null, null] @1000", "+U[1, /a, 5] @1000", "+U[2, null, 6] @1000",
                          "-D[1, null, null] @1000", "+U[1, /b, 7] @1000"));
  t.request.projection = {2, 0};
  EXPECT_THAT(read(t), ElementsAre("-D[null, 9] @1000", "+U[5, 1] @1000", "+U[6, 2] @1000",
                                   "-D[null, 1] @1000", "+U[7, 1] @1000"));
  t.request.projection = {0};
  EXPECT_THAT(read(t), ElementsAre("-D[9] @1000", "+U[1] @1000", "+U[2] @1000", "-D[1] @1000",
                                   "+U[1] @1000"));
}

TEST_F(KafkaUpsertTest, BadMessagesBetweenTombstones) {
  {
    TestProducer producer(broker_.address());
    producer.send("t", {"1", {}});
    producer.send("t", {"2", "no json"});
    producer.send("t", {"x", {}});
    producer.send("t", {{}, {}});
    producer.send("t", {"3", R"({"id": 3, "url": "/c", "n": 1})"});
    producer.send("t", {"4", {}});
  }
  const TestTable t = table({{"scan.bounded.mode", "latest-offset"}, {"error-policy", "skip"}});
  EXPECT_THAT(read(t), ElementsAre("-D[1, null, null] @1000", "+U[3, /c, 1] @1000",
                                   "-D[4, null, null] @1000"));
}

TEST_F(KafkaUpsertTest, RowsThatAreTakenBackAreTombstones) {
  const TestTable t = table();
  auto sink = KafkaSink::make(t.request, TableKind::kUpsert);
  ASSERT_TRUE(sink.is_ok()) << sink.status().to_string();
  EXPECT_EQ((*sink)->guarantee(), SinkGuarantee::kIdempotent);
  SinkHarness harness(*std::move(sink));
  ASSERT_TRUE(harness.open().is_ok());
  const Batch batch =
      batch_of(t.request.schema, R"([[1, "/a", 1], [2, "/b", 2], [1, "/a", 1], [1, null, 3]])");
  ASSERT_TRUE(harness
                  .write(with_row_kinds(batch, {RowKind::kInsert, RowKind::kUpdateAfter,
                                                RowKind::kDelete, RowKind::kInsert}))
                  .is_ok());
  ASSERT_TRUE(harness.end_epoch(1).is_ok());
  EXPECT_THAT(messages(),
              ElementsAre(R"(1={"id":1,"url":"/a","n":1})", R"(2={"id":2,"url":"/b","n":2})", "1=-",
                          R"(1={"id":1,"url":null,"n":3})"));
}

TEST_F(KafkaUpsertTest, OnlyTheLastChangeOfAKeyIsWritten) {
  const TestTable t = table({{"sink.buffer-flush.max-rows", "3"},
                             {"sink.buffer-flush.interval", "1 h"},
                             {"value.fields-include", "EXCEPT_KEY"}});
  SinkHarness harness(*KafkaSink::make(t.request, TableKind::kUpsert));
  ASSERT_TRUE(harness.open().is_ok());
  const auto write = [&](const char* rows) {
    ASSERT_TRUE(harness.write(batch_of(t.request.schema, rows)).is_ok());
  };
  write(R"([[1, "/a", 1], [2, "/b", 1], [1, "/a", 2]])");
  write(R"([[1, "/a", 3], [2, "/b", 2]])");
  write(R"([[3, "/c", 1], [4, "/d", 1]])");  // more than three: all go out
  write(R"([[1, "/a", 4], [1, "/a", 5]])");
  ASSERT_TRUE(harness.end_epoch(1).is_ok());
  EXPECT_THAT(messages(), ElementsAre(R"(1={"url":"/a","n":3})", R"(2={"url":"/b","n":2})",
                                      R"(3={"url":"/c","n":1})", R"(4={"url":"/d","n":1})",
                                      R"(1={"url":"/a","n":5})"));
}

TEST(UpsertBuffer, IsDueByTimeAndGoesOnWhereThereWasNoRoom) {
  VirtualClock clock;
  UpsertBuffer buffer(100, std::chrono::milliseconds(50), clock);
  EXPECT_FALSE(buffer.is_due());
  const auto put = [&](std::string_view key, std::optional<std::string_view> value) {
    Outgoing message;
    message.key = key;
    message.value = value;
    buffer.put(std::move(message));
  };
  put("a", "1");
  put("b", "2");
  put("a", std::nullopt);
  EXPECT_FALSE(buffer.is_due());
  clock.advance_to_ms(clock.wall_ms() + 60);
  EXPECT_TRUE(buffer.is_due());
  std::vector<std::string> sent;
  int room = 1;
  const auto send = [&](Outgoing& message) -> Result<bool> {
    if (room-- <= 0) return false;
    sent.push_back(fmt::format("{}={}", *message.key, message.value.value_or("-")));
    return true;
  };
  EXPECT_FALSE(*buffer.drain(send));
  room = 10;
  EXPECT_TRUE(*buffer.drain(send));
  EXPECT_THAT(sent, ElementsAre("a=-", "b=2"));
  EXPECT_FALSE(buffer.is_due());
}

TEST_F(KafkaUpsertTest, MistakesInTheOptions) {
  const auto status_of = [&](const TestSettings& more) {
    return KafkaSink::make(table(more).request, TableKind::kUpsert).status();
  };
  EXPECT_TRUE(status_of({}).is_ok());
  EXPECT_EQ(status_of({{"sink.buffer-flush.max-rows", "3"}}).code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(status_of({{"format", "json"}}).code(), ErrorCode::kUnknownOption);
  EXPECT_EQ(status_of({{"key.fields", "id"}}).code(), ErrorCode::kUnknownOption);
  EXPECT_EQ(status_of({{"scan.startup.mode", "latest-offset"}}).code(), ErrorCode::kUnknownOption);
  TestTable changes = table();
  changes.request.options.set("value.format", "debezium-json");
  EXPECT_THAT(KafkaSource::make(changes.request, TableKind::kUpsert).status().message(),
              HasSubstr("debezium-json"));
  TestTable keyless = table();
  auto schema = std::make_shared<Schema>(*keyless.request.schema);
  schema->primary_key.clear();
  keyless.request.schema = schema;
  EXPECT_EQ(KafkaSource::make(keyless.request, TableKind::kUpsert).status().code(),
            ErrorCode::kInvalidPlan);
}

TEST_F(KafkaUpsertTest, AReaderStopsWhereAMicroBatchEnds) {
  TestProducer producer(broker_.address());
  for (int n = 0; n < 10; ++n)
    producer.send_values("t", {fmt::format(R"({{"id": {}, "n": 1}})", n)});
  producer.flush();
  TestTable t("id BIGINT", broker_.address(), {{"topic", "t"}, {"format", "json"}});
  SourceHarness harness(*KafkaSource::make(t.request));
  ASSERT_TRUE(harness.open().is_ok());
  Source& source = harness.source();
  const Split split = source.discover({})->splits.at(0);
  auto reader = harness.open_split(split);
  ASSERT_TRUE(reader.is_ok());
  const auto read_batch = [&](std::int64_t max_rows) {
    std::optional<std::string> position;
    if ((*reader)->position() != "earliest") position = (*reader)->position();
    const auto end = source.plan_end(split, position, max_rows);
    EXPECT_TRUE(end.is_ok()) << end.status().to_string();
    EXPECT_TRUE((*reader)->read_until(*end->position).is_ok());
    std::string numbers = fmt::format("{}:", end->rows);
    while (true) {
      const auto polled = (*reader)->poll(3);
      EXPECT_TRUE(polled.is_ok());
      if (!polled.is_ok() || polled->state == Polled::State::kLimit) break;
      for (const std::string& row : text_rows(polled->batch)) numbers += " " + row.substr(3, 1);
    }
    EXPECT_EQ((*reader)->position(), *end->position);
    return numbers;
  };
  EXPECT_EQ(read_batch(4), "4: 0 1 2 3");
  EXPECT_EQ(read_batch(1), "1: 4");
  EXPECT_EQ(read_batch(0), "5: 5 6 7 8 9");
  EXPECT_EQ(read_batch(0), "0:");
  producer.send_values("t", {R"({"id": 8})"});
  producer.flush();
  EXPECT_EQ(read_batch(5), "1: 8");
  EXPECT_EQ(harness.metric("records_lag"), 0);
}

}  // namespace
}  // namespace tidegate::kafka
