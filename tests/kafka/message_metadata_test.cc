// SPDX-License-Identifier: Apache-2.0
//
// What messages carry beside key and value, in programs of the typed API.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "kafka/test_broker.h"
#include "tests/kafka/typed_programs.h"

namespace tidegate::kafka {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

TEST(MessageMetadata, IsReadAndWritten) {
  MockBroker broker;
  broker.create_topic("clicks");
  broker.create_topic("routed", 3);
  {
    TestProducer producer(broker.address());
    producer.send("clicks", {{}, R"({"url":"/a"})", 7, {{"h", "1"}, {"secret", "x"}, {"h", "2"}}});
    producer.send("clicks", {{}, R"({"url":"/b"})", 8});
  }
  const Status routed = route_clicks(broker.address(), "fail");
  ASSERT_TRUE(routed.is_ok()) << routed.to_string();
  const auto messages = consume_all(broker.address(), "routed", 3);
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].value, R"({"url":"/a","n":0})");
  EXPECT_EQ(messages[0].partition, 0);
  EXPECT_EQ(messages[0].timestamp_ms, 8);
  EXPECT_THAT(messages[0].headers, ElementsAre(Pair("h", "1"), Pair("h", "2"), Pair("last", "2")));
  EXPECT_EQ(messages[1].partition, 1);
  EXPECT_THAT(messages[1].headers, ElementsAre(Pair("last", "")));
}

TEST(MessageMetadata, APartitionThatIsNotThere) {
  MockBroker broker;
  broker.create_topic("clicks");
  broker.create_topic("routed");
  {
    TestProducer producer(broker.address());
    for (const char* url : {"/a", "/b", "/c", "/d"})
      producer.send("clicks", {{}, fmt::format(R"({{"url":"{}"}})", url)});
  }
  const Status failed = route_clicks(broker.address(), "fail");
  EXPECT_EQ(failed.code(), ErrorCode::kMalformedRecord) << failed.to_string();
  EXPECT_THAT(failed.message(), HasSubstr("has 1 partitions, and a row is for 1"));
  const auto before = consume_all(broker.address(), "routed");
  EXPECT_TRUE(route_clicks(broker.address(), "skip").is_ok());
  const auto all = consume_all(broker.address(), "routed");
  ASSERT_THAT(all, SizeIs(before.size() + 2));
  EXPECT_EQ(all[before.size()].value, R"({"url":"/a","n":0})");
  EXPECT_EQ(all[before.size() + 1].value, R"({"url":"/d","n":3})");
}

}  // namespace
}  // namespace tidegate::kafka
