// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/table_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "connectors/kafka/partitions.h"
#include "connectors/kafka/test_table.h"

namespace tidegate::kafka {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* kColumns = "id BIGINT, name STRING, n INT";

Result<SourceSettings> read_source(const TestSettings& options) {
  TestSettings all = {{"topic", "a"}, {"format", "json"}};
  all.insert(all.end(), options.begin(), options.end());
  const TestTable table(kColumns, "b:1", all);
  TG_ASSIGN_OR_RETURN(const MessageFormats formats, read_formats(table.request));
  return read_source_settings(table.request, formats);
}

Result<MessageFormats> read_both(const TestSettings& options) {
  TestSettings all = {{"topic", "a"}};
  all.insert(all.end(), options.begin(), options.end());
  // The formats are gone when this returns; only columns and errors are looked at.
  return read_formats(TestTable(kColumns, "b:1", all).request);
}

TEST(KafkaOptions, SourceDefaults) {
  const auto settings = read_source({{"topic", "a; b"}});
  ASSERT_TRUE(settings.is_ok()) << settings.status().to_string();
  EXPECT_THAT(settings->topics, ElementsAre("a", "b"));
  EXPECT_EQ(settings->start.kind, OffsetRule::Kind::kGroup);
  EXPECT_EQ(settings->stop.kind, OffsetRule::Kind::kNone);
  EXPECT_EQ(settings->discovery_interval, milliseconds(300'000));
  EXPECT_EQ(settings->error_policy, RecordErrorPolicy::kFail);
  EXPECT_FALSE(settings->commits_offsets);
  EXPECT_EQ(settings->client.brokers, "b:1");
}

TEST(KafkaOptions, OffsetsAreCommittedForAGroupUnlessSwitchedOff) {
  EXPECT_TRUE(read_source({{"properties.group.id", "g"}})->commits_offsets);
  EXPECT_FALSE(read_source({{"properties.group.id", "g"},
                            {"properties.commit.offsets.on.checkpoint", "false"}})
                   ->commits_offsets);
}

TEST(KafkaOptions, StartupModes) {
  EXPECT_EQ(read_source({{"scan.startup.mode", "earliest-offset"}})->start.kind,
            OffsetRule::Kind::kEarliest);
  const auto time =
      read_source({{"scan.startup.mode", "timestamp"}, {"scan.startup.timestamp-millis", "1234"}});
  EXPECT_EQ(time->start.kind, OffsetRule::Kind::kTimestamp);
  EXPECT_EQ(time->start.timestamp_ms, 1234);
  const auto specific = read_source(
      {{"scan.startup.mode", "specific-offsets"},
       {"scan.startup.specific-offsets", "partition:0,offset:42;partition:1,offset:300"}});
  ASSERT_TRUE(specific.is_ok()) << specific.status().to_string();
  EXPECT_THAT(specific->start.offsets, ElementsAre(Pair(0, 42), Pair(1, 300)));
}

TEST(KafkaOptions, WhatBelongsToAModeMustBeThere) {
  EXPECT_EQ(read_source({{"scan.startup.mode", "timestamp"}}).status().code(),
            ErrorCode::kMissingOption);
  EXPECT_EQ(read_source({{"scan.startup.mode", "specific-offsets"}}).status().code(),
            ErrorCode::kMissingOption);
  EXPECT_EQ(read_source({{"scan.bounded.mode", "group-offsets"}}).status().code(),
            ErrorCode::kMissingOption);
  EXPECT_EQ(read_source({{"scan.startup.mode", "newest"}}).status().code(),
            ErrorCode::kInvalidOption);
  EXPECT_EQ(read_source({{"error-policy", "dead-letter"}}).status().code(),
            ErrorCode::kMissingOption);
}

TEST(KafkaOptions, MalformedOffsets) {
  for (const char* text :
       {"", "0:1", "partition:0", "partition:0,offset:-1", "partition:0,offset:1x",
        "partition:99999999999,offset:1", "partition:0,offset:99999999999999999999"}) {
    EXPECT_EQ(read_source({{"scan.startup.mode", "specific-offsets"},
                           {"scan.startup.specific-offsets", text}})
                  .status()
                  .code(),
              ErrorCode::kInvalidOption)
        << text;
  }
}

TEST(KafkaOptions, BoundedSourcesLookForPartitionsOnce) {
  const auto settings = read_source({{"scan.bounded.mode", "latest-offset"}});
  EXPECT_EQ(settings->stop.kind, OffsetRule::Kind::kLatest);
  EXPECT_EQ(settings->discovery_interval, milliseconds(0));
}

TEST(KafkaOptions, OneOfTopicAndPattern) {
  EXPECT_EQ(read_source({{"topic-pattern", "a.*"}}).status().code(), ErrorCode::kInvalidOption);
  EXPECT_EQ(read_source({{"topic", ""}}).status().code(), ErrorCode::kMissingOption);
  EXPECT_TRUE(read_source({{"topic", ""}, {"topic-pattern", "a.*"}}).is_ok());
}

TEST(KafkaOptions, ParseErrorsThatTheFormatIgnoresAreSkipped) {
  EXPECT_EQ(read_source({{"json.ignore-parse-errors", "true"}})->error_policy,
            RecordErrorPolicy::kSkip);
}

TEST(KafkaOptions, UnknownOptionsOfConnectorAndFormats) {
  EXPECT_THAT(read_source({{"scan.startup.mod", "x"}}).status().message(),
              HasSubstr("scan.startup.mode"));
  EXPECT_EQ(read_both({{"value.format", "json"}, {"value.json.nope", "1"}}).status().code(),
            ErrorCode::kUnknownOption);
  EXPECT_EQ(
      read_both({{"format", "json"}, {"value.json.ignore-parse-errors", "true"}}).status().code(),
      ErrorCode::kUnknownOption);
  EXPECT_EQ(read_both({{"format", "jsom"}}).status().code(), ErrorCode::kUnknownName);
  EXPECT_EQ(read_both({}).status().code(), ErrorCode::kMissingOption);
  EXPECT_EQ(read_both({{"format", "parquet"}}).status().code(), ErrorCode::kNotSupported);
}

TEST(KafkaOptions, ColumnsOfKeyAndValue) {
  const auto both = read_both({{"key.format", "csv"},
                               {"key.csv.field-delimiter", "|"},
                               {"key.fields", "name;id"},
                               {"value.format", "json"},
                               {"value.json.ignore-parse-errors", "true"}});
  ASSERT_TRUE(both.is_ok()) << both.status().to_string();
  EXPECT_THAT(both->key_columns, ElementsAre(1, 0));
  EXPECT_THAT(both->value_columns, ElementsAre(0, 1, 2));
  EXPECT_EQ(both->key_options.get_string_or("csv.field-delimiter", ""), "|");
  EXPECT_EQ(both->value_options.get_string_or("json.ignore-parse-errors", ""), "true");

  const auto apart = read_both({{"key.format", "csv"},
                                {"key.fields", "id"},
                                {"key.fields-prefix", "i"},
                                {"value.fields-include", "EXCEPT_KEY"},
                                {"format", "json"}});
  ASSERT_TRUE(apart.is_ok()) << apart.status().to_string();
  EXPECT_THAT(apart->value_columns, ElementsAre(1, 2));
  EXPECT_EQ(apart->key_schema->field(0).name, "d");
}

TEST(KafkaOptions, MistakesAboutKeys) {
  const auto code_of = [](TestSettings options) {
    options.emplace_back("format", "json");
    return read_both(options).status().code();
  };
  EXPECT_EQ(code_of({{"key.format", "csv"}}), ErrorCode::kMissingOption);
  EXPECT_EQ(code_of({{"key.fields", "id"}}), ErrorCode::kMissingOption);
  EXPECT_EQ(code_of({{"key.format", "csv"}, {"key.fields", "nope"}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code_of({{"key.format", "csv"}, {"key.fields", "id"}, {"key.fields-prefix", "i"}}),
            ErrorCode::kInvalidOption);
}

TEST(KafkaOptions, ExactlyOnceNeedsAPrefix) {
  const TestSettings options = {{"topic", "a"}, {"sink.delivery-guarantee", "exactly-once"}};
  const TestTable table(kColumns, "b:1", options);
  EXPECT_EQ(read_sink_settings(table.request).status().code(), ErrorCode::kMissingOption);
  TestTable named(kColumns, "b:1", options);
  named.request.options.set("sink.transactional-id-prefix", "p");
  const auto settings = read_sink_settings(named.request);
  ASSERT_TRUE(settings.is_ok()) << settings.status().to_string();
  EXPECT_EQ(settings->guarantee, SinkSettings::Guarantee::kExactlyOnce);
  EXPECT_EQ(settings->transactional_id_prefix, "p");
}

TEST(KafkaOptions, BrokersHaveAShortFormThatFlinksOverrides) {
  TestTable table(kColumns, "unused", {});
  Options options;
  options.set("topic", "a");
  const auto brokers = [&] {
    table.request.options = options;
    return read_sink_settings(table.request)->client.brokers;
  };
  EXPECT_EQ(brokers(), "localhost:9092");
  options.set("brokers", "c:3");
  EXPECT_EQ(brokers(), "c:3");
  options.set("properties.bootstrap.servers", "d:4");
  EXPECT_EQ(brokers(), "d:4");
}

TEST(KafkaPositions, TextAndBack) {
  EXPECT_EQ(offset_text(42), "42");
  EXPECT_EQ(*parse_offset("42"), 42);
  EXPECT_EQ(*parse_offset(offset_text(kEarliest)), kEarliest);
  for (const char* text : {"", "-1", "4 2", "0x1", "99999999999999999999"})
    EXPECT_EQ(parse_offset(text).status().code(), ErrorCode::kStateCorrupt) << text;
}

TEST(KafkaPositions, SplitsAndBack) {
  PartitionSplit split{"a.b-c", 7, 12, 30};
  EXPECT_EQ(split.to_split().id, "a.b-c-7");
  const auto read = PartitionSplit::from_split(split.to_split());
  ASSERT_TRUE(read.is_ok());
  EXPECT_EQ(read->topic, "a.b-c");
  EXPECT_EQ(read->partition, 7);
  EXPECT_EQ(read->start, 12);
  EXPECT_EQ(read->stop, 30);
  split.start = kEarliest;
  split.stop.reset();
  const auto open = PartitionSplit::from_split(split.to_split());
  EXPECT_EQ(open->start, kEarliest);
  EXPECT_FALSE(open->stop.has_value());
  for (const char* text : {"", "a", "a 1", "a 1 2", "a x 2 3", "a 1 2 3 4", "a -1 2 3"})
    EXPECT_EQ(PartitionSplit::from_split({"a-1", text}).status().code(), ErrorCode::kStateCorrupt)
        << text;
}

}  // namespace
}  // namespace tidegate::kafka
