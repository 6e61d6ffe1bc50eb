// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dataflow/connector.h"
#include "formats/format.h"
#include "kafka/client_properties.h"
#include "tidegate/status.h"

namespace tidegate::kafka {

/// Which of the two connectors a table is of.
enum class TableKind : std::uint8_t {
  kAppend,  ///< 'kafka': each message is a row
  kUpsert,  ///< 'upsert-kafka': a message is the newest row of its key, or says that there is none
};

/// A place in every partition, as an option says it.
struct OffsetRule {
  enum class Kind : std::uint8_t {
    kEarliest,
    kLatest,     ///< the end at the moment of asking; of committed records when only those are read
    kGroup,      ///< what the consumer group has committed
    kTimestamp,  ///< the first record at or after `timestamp_ms`, else the end
    kSpecific,   ///< `offsets`
    kNone,       ///< no place: read for ever
  };
  Kind kind = Kind::kEarliest;
  std::int64_t timestamp_ms = 0;
  std::map<std::int32_t, std::int64_t> offsets;  ///< by partition
};

/// What is known of the partition that a key is in.
enum class KeyPartitioner : std::uint8_t {
  kNone,
  kMurmur2,  ///< that of Java's clients, which is checked
  kAny,      ///< always the same one, the user says
};

struct SourceSettings {
  ClientProperties client;
  std::vector<std::string> topics;  ///< or
  std::string topic_pattern;        ///< a regular expression that matches whole names
  OffsetRule start;
  OffsetRule stop;
  std::chrono::milliseconds discovery_interval{0};  ///< 0: partitions are looked for once
  KeyPartitioner key_partitioner = KeyPartitioner::kNone;
  RecordErrorPolicy error_policy = RecordErrorPolicy::kFail;
  std::string dead_letter_topic;
  std::chrono::milliseconds connect_timeout{0};
  std::chrono::milliseconds outage_timeout{0};
  bool commits_offsets = false;
};

struct SinkSettings {
  enum class Partitioner : std::uint8_t { kDefault, kFixed, kRoundRobin };
  enum class Guarantee : std::uint8_t { kNone, kAtLeastOnce, kExactlyOnce };

  ClientProperties client;
  std::string topic;
  Partitioner partitioner = Partitioner::kDefault;
  Guarantee guarantee = Guarantee::kAtLeastOnce;
  std::string transactional_id_prefix;  ///< for exactly-once
  int parallelism = 0;
  /// Rows that cannot be messages are counted and left out.
  bool skips_bad_rows = false;
  std::chrono::milliseconds connect_timeout{0};
  /// Of an upsert table: the last row per key is kept back until so many keys have changed, or for
  /// so long; 0: rows are not kept back.
  std::int64_t flush_rows = 0;
  std::chrono::milliseconds flush_interval{0};
};

/// How the columns of a table lie in a message.
struct MessageFormats {
  TableKind kind = TableKind::kAppend;
  const Format* value = nullptr;
  Options value_options;           ///< with the format's own option names
  std::vector<int> value_columns;  ///< of the request's schema
  SchemaPtr value_schema;
  const Format* key = nullptr;  ///< null: the key is not looked at, and not written
  Options key_options;
  std::vector<int> key_columns;
  SchemaPtr key_schema;  ///< without 'key.fields-prefix'
  /// The key's columns stand in the value as well ('value.fields-include' = 'ALL').
  bool value_holds_key = true;
};

/// All options of the connector, for validation and the reference page.
std::vector<OptionSpec> option_specs(TableKind kind);

/// Also finds options that neither the connector nor its formats have.
Result<MessageFormats> read_formats(const ConnectorRequest& request,
                                    TableKind kind = TableKind::kAppend);
/// The 'properties.*' of a table.
Options client_options(const Options& options);
Result<SourceSettings> read_source_settings(const ConnectorRequest& request,
                                            const MessageFormats& formats);
Result<SinkSettings> read_sink_settings(const ConnectorRequest& request,
                                        TableKind kind = TableKind::kAppend);

}  // namespace tidegate::kafka
